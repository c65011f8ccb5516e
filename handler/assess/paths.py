"""The path from the internet to a network interface.

Sources: the guides of Elastic Load Balancing (client IP preservation), Global Accelerator and
Wavelength.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from handler.assess.isolation import Isolation
from handler.assess.network_acl import denies_all
from handler.exposure.exposures import open_cidrs
from handler.model.address import Family, Interval
from handler.model.attachment import Attachment, Clause, Path, path_of, shortest
from handler.model.internet import Internets
from handler.model.network import ACCELERATOR, ENTRY_POINT_TYPES, NetworkInterface, RegionData, Rule
from handler.model.traffic import Traffic

# Services use these interfaces for outbound connections only.
_NO_INBOUND_TYPES = frozenset(
    {
        "api_gateway_managed",
        "aws_codestar_connections_managed",
        "ec2_instance_connect_endpoint",
        "iot_rules_managed",
        "lambda",
        "quicksight",
    }
)
# These interfaces have no public address and cannot be targets of a load balancer.
_INTERNAL_TYPES = frozenset({"efa-only", "efs", "vpc_endpoint"})
# The Wavelength Zones of eu-west-3, which accept TCP and UDP from the internet:
# https://docs.aws.amazon.com/wavelength/latest/developerguide/wavelength-quotas.html
_OPEN_WAVELENGTH_ZONE = re.compile(r"eu-west-3-wl\d-.*")


class PathFinder:
    """Finds the paths to the interfaces of one region."""

    def __init__(self, region: RegionData, internets: Internets) -> None:
        self._region = region
        self._internets = internets
        self._isolation = Isolation(region, internets)
        self._interfaces = {interface.id: interface for interface in region.interfaces or ()}
        self._entry_points = [i for i in region.paths.entry_points or () if i.is_in_use]
        self._accelerators = [i for i in self._entry_points if i.type == ACCELERATOR]
        # Findings share interfaces, interfaces share VPCs, and load balancers share groups.
        self._shortest_path = cache(self._find_shortest_path)
        self._entry_paths = cache(self._find_entry_paths)
        self._open_group_ids = cache(self._find_open_group_ids)

    def public_sources(self, rules: Sequence[Rule], family: Family) -> list[Interval]:
        """The public addresses that the rules let in, as positions; empty without network ACLs."""
        if not self._region.paths.network_acls:
            return []
        lists = self._region.prefix_lists
        cidrs = (cidr for rule in rules for cidr in open_cidrs(rule, lists, self._internets))
        return [(cidr.start, cidr.end) for cidr in cidrs if cidr.family is family]

    def paths(
        self,
        interfaces: Iterable[NetworkInterface],
        family: Family,
        traffic: Traffic,
        sources: Sequence[Interval] | None,
    ) -> Iterator[Path]:
        """The shortest path of the traffic to each interface.

        ``sources`` are the positions of the addresses that get in; None for the whole internet.
        """
        if sources is None:
            sources = [(0, self._internets[family].size)]
        denying: dict[str, bool] = {}
        for interface in interfaces:
            path = self._shortest_path(interface.id, family, traffic.protocol, None)
            if acl := self._isolation.network_acl(interface):
                denied = self._shortest_path(interface.id, family, traffic.protocol, acl.id)
                if denied != path and acl.id not in denying:
                    denying[acl.id] = denies_all(acl, family, traffic, sources, self._internets)
                path = denied if denying.get(acl.id) else path
            yield path

    def _find_shortest_path(
        self, interface_id: str, family: Family, protocol: str, acl_id: str | None
    ) -> Path:
        """The shortest path; ``acl_id`` is the ACL that denies all of the traffic, or None."""
        interface = self._interfaces[interface_id]
        if interface.type in _NO_INBOUND_TYPES and not interface.public(family):
            return path_of(Attachment.NO_INBOUND, Clause.NO_CONNECTIONS)
        paths = list(self._direct_paths(interface, family, protocol, acl_id))
        # No path is shorter than an internet-facing one.
        if not any(path.attachment is Attachment.INTERNET_FACING for path in paths):
            paths.append(self._private_path(interface, family))
            paths += self._indirect_paths(interface, family)
        return shortest(paths)

    def _direct_paths(
        self, interface: NetworkInterface, family: Family, protocol: str, acl_id: str | None
    ) -> Iterator[Path]:
        """The paths to the public address, through an accelerator and from the carrier network."""
        addresses = interface.public(family)
        if self._isolation.is_blocked(interface):
            if addresses or interface.has_carrier_address:
                reason = "VPC Block Public Access lets nothing in from the internet"
                yield path_of(Attachment.INTERNAL, reason)
            return
        if addresses and acl_id:
            yield path_of(Attachment.INTERNAL, f"the subnet's network ACL denies it ({acl_id})")
        elif addresses:
            reason = f"the interface has the public address {addresses[0]}"
            yield self._isolation.no_reply_path(
                interface, family, is_tcp=protocol == "tcp"
            ) or path_of(Attachment.INTERNET_FACING, reason)
        is_target = interface.type not in {ACCELERATOR, *_INTERNAL_TYPES}
        for accelerator in self._accelerators if is_target else ():
            is_near = accelerator.subnet_id == interface.subnet_id is not None
            if is_near and _serves(accelerator, family):
                reason = f"Global Accelerator ({accelerator.id}) leads to the interface"
                yield path_of(Attachment.INTERNET_FACING, reason)
        if interface.has_carrier_address and family is Family.IPV4:
            if _OPEN_WAVELENGTH_ZONE.fullmatch(interface.zone):
                reason = "a Wavelength Zone of eu-west-3 lets the internet in"
                yield path_of(Attachment.CARRIER, reason, 0)
            else:
                yield path_of(Attachment.CARRIER, Clause.CARRIER_ONLY)

    def _private_path(self, interface: NetworkInterface, family: Family) -> Path:
        if family is Family.IPV4 and (announcer := self._isolation.announcer(interface)):
            reason = f"its own public range may be announced through {announcer}"
            return path_of(Attachment.INTERNAL, reason, 1)
        return path_of(Attachment.INTERNAL, f"{Clause.NO_PUBLIC} {family.text} address")

    def _indirect_paths(self, interface: NetworkInterface, family: Family) -> Sequence[Path]:
        """The paths through a load balancer or accelerator elsewhere."""
        if self._region.paths.entry_points is None:
            reason = "load balancers and accelerators could not be read"
            return (path_of(Attachment.UNKNOWN, reason),)
        if interface.type in _INTERNAL_TYPES:
            return ()
        # An entry point does not lead to itself.
        own_id = interface.id if interface.type in ENTRY_POINT_TYPES else None
        return self._entry_paths(interface.vpc_id, family, own_id)

    def _find_entry_paths(
        self, vpc_id: str | None, family: Family, own_id: str | None
    ) -> Sequence[Path]:
        """The path through the first entry point that leads to the VPC, if there is one."""
        reachable = self._peers(vpc_id)
        for entry_point in self._entry_points:
            if entry_point.id == own_id or entry_point.vpc_id not in reachable:
                continue
            if entry_point.type == ACCELERATOR:
                is_open = entry_point.vpc_id == vpc_id and _serves(entry_point, family)
                is_open = is_open and not self._isolation.is_blocked(entry_point)
                reason = f"Global Accelerator ({entry_point.id}) may lead to the interface"
            else:
                is_open = self._lets_internet_in(entry_point, family)
                reason = f"{Clause.BEHIND_BALANCER} {entry_point.name or entry_point.id}"
            if is_open:
                return (path_of(Attachment.BEHIND_LOAD_BALANCER, reason),)
        return ()

    def _lets_internet_in(self, balancer: NetworkInterface, family: Family) -> bool:
        """Whether address, routes and groups of a load balancer let the internet reach it."""
        if (
            not balancer.public(family)
            or self._isolation.is_blocked(balancer)
            or self._isolation.no_reply_path(balancer, family, is_tcp=True)
        ):
            return False
        is_known = balancer.group_ids and self._region.has_all_groups
        return not is_known or not self._open_group_ids(family).isdisjoint(balancer.group_ids)

    def _find_open_group_ids(self, family: Family) -> frozenset[str]:
        """The groups that let the internet in, or may because a rule could not be evaluated."""
        lists = self._region.prefix_lists
        return frozenset(
            member.group.id
            for member in self._region.open_groups
            if any(exposure.family is family for exposure in member.exposures)
            or member.group.malformed
            or any(lists[rule.source].error for rule in member.group.rules if rule.source in lists)
        )

    def _peers(self, vpc_id: str | None) -> set[str | None]:
        """The VPC, and those that may share a peering connection with it."""
        tables = self._region.paths.route_tables
        if tables is None:
            return {vpc_id, *(point.vpc_id for point in self._entry_points)} - {None}
        peers: defaultdict[str, set[str | None]] = defaultdict(set)
        for table in tables:
            for route in table.routes:
                if route.target.startswith("pcx-"):
                    peers[route.target].add(table.vpc_id)
        connected = (vpcs for vpcs in peers.values() if vpc_id in vpcs)
        return {vpc_id}.union(*connected) - {None}


def _serves(accelerator: NetworkInterface, family: Family) -> bool:
    """Whether the accelerator's interface carries the family."""
    return family is Family.IPV4 or bool(accelerator.public_ipv6)
