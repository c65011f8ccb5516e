"""Findings with their severity and status."""

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
        """The severity ``steps`` below, but not below info."""
        return _SEVERITIES[min(self.rank + steps, len(_SEVERITIES) - 1)]

    def is_at_least(self, other: "Severity") -> bool:
        """Whether this severity is as bad as the other one or worse."""
        return self.rank <= other.rank


_SEVERITIES = tuple(Severity)


class Kind(StrEnum):
    """What a finding is about; joint if several groups on an interface open it together."""

    EXPOSURE = "exposure"
    JOINT = "interface"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"

    @property
    def is_exposure(self) -> bool:
        """Whether it is known what is open, and to whom."""
        return self is Kind.EXPOSURE or self is Kind.JOINT


class Status(StrEnum):
    """The state of a finding, compared with the last run and the policy's exceptions."""

    NEW = "new"
    OPEN = "open"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    EXCEPTED = "excepted"
    UNVERIFIED = "unverified"

    @property
    def is_open(self) -> bool:
        """Whether the finding was seen in this run and no exception accepts it."""
        # A set would hash its members in Python.
        return self in (Status.NEW, Status.OPEN, Status.REOPENED)


MAX_NAMED = 15
"""How many sources, rules and interfaces of a finding a report names; it counts the others."""


class Change(StrEnum):
    """How an open finding differs from the last run."""

    WIDENED = "widened"
    NARROWED = "narrowed"
    WORSENED = "worsened"


# Tuples, because they are searched by identity; a set would hash its members in Python.
_OPENED = (Status.NEW, Status.REOPENED)
_WIDER_OR_WORSE = (Change.WIDENED, Change.WORSENED)


class Previous(NamedTuple):
    """A changed finding as it was, or one of the findings from which it developed."""

    id: str
    traffic: Traffic
    reach: Reach
    severity: Severity
    addresses: int | None = None
    cidrs: tuple[str, ...] = ()


class Finding(NamedTuple):
    """One exposure, or a rule that could not be evaluated.

    ``id`` stays the same from run to run. Times are UTC in ISO 8601 with a Z.

    Where: ``group_ids`` are the groups that open it only together, beginning with ``group_id``;
    empty if one group opens it. ``part_of`` is the id of the joint finding that includes this one.
    ``interfaces`` and ``attached`` (their holders, public ones first) are the first of
    ``interface_count``; ``holders`` are the ids of all interfaces and instances. ``managed_by`` is
    the controller or stack that manages the group.

    What is open: ``rules`` open it, and ``redundant_rules`` open a part of it without adding to it.
    ``rule_ids`` are the known ids of all rules. ``sources`` and ``prefix_lists`` are the first of
    ``source_count``. ``addresses``, ``share`` and ``family`` are None if the reach is unknown.

    Evaluation: ``why`` gives the reason for the severity in one sentence, ``attachment`` the path
    that decides it. ``detail`` says why a rule could not be evaluated, or what else opens the
    finding or a part of it. ``fix`` is the command that closes it, ``narrower`` the command that
    lets one range in instead. ``exception`` says who accepts it and until when, or which exception
    has expired or is narrower than the finding.

    History: ``changed_at`` is when it was last new, wider or worse. ``change`` says how an open
    finding differs from the last run, ``previously`` what it was: the first of
    ``previously_count``. ``origins`` are the ids of all known findings from which it developed. It
    has changed ``flips`` times since ``flipping_since``; if it ``is_damped``, its change
    alone is no reason to mail. ``opened_by`` says who opened it, or last made it wider; None if
    nobody looked.

    A stored finding has no rules and no holders, and only the first rule ids.
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
    group_ids: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    status: Status = Status.OPEN
    attachment: Attachment = Attachment.UNKNOWN
    first_seen: str | None = None
    last_seen: str | None = None
    resolved_at: str | None = None
    changed_at: str | None = None
    opened_by: OpenedBy | NotAttributed | None = None
    # The ledger stores the fields above; only reports have the fields below.
    source_count: int = 0
    rule_count: int = 0
    sources: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    redundant_rules: tuple[Rule, ...] = ()
    rule_ids: tuple[str, ...] = ()
    why: str = ""
    fix: str | None = None
    narrower: str | None = None
    detail: str | None = None
    interfaces: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    interface_count: int = 0
    owner: str | None = None
    managed_by: str | None = None
    part_of: str | None = None
    exception: str | None = None
    change: Change | None = None
    previously: tuple[Previous, ...] = ()
    previously_count: int = 0
    origins: tuple[str, ...] = ()
    flips: int = 0
    flipping_since: str | None = None
    is_damped: bool = False

    @property
    def is_change(self) -> bool:
        """Whether it is new, reopened, wider or worse since the last run."""
        return self.status in _OPENED or self.change in _WIDER_OR_WORSE

    @property
    def is_opening(self) -> bool:
        """Whether it was opened or widened since the last run, not just newly listed."""
        is_new = self.status in _OPENED and not self.origins
        return is_new or self.change is Change.WIDENED

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """Id and name of the group, or of each group that opens it only together with others."""
        if self.group_ids:
            return tuple(zip(self.group_ids, self.group_names, strict=True))
        return ((self.group_id, self.group_name),)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """The order in reports: by severity, path, breadth of traffic, share, age and place."""
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


STORED_FIELDS = Finding._fields.index("source_count")
"""How many fields of a finding the ledger stores: the first ones."""


def is_listed(finding: Finding, minimum_severity: Severity) -> bool:
    """Whether the finding is shown to people, rather than only counted.

    Unreadable sources are always listed, because an empty list must mean that nothing is open.
    """
    return finding.kind is Kind.UNREADABLE or finding.severity.is_at_least(minimum_severity)


class Opening(NamedTuple):
    """A finding and its twin: the same exposure for the other family."""

    finding: Finding
    twin: Finding | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The finding and its twin, if any."""
        return (self.finding, self.twin) if self.twin else (self.finding,)


def as_openings(findings: Iterable[Finding]) -> tuple[Opening, ...]:
    """The findings as people count them, in the same order.

    A finding and its twin for the other family count once, and so do a joint finding and its parts.
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
    """The fields that two findings share if they differ only in the family."""
    place = (finding.target, finding.group_id, finding.group_ids, finding.attachment)
    exposure = (finding.kind, finding.traffic, finding.severity, finding.change)
    # A rule that could not be evaluated has no family, and so no twin.
    return (*place, *exposure, finding.status, finding.family and "", finding.exception)
