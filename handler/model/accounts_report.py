"""The report on many accounts: all numbers, and the worst findings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from handler.model.network import ALL_ACCOUNTS, ALL_REGIONS
from handler.model.run import Report
from handler.model.totals import News, OpeningList, Totals, account_title

_NAMED_PROBLEMS = 10


class Summary(NamedTuple):
    """The totals, the worst openings and the news of all accounts."""

    totals: Totals = Totals()
    openings: OpeningList = OpeningList()
    news: News = News()
    has_news: bool = False


@dataclass(frozen=True)
class AccountsReport(Report):
    """The report on many accounts.

    ``findings`` is empty; ``summary`` has the worst. ``coverage`` has only targets with an error or
    a notice, and one for all targets of an account with the same.
    """

    summary: Summary = field(default_factory=Summary)

    @property
    def spans_accounts(self) -> bool:
        """Always true, even if the accounts could not be listed."""
        return True

    @cached_property
    def totals(self) -> Totals:
        """The numbers of all accounts."""
        return self.summary.totals

    @cached_property
    def openings(self) -> OpeningList:
        """What is open and listed, in all accounts."""
        return self.summary.openings

    @cached_property
    def news(self) -> News:
        """What has changed since the last run, in all accounts."""
        return self.summary.news

    @cached_property
    def has_news(self) -> bool:
        """Whether a finding has changed in a way that is worth a mail."""
        return self.summary.has_news

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
