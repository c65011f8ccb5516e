"""The path from the internet to a network interface, or the proof that there is none.

A proof rests only on what was read from the account and is unambiguous. Sources: the VPC user guide
(route tables, gateway route tables, network ACLs, Block Public Access), and the guides of Elastic
Load Balancing (client IP preservation), Global Accelerator and Wavelength.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from handler.assess.network_acl import denies_all
from handler.exposure.exposures import public_ranges
from handler.model.address import Family, Interval, is_prefix_list, parse_cidr
from handler.model.attachment import ATTACHMENTS, Attachment
from handler.model.internet import Internets
from handler.model.network import NetworkAcl, NetworkInterface, RegionData, RouteTable, Rule
from handler.model.traffic import Traffic
from handler.sanitize import cut

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
_NAMES = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}
# Bounds the reason, which contains ids and names from the account.
_LONGEST_REASON = 160
_ACCELERATOR = "global_accelerator_managed"
# Route targets that pass no replies to inbound connections. Any other may forward packets to an
# internet gateway: firewall endpoints, appliances, and future kinds of targets.
_DEAD_ENDS = ("nat-", "eigw-")
# Route targets in networks that this account does not show.
_OTHER_NETWORKS = ("tgw-", "vgw-", "pcx-", "lgw-", "cagw-", "arn:")
# Route targets that may announce a VPC's own public range elsewhere.
_ANNOUNCERS = ("tgw-", "vgw-", "arn:")
_AVAILABILITY_ZONE = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+[a-z]")
# The Wavelength Zones of eu-west-3, which accept TCP and UDP from the internet:
# https://docs.aws.amazon.com/wavelength/latest/developerguide/wavelength-quotas.html
_OPEN_WAVELENGTH_ZONE = re.compile(r"eu-west-3-wl\d-.*")


class Path(NamedTuple):
    """The path from the internet to an interface; it lowers the severity by ``steps``.

    ``reason`` is a clause, for example "no route leads to an internet gateway (rtb-1)".
    """

    attachment: Attachment
    steps: int
    reason: str


def default_path(attachment: Attachment, steps: int | None = None, reason: str = "") -> Path:
    """A path with the given steps and reason, by default those of the attachment."""
    effect = ATTACHMENTS[attachment]
    steps = effect.steps if steps is None else steps
    return Path(attachment, steps, cut(reason or effect.reason, _LONGEST_REASON))


class PathFinder:
    """Finds the paths to the interfaces of one region."""

    def __init__(self, region: RegionData, internets: Internets) -> None:
        self._region = region
        self._internets = internets
        self._acls = region.paths.network_acls or ()
        counts = Counter(subnet_id for acl in self._acls for subnet_id in acl.subnet_ids)
        # If two ACLs name a subnet, it is unknown which one applies.
        self._acl_of: dict[str | None, NetworkAcl] = {
            subnet_id: acl
            for acl in self._acls
            for subnet_id in acl.subnet_ids
            if counts[subnet_id] == 1
        }
        self._tables: defaultdict[str | None, list[RouteTable]] = defaultdict(list)
        for table in region.paths.route_tables or ():
            self._tables[table.vpc_id].append(table)
        self._entry_points = [i for i in region.paths.entry_points or () if i.is_in_use]
        self._accelerators: defaultdict[str | None, list[NetworkInterface]] = defaultdict(list)
        for point in self._entry_points:
            if point.type == _ACCELERATOR:
                self._accelerators[point.subnet_id].append(point)
        self._entry_point_ids = {point.id for point in self._entry_points}
        # Findings share interfaces, interfaces share subnets, and load balancers share groups.
        self._entry_path = cache(self._find_entry_path)
        self._shortest_path = cache(self._find_shortest_path)
        self._open_group_ids = cache(self._find_open_group_ids)
        self._interfaces = {interface.id: interface for interface in region.interfaces or ()}

    def public_sources(self, rules: Sequence[Rule], family: Family) -> list[Interval]:
        """The public addresses that the rules let in, as positions; empty without network ACLs."""
        if not self._acls:
            return []
        lists = self._region.prefix_lists
        ranges = (found for rule in rules for found in public_ranges(rule, lists, self._internets))
        return [interval for rule_family, interval in ranges if rule_family is family]

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
            acl = self._acl_of.get(interface.subnet_id)
            if acl and self._shortest_path(interface.id, family, traffic.protocol, acl.id) != path:
                if acl.id not in denying:
                    denying[acl.id] = denies_all(acl, family, traffic, sources, self._internets)
                if denying[acl.id]:
                    path = self._shortest_path(interface.id, family, traffic.protocol, acl.id)
            yield path

    def _find_shortest_path(
        self, interface_id: str, family: Family, protocol: str, acl_id: str | None
    ) -> Path:
        """The shortest path; ``acl_id`` is the ACL that denies all of the traffic, or None."""
        interface = self._interfaces[interface_id]
        if interface.type in _NO_INBOUND_TYPES and not interface.public_addresses:
            return default_path(Attachment.NO_INBOUND)
        paths = []
        for path in self._direct_paths(interface, family, protocol, acl_id):
            if path.attachment is Attachment.INTERNET_FACING:
                # No path is shorter.
                return path
            paths.append(path)
        paths.append(self._private_path(interface, family))
        if self._region.paths.entry_points is None:
            reason = "load balancers and accelerators could not be read"
            paths.append(default_path(Attachment.UNKNOWN, reason=reason))
        elif interface.type not in _INTERNAL_TYPES:
            # An entry point does not lead to itself.
            own_id = interface.id if interface.id in self._entry_point_ids else None
            entry_path = self._entry_path(interface.vpc_id, family, own_id)
            paths += [entry_path] if entry_path else []
        return min(paths, key=lambda path: (path.steps, path.attachment.rank))

    def _direct_paths(
        self, interface: NetworkInterface, family: Family, protocol: str, acl_id: str | None
    ) -> Iterator[Path]:
        """The paths to the public address, through an accelerator and from the carrier network."""
        addresses = interface.public(family)
        if self._is_blocked(interface):
            if addresses or interface.has_carrier_address:
                reason = "VPC Block Public Access lets nothing in from the internet"
                yield default_path(Attachment.INTERNAL, reason=reason)
            return
        if addresses:
            if acl_id:
                reason = f"the subnet's network ACL denies it ({acl_id})"
                proof: Path | None = default_path(Attachment.INTERNAL, reason=reason)
            else:
                proof = self._route_proof(interface, family, is_tcp=protocol == "tcp")
            reason = f"the interface has the public address {addresses[0]}"
            yield proof or default_path(Attachment.INTERNET_FACING, reason=reason)
        is_target = interface.type not in {_ACCELERATOR, *_INTERNAL_TYPES}
        if interface.subnet_id is not None and is_target:
            for accelerator in self._accelerators[interface.subnet_id]:
                if _serves(accelerator, family):
                    reason = f"Global Accelerator ({accelerator.id}) leads to the interface"
                    yield default_path(Attachment.INTERNET_FACING, reason=reason)
        if interface.has_carrier_address and family is Family.IPV4:
            if _OPEN_WAVELENGTH_ZONE.fullmatch(interface.zone):
                reason = "a Wavelength Zone of eu-west-3 lets the internet in"
                yield default_path(Attachment.CARRIER, 0, reason)
            else:
                yield default_path(Attachment.CARRIER)

    def _private_path(self, interface: NetworkInterface, family: Family) -> Path:
        table = self._route_table(interface)
        if family is Family.IPV4 and table and any(map(self._is_routable, interface.private_ipv4)):
            announcers = [r.target for r in table.routes if r.target.startswith(_ANNOUNCERS)]
            if announcers:
                reason = f"its own public range may be announced through {announcers[0]}"
                return default_path(Attachment.INTERNAL, 1, reason)
        reason = f"the interface has no public {_NAMES[family]} address"
        return default_path(Attachment.INTERNAL, reason=reason)

    def _route_proof(
        self, interface: NetworkInterface, family: Family, *, is_tcp: bool
    ) -> Path | None:
        """The path that proves that replies have no route to the internet; None without proof."""
        table = self._route_table(interface)
        if table is None:
            return None
        has_edge_table = any(table.has_gateway for table in self._tables[interface.vpc_id])
        leads_elsewhere = False
        for route in table.routes:
            is_to_list = is_prefix_list(route.destination)
            if not is_to_list and parse_cidr(route.destination)[0] is not family:
                continue
            is_gateway_endpoint = is_to_list and route.target.startswith("vpce-")
            if route.target.startswith(_OTHER_NETWORKS) and not route.is_advertised:
                leads_elsewhere |= is_to_list or self._is_routable(route.destination)
            elif (route.is_advertised or not route.target.startswith(_DEAD_ENDS)) and (
                has_edge_table or not is_gateway_endpoint
            ):
                return None
        reason = f"no route leads to an internet gateway ({table.id})"
        return default_path(Attachment.INTERNAL, 2 if is_tcp and not leads_elsewhere else 1, reason)

    def _is_routable(self, cidr: str) -> bool:
        """Whether a CIDR contains public addresses."""
        _, (start, end) = self._internets.locate(cidr)
        return start < end

    def _route_table(self, interface: NetworkInterface) -> RouteTable | None:
        """The subnet's route table, or else the VPC's main one; None if it is ambiguous."""
        tables = self._tables[interface.vpc_id]
        explicit = [table for table in tables if interface.subnet_id in table.subnet_ids]
        candidates = explicit or [table for table in tables if table.is_main]
        is_known = len(candidates) == 1 and interface.subnet_id is not None
        return candidates[0] if is_known else None

    def _is_blocked(self, interface: NetworkInterface) -> bool:
        """Whether VPC Block Public Access lets nothing in from the internet."""
        block = self._region.paths.block_public_access
        if block is None or block.mode not in {"block-bidirectional", "block-ingress"}:
            return False
        if block.mode == "block-ingress" and not _AVAILABILITY_ZONE.fullmatch(interface.zone):
            # The mode does not apply in Local Zones.
            return False
        owners = {table.owner_id for table in self._tables[interface.vpc_id]}
        if owners != {self._region.target.account}:
            # In a shared VPC, the setting of the VPC's owner applies.
            return False
        # Hosts in an excluded subnet may forward to other subnets.
        return not any(self._may_be_in(excluded, interface.vpc_id) for excluded in block.excluded)

    def _may_be_in(self, excluded: str, vpc_id: str | None) -> bool:
        """Whether the excluded VPC is this one, or the excluded subnet may be in it."""
        if excluded.startswith("vpc-"):
            return excluded == vpc_id
        vpcs = {acl.vpc_id for acl in self._acls if excluded in acl.subnet_ids}
        return not vpcs or vpc_id in vpcs

    def _find_entry_path(
        self, vpc_id: str | None, family: Family, own_id: str | None
    ) -> Path | None:
        """The path through a load balancer or accelerator; None if there is none."""
        reachable = {vpc_id, *self._peers(vpc_id)} - {None}
        for entry_point in self._entry_points:
            if entry_point.id == own_id or entry_point.vpc_id not in reachable:
                continue
            if entry_point.type == _ACCELERATOR:
                is_open = entry_point.vpc_id == vpc_id and _serves(entry_point, family)
                is_open = is_open and not self._is_blocked(entry_point)
                reason = f"Global Accelerator ({entry_point.id}) may lead to the interface"
            else:
                is_open = self._lets_internet_in(entry_point, family)
                name = entry_point.name or entry_point.id
                reason = f"clients may come through the network load balancer {name}"
            if is_open:
                return default_path(Attachment.BEHIND_LOAD_BALANCER, reason=reason)
        return None

    def _lets_internet_in(self, balancer: NetworkInterface, family: Family) -> bool:
        """Whether address, routes and groups of a load balancer let the internet reach it."""
        is_closed = self._is_blocked(balancer) or self._route_proof(balancer, family, is_tcp=True)
        if not balancer.public(family) or is_closed:
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

    def _peers(self, vpc_id: str | None) -> Iterator[str]:
        """The VPCs that may share a peering connection with the VPC."""
        if self._region.paths.route_tables is None:
            yield from (i.vpc_id for i in self._entry_points if i.vpc_id)
        peerings = _peerings(self._tables[vpc_id])
        for table in self._region.paths.route_tables or ():
            if table.vpc_id != vpc_id and peerings & _peerings([table]):
                yield table.vpc_id


def _peerings(tables: Iterable[RouteTable]) -> set[str]:
    routes = (route for table in tables for route in table.routes)
    return {route.target for route in routes if route.target.startswith("pcx-")}


def _serves(accelerator: NetworkInterface, family: Family) -> bool:
    """Whether the accelerator's interface carries the family."""
    return family is Family.IPV4 or bool(accelerator.public_ipv6)
