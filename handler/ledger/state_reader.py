"""Assembles the state from the head and the objects that it points to."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

from handler.ledger.account_state_json import AccountState
from handler.ledger.head import DecodeError, Head, Pointer
from handler.ledger.state import LedgerState, Resolved
from handler.ledger.store import LedgerStore, StoredHead
from handler.model.finding import Finding

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class StateReader:
    """Reads the state for a run; objects are cached, because they never change."""

    def __init__(self) -> None:
        self._objects: dict[str, AccountState] = {}

    def read(
        self, store: LedgerStore, stored: StoredHead
    ) -> tuple[LedgerState | None, tuple[str, ...]]:
        """The state, and a sentence for each account whose state cannot be read.

        Raises ``StoreError``.
        """
        head = stored.head
        if head is None:
            return None, ()
        accounts, problems = dict(stored.old_accounts), {}
        for account, pointer in head.accounts.items():
            try:
                accounts[account] = self._account(store, account, pointer)
            except DecodeError as error:
                problems[account] = str(error)
        state = state_of(head, accounts.values())
        possibly_mailed = {
            run.run: tuple(
                finding
                for account, pointer in run.accounts.items()
                for finding in possibly_mailed_in(
                    partial(self._account, store, account, pointer), state
                )
            )
            for run in head.abandoned
        }
        state = state._replace(unknown=frozenset(problems), possibly_mailed=possibly_mailed)
        return state, tuple(problems.values())

    def _account(self, store: LedgerStore, account: str, pointer: Pointer) -> AccountState:
        if pointer.key not in self._objects:
            self._objects[pointer.key] = store.read_account(account, pointer)
        return self._objects[pointer.key]


def state_of(head: Head, accounts: Collection[AccountState]) -> LedgerState:
    """The state in the head, with these accounts."""
    return LedgerState(
        records=_joined(account.records for account in accounts),
        resolved=_joined(account.resolved for account in accounts),
        targets=_joined(account.targets for account in accounts),
        announced=head.announced,
        runs=head.runs,
        settings=head.settings,
        last_full_digest_at=head.last_full_digest_at,
    )


def possibly_mailed_in(read: Callable[[], AccountState], known: LedgerState) -> Iterator[Finding]:
    """The findings of an account that an abandoned run may have mailed, if not resolved since."""
    # A missing object is no failure: it can only hide that findings are resolved.
    with suppress(DecodeError):
        for record in read().records.values():
            if not _was_resolved_since(record.finding, known.resolved):
                yield record.finding


def _joined(parts: Iterable[Mapping[_Key, _Value]]) -> dict[_Key, _Value]:
    return {key: value for part in parts for key, value in part.items()}


def _was_resolved_since(finding: Finding, resolved: Mapping[str, Resolved]) -> bool:
    """Whether a finding was resolved after it was last seen."""
    gone = resolved.get(finding.id)
    return bool(
        gone
        and finding.last_seen
        and datetime.fromisoformat(gone.resolved_at) >= datetime.fromisoformat(finding.last_seen)
    )
