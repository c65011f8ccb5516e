"""The words of the audit as data: what is read, what is found, what is reported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

ALL = "all"
"""The protocol of a rule that lets every protocol in; AWS writes it -1."""
PORTED = frozenset({"tcp", "udp"})
"""The protocols with ports."""
ICMP = frozenset({"icmp", "icmpv6"})
"""The protocols with a type and a code."""
LAST_PORT = 65_535
ALL_REGIONS = "all"
"""Stands for every enabled region, in settings and where not even their names could be read."""
UNKNOWN = "unknown"
"""Stands where an id, an account or a region is not known."""


class Family(StrEnum):
    """An address family."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Reach(StrEnum):
    """Which part of the internet a set of sources covers, the largest first."""

    WORLD = "world"
    WIDE = "wide"
    PUBLIC = "public"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 for the whole internet."""
        return _REACHES.index(self)


_REACHES = tuple(Reach)


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


_SEVERITIES = tuple(Severity)


class Kind(StrEnum):
    """What a finding is about; an interface is what several groups open only together."""

    EXPOSURE = "exposure"
    INTERFACE = "interface"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"

    @property
    def is_judged(self) -> bool:
        """Whether it is known what is open to whom."""
        return self in {Kind.EXPOSURE, Kind.INTERFACE}


class Status(StrEnum):
    """What a finding is, compared with the last run and with what is accepted."""

    NEW = "new"
    OPEN = "open"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    EXCEPTED = "excepted"
    UNVERIFIED = "unverified"

    @property
    def is_open(self) -> bool:
        """Whether it was seen in this run, and nobody accepts it."""
        return self in {Status.NEW, Status.OPEN, Status.REOPENED}


class Attachment(StrEnum):
    """What a group is attached to: an interface with a public address, only others, or none."""

    INTERNET_FACING = "internet-facing"
    INTERNAL = "internal"
    UNATTACHED = "unattached"
    UNKNOWN = "unknown"


class CoverageStatus(StrEnum):
    """How the reading of a target ended."""

    OK = "ok"
    FAILED = "failed"
    DENIED = "denied"
    DISABLED = "disabled"


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULE = "schedule"
    CHANGE = "change"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One account in one region."""

    account: str
    region: str


class Traffic(NamedTuple):
    """What a rule lets in: a protocol with its ports, or with its icmp type and code.

    ``protocol`` is tcp, udp, icmp, icmpv6, ``ALL`` or an IP protocol number as text. Only tcp and
    udp have ports, inclusive and 0 to 65535. Only icmp and icmpv6 have a type and a code; None
    there means all of them.
    """

    protocol: str
    from_port: int | None = None
    to_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None

    def contains(self, other: "Traffic") -> bool:
        """Whether all of the other traffic lies within this."""
        if self.protocol == ALL or self == other:
            return True
        if self.protocol != other.protocol:
            return False
        if self.protocol in PORTED:
            (low, high), (other_low, other_high) = self.ports, other.ports
            return low <= other_low and other_high <= high
        return self.icmp_code is None and self.icmp_type in {None, other.icmp_type}

    def meet(self, other: "Traffic") -> "Traffic | None":
        """The traffic that lies within both; None where there is none."""
        if self.protocol == other.protocol and self.protocol in PORTED:
            (low, high), (other_low, other_high) = self.ports, other.ports
            first, last = max(low, other_low), min(high, other_high)
            return Traffic(self.protocol, first, last) if first <= last else None
        if self.contains(other):
            return other
        return self if other.contains(self) else None

    @property
    def ports(self) -> tuple[int, int]:
        """The first and the last port; what has no ports counts as all of them."""
        if self.from_port is None or self.to_port is None:
            return 0, LAST_PORT
        return self.from_port, self.to_port

    @property
    def text(self) -> str:
        """Protocol and ports, or type and code, as people write them."""
        if self.protocol == ALL:
            return "all traffic"
        if self.protocol in ICMP:
            kind = "" if self.icmp_type is None else f" type {self.icmp_type}"
            code = "" if self.icmp_code is None else f" code {self.icmp_code}"
            return f"{self.protocol}{kind}{code}"
        if self.from_port is None:
            return f"protocol {self.protocol}"
        if self.from_port == self.to_port:
            return f"{self.protocol}/{self.from_port}"
        if (self.from_port, self.to_port) == (0, LAST_PORT):
            return f"{self.protocol}, all ports"
        return f"{self.protocol}/{self.from_port}-{self.to_port}"

    @property
    def sort_key(self) -> tuple[str, int, int, int, int]:
        """Orders by protocol, then ports, then type and code; what is missing comes first."""
        numbers = (self.from_port, self.to_port, self.icmp_type, self.icmp_code)
        low, high, icmp_type, icmp_code = (-1 if n is None else n for n in numbers)
        return self.protocol, low, high, icmp_type, icmp_code


def is_prefix_list(source: str) -> bool:
    """Whether a rule's source is a managed prefix list rather than a CIDR."""
    return source.startswith("pl-")


class Rule(NamedTuple):
    """One source on one protocol and port range of one group; ``source`` is a CIDR or pl- id."""

    group_id: str
    traffic: Traffic
    source: str

    @property
    def is_prefix_list(self) -> bool:
        """Whether the source is a managed prefix list rather than a CIDR."""
        return is_prefix_list(self.source)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Orders by group, traffic and source."""
        return self.group_id, *self.traffic.sort_key, self.source


@dataclass(frozen=True, slots=True)
class Malformed:
    """A rule that makes no sense, and why, as a sentence."""

    protocol: str
    from_port: int | None
    to_port: int | None
    sources: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """One group with its inbound rules; references to other groups are no rules here.

    ``owner`` is what its Owner tag says.
    """

    id: str
    name: str
    vpc_id: str | None
    rules: tuple[Rule, ...]
    malformed: tuple[Malformed, ...] = ()
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A managed prefix list: its CIDRs, or why it could not be read."""

    id: str
    cidrs: tuple[str, ...] = ()
    error: str | None = None


class Holder(StrEnum):
    """What a network interface belongs to."""

    INSTANCE = "instance"
    LOAD_BALANCER = "load balancer"
    DATABASE = "database"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface with its groups; a public address makes it reachable from outside.

    ``name`` is the holder's id or name, or what the interface's description says of it.
    """

    id: str
    group_ids: tuple[str, ...]
    public_addresses: tuple[str, ...] = ()
    holder: Holder = Holder.OTHER
    name: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """One family and traffic with the part of the internet that the rules together let in.

    ``addresses`` counts public addresses, ``share`` is their part of all of the family (0 to 1),
    ``rules`` are the ones that it takes.
    """

    family: Family
    traffic: Traffic
    reach: Reach
    addresses: int
    share: float
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """A group that the report speaks of, with what it exposes by itself."""

    group: SecurityGroup
    exposures: tuple[Exposure, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a target that matters to its findings.

    ``rule_ids`` may lack rules; ``interfaces`` is None when they could not be read.
    """

    target: Target
    open_groups: tuple[OpenGroup, ...] = ()
    lists: Mapping[str, PrefixList] = field(default_factory=dict)
    rule_ids: Mapping[Rule, str] = field(default_factory=dict)
    interfaces: tuple[Interface, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the report says about one exposure, or about a rule that could not be judged.

    ``id`` stays the same from run to run. ``group_ids`` are the groups that open it only together,
    of which ``group_id`` is the first; empty where one group does. ``addresses``, ``share`` and
    ``family`` are None where the reach is unknown. ``detail`` says what is wrong with a rule that
    could not be judged, or what else opens it or a part of it. ``beside`` is all that other rules
    open of it, traffic and source, without adding to it. ``why`` says in one sentence where the
    severity comes from, ``attached`` what is on the interfaces, those with public addresses first,
    and ``fix`` closes it. ``exception`` says who accepts it and
    until when, or until when somebody did, or than whose it is wider. ``first_seen``,
    ``last_seen`` and ``resolved_at`` are UTC in ISO 8601 with a Z; ``worsened_from`` is what an
    open one was in the last run, where it is more severe now.
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
    beside: tuple[tuple[Traffic, str], ...] = ()
    rule_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    why: str = ""
    fix: str | None = None
    detail: str | None = None
    status: Status = Status.OPEN
    attachment: Attachment = Attachment.UNKNOWN
    interfaces: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    owner: str | None = None
    exception: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    resolved_at: str | None = None
    worsened_from: Severity | None = None

    @property
    def is_change(self) -> bool:
        """Whether it opened, came back or got worse since the last run."""
        return self.status in {Status.NEW, Status.REOPENED} or self.worsened_from is not None

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """Id and name of the group, or of each that opens it only together with the others."""
        if self.group_ids:
            return tuple(zip(self.group_ids, self.group_names, strict=True))
        return ((self.group_id, self.group_name),)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """The report's order: the worst first, then by place, family and traffic."""
        place = (self.target.account, self.target.region, self.group_id, self.group_ids)
        traffic = self.traffic.sort_key
        return self.severity.rank, *place, self.family or "", *traffic, self.kind, self.id


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one target was read; ``error`` says what was not, in a sentence."""

    target: Target
    status: CoverageStatus
    groups: int = 0
    rules: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """What one target gave."""

    coverage: Coverage
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the audit; the times are UTC in ISO 8601 with a Z.

    ``whole`` is false where it was told to read some targets only.
    """

    id: str
    trigger: Trigger
    started_at: str
    finished_at: str
    stack: str | None = None
    whole: bool = True

    @property
    def day(self) -> date:
        """The day (UTC) on which it started."""
        return date.fromisoformat(self.started_at[: len("2026-01-01")])

    @property
    def seconds(self) -> int:
        """How long it took."""
        took = datetime.fromisoformat(self.finished_at) - datetime.fromisoformat(self.started_at)
        return int(took.total_seconds())


@dataclass(frozen=True, slots=True)
class Accepted:
    """An exception of the policy: what may stay open, why, who answers for it, and until when.

    ``group`` is an id or a name. ``source`` is a CIDR or pl- id, None for every source; without
    an account or a region it holds in all of them. ``until`` is inclusive, in UTC.
    """

    group: str
    ports: str
    traffic: Traffic
    reason: str
    owner: str
    until: date
    source: str | None = None
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The policy's exceptions that somebody should look at."""

    expired: tuple[Accepted, ...] = ()
    expiring: tuple[Accepted, ...] = ()
    unused: tuple[Accepted, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different from the last committed run, besides the findings' own statuses.

    ``first`` is a run that nothing is known of before it. ``lost`` are targets that could be read
    then and cannot now, ``regained`` the other way round; ``left_out`` are no longer asked for.
    ``ending`` are exceptions that run out soon, or did, and were not announced yet.
    """

    first: bool = False
    lost: tuple[Target, ...] = ()
    regained: tuple[Target, ...] = ()
    left_out: tuple[Target, ...] = ()
    ending: tuple[Accepted, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run has to say; coverage and findings are sorted.

    ``findings`` are also those of earlier runs that are resolved now, or could not be verified.
    ``authorized`` is open on purpose, on ports that the policy authorizes: no findings.
    ``changes`` is None where nobody knows what was before, ``notices`` are sentences on what went
    wrong with the memory of it.
    """

    run: Run
    coverage: tuple[Coverage, ...]
    findings: tuple[Finding, ...]
    authorized: tuple[Finding, ...] = ()
    exceptions: Exceptions = Exceptions()
    changes: Changes | None = None
    notices: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that were seen in this run and that nobody accepts."""
        return tuple(each for each in self.findings if each.status.is_open)

    def of(self, status: Status) -> tuple[Finding, ...]:
        """The findings with that status."""
        return tuple(each for each in self.findings if each.status is status)

    @property
    def unread(self) -> tuple[Coverage, ...]:
        """The targets that could not be read, or not in full."""
        return tuple(each for each in self.coverage if each.status is not CoverageStatus.OK)

    @property
    def unreadable(self) -> tuple[Finding, ...]:
        """The findings about sources that could not be read."""
        return tuple(each for each in self.open if each.kind is Kind.UNREADABLE)

    @property
    def complete(self) -> bool:
        """Whether everything was read: only then does no finding mean clean."""
        return not self.unread and not self.unreadable

    def count(self, severity: Severity) -> int:
        """How many findings that nobody accepts have that severity."""
        return sum(finding.severity is severity for finding in self.open)
