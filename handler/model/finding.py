"""What the audit reports: findings, with their severity and status."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from handler.model.address import Family
from handler.model.address_set import UNKNOWN_ADDRESSES, AddressSet
from handler.model.attachment import Attachment
from handler.model.network import Rule, Target
from handler.model.opened_by import NotAttributed, OpenedBy
from handler.model.ranked import Ranked
from handler.model.reach import Reach
from handler.model.traffic import Traffic


class Severity(Ranked):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    def lowered(self, steps: int) -> "Severity":
        """The severity that many steps below, info at the lowest."""
        return _SEVERITIES[min(self.rank + steps, len(_SEVERITIES) - 1)]

    def is_at_least(self, other: "Severity") -> bool:
        """Whether it is as bad as the other one or worse."""
        return self.rank <= other.rank


_SEVERITIES = tuple(Severity)


class Kind(StrEnum):
    """What a finding is about; joint is what several groups on an interface open together."""

    EXPOSURE = "exposure"
    JOINT = "interface"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"

    @property
    def is_exposure(self) -> bool:
        """Whether it is known what is open to whom."""
        return self in {Kind.EXPOSURE, Kind.JOINT}


class Status(StrEnum):
    """What a finding is, compared with the last run and with the policy's exceptions."""

    NEW = "new"
    OPEN = "open"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    EXCEPTED = "excepted"
    UNVERIFIED = "unverified"

    @property
    def is_open(self) -> bool:
        """Whether it was seen in this run, and no exception accepts it."""
        return self in {Status.NEW, Status.OPEN, Status.REOPENED}


MAX_NAMED = 15
"""A report names that many sources, rules and interfaces of a finding, and counts the others."""


class Change(StrEnum):
    """How an open finding differs from what was known of it."""

    WIDENED = "widened"
    NARROWED = "narrowed"
    WORSENED = "worsened"


# Tuples are searched by identity; a set would hash each choice in Python.
_OPENED = (Status.NEW, Status.REOPENED)
_WIDER_OR_WORSE = (Change.WIDENED, Change.WORSENED)


class Previous(NamedTuple):
    """What a changed finding was, or one of the findings that it grew out of."""

    id: str
    traffic: Traffic
    reach: Reach
    severity: Severity
    addresses: int | None = None
    cidrs: tuple[str, ...] = ()


class Finding(NamedTuple):
    """One exposure, or a rule that could not be evaluated.

    ``id`` stays the same from run to run. ``group_ids`` are the groups that open it only together,
    of which ``group_id`` is the first; empty where one group does. ``part_of`` is the id of such a
    finding, of which this one is a part. ``addresses``, ``share`` and ``family`` are None where the
    reach is unknown; ``address_set`` says which addresses get in. ``rules`` are what opens it, and
    ``redundant_rules`` open a part of it without adding to them; a stored finding
    has neither. ``sources``, ``prefix_lists``, ``interfaces`` and ``attached`` (what the interfaces
    belong to, public ones first) name the first ones of ``source_count`` and ``interface_count``.
    ``rule_ids`` are those of all rules, as far as they are known, and ``holders`` the ids of all
    interfaces and instances; a stored finding has the first rule ids and no holders. ``detail``
    says what is wrong with a rule that could not be evaluated, or what else opens it or a part of
    it. ``why`` gives the reason for the severity in one sentence, ``attachment`` the path that
    decides it. ``managed_by`` is the controller or stack that manages the group.
    ``fix`` is the command that closes it, ``narrower`` the one that lets one range in instead.
    ``exception`` says who accepts it and until when, or until when they did, or which exception is
    narrower than the finding. ``first_seen``, ``last_seen``, ``resolved_at`` and ``changed_at``
    (when it was last new, wider or worse) are UTC in ISO 8601 with a Z. ``change`` says how an open
    one differs from the last run, ``previously`` what it was, the first few of
    ``previously_count``; ``origins`` are the ids of all known findings that it grew out of. One
    with ``flips`` has opened and closed that often since ``flipping_since``; where it
    ``is_damped``, its change alone is no reason to mail. ``opened_by`` says who opened it or made
    it wider last; None where that was not asked.
    """

    id: str
    kind: Kind
    severity: Severity
    target: Target
    group_id: str
    group_name: str
    vpc_id: str | None
    traffic: Traffic
    service: str | None
    reach: Reach
    family: Family | None = None
    addresses: int | None = None
    share: float | None = None
    address_set: AddressSet = UNKNOWN_ADDRESSES
    source_count: int = 0
    rule_count: int = 0
    sources: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    redundant_rules: tuple[Rule, ...] = ()
    rule_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    why: str = ""
    fix: str | None = None
    narrower: str | None = None
    detail: str | None = None
    status: Status = Status.OPEN
    attachment: Attachment = Attachment.UNKNOWN
    interfaces: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    interface_count: int = 0
    owner: str | None = None
    managed_by: str | None = None
    part_of: str | None = None
    exception: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    resolved_at: str | None = None
    changed_at: str | None = None
    change: Change | None = None
    previously: tuple[Previous, ...] = ()
    previously_count: int = 0
    origins: tuple[str, ...] = ()
    flips: int = 0
    flipping_since: str | None = None
    is_damped: bool = False
    opened_by: OpenedBy | NotAttributed | None = None

    @property
    def is_change(self) -> bool:
        """Whether it opened, reopened, or got wider or worse since the last run."""
        return self.status in _OPENED or self.change in _WIDER_OR_WORSE

    @property
    def is_opening(self) -> bool:
        """Whether it was opened or made wider since the last run, and not only accepted before."""
        is_new = self.status in _OPENED and not self.origins
        return is_new or self.change is Change.WIDENED

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """Id and name of the group, or of each that opens it only together with the others."""
        if self.group_ids:
            return tuple(zip(self.group_ids, self.group_names, strict=True))
        return ((self.group_id, self.group_name),)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """The report's order: severity, path, breadth of traffic, share, age, place."""
        place = (self.target.account, self.target.region, self.group_name, *self.group_names)
        return (
            self.severity.rank,
            self.attachment.rank,
            -self.traffic.breadth,
            -(self.share or 0),
            self.first_seen or "",
            *place,
            self.family or "",
            *self.traffic.sort_key,
            self.kind,
            self.group_id,
            self.id,
        )


def is_listed(finding: Finding, minimum_severity: Severity) -> bool:
    """Whether people are shown the finding, rather than told how many there are.

    What could not be read is listed whatever it may open: silence must mean clean.
    """
    return finding.kind is Kind.UNREADABLE or finding.severity.is_at_least(minimum_severity)


class Opening(NamedTuple):
    """What people read as one line: a finding, and the same opening for IPv6."""

    finding: Finding
    twin: Finding | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The finding and its twin."""
        return (self.finding, self.twin) if self.twin else (self.finding,)


def as_openings(findings: Iterable[Finding]) -> tuple[Opening, ...]:
    """The findings as people count them, in their order.

    The same opening for IPv4 and IPv6 is one, and so is what several groups open together with
    the part of each.
    """
    findings = tuple(findings)
    ids = {finding.id for finding in findings}
    first_of: dict[object, Finding] = {}
    twins: dict[str, Finding] = {}
    counted: list[Finding] = []
    for finding in findings:
        if finding.part_of in ids:
            continue
        first = first_of.setdefault(_meaning(finding), finding)
        if first.family is not finding.family and first.id not in twins:
            twins[first.id] = finding
        else:
            counted.append(finding)
    return tuple(Opening(finding, twins.get(finding.id)) for finding in counted)


def _meaning(finding: Finding) -> tuple[object, ...]:
    """What two findings share that differ in the family only."""
    place = (finding.target, finding.group_id, finding.group_ids, finding.attachment)
    opened = (finding.kind, finding.traffic, finding.severity, finding.change)
    # Rules that could not be evaluated have no family, and so no twin.
    return (*place, *opened, finding.status, finding.family and "", finding.exception)
