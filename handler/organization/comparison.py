"""Compares what was read of each account with what was known, one account after the other."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from handler import clock
from handler.audit import report_on
from handler.aws import FAILURES, error_text
from handler.ledger.accounts import AccountBook
from handler.ledger.changes import unannounced
from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.mail import CsvFile
from handler.model.accounts_report import AccountsReport
from handler.model.finding import Severity
from handler.model.network import ALL_ACCOUNTS, ALL_REGIONS, Target
from handler.model.run import (
    Changes,
    Coverage,
    CoverageStatus,
    ExceptionReview,
    Report,
    Run,
)
from handler.organization.account_scan import AccountScan, ScanError, decode_scan
from handler.organization.configuration import TeamDigest
from handler.organization.objects import Exchange
from handler.organization.plan import Account, LeftOut, Plan
from handler.organization.reduction import Reduction
from handler.organization.report_files import ReportFile
from handler.policy.exceptions import PolicyResult, review_exceptions
from handler.policy.policy import Policy
from handler.report.csv import csv_line
from handler.report.digest import DigestKind

# They hide the latency of S3; each holds the objects of one account in memory. With those that
# write, they are as many as a client keeps connections.
_THREADS = 6
_LISTING = Target(ALL_ACCOUNTS, ALL_REGIONS)
# No mail names more; a finding takes 300 bytes of its 90 KB at least. There may be many teams.
_NAMED, _NAMED_FOR_TEAM = 300, 100
_NO_RESULT = "its scan ended without a result."


class TeamReport(NamedTuple):
    """What a team's digest is about, and the CSV with all of its findings."""

    digest: TeamDigest
    report: AccountsReport
    csv: CsvFile


class Compared(NamedTuple):
    """The report of a run over many accounts, and the files with all of its findings."""

    report: AccountsReport
    file: ReportFile
    csv: CsvFile
    teams: tuple[TeamReport, ...] = ()


class _Part:
    """The accounts of one digest, of a team or of all."""

    def __init__(self, run: Run, minimum_severity: Severity, named: int) -> None:
        self.reduction = Reduction(run, minimum_severity, named)
        self.csv = CsvFile(run)

    def add(self, account: Account, report: Report, rows: str) -> None:
        """Add the report of an account, and its lines of CSV."""
        self.reduction.add(account.id, account.name, report)
        self.csv.write(rows)


class Comparison:
    """One pass over the accounts of a plan."""

    def __init__(
        self,
        plan: Plan,
        run: Run,
        exchange: Exchange,
        policy: Policy,
        book: AccountBook,
        digests: Sequence[TeamDigest] = (),
    ) -> None:
        self._plan = plan
        self._run = run
        self._exchange = exchange
        self._policy = policy
        self._book = book
        self._all = _Part(run, policy.minimum_severity, _NAMED)
        self._teams = [
            (digest, _Part(run, policy.minimum_severity, _NAMED_FOR_TEAM)) for digest in digests
        ]
        self._file = ReportFile()
        self._used: set[str] = set()
        self._overtaken = 0

    def compare(self, kind: DigestKind | None, notices: tuple[str, ...]) -> Compared:
        """Compare all accounts, and write what is known when a digest of that kind is mailed.

        Raises ``StoreError``.
        """
        for account, scan, known in self._accounts():
            self._compare(account, scan, known, kind)
        if self._plan.problem:
            self._all.reduction.add_unlisted(
                Coverage(_LISTING, CoverageStatus.FAILED, error=self._plan.problem)
            )
        whole = self._whole(notices)
        own = tuple(notice for notice in notices if notice not in self._book.refused)
        teams = tuple(
            TeamReport(digest, self._team(digest, part, whole, own), part.csv)
            for digest, part in self._teams
        )
        return Compared(whole, self._file, self._all.csv, teams)

    def _compare(
        self,
        account: Account,
        scan: AccountScan,
        known: LedgerState | None,
        kind: DigestKind | None,
    ) -> None:
        if known and _is_overtaken(scan, known):
            # A later run has read it, and has reported what changed.
            self._overtaken += 1
            return
        report = self._report(scan, known)
        after = next_state(known, report, self._policy, kind)
        self._book.write(account.id, account.name, after)
        self._used |= scan.used
        self._add(account, report)

    def _team(
        self, digest: TeamDigest, part: _Part, whole: AccountsReport, notices: tuple[str, ...]
    ) -> AccountsReport:
        """The team's part of the report, which says nothing of other accounts."""
        review = ExceptionReview(
            *(
                tuple(exception for exception in exceptions if exception.account in digest.accounts)
                for exceptions in (
                    whole.exceptions.expired,
                    whole.exceptions.expiring,
                    whole.exceptions.unused,
                )
            )
        )
        changes = whole.changes and Changes(first=whole.changes.first)
        return part.reduction.report(notices, review, changes)

    def close(self) -> None:
        """Remove the files."""
        self._file.close()
        for part in (self._all, *(part for _, part in self._teams)):
            part.csv.close()

    def _report(self, scan: AccountScan, known: LedgerState | None) -> Report:
        # Which exceptions need attention is known when all accounts have been read.
        result = PolicyResult(scan.findings, scan.authorized, ExceptionReview())
        return report_on(self._run, scan.coverage, result, self._policy, known)

    def _add(self, account: Account, report: Report) -> None:
        findings = self._file.write(report)
        listed = {finding.id for finding in report.listed(report.findings)}
        rows = "".join(csv_line(f, account.name) for f in findings if f["id"] in listed)
        self._all.add(account, report, rows)
        for digest, part in self._teams:
            if account.id in digest.accounts:
                part.add(account, report, rows)

    def _whole(self, notices: tuple[str, ...]) -> AccountsReport:
        used = {e for e in self._policy.exceptions if e.key in self._used}
        review = review_exceptions(self._policy, used, self._all.reduction.unread, self._run)
        changes = None
        if self._book.state:
            ending = unannounced(review, self._book.state)
            lost = (_LISTING,) if self._plan.problem else ()
            changes = Changes(first=self._is_first, lost=lost, ending=ending)
            if self._run.is_full and self._plan.problem is None:
                changes = self._with_accounts(changes)
        overtaken = (
            [f"{self._overtaken:,} accounts were read by a later run, which has reported them."]
            if self._overtaken
            else []
        )
        said = (*notices, *self._book.problems, *overtaken)
        return self._all.reduction.report(said, review, changes)

    @property
    def _is_first(self) -> bool:
        state = self._book.state
        return self._run.is_full and state is not None and state.last_full_digest_at is None

    def _with_accounts(self, changes: Changes) -> Changes:
        """The accounts that are left out for the first time, or are back."""
        before, listing = self._book.left_out, self._plan.listing
        audited = {account.id: account for account in listing.accounts}
        left_out = {account.id: account for account in listing.left_out}
        gone = sorted(set(self._book.accounts) - audited.keys() - left_out.keys())
        now = {**dict.fromkeys(gone, ""), **{i: a.state for i, a in left_out.items()}}
        self._book.left_out = now
        departed = [i for i, state in sorted(now.items()) if before.get(i) != state]
        returned = [audited[i] for i in sorted(before) if i in audited]
        return changes._replace(
            departed=tuple(self._departed(i, left_out.get(i)) for i in departed),
            returned=tuple(_title(account.id, account.name) for account in returned),
        )

    def _departed(self, account_id: str, left_out: LeftOut | None) -> str:
        if left_out:
            return f"{_title(account_id, left_out.name)}: its state is {left_out.state}"
        title = _title(account_id, self._book.name_of(account_id))
        return f"{title}: it is no longer among the accounts to audit"

    def _accounts(self) -> Iterator[tuple[Account, AccountScan, LedgerState | None]]:
        """The accounts of the plan, with what was read and what was known."""
        waiting: deque[Future[tuple[Account, bytes | str, bytes | None]]] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            for account in self._plan.listing.accounts:
                waiting.append(pool.submit(self._fetch, account))
                if len(waiting) > _THREADS:
                    yield self._decoded(*waiting.popleft().result())
            while waiting:
                yield self._decoded(*waiting.popleft().result())

    def _fetch(self, account: Account) -> tuple[Account, bytes | str, bytes | None]:
        """The stored scan, or why there is none, and what is stored of the account."""
        try:
            scan = self._exchange.get(self._exchange.scan_key(account.id)) or _NO_RESULT
        except FAILURES as error:
            scan = f"its scan could not be read: {error_text(error)}"
        return account, scan, self._book.fetch(account.id)

    def _decoded(
        self, account: Account, stored_scan: bytes | str, stored_state: bytes | None
    ) -> tuple[Account, AccountScan, LedgerState | None]:
        known = self._book.known(account.id, stored_state)
        if isinstance(stored_scan, str):
            return account, _failed(account, stored_scan), known
        try:
            return account, decode_scan(stored_scan, account.id), known
        except ScanError as error:
            return account, _failed(account, str(error)), known


def _failed(account: Account, error: str) -> AccountScan:
    target, now = Target(account.id, ALL_REGIONS), clock.precise_timestamp()
    return AccountScan((Coverage(target, CoverageStatus.FAILED, error=error, read_at=now),))


def _is_overtaken(scan: AccountScan, known: LedgerState) -> bool:
    """Whether any region was read later than by this run."""
    return any(
        coverage.read_at and before.read_at > coverage.read_at
        for coverage in scan.coverage
        if (before := known.targets.get(coverage.target))
    )


def _title(account_id: str, name: str | None) -> str:
    return f"{name} ({account_id})" if name else account_id
