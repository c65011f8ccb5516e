"""The numbers in a report, and its openings as people count them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from handler.model.finding import Opening, Severity, Status

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class OpeningList:
    """The first openings in the report's order, and the number of all openings by severity.

    The length counts all openings, including those that the list does not contain.
    """

    first: tuple[Opening, ...] = ()
    counts: Mapping[Severity, int] = field(default_factory=dict)

    @classmethod
    def of(cls, openings: Iterable[Opening]) -> "OpeningList":
        """A list that contains all of the openings."""
        first = tuple(openings)
        return cls(first, Counter(opening.finding.severity for opening in first))

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[Opening]:
        return iter(self.first)

    def __add__(self, other: "OpeningList") -> "OpeningList":
        return OpeningList((*self.first, *other.first), sum_of(self.counts, other.counts))


class News(NamedTuple):
    """The openings by how they have changed.

    ``worse`` are wider or more severe. ``narrowed`` ones are also in ``still_open``.
    """

    new: OpeningList = OpeningList()
    worse: OpeningList = OpeningList()
    reopened: OpeningList = OpeningList()
    resolved: OpeningList = OpeningList()
    narrowed: OpeningList = OpeningList()
    unlisted: OpeningList = OpeningList()
    still_open: OpeningList = OpeningList()

    @property
    def opened(self) -> OpeningList:
        """New, worse and reopened openings, in the order of the change digest."""
        return self.new + self.worse + self.reopened


class Totals(NamedTuple):
    """How much was read, and how many findings there are.

    ``unread`` of the ``regions`` were not read, or not completely. ``unread_accounts`` counts
    accounts with no region read, ``unread_account_regions`` their regions. ``unreadable`` counts
    open findings about sources that could not be read. ``severities`` counts open findings,
    ``openings`` what is open as people count it, and ``unlisted`` how much of that is not shown.
    ``opened`` and ``resolved`` count changes since the last run.
    """

    regions: int = 0
    unread: int = 0
    accounts: int = 0
    unread_accounts: int = 0
    unread_account_regions: int = 0
    groups: int = 0
    rules: int = 0
    unreadable: int = 0
    unlisted: int = 0
    opened: int = 0
    resolved: int = 0
    authorized: int = 0
    authorized_groups: int = 0
    severities: Mapping[Severity, int] = MappingProxyType({})
    openings: Mapping[Severity, int] = MappingProxyType({})
    statuses: Mapping[Status, int] = MappingProxyType({})

    def plus(self, other: "Totals") -> "Totals":
        """The sum of each number."""
        pairs: Iterable[tuple[Any, Any]] = zip(self, other, strict=True)
        sums: Iterable[Any] = (a + b if isinstance(a, int) else sum_of(a, b) for a, b in pairs)
        return Totals(*sums)

    @property
    def findings(self) -> int:
        """The number of open findings."""
        return sum(self.severities.values())


def sum_of(numbers: Mapping[_Key, int], added: Mapping[_Key, int]) -> dict[_Key, int]:
    """The sum for each key."""
    return {key: numbers.get(key, 0) + added.get(key, 0) for key in {**numbers, **added}}


class AccountResult(NamedTuple):
    """The openings of one account, in a run over many accounts."""

    id: str
    name: str | None
    openings: Mapping[Severity, int]
    is_complete: bool


def account_title(account_id: str, name: str | None) -> str:
    """The account's name and id, or the id alone."""
    return f"{name} ({account_id})" if name else account_id
