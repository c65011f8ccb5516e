"""Reads the states of many accounts, and stores the new ones, one account in memory at a time."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from handler.ledger.account_state_json import AccountState, decode_account, encode_account
from handler.ledger.claim import UNDECODABLE
from handler.ledger.head import DecodeError, Head, Pointer
from handler.ledger.state import LedgerState
from handler.ledger.state_reader import possibly_mailed_in, state_of
from handler.ledger.store import LedgerStore
from handler.model.digest_kind import DigestKind
from handler.report.phrases import count

# Enough to hide the latency of S3; each holds one account's object in memory.
_THREADS = 4
_NAMED_PROBLEMS = 10


class AccountStates:
    """Reads the states of accounts, and stores the new ones.

    ``left_out`` are the accounts that are not audited, with their state in AWS Organizations; a run
    that has listed all accounts replaces them. ``refused`` says, by the id of a team's mail, why it
    was not sent. ``mailed_kind`` is the digest that an earlier attempt at this run has mailed.
    """

    def __init__(
        self,
        store: LedgerStore,
        head: Head | None,
        run: str,
        mailed_kind: DigestKind | None,
    ) -> None:
        self._store = store
        self._head = head
        self._run = run
        self._pool = ThreadPoolExecutor(_THREADS)
        self._writes: deque[tuple[str, Future[Pointer | None]]] = deque()
        self.state = state_of(head, ()) if head else None
        self.mailed_kind = mailed_kind
        self.left_out_before = head.left_out if head else {}
        self.left_out = self.left_out_before
        self.refused = head.refused if head else {}
        self.accounts = frozenset(head.accounts) if head else frozenset[str]()
        self.pointers: dict[str, Pointer] = {}
        self._problems: dict[str, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """Why states of accounts are unknown: the first reasons, and the number of the others."""
        problems = tuple(self._problems.values())
        if (more := len(problems) - _NAMED_PROBLEMS) <= 0:
            return problems
        return (*problems[:_NAMED_PROBLEMS], f"The same holds for {count(more, 'more account')}.")

    def fetch(self, account: str) -> bytes | None:
        """The stored state of an account, if any, from any thread. Raises ``StoreError``."""
        pointer = self._head.accounts.get(account) if self._head else None
        return self._store.account_object(pointer) if pointer else None

    def account_state(self, account: str, stored: bytes | None) -> LedgerState | None:
        """The state of an account; None without a ledger. Raises ``StoreError``."""
        if (head := self._head) is None:
            return None
        pointer = head.accounts.get(account)
        part, unknown = AccountState(), frozenset[str]()
        try:
            part = self._decoded(account, stored) if pointer else part
        except DecodeError as error:
            unknown = frozenset({account})
            self._problems[account] = UNDECODABLE.format(error)
        state = state_of(head, (part,))
        possibly_mailed = {
            run.run: tuple(
                possibly_mailed_in(partial(self._store.read_account, account, old), state)
            )
            for run in head.abandoned
            if (old := run.accounts.get(account))
        }
        return state._replace(unknown=unknown, possibly_mailed=possibly_mailed)

    def name_of(self, account: str) -> str | None:
        """The name that an account had when it was last read. Raises ``StoreError``."""
        try:
            return self._decoded(account, self.fetch(account)).name
        except DecodeError:
            return None

    def write(self, account: str, name: str | None, after: LedgerState) -> None:
        """Store the state after the run. Raises ``StoreError``, also for earlier writes."""
        stored = encode_account(after, account, name)
        write = partial(self._store.put_account, account, stored, self._run, len(after.records))
        self._writes.append((account, self._pool.submit(write)))
        self._finish(_THREADS)

    def finish(self) -> None:
        """Wait until everything is stored. Raises ``StoreError``."""
        self._finish(0)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _finish(self, running: int) -> None:
        while len(self._writes) > running:
            account, write = self._writes.popleft()
            if pointer := write.result():
                self.pointers[account] = pointer

    def _decoded(self, account: str, stored: bytes | None) -> AccountState:
        if stored is None:
            raise DecodeError(f"The state of account {account} is missing.")
        return decode_account(stored, account)
