"""The network of a region as the audit reads it, and what its rules open."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from handler.model.address import Family, is_prefix_list
from handler.model.traffic import Traffic

ALL_REGIONS = "all"
"""Stands for every enabled region, in settings and where not even their names could be read."""
REGION_NAME = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+", re.ASCII)
"""What the name of a region looks like."""
UNKNOWN = "unknown"
"""Stands where an id, an account or a region is not known."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One account in one region."""

    account: str
    region: str


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
class MalformedRule:
    """A rule with values that AWS does not allow; ``reason`` is a sentence that says which."""

    protocol: str
    from_port: int | None
    to_port: int | None
    sources: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """One group with its inbound rules; references to other groups are no rules here.

    ``owner`` is the value of its Owner tag.
    """

    id: str
    name: str
    vpc_id: str | None
    rules: tuple[Rule, ...]
    malformed: tuple[MalformedRule, ...] = ()
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
class NetworkInterface:
    """A network interface with its groups; a public address makes it reachable from outside.

    ``name`` is the holder's id or name, or the interface's description.
    """

    id: str
    group_ids: tuple[str, ...]
    public_addresses: tuple[str, ...] = ()
    holder: Holder = Holder.OTHER
    name: str = ""


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
    """A group that the report names, with what it exposes by itself."""

    group: SecurityGroup
    exposures: tuple[Exposure, ...]


@dataclass(frozen=True, slots=True)
class RegionData:
    """What was read of a target that matters to its findings.

    ``rule_ids`` may lack rules; ``interfaces`` is None when they could not be read.
    """

    target: Target
    open_groups: tuple[OpenGroup, ...] = ()
    prefix_lists: Mapping[str, PrefixList] = field(default_factory=dict)
    rule_ids: Mapping[Rule, str] = field(default_factory=dict)
    interfaces: tuple[NetworkInterface, ...] | None = None
