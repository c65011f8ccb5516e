"""The report on many accounts: all numbers, and the worst findings."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from handler.model.audit_report import Report
from handler.model.network import ALL_ACCOUNTS, ALL_REGIONS
from handler.model.totals import News, OpeningList, Totals, account_title

_NAMED_PROBLEMS = 10


@dataclass(frozen=True)
class AccountsReport(Report):
    """The report on many accounts.

    ``findings`` is empty: the numbers, the worst openings and the news are summed up from the
    reports on single accounts. ``coverage`` has only targets with an error or a notice, and one for
    all targets of an account with the same.
    """

    totals: Totals = field(default_factory=Totals)
    openings: OpeningList = field(default_factory=OpeningList)
    news: News = field(default_factory=News)
    has_news: bool = False

    @property
    def spans_accounts(self) -> bool:
        """Always true, even if the accounts could not be listed."""
        return True

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences on what was not read: the first errors, and the number of the others."""
        return tuple(self._problem_texts())

    def _problem_texts(self) -> Iterator[str]:
        unread = self.unread
        for coverage in unread[:_NAMED_PROBLEMS]:
            account, region = coverage.target.account, coverage.target.region
            title = account_title(account, self.names.get(account))
            place = title if region == ALL_REGIONS else f"{region} in {title}"
            place = "The list of accounts" if account == ALL_ACCOUNTS else place
            yield f"{place} was not read: {coverage.error}"
        if (more := len(unread) - _NAMED_PROBLEMS) > 0:
            yield f"{more:,} more were not read."
        if number := self.totals.unreadable:
            yield f"{number:,} sources of rules could not be read."
