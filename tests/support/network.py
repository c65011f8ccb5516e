"""Networks as EC2 answers them, in a line for each part, and what the audit finds in them."""

import json
from typing import Any

from cli.snapshot_file import Snapshot
from handler.model.finding import Finding
from handler.policy.policy import Policy
from handler.scan import scan_target
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
WORLD = "0.0.0.0/0"
WORLD_V6 = "::/0"
PUBLIC_IPV4 = "52.0.0.1"
PUBLIC_IPV6 = "2600:1f00::1"
SSH = answer(permission("tcp", 22, 22, WORLD))
SSH_V6 = answer(permission("tcp", 22, 22, WORLD_V6))
CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"

_TARGET_KEYS = {
    "igw": "GatewayId",
    "vgw": "GatewayId",
    "vpce": "GatewayId",
    "local": "GatewayId",
    "nat": "NatGatewayId",
    "tgw": "TransitGatewayId",
    "pcx": "VpcPeeringConnectionId",
    "eni": "NetworkInterfaceId",
    "eigw": "EgressOnlyInternetGatewayId",
    "lgw": "LocalGatewayId",
    "cagw": "CarrierGatewayId",
    "arn:aws:networkmanager::123456789012:core": "CoreNetworkArn",
    "i": "InstanceId",
}
_DESTINATION_KEYS = {
    "pl": "DestinationPrefixListId",
    "ipv6": "DestinationIpv6CidrBlock",
    "ipv4": "DestinationCidrBlock",
}
CORE_NETWORK = "arn:aws:networkmanager::123456789012:core-network/core-network-1"


def interface(
    interface_id: str = "eni-1",
    *,
    groups: tuple[str, ...] = ("sg-1",),
    public: str | None = None,
    ipv6: str | None = None,
    **fields: Any,
) -> Answer:
    """A network interface of DescribeNetworkInterfaces; in use, in subnet-1 of vpc-1."""
    address: Answer = {"PrivateIpAddress": "10.0.0.5"}
    if public:
        address["Association"] = {"PublicIp": public}
    return {
        "NetworkInterfaceId": interface_id,
        "Groups": [{"GroupId": group_id} for group_id in groups],
        "InterfaceType": "interface",
        "Status": "in-use",
        "VpcId": "vpc-1",
        "SubnetId": "subnet-1",
        "AvailabilityZone": "eu-west-1a",
        "PrivateIpAddresses": [address],
        "Ipv6Addresses": [{"Ipv6Address": ipv6}] if ipv6 else [],
        **fields,
    }


def load_balancer(
    *, groups: tuple[str, ...] = (), public: str | None = PUBLIC_IPV4, **fields: Any
) -> Answer:
    """The interface of a network load balancer, in subnet-9 of vpc-1."""
    details = {"Description": "ELB net/shop/1", "SubnetId": "subnet-9", **fields}
    kind = "network_load_balancer"
    return interface("eni-9", groups=groups, public=public, InterfaceType=kind, **details)


def accelerator(**fields: Any) -> Answer:
    """The interface of a Global Accelerator, in subnet-1 of vpc-1 like its targets."""
    return interface("eni-8", groups=(), InterfaceType="global_accelerator_managed", **fields)


def route(destination: str, target: str, **fields: Any) -> Answer:
    """An active route; the kinds of destination and target follow from what they look like."""
    kind = destination[:2] if destination.startswith("pl-") else "ipv4"
    kind = "ipv6" if ":" in destination else kind
    target_key = _TARGET_KEYS[target.partition("-")[0]]
    return {_DESTINATION_KEYS[kind]: destination, target_key: target, "State": "active", **fields}


def route_table(
    *routes: Answer,
    table_id: str = "rtb-1",
    vpc_id: str = "vpc-1",
    subnets: tuple[str, ...] = ("subnet-1",),
    is_main: bool = False,
    gateway: str | None = None,
    owner: str = ACCOUNT,
) -> Answer:
    """A route table with the VPC's local route and those given."""
    associations: list[Answer] = [{"Main": False, "SubnetId": subnet} for subnet in subnets]
    associations += [{"Main": True}] if is_main else []
    associations += [{"Main": False, "GatewayId": gateway}] if gateway else []
    return {
        "RouteTableId": table_id,
        "VpcId": vpc_id,
        "OwnerId": owner,
        "Associations": associations,
        "Routes": [route("10.0.0.0/16", "local"), *routes],
    }


def acl_entry(number: int, action: str, cidr: str = WORLD, **fields: Any) -> Answer:
    """An inbound entry of a network ACL, for all protocols unless others are given."""
    key = "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"
    entry = {"RuleNumber": number, "RuleAction": action, key: cidr, "Protocol": "-1"}
    return {**entry, "Egress": False, **fields}


def tcp(low: int, high: int) -> Answer:
    """The fields of an ACL's entry for TCP ports."""
    return {"Protocol": "6", "PortRange": {"From": low, "To": high}}


def network_acl(
    *entries: Answer,
    acl_id: str = "acl-1",
    vpc_id: str = "vpc-1",
    subnets: tuple[str, ...] = ("subnet-1",),
) -> Answer:
    """A network ACL of DescribeNetworkAcls."""
    associations = [{"SubnetId": subnet} for subnet in subnets]
    return {
        "NetworkAclId": acl_id,
        "VpcId": vpc_id,
        "Associations": associations,
        "Entries": list(entries),
    }


def exclusion(resource: str, mode: str = "allow-bidirectional", state: str = "") -> Answer:
    """An exclusion from VPC Block Public Access, of a VPC or a subnet."""
    kind = resource.partition("-")[0]
    return {
        "ExclusionId": "vpcbpa-exclude-1",
        "InternetGatewayExclusionMode": mode,
        "ResourceArn": f"arn:aws:ec2:eu-west-1:{ACCOUNT}:{kind}/{resource}",
        "State": state or "create-complete",
    }


def block_options(mode: str = "block-bidirectional", state: str = "update-complete") -> Answer:
    """The options of VPC Block Public Access."""
    return {"InternetGatewayBlockMode": mode, "State": state}


# The table of subnet-1, and of all others in its VPC, with a route to an internet gateway.
PUBLIC_TABLE = route_table(route(WORLD, "igw-1"), route(WORLD_V6, "igw-1"), is_main=True)


def snapshot(*interfaces: Answer, groups: tuple[Answer, ...] = (SSH,), **fields: object) -> Answer:
    """A snapshot with SSH open to the IPv4 internet, unless it has other groups."""
    return {
        "Account": ACCOUNT,
        "Region": "eu-west-1",
        "SecurityGroups": list(groups),
        "NetworkInterfaces": list(interfaces),
        **fields,
    }


def scan_snapshot(content: Answer) -> tuple[Finding, ...]:
    """The findings on a snapshot in the order of the report."""
    saved = Snapshot(json.dumps(content).encode())
    findings = scan_target(saved.target, saved, Policy()).findings
    return tuple(sorted(findings, key=lambda finding: finding.sort_key))


def finding_on(content: Answer, group_id: str = "sg-1") -> Finding:
    """The only finding on a group of a snapshot."""
    (finding,) = (found for found in scan_snapshot(content) if found.group_id == group_id)
    return finding
