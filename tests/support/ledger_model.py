"""A plain model of what is open from run to run: sets of cells, slow and obvious.

A cell is one kind of packet from one block of addresses to one group, or to several groups on one
interface. The model is written from what the ledger promises and shares no arithmetic with it.
What one group opens follows from its rules; what several open together, and how severe an opening
is, is taken from the findings, which have tests of their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network
from typing import NamedTuple

from handler.model.address import Family
from handler.model.address_set import AddressSet
from handler.model.audit_report import Report
from handler.model.finding import Change, Finding, Kind, Status
from handler.model.network import PrefixList, Rule
from handler.model.traffic import Traffic
from tests.support import exposure_model

# One packet of every kind that the rules of the tests treat differently.
PACKETS = (
    *(Traffic("tcp", port, port) for port in (19, 20, 22, 23, 80, 443, 9999)),
    *(Traffic("udp", port, port) for port in (53, 9999)),
    *(Traffic("icmp", icmp_type=kind, icmp_code=99) for kind in (8, 13)),
    Traffic("50"),
)
AWS_LIST, UNREADABLE = "pl-cloudfront", "pl-unreadable"
LISTS = {
    "pl-lower": PrefixList("pl-lower", ("0.0.0.0/1",)),
    "pl-quarters": PrefixList("pl-quarters", ("0.0.0.0/2", "64.0.0.0/2", "2600::/12")),
}
_CLOUDFRONT = frozenset(Traffic("tcp", port, port) for port in (80, 443, 9999))


class Place(NamedTuple):
    """The group, or the groups on one interface, and the family."""

    groups: tuple[str, ...]
    family: Family


class Cell(NamedTuple):
    """One kind of packet from one block of addresses, or from a list of AWS's own."""

    place: Place
    packet: Traffic
    source: str


Cells = frozenset[Cell]
NONE: Cells = frozenset()


def place_of(finding: Finding) -> Place:
    """Where an exposure is open."""
    assert finding.family is not None
    return Place(finding.group_ids or (finding.group_id,), finding.family)


@cache
def open_to_one_group(rules: tuple[Rule, ...]) -> Cells:
    """What the rules of a group open, by brute force."""
    return frozenset(
        Cell(Place((rules[0].group_id,), family), packet, source)
        for family in Family
        for packet in PACKETS
        for source in _sources(family, packet, rules)
    )


def _sources(family: Family, packet: Traffic, rules: Sequence[Rule]) -> Iterator[str]:
    matching = [rule for rule in rules if exposure_model.lets_in(rule.traffic, packet)]
    named = {rule.source for rule in matching}
    if AWS_LIST in named and family is Family.IPV4 and packet in _CLOUDFRONT:
        yield AWS_LIST
    known = [rule for rule in matching if rule.source not in {AWS_LIST, UNREADABLE}]
    yield from exposure_model.reached(family, packet, known, LISTS, ())


def cells_of(finding: Finding) -> Cells:
    """What an exposure opens; nothing for a source that could not be read."""
    if not finding.kind.is_exposure:
        return NONE
    return _cells(place_of(finding), finding.traffic, finding.address_set.cidrs)


def cells_before(finding: Finding) -> Cells:
    """What the openings that an exposure grew out of opened."""
    return NONE.union(
        *(_cells(place_of(finding), before.traffic, before.cidrs) for before in finding.previously)
    )


@cache
def _cells(place: Place, traffic: Traffic, cidrs: tuple[str, ...]) -> Cells:
    return frozenset(
        Cell(place, packet, source)
        for packet in PACKETS
        if exposure_model.lets_in(traffic, packet)
        for cidr in cidrs
        for source in _blocks(cidr)
    )


@cache
def _blocks(cidr: str) -> frozenset[str]:
    """The model's blocks with public addresses that lie in a CIDR."""
    if cidr == AWS_LIST:
        return frozenset({cidr})
    network = ip_network(cidr)
    return frozenset(
        block
        for family in Family
        for block in exposure_model.strangers(family, ())
        if ip_network(block).overlaps(network)
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What the model knows after a run.

    ``listed`` are the cells that a reader of all mails takes for open. Of these, it may have been
    said already that the ``doubtful`` are closed. ``seen`` are the findings of the last runs that
    read them, by id, and ``unreadable`` those of the last run.
    """

    listed: Cells = NONE
    doubtful: Cells = NONE
    seen: tuple[tuple[str, AddressSet], ...] = ()
    unreadable: frozenset[str] = frozenset()
    joint_ids: frozenset[str] = frozenset()
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """What one run read: what is open, whether listed or not, and the report that it led to."""

    known: Known
    open: Cells
    found: tuple[Finding, ...]
    report: Report
    is_complete: bool

    @property
    def exposures(self) -> list[Finding]:
        """What the run read that is open."""
        return [finding for finding in self.found if finding.kind.is_exposure]

    @property
    def listed(self) -> Cells:
        """What is open and listed now."""
        return union(
            finding
            for finding in self.exposures
            if finding.severity.is_at_least(self.report.minimum_severity)
        )

    @property
    def unverified(self) -> Cells:
        """What the report says it could not verify."""
        return union(self.report.with_status(Status.UNVERIFIED))

    @property
    def unreadable(self) -> frozenset[str]:
        """The ids of the rules that could not be evaluated."""
        return frozenset(finding.id for finding in self.found if not finding.kind.is_exposure)

    @property
    def joint_ids(self) -> frozenset[str]:
        """The ids of what several groups open together."""
        return frozenset(finding.id for finding in self.found if finding.kind is Kind.JOINT)

    def announced(self) -> Cells:
        """What the report says has opened."""
        return union(
            finding
            for finding in self.report.findings
            if finding.status in {Status.NEW, Status.REOPENED} or finding.change is Change.WIDENED
        )

    def withdrawn(self) -> Cells:
        """What the report says is closed, or was open before something changed."""
        assert self.report.changes is not None
        changed = (*self.report.findings, *self.report.changes.unlisted)
        return union(self.report.with_status(Status.RESOLVED)).union(*map(cells_before, changed))

    def is_open_with_other_groups(self, cell: Cell) -> bool:
        """Whether one or more of the groups, or these and others, let the packet in."""
        groups = {*cell.place.groups}
        return any(
            other.place.family is cell.place.family
            and (other.packet, other.source) == (cell.packet, cell.source)
            and (groups <= {*other.place.groups} or groups >= {*other.place.groups})
            for other in self.open
        )

    def unnamed_openers(self, resolved: Finding) -> list[Finding]:
        """What lets in some of a resolved finding, but changed or is not named by it.

        Not what several groups open in another combination of traffic, which is listed itself.
        """
        cells, seen = cells_of(resolved), dict(self.known.seen)
        changed = self.announced()
        return [
            finding
            for finding in self.exposures
            if place_of(finding) == place_of(resolved)
            and cells & cells_of(finding)
            and not (
                seen.get(finding.id) == finding.address_set
                and _is_named(finding, resolved.detail or "")
            )
            and not (finding.kind is Kind.JOINT and cells_of(finding) <= changed)
        ]

    def is_rewrite(self) -> bool:
        """Whether nothing that is listed opened or closed since the last run."""
        return (
            self.is_complete
            and self.known.is_complete
            and self.listed == self.known.listed
            and not self.known.doubtful
            and self.unreadable == self.known.unreadable
            and self.joint_ids == self.known.joint_ids
        )

    def next(self) -> Known:
        """What is known after the run."""
        seen = dict(self.known.seen) | {f.id: f.address_set for f in self.found}
        if self.is_complete:
            listed, doubtful = self.listed | self.unverified, NONE
            seen = {f.id: f.address_set for f in self.found}
        else:
            # Where not all was read, what is known stays known.
            listed = self.known.listed | self.listed
            doubtful = self.known.doubtful | self.withdrawn()
        return Known(
            listed, doubtful, tuple(seen.items()), self.unreadable, self.joint_ids, self.is_complete
        )


def union(findings: Iterable[Finding]) -> Cells:
    """What the findings open together."""
    return NONE.union(*map(cells_of, findings))


def _is_named(finding: Finding, detail: str) -> bool:
    """Whether the detail names the finding, or so many that it counts some."""
    return finding.traffic.text in detail or "more" in detail
