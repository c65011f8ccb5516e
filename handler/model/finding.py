"""What the audit reports: findings, with their severity and status."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from handler.model.address import Family
from handler.model.attachment import Attachment
from handler.model.network import Reach, Target
from handler.model.traffic import Traffic


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _SEVERITIES.index(self)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One exposure, or a rule that could not be evaluated.

    ``id`` stays the same from run to run. ``group_ids`` are the groups that open it only together,
    of which ``group_id`` is the first; empty where one group does. ``part_of`` is the id of such a
    finding, of which this one is a part. ``addresses``, ``share`` and ``family`` are None where the
    reach is unknown. ``detail`` says what is wrong with a rule that could not be evaluated, or what
    else opens it or a part of it. ``redundant_rules`` is all that other rules open of it, traffic
    and source, without adding to it. ``why`` gives the reason for the severity in one sentence,
    ``attachment`` the path that decides it, ``attached`` describes the interfaces, those with
    public addresses first. ``managed_by`` is the controller or stack that manages the group.
    ``fix`` is the command that closes it, ``narrower`` the one that lets one range in instead.
    ``exception`` says who accepts it and until when, or until when they did, or which exception is
    narrower than the finding. ``first_seen``, ``last_seen`` and ``resolved_at`` are UTC in ISO 8601
    with a Z; ``worsened_from`` is the severity of an open one in the last run, where it is more
    severe now.
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
    sources: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()
    redundant_rules: tuple[tuple[Traffic, str], ...] = ()
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
    owner: str | None = None
    managed_by: str | None = None
    part_of: str | None = None
    exception: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    resolved_at: str | None = None
    worsened_from: Severity | None = None

    @property
    def is_change(self) -> bool:
        """Whether it opened, reopened or got worse since the last run."""
        return self.status in {Status.NEW, Status.REOPENED} or self.worsened_from is not None

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


@dataclass(frozen=True, slots=True)
class Opening:
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
    opened = (finding.kind, finding.traffic, finding.severity, finding.worsened_from)
    # Rules that could not be evaluated have no family, and so no twin.
    return (*place, *opened, finding.status, finding.family and "", finding.exception)
