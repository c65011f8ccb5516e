"""The network of a region, and what its rules open."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from handler.model.address import Family, is_prefix_list
from handler.model.address_set import AddressSet
from handler.model.reach import Breadth, Reach
from handler.model.traffic import Traffic

ALL_REGIONS = "all"
"""Stands for all enabled regions, in settings and if the regions could not be listed."""
ALL_ACCOUNTS = "all"
"""Stands for all accounts, if they could not be listed."""
ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
"""The format of an account's id."""
AWS_LIST_NAME = re.compile(
    r"com\.amazonaws\.[^.]+\.(ipv6\.)?(cloudfront\.origin-facing|dynamodb|ec2-instance-connect"
    r"|groundstation|route53-healthchecks|s3|s3express|vpc-lattice)"
)
"""The name of an AWS-managed prefix list, by service; other lists are evaluated by their entries.

https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
"""
REGION_NAME = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+", re.ASCII)
"""The format of a region's name."""
ACCELERATOR = "global_accelerator_managed"
"""The type of a Global Accelerator's interface."""
ENTRY_POINT_TYPES = (ACCELERATOR, "network_load_balancer")
"""The types of interfaces whose targets see the clients' own addresses."""
UNKNOWN = "unknown"
"""Stands for an unknown id, account or region."""


class Target(NamedTuple):
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
        """The order by group, traffic and source."""
        return self.group_id, *self.traffic.sort_key, self.source


class MalformedRule(NamedTuple):
    """A rule with values that AWS does not allow; ``reason`` names them in a sentence."""

    protocol: str
    from_port: int | None
    to_port: int | None
    sources: tuple[str, ...]
    reason: str


class SecurityGroup(NamedTuple):
    """One group with its inbound rules, except rules whose source is a group.

    ``account`` owns it, ``owner`` is the value of its Owner tag. ``managed_by`` is the controller
    or stack that manages its rules. ``portless`` are the rules that EC2 stores without ports.
    ``private_rules`` is how many more rules it has, all with private sources.
    """

    id: str
    name: str
    vpc_id: str | None
    rules: tuple[Rule, ...]
    malformed: tuple[MalformedRule, ...] = ()
    owner: str | None = None
    account: str | None = None
    managed_by: str | None = None
    portless: frozenset[Rule] = frozenset()
    private_rules: int = 0


class PrivateGroup(NamedTuple):
    """A group that lets in private addresses only; ``rules`` is the number of its rules."""

    rules: int


class PrefixList(NamedTuple):
    """A managed prefix list: its CIDRs, or why it could not be read.

    ``aws_name`` is the name of a known AWS-managed list, whose CIDRs are not read.
    """

    id: str
    cidrs: tuple[str, ...] = ()
    error: str | None = None
    aws_name: str | None = None


class Holder(StrEnum):
    """What a network interface belongs to."""

    INSTANCE = "instance"
    LOAD_BALANCER = "load balancer"
    DATABASE = "database"
    TASK = "ECS task"
    OTHER = "other"


class NetworkInterface(NamedTuple):
    """A network interface with its groups and addresses.

    ``type`` and ``zone`` are EC2's InterfaceType and AvailabilityZone. ``public_ipv4`` are the
    associated public addresses, ``public_ipv6`` the addresses and prefixes in 2000::/3 that may use
    an internet gateway, ``private_ipv4`` the addresses in the subnet. ``name`` is the holder's id
    or name, or the interface's description.
    """

    id: str
    group_ids: tuple[str, ...]
    public_ipv4: tuple[str, ...] = ()
    public_ipv6: tuple[str, ...] = ()
    holder: Holder = Holder.OTHER
    name: str = ""
    type: str = "interface"
    vpc_id: str | None = None
    subnet_id: str | None = None
    zone: str = ""
    private_ipv4: tuple[str, ...] = ()
    is_in_use: bool = True
    has_carrier_address: bool = False

    @property
    def public_addresses(self) -> tuple[str, ...]:
        """The public addresses of both families."""
        return (*self.public_ipv4, *self.public_ipv6)

    def public(self, family: Family) -> tuple[str, ...]:
        """The public addresses of a family."""
        return self.public_ipv4 if family is Family.IPV4 else self.public_ipv6


class Route(NamedTuple):
    """An active route to a CIDR or pl- id; ``target`` is the id of the next hop."""

    destination: str
    target: str
    is_advertised: bool = False


class RouteTable(NamedTuple):
    """A route table with its active routes, and what it is associated with."""

    id: str
    vpc_id: str
    owner_id: str
    routes: tuple[Route, ...]
    subnet_ids: tuple[str, ...] = ()
    is_main: bool = False
    has_gateway: bool = False


class AclEntry(NamedTuple):
    """An inbound entry of a network ACL; the matching entry with the lowest ``number`` applies."""

    number: int
    traffic: Traffic
    cidr: str
    is_allow: bool


class NetworkAcl(NamedTuple):
    """A network ACL with its inbound entries in the order in which EC2 applies them."""

    id: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    entries: tuple[AclEntry, ...]


class BlockPublicAccess(NamedTuple):
    """VPC Block Public Access of a region.

    ``mode`` is EC2's InternetGatewayBlockMode; off while it is being updated.
    ``excluded`` are the ids of VPCs and subnets that may still receive traffic.
    """

    mode: str = "off"
    excluded: tuple[str, ...] = ()


class Paths(NamedTuple):
    """What decides whether the internet reaches an interface; None for parts not read.

    ``entry_points`` are the interfaces of the types in ``ENTRY_POINT_TYPES``.
    """

    entry_points: tuple[NetworkInterface, ...] | None = None
    route_tables: tuple[RouteTable, ...] | None = None
    network_acls: tuple[NetworkAcl, ...] | None = None
    block_public_access: BlockPublicAccess | None = None


class Exposure(NamedTuple):
    """The part of a family's internet that the rules together let in to the traffic.

    ``addresses`` is the number of public addresses, ``share`` their part of the family's internet
    (0 to 1), ``address_set`` the addresses. ``rules`` has no redundant rules.
    """

    family: Family
    traffic: Traffic
    reach: Reach
    breadth: Breadth
    addresses: int
    share: float
    rules: tuple[Rule, ...]
    address_set: AddressSet


class OpenGroup(NamedTuple):
    """A group that the report names, with its own exposures."""

    group: SecurityGroup
    exposures: tuple[Exposure, ...]


class RegionData(NamedTuple):
    """The data of a target that its findings need.

    ``interfaces`` is None if they could not be read. ``hides_managed`` is true if EC2 did not list
    hidden service-managed interfaces, ``has_all_groups`` is false if reading the groups failed.
    """

    target: Target
    open_groups: tuple[OpenGroup, ...] = ()
    prefix_lists: Mapping[str, PrefixList] = MappingProxyType({})
    interfaces: tuple[NetworkInterface, ...] | None = None
    hides_managed: bool = False
    has_all_groups: bool = True
    paths: Paths = Paths()
