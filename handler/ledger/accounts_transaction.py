"""The transaction of a run over many accounts."""

from collections.abc import Mapping, Sequence
from typing import IO, Protocol

from handler import clock
from handler.ledger.account_states import AccountStates
from handler.ledger.flips import is_within
from handler.ledger.head import Pointer
from handler.ledger.records import REMEMBERED
from handler.ledger.state import LedgerState
from handler.ledger.state_reader import state_of
from handler.ledger.steps import CommonSteps, Outcome, ReportAndKind
from handler.ledger.transaction import LedgerSession
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.run import Run, Scan


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
        return self._execute(steps, self._compare_accounts)

    def _compare_accounts(self, _run: Run, _scans: Sequence[Scan]) -> ReportAndKind:
        """The comparison of all accounts."""
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
