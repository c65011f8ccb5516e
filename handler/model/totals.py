"""The numbers of a report, and its openings as people count them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeVar

from handler.model.finding import Opening, Severity, Status

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class OpeningList:
    """Openings in the report's order: the first ones, and how many there are of each severity.

    Its length is that of all, also of those that it does not hold.
    """

    first: tuple[Opening, ...] = ()
    counts: Mapping[Severity, int] = field(default_factory=dict)

    @classmethod
    def of(cls, openings: Iterable[Opening]) -> "OpeningList":
        """A list that holds all of them."""
        first = tuple(openings)
        return cls(first, Counter(opening.finding.severity for opening in first))

    def of_severity(self, severity: Severity) -> "OpeningList":
        """Those of that severity."""
        first = tuple(o for o in self.first if o.finding.severity is severity)
        return OpeningList(first, {severity: self.counts.get(severity, 0)})

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[Opening]:
        return iter(self.first)

    def __add__(self, other: "OpeningList") -> "OpeningList":
        return OpeningList((*self.first, *other.first), sum_of(self.counts, other.counts))


class News(NamedTuple):
    """The openings that have changed, by how, and those that are still open.

    ``worse`` are wider or more severe. ``narrowed`` ones are still open, too.
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
        """What got worse in any way, in the order of the change mail."""
        return self.new + self.worse + self.reopened


@dataclass(frozen=True, slots=True)
class Totals:
    """How much was read, and how many findings there are.

    Of the ``regions``, ``unread`` were not read, or not in full; ``unread_accounts`` are those of
    several of which no region was read, with ``unread_account_regions`` in them. ``unreadable`` are
    open findings about sources that could not be read. ``severities`` count open findings,
    ``openings`` what is open as people count it; ``unlisted`` are those of them that people are
    not shown. ``opened`` and ``resolved`` are what differs from the last run.
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
    severities: Mapping[Severity, int] = field(default_factory=dict)
    openings: Mapping[Severity, int] = field(default_factory=dict)
    statuses: Mapping[Status, int] = field(default_factory=dict)

    def __add__(self, other: "Totals") -> "Totals":
        sums: dict[str, Any] = {}
        for entry in fields(self):
            value, added = getattr(self, entry.name), getattr(other, entry.name)
            sums[entry.name] = value + added if isinstance(value, int) else sum_of(value, added)
        return Totals(**sums)

    @property
    def findings(self) -> int:
        """How many are open."""
        return sum(self.severities.values())


def sum_of(numbers: Mapping[_Key, int], added: Mapping[_Key, int]) -> dict[_Key, int]:
    """The sums by key."""
    return {key: numbers.get(key, 0) + added.get(key, 0) for key in {**numbers, **added}}


class AccountResult(NamedTuple):
    """What a run over many accounts found in one of them, as people count it."""

    id: str
    name: str | None
    openings: Mapping[Severity, int]
    is_complete: bool


def account_title(account_id: str, name: str | None) -> str:
    """Name and id, or the id alone."""
    return f"{name} ({account_id})" if name else account_id
