"""What a ledger's bucket holds, as data."""

from collections.abc import Callable

from handler.ledger.account_state_json import decode_account
from handler.ledger.bucket_store import HEAD_KEY
from handler.ledger.head import Head, decode_head
from handler.ledger.state import LedgerState

ReadKey = Callable[[str], bytes]


def head_in(read: ReadKey) -> Head:
    """The head of the ledger."""
    return decode_head(read(HEAD_KEY))


def state_in(read: ReadKey) -> LedgerState:
    """All that the ledger knows."""
    head = head_in(read)
    accounts = [decode_account(read(p.key), account) for account, p in head.accounts.items()]
    return LedgerState(
        records={key: record for a in accounts for key, record in a.records.items()},
        resolved={key: gone for a in accounts for key, gone in a.resolved.items()},
        targets={key: target for a in accounts for key, target in a.targets.items()},
        announced=head.announced,
        runs=head.runs,
        settings=head.settings,
        last_full_digest_at=head.last_full_digest_at,
    )
