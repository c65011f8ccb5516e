"""Parses route tables, network ACLs and VPC Block Public Access into the model.

Anything that is not in the documented format raises ``ValueError``: no proof may rest on it.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAclEntry.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcBlockPublicAccessOptions.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handler.ec2.parse import first_text, is_number, objects_in, require_object
from handler.model.address import is_prefix_list, parse_cidr
from handler.model.network import (
    UNKNOWN,
    AclEntry,
    BlockPublicAccess,
    NetworkAcl,
    Route,
    RouteTable,
)
from handler.model.traffic import parse_protocol, parse_traffic
from handler.sanitize import clean_text, clean_texts, describe

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "InstanceId",
)
_SETTLED_STATES = frozenset({"default-state", "update-complete"})
_LOCAL = "local"
# In any other state, an exclusion may let traffic in.
_ENDED = frozenset({"create-failed", "delete-complete", "disable-complete"})
_ALLOWS_NOTHING_IN = "allow-egress"
_ALL = -1
_PROTOCOL = re.compile(r"-1|0|[1-9]\d{0,2}", re.ASCII)


def parse_route_table(item: object) -> RouteTable:
    """One route table of DescribeRouteTables."""
    table = require_object(item, "route table", "RouteTableId")
    associations = list(filter(_is_associated, _list_of(table, "Associations")))
    return RouteTable(
        id=str(clean_text(table["RouteTableId"])),
        vpc_id=clean_text(table.get("VpcId")) or "",
        owner_id=clean_text(table.get("OwnerId")) or "",
        routes=tuple(_routes(table)),
        subnet_ids=clean_texts(association.get("SubnetId") for association in associations),
        is_main=any(association.get("Main") is True for association in associations),
        has_gateway=any(association.get("GatewayId") for association in associations),
    )


def parse_network_acl(item: object) -> NetworkAcl:
    """One network ACL of DescribeNetworkAcls, with its inbound entries."""
    acl = require_object(item, "network ACL", "NetworkAclId")
    entries = (_acl_entry(entry) for entry in _list_of(acl, "Entries") if not _is_egress(entry))
    return NetworkAcl(
        id=str(clean_text(acl["NetworkAclId"])),
        vpc_id=clean_text(acl.get("VpcId")) or "",
        subnet_ids=clean_texts(entry.get("SubnetId") for entry in _list_of(acl, "Associations")),
        entries=tuple(sorted(entries, key=lambda entry: entry.number)),
    )


def parse_block_public_access(options: object, exclusions: Iterable[object]) -> BlockPublicAccess:
    """VPC Block Public Access with its exclusions; off while it is being updated."""
    fields = require_object(options, "VPC Block Public Access", "InternetGatewayBlockMode")
    if clean_text(fields.get("State")) not in _SETTLED_STATES:
        return BlockPublicAccess()
    return BlockPublicAccess(
        str(clean_text(fields["InternetGatewayBlockMode"])), tuple(_excluded(exclusions))
    )


def _is_associated(association: Mapping[str, Any]) -> bool:
    """Whether the association is in effect. Raises ``ValueError`` while it is changing."""
    state = association.get("AssociationState")
    name = state.get("State") if isinstance(state, dict) else "associated"
    if name not in {"associated", "disassociated", "failed"}:
        raise ValueError(
            f"an association of a route table must be settled, got {describe(association)}."
        )
    return bool(name == "associated")


def _routes(table: Mapping[str, Any]) -> Iterator[Route]:
    for route in _list_of(table, "Routes"):
        destination, target = first_text(route, _DESTINATIONS), first_text(route, _TARGETS)
        if destination is None:
            raise ValueError(f"a route must have a destination, got {describe(route)}.")
        if not is_prefix_list(destination):
            parse_cidr(destination)
        # A blackhole route leads nowhere; a filtered route counts as active.
        if route.get("State") != "blackhole" and target != _LOCAL:
            yield Route(destination, target or UNKNOWN, route.get("Origin") == "Advertisement")


def _is_egress(entry: Mapping[str, Any]) -> bool:
    if not isinstance(entry.get("Egress"), bool):
        raise ValueError(
            f"an ACL's entry must say whether it is for egress, got {describe(entry)}."
        )
    return bool(entry["Egress"])


def _acl_entry(entry: Mapping[str, Any]) -> AclEntry:
    cidr = first_text(entry, ("CidrBlock", "Ipv6CidrBlock")) or ""
    parse_cidr(cidr)
    number, action = entry.get("RuleNumber"), clean_text(entry.get("RuleAction"))
    protocol = clean_text(entry.get("Protocol")) or ""
    ports, icmp = entry.get("PortRange"), entry.get("IcmpTypeCode")
    if isinstance(ports, dict):
        bounds = ports.get("From"), ports.get("To")
    elif isinstance(icmp, dict):
        bounds = icmp.get("Type"), icmp.get("Code")
    else:
        bounds = _ALL, _ALL
    has_numbers = all(map(is_number, (number, *bounds))) and _PROTOCOL.fullmatch(protocol)
    if not has_numbers or action not in {"allow", "deny"}:
        raise ValueError(
            f"an entry of a network ACL must have numbers and an action, got {describe(entry)}."
        )
    low, high = (None if bound == _ALL else bound for bound in bounds)
    traffic = parse_traffic(parse_protocol(protocol), low, high)
    return AclEntry(int(str(number)), traffic, cidr, action == "allow")


def _excluded(exclusions: Iterable[object]) -> Iterator[str]:
    for item in exclusions:
        exclusion = require_object(item, "exclusion", "ResourceArn")
        is_ended = clean_text(exclusion.get("State")) in _ENDED
        mode = clean_text(exclusion.get("InternetGatewayExclusionMode"))
        if mode != _ALLOWS_NOTHING_IN and not is_ended:
            yield str(clean_text(exclusion["ResourceArn"])).rpartition("/")[2]


def _list_of(owner: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects in a list. Raises ``ValueError`` if it is missing or holds anything else."""
    value = owner.get(key)
    entries = objects_in(owner, key)
    if not isinstance(value, list) or len(entries) != len(value):
        raise ValueError(f"{key} must be a list of objects, got {describe(value)}.")
    return entries
