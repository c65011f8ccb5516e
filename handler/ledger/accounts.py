"""The transaction of a run over many accounts, with one account in memory at a time."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import IO, Protocol

from handler import clock
from handler.ledger.account_state import AccountState, decode_account, encode_account
from handler.ledger.flips import is_within
from handler.ledger.head import DecodeError, Head, Pointer
from handler.ledger.records import REMEMBERED
from handler.ledger.state import LedgerState
from handler.ledger.state_reader import possibly_mailed_in, state_of
from handler.ledger.steps import CommonSteps, Outcome, ReportAndKind
from handler.ledger.store import LedgerStore
from handler.ledger.transaction import UNDECODABLE, LedgerSession
from handler.model.run import Report, Run, Scan
from handler.report.digest import DigestKind
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
        self.left_out_before: Mapping[str, str] = head.left_out if head else {}
        self.left_out = self.left_out_before
        self.refused: Mapping[str, str] = head.refused if head else {}
        self.accounts: Collection[str] = head.accounts.keys() if head else ()
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


class AccountsSteps(CommonSteps, Protocol):
    """The steps of a run over many accounts, which the ledger's transaction calls."""

    def still_refused(self, refused: Mapping[str, str], sent: Sequence[str]) -> Mapping[str, str]:
        """The refused mails to teams, by id, that the next digest must mention again.

        ``sent`` are the ids of the mails that this run has sent.
        """

    def compare(self, states: AccountStates, notices: tuple[str, ...]) -> ReportAndKind:
        """The report of all accounts, and which digest to mail.

        Stores the new states, too.
        """

    def report_file(self, report: Report) -> IO[bytes]:
        """The report as compressed JSON."""


class AccountsSession(LedgerSession):
    """The transaction of one run over many accounts."""

    _states: AccountStates | None = None
    _steps: AccountsSteps

    def execute_accounts(self, steps: AccountsSteps) -> Outcome | None:
        """Run the steps up to the commit, as ``LedgerSession.execute`` does."""
        self._steps = steps
        return self._execute(steps, self._compare)

    def _compare(self, _run: Run, _scans: Sequence[Scan]) -> ReportAndKind:
        """Compare all accounts; if the ledger fails on the way, again without it."""
        with self._continuing_without_ledger():
            return self._compare_accounts()
        return self._compare_accounts()

    def _compare_accounts(self) -> ReportAndKind:
        ledger = self._ledger
        self._states = AccountStates(
            ledger.store, ledger.stored.head, self._event.id, self._mailed_kind
        )
        try:
            report, kind = self._steps.compare(self._states, self._notices)
            self._states.finish()
        finally:
            self._states.close()
        self._failures += (p for p in self._states.problems if p not in self._failures)
        return report, kind

    def _read_state(self) -> LedgerState | None:
        """The state in the head; the accounts are read one by one."""
        head = self._ledger.stored.head
        return state_of(head, ()) if head else None

    def _save_report(self, report: Report) -> None:
        self._ledger.store.save_report_file(report.run, self._steps.report_file(report))

    def _write_accounts(self, _after: LedgerState, _report: Report) -> dict[str, Pointer]:
        """The objects that were stored while comparing."""
        return self._states.pointers if self._states else {}

    def _accounts_kept(
        self, _after: LedgerState, pointers: Mapping[str, Pointer]
    ) -> Mapping[str, Pointer]:
        """All pointers except those of accounts that have been left out for more than 90 days."""
        now, left_out = clock.timestamp(), self._left_out()
        return {
            account: pointer
            for account, pointer in pointers.items()
            if account not in left_out or is_within(pointer.written_at, now, REMEMBERED)
        }

    def _still_refused(self, kind: DigestKind | None) -> Mapping[str, str]:
        before = self._states.refused if self._states else {}
        kept = self._steps.still_refused(before, self._sent) if kind else before
        return {**kept, **self._refused}

    def _left_out(self) -> Mapping[str, str]:
        return self._states.left_out if self._states else super()._left_out()
