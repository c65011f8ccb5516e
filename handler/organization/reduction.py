"""Reduces the reports of accounts, one after the other, to one report of bounded size."""

from collections.abc import Iterator, Sequence

from handler.model.accounts_report import AccountsReport
from handler.model.audit_report import Changes, Report
from handler.model.finding import Opening, Severity
from handler.model.network import ALL_REGIONS
from handler.model.policy_exception import ExceptionReview
from handler.model.run import Coverage, Run
from handler.model.totals import AccountResult, News, OpeningList, Totals, sum_of


class Reduction:
    """The sum of the reports added to it."""

    def __init__(self, run: Run, minimum_severity: Severity, named: int) -> None:
        """``named`` is the number of openings to keep of each list."""
        self._run = run
        self._minimum_severity = minimum_severity
        self._totals = Totals()
        self._openings = _Worst(named)
        self._news = {name: _Worst(named) for name in News._fields}
        self._has_news = False
        self._coverage: list[Coverage] = []
        self._accounts: list[AccountResult] = []
        self._changes: Changes | None = None

    def add(self, account: str, name: str | None, report: Report) -> None:
        """Add the report of one account."""
        unread = all(not coverage.is_complete for coverage in report.coverage)
        regions = len(report.coverage) if unread else 0
        totals = report.totals._replace(unread_accounts=int(unread), unread_account_regions=regions)
        self._totals = self._totals.plus(totals)
        self._openings.add(report.openings)
        for key, worst in self._news.items():
            worst.add(getattr(report.news, key))
        self._has_news |= report.has_news
        self._coverage += _distinct(report.coverage)
        result = AccountResult(account, name, dict(report.openings.counts), not report.unread)
        self._accounts.append(result)
        self._changes = _sum_of_changes(self._changes, report.changes)

    def add_unlisted(self, coverage: Coverage) -> None:
        """Add that the accounts could not be listed, and nothing was read."""
        self._totals = self._totals.plus(Totals(regions=1, unread=1))
        self._coverage.append(coverage)

    def report(
        self,
        notices: tuple[str, ...],
        exceptions: ExceptionReview,
        changes: Changes | None,
    ) -> AccountsReport:
        """The report of all accounts; ``changes`` are those that no single account shows."""
        # Accounts of which no region was read come first.
        coverage = sorted(self._coverage, key=lambda c: (c.target.region != ALL_REGIONS, c.target))
        return AccountsReport(
            run=self._run,
            coverage=tuple(coverage),
            findings=(),
            exceptions=exceptions,
            changes=changes and _sum_of_changes(changes, self._changes),
            notices=notices,
            minimum_severity=self._minimum_severity,
            accounts=tuple(sorted(self._accounts, key=lambda account: account.id)),
            totals=self._totals,
            openings=self._openings.list(),
            news=News(**{key: worst.list() for key, worst in self._news.items()}),
            has_news=self._has_news,
        )

    @property
    def unread(self) -> tuple[Coverage, ...]:
        """The targets that were not read."""
        return tuple(coverage for coverage in self._coverage if not coverage.is_complete)


class _Worst:
    """The first openings in the report's order, and the number of all."""

    def __init__(self, named: int) -> None:
        self._named = named
        self._first: list[tuple[tuple[object, ...], Opening]] = []
        self._counts: dict[Severity, int] = {}

    def add(self, openings: OpeningList) -> None:
        """Add openings that are in the report's order."""
        self._counts = sum_of(self._counts, openings.counts)
        added = False
        for number, opening in enumerate(openings):
            key = opening.finding.sort_key
            is_full = len(self._first) >= self._named
            if number == self._named or (is_full and key >= self._first[self._named - 1][0]):
                break
            self._first.append((key, opening))
            added = True
        if added:
            self._first.sort(key=lambda entry: entry[0])
            del self._first[self._named :]

    def list(self) -> OpeningList:
        """The first openings, and the number of all."""
        return OpeningList(tuple(opening for _, opening in self._first), self._counts)


def _distinct(coverage: Sequence[Coverage]) -> Iterator[Coverage]:
    """The targets that were not read or have a notice; one for all with the same text."""
    same: dict[tuple[object, ...], list[Coverage]] = {}
    for target in coverage:
        if target.error or target.notice or not target.is_complete:
            same.setdefault((target.status, target.error, target.notice), []).append(target)
    for first, *others in same.values():
        more = f"{len(others):,} more region{'s' if len(others) > 1 else ''}"
        also = f" The same in {more}." if others else ""
        yield first._replace(
            error=first.error and first.error + also,
            notice=first.notice if first.error else first.notice and first.notice + also,
        )


def _sum_of_changes(first: Changes | None, second: Changes | None) -> Changes | None:
    """The changes of both, without findings; what only a whole run shows is from the first."""
    if first is None or second is None:
        return first or second
    return first._replace(
        unlisted=(),
        lost=(*first.lost, *second.lost),
        regained=(*first.regained, *second.regained),
        left_out=(*first.left_out, *second.left_out),
        has_new_settings=first.has_new_settings or second.has_new_settings,
        dropped=first.dropped + second.dropped,
    )
