"""Compares the scan of each account with its state, one account after the other."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from typing import NamedTuple

from handler.audit import report_on
from handler.csv_attachment import CsvAttachment
from handler.ledger.account_states import AccountStates
from handler.ledger.changes import unannounced
from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.model.accounts_report import AccountsReport
from handler.model.audit_report import Changes, Report
from handler.model.digest_kind import DigestKind
from handler.model.network import ALL_ACCOUNTS, ALL_REGIONS, Target
from handler.model.policy_exception import ExceptionReview
from handler.model.run import Coverage, CoverageStatus, Run
from handler.model.totals import account_title
from handler.organization.configuration import TeamDigest, owed_digests
from handler.organization.plan import Account, LeftOut, Plan
from handler.organization.readings import read_accounts
from handler.organization.reduction import Reduction
from handler.organization.report_files import ReportFile
from handler.organization.run_objects import RunObjects
from handler.organization.stored_scan import AccountScan, failed_scan
from handler.policy.exceptions import PolicyResult, review_exceptions
from handler.policy.policy import Policy
from handler.report.csv import csv_line

_LISTING = Target(ALL_ACCOUNTS, ALL_REGIONS)
# No mail has room for more: a finding takes at least 300 bytes of its 90 KB. There may be many
# teams.
_NAMED, _NAMED_FOR_TEAM = 300, 100
_LISTS_ALL = "An earlier mail may not have reached you; this one lists all that is open."


class TeamReport(NamedTuple):
    """A team's digest, the report for it, and the CSV with all of its findings."""

    digest: TeamDigest
    report: AccountsReport
    csv: CsvAttachment


class Compared(NamedTuple):
    """The report of a run over many accounts, and the files with all of its findings."""

    report: AccountsReport
    file: ReportFile
    csv: CsvAttachment
    teams: tuple[TeamReport, ...] = ()


class _MovedAccounts(NamedTuple):
    """Phrases on the accounts that are no longer audited, or are again, by account ID."""

    departed: Mapping[str, str]
    returned: Mapping[str, str]


class AccountsRun(NamedTuple):
    """A run over many accounts, with all that its report depends on."""

    plan: Plan
    run: Run
    objects: RunObjects
    policy: Policy
    states: AccountStates
    digests: Sequence[TeamDigest]

    @property
    def owed(self) -> frozenset[str]:
        """The ids of the digests that are owed a mail because one was refused."""
        return owed_digests(self.states.refused, self.digests)


class _Part:
    """What one digest is about: the accounts of a team, or all."""

    def __init__(self, audit: AccountsRun, named: int, files: ExitStack) -> None:
        self.reduction = Reduction(audit.run, audit.policy.minimum_severity, named)
        self.csv = files.enter_context(closing(CsvAttachment(audit.run)))

    def add(self, account: Account, report: Report, rows: str) -> None:
        """Add the report of an account, and its rows of the CSV."""
        self.reduction.add(account.id, account.name, report)
        self.csv.write(rows)


class Comparison:
    """One pass over the accounts of a run; the caller closes its ``files``."""

    def __init__(self, audit: AccountsRun, files: ExitStack) -> None:
        self._audit = audit
        self._all = _Part(audit, _NAMED, files)
        self._teams = [(digest, _Part(audit, _NAMED_FOR_TEAM, files)) for digest in audit.digests]
        self._owed = audit.owed
        self._file = files.enter_context(closing(ReportFile()))
        self._used: set[str] = set()
        self._read_later: list[Coverage] = []

    def compare(
        self,
        kind: DigestKind | None,
        notices: tuple[str, ...],
        team_notices: tuple[str, ...],
    ) -> Compared:
        """Compare all accounts, and write the states for a run that mails a digest of that kind.

        ``team_notices`` are for the digests of teams, ``notices`` for the one of all accounts.
        Raises ``StoreError``.
        """
        plan, states = self._audit.plan, self._audit.states
        for account, scan, known in read_accounts(plan, self._audit.objects, states):
            self._used |= scan.used
            self._read_later += scan.read_later
            report = self._report(scan, known)
            after = next_state(known, report, self._audit.policy, kind)
            states.write(account.id, account.name, after)
            self._add(account, report)
        if plan.problem:
            self._all.reduction.add_unlisted(
                Coverage(_LISTING, CoverageStatus.FAILED, error=plan.problem)
            )
        moved = self._moved_accounts()
        whole = self._whole(notices, moved)
        teams = tuple(
            TeamReport(digest, self._team(digest, part, whole, moved, team_notices), part.csv)
            for digest, part in self._teams
        )
        return Compared(whole, self._file, self._all.csv, teams)

    def _team(
        self,
        digest: TeamDigest,
        part: _Part,
        whole: AccountsReport,
        moved: _MovedAccounts,
        notices: tuple[str, ...],
    ) -> AccountsReport:
        """The report on the accounts of a team, without anything about others."""
        review = ExceptionReview(
            *(tuple(e for e in group if e.account in digest.accounts) for group in whole.exceptions)
        )
        changes = whole.changes and Changes(
            first=whole.changes.first,
            ending=tuple(e for e in whole.changes.ending if e.account in digest.accounts),
            departed=_of(moved.departed, digest.accounts),
            returned=_of(moved.returned, digest.accounts),
        )
        is_owed = digest.id in self._owed and self._audit.run.is_full and not part.reduction.unread
        again = (_LISTS_ALL,) if is_owed else ()
        return part.reduction.report((*again, *notices), review, changes)

    def _report(self, scan: AccountScan, known: LedgerState | None) -> Report:
        # The review of exceptions follows once all accounts have been read.
        result = PolicyResult(scan.findings, scan.authorized, ExceptionReview())
        return report_on(self._audit.run, scan.coverage, result, self._audit.policy, known)

    def _add(self, account: Account, report: Report) -> None:
        findings = self._file.write(report)
        listed = {finding.id for finding in report.listed(report.findings)}
        rows = "".join(csv_line(f, account.name) for f in findings if f["id"] in listed)
        self._all.add(account, report, rows)
        for digest, part in self._teams:
            if account.id in digest.accounts:
                part.add(account, report, rows)

    def _whole(self, notices: tuple[str, ...], moved: _MovedAccounts) -> AccountsReport:
        plan, run, states, policy = (
            self._audit.plan,
            self._audit.run,
            self._audit.states,
            self._audit.policy,
        )
        used = {e for e in policy.exceptions if e.key in self._used}
        # An account that is not read may use an exception.
        left_out = (failed_scan(i, "left out", "").coverage for i in states.left_out)
        unread = (*self._all.reduction.unread, *chain.from_iterable(left_out), *self._read_later)
        review = review_exceptions(policy, used, unread, run)
        changes = states.state and Changes(
            first=run.is_full and states.state.last_full_digest_at is None,
            lost=(_LISTING,) if plan.problem else (),
            ending=unannounced(review, states.state),
            departed=tuple(moved.departed.values()),
            returned=tuple(moved.returned.values()),
        )
        notices = tuple(dict.fromkeys((*notices, *states.problems)))
        return self._all.reduction.report(notices, review, changes)

    def _moved_accounts(self) -> _MovedAccounts:
        """The accounts that are left out for the first time, or audited again."""
        plan, run, states = self._audit.plan, self._audit.run, self._audit.states
        if states.state is None or not run.is_full or plan.problem:
            return _MovedAccounts({}, {})
        if any(other.started_at > run.started_at for other in states.state.runs):
            # This list may be older than what a later run has mailed; the next run reports the
            # rest.
            return _MovedAccounts({}, {})
        before = states.left_out_before
        audited = {account.id: account.name for account in plan.listing.accounts}
        left_out = {account.id: account for account in plan.listing.left_out}
        gone = sorted(states.accounts - audited.keys() - left_out.keys())
        now = {**dict.fromkeys(gone, ""), **{i: a.state for i, a in left_out.items()}}
        states.left_out = now
        return _MovedAccounts(
            {
                i: _departed(i, left_out.get(i), states)
                for i, state in sorted(now.items())
                if before.get(i) != state
            },
            {i: account_title(i, audited[i]) for i in sorted(before) if i in audited},
        )


def _departed(account_id: str, left_out: LeftOut | None, states: AccountStates) -> str:
    if left_out:
        return f"{account_title(account_id, left_out.name)}: its state is {left_out.state}"
    title = account_title(account_id, states.name_of(account_id))
    return f"{title}: it is no longer among the accounts to audit"


def _of(phrases: Mapping[str, str], accounts: Collection[str]) -> tuple[str, ...]:
    """The phrases on these accounts."""
    return tuple(phrase for account, phrase in phrases.items() if account in accounts)
