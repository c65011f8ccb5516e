"""What proves that the internet cannot open a connection to a network interface.

A proof rests only on what was read from the account and is unambiguous. Sources: the VPC user guide
(route tables, gateway route tables, network ACLs, Block Public Access).
"""

import re
from collections import defaultdict

from handler.model.address import Family, is_prefix_list, parse_cidr
from handler.model.attachment import Attachment, Clause, Path, path_of
from handler.model.internet import Internets
from handler.model.network import (
    REGION_NAME,
    BlockPublicAccess,
    NetworkAcl,
    NetworkInterface,
    RegionData,
    RouteTable,
)

# Route targets that pass no replies to inbound connections. Any other may forward packets to an
# internet gateway: firewall endpoints, appliances, and future kinds of targets.
_DEAD_ENDS = ("nat-", "eigw-")
# Route targets in networks that this account does not show.
_OTHER_NETWORKS = ("tgw-", "vgw-", "pcx-", "lgw-", "cagw-", "arn:")
# Route targets that may announce a VPC's own public range elsewhere.
_ANNOUNCERS = ("tgw-", "vgw-", "arn:")
_AVAILABILITY_ZONE = re.compile(f"{REGION_NAME.pattern}[a-z]", re.ASCII)


class Isolation:
    """What the route tables, network ACLs and VPC Block Public Access of one region prove."""

    def __init__(self, region: RegionData, internets: Internets) -> None:
        self._account = region.target.account
        self._internets = internets
        self._block = region.paths.block_public_access or BlockPublicAccess()
        self._tables_of_vpc: defaultdict[str | None, list[RouteTable]] = defaultdict(list)
        for table in region.paths.route_tables or ():
            self._tables_of_vpc[table.vpc_id].append(table)
        self._acls_of_subnet: defaultdict[str | None, list[NetworkAcl]] = defaultdict(list)
        for acl in region.paths.network_acls or ():
            for subnet_id in acl.subnet_ids:
                self._acls_of_subnet[subnet_id].append(acl)

    def network_acl(self, interface: NetworkInterface) -> NetworkAcl | None:
        """The subnet's network ACL; None if several name the subnet, because only one applies."""
        acls = self._acls_of_subnet[interface.subnet_id]
        return acls[0] if len(acls) == 1 else None

    def announcer(self, interface: NetworkInterface) -> str | None:
        """What may announce the VPC's own public IPv4 range; None without range or announcer."""
        table = self._route_table(interface)
        if table is None or not any(map(self._internets.is_routable, interface.private_ipv4)):
            return None
        targets = (route.target for route in table.routes)
        return next((target for target in targets if target.startswith(_ANNOUNCERS)), None)

    def no_reply_path(
        self, interface: NetworkInterface, family: Family, *, is_tcp: bool
    ) -> Path | None:
        """The path if replies have no route to the internet; None if they may have one."""
        table = self._route_table(interface)
        if table is None:
            return None
        has_edge_table = any(table.has_gateway for table in self._tables_of_vpc[interface.vpc_id])
        leads_elsewhere = False
        for route in table.routes:
            is_to_list = is_prefix_list(route.destination)
            if not is_to_list and parse_cidr(route.destination)[0] is not family:
                continue
            is_gateway_endpoint = is_to_list and route.target.startswith("vpce-")
            if route.target.startswith(_OTHER_NETWORKS) and not route.is_advertised:
                leads_elsewhere |= is_to_list or self._internets.is_routable(route.destination)
            elif (route.is_advertised or not route.target.startswith(_DEAD_ENDS)) and (
                has_edge_table or not is_gateway_endpoint
            ):
                return None
        steps = 2 if is_tcp and not leads_elsewhere else 1
        return path_of(Attachment.INTERNAL, f"{Clause.NO_ROUTE} ({table.id})", steps)

    def is_blocked(self, interface: NetworkInterface) -> bool:
        """Whether VPC Block Public Access lets nothing in from the internet."""
        mode, excluded = self._block
        # Mode block-ingress does not apply in Local Zones.
        is_on = mode == "block-bidirectional" or (
            mode == "block-ingress" and _AVAILABILITY_ZONE.fullmatch(interface.zone)
        )
        # In a shared VPC, the setting of the VPC's owner applies.
        owners = {table.owner_id for table in self._tables_of_vpc[interface.vpc_id]}
        if not is_on or owners != {self._account}:
            return False
        # Hosts in an excluded subnet may forward to other subnets.
        return not any(self._may_be_in(place, interface.vpc_id) for place in excluded)

    def _may_be_in(self, excluded: str, vpc_id: str | None) -> bool:
        """Whether the excluded VPC is this one, or the excluded subnet may be in it."""
        if excluded.startswith("vpc-"):
            return excluded == vpc_id
        vpcs = {acl.vpc_id for acl in self._acls_of_subnet[excluded]}
        return not vpcs or vpc_id in vpcs

    def _route_table(self, interface: NetworkInterface) -> RouteTable | None:
        """The subnet's route table, or else the VPC's main one; None if it is ambiguous."""
        tables = self._tables_of_vpc[interface.vpc_id]
        explicit = [table for table in tables if interface.subnet_id in table.subnet_ids]
        candidates = explicit or [table for table in tables if table.is_main]
        is_known = len(candidates) == 1 and interface.subnet_id is not None
        return candidates[0] if is_known else None
