"""Where a run reads and writes the ledger; the store of a run without one."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import IO, NamedTuple

from handler.ledger.account_state_json import AccountState, decode_account, encode_account
from handler.ledger.head import DecodeError, Head, Pointer
from handler.ledger.state import LedgerState
from handler.model.audit_report import Report
from handler.model.run import Run


class ConflictError(Exception):
    """Another run has changed the head since it was read."""


class StoreError(Exception):
    """The bucket cannot be read or written; the message is a sentence."""


class StoredHead(NamedTuple):
    """A head as read, and the ETag that the next write must match; None if there is no object.

    ``age`` is its age when it was read, by S3's clock. A head that could
    not be decoded is None, and ``problem`` says why; one of a later version is never replaced.
    ``old_accounts`` are the states of version 1, if its ledger is newer.
    """

    head: Head | None = Head()
    etag: str | None = None
    age: timedelta = timedelta()
    problem: str | None = None
    is_read_only: bool = False
    old_accounts: Mapping[str, AccountState] = MappingProxyType({})


class LedgerStore:
    """Where a run reads and writes the ledger; this base class stores nothing.

    The methods of other stores raise ``StoreError``.
    """

    def load(self, _run: str) -> StoredHead:
        """The head. One that cannot be decoded is copied to aside/ under the run's name."""
        return StoredHead(head=None)

    def reload(self, stored: StoredHead) -> StoredHead:
        """The head if another run has written it since, else the same with its present age."""
        return stored

    def account_object(self, _pointer: Pointer) -> bytes | None:
        """The object that a pointer names; None if there is none."""
        return None

    def read_account(self, account: str, pointer: Pointer) -> AccountState:
        """The state that a pointer names. Raises ``DecodeError`` if it is missing or corrupt."""
        stored = self.account_object(pointer)
        if stored is None:
            raise DecodeError(f"The state of account {account} is missing ({pointer.key}).")
        return decode_account(stored, account)

    def put_account(self, _account: str, _stored: bytes, _run: str, _count: int) -> Pointer | None:
        """Store the state of an account with that many findings; the pointer to it."""
        return None

    def write_accounts(
        self, state: LedgerState, accounts: Iterable[str], run: str
    ) -> dict[str, Pointer]:
        """Store the states of the accounts; the pointers to them, by account."""
        pointers = {}
        for account in accounts:
            count = sum(r.finding.target.account == account for r in state.records.values())
            stored = encode_account(state, account)
            if pointer := self.put_account(account, stored, run, count):
                pointers[account] = pointer
        return pointers

    def replace(self, stored: StoredHead, _head: Head) -> StoredHead:
        """Replace the head. Raises ``ConflictError`` if another run has changed it."""
        return stored

    def save_report(self, report: Report) -> None:
        """Store a run's report as JSON."""

    def save_report_file(self, run: Run, file: IO[bytes]) -> None:
        """Store a run's report, given as compressed JSON."""


NO_LEDGER = LedgerStore()
"""The store of a run without a ledger."""
