"""The sample account as snapshots whose ids are the same each time, and reports on it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.network import Target
from handler.model.run import Scan
from handler.policy.policy import Policy
from sandbox.aws.sample import (
    AWS_LIST,
    REGIONS,
    WORLD,
    WORLD6,
    SeedGroup,
    SeedInterface,
    SeedRegion,
    SeedRule,
    tcp,
)
from tests.support import reports

_ROUTES = {
    "public": [
        {"DestinationCidrBlock": WORLD, "GatewayId": "igw-1", "State": "active"},
        {"DestinationIpv6CidrBlock": WORLD6, "GatewayId": "igw-1", "State": "active"},
    ],
    "private": [],
    "carrier": [{"DestinationCidrBlock": WORLD, "CarrierGatewayId": "cagw-1", "State": "active"}],
}
# Regions in which there is nothing.
_EMPTY = (
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
    *("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-2", "eu-west-3", "sa-east-1"),
    *("us-east-2", "us-west-1", "us-west-2"),
)


def full() -> Report:
    """The first run in the account: 19 openings that people see."""
    return reports.of(*_scans(REGIONS), previous=LedgerState())


def changes() -> Report:
    """The next run: the bastion's SSH is closed, and MySQL on the database is open."""
    first = full()
    state = next_state(LedgerState(), first, Policy(), DigestKind.FULL)
    ireland = REGIONS["eu-west-1"]
    groups = tuple(map(_changed, ireland.groups))
    after = REGIONS | {"eu-west-1": replace(ireland, groups=groups)}
    return reports.of(*_scans(after), previous=state)


def _changed(group: SeedGroup) -> SeedGroup:
    if group.name == "bastion":
        return replace(group, rules=())
    if group.name == "orders-database":
        return replace(group, rules=(*group.rules, tcp(3306, WORLD)))
    return group


def _scans(regions: dict[str, SeedRegion]) -> Iterator[Scan]:
    for name in sorted({*regions, *_EMPTY}):
        region = regions.get(name, SeedRegion((), (), ()))
        yield _scan(Target(reports.ACCOUNT, name), region)


def _scan(target: Target, region: SeedRegion) -> Scan:
    lists = {name: _id("pl", name) for name, _ in region.prefix_lists} | {AWS_LIST: "pl-aws"}
    saved = [
        {"PrefixListId": lists[name], "Entries": [{"Cidr": network} for network in networks]}
        for name, networks in region.prefix_lists
    ]
    aws = {"PrefixListId": "pl-aws", "PrefixListName": AWS_LIST, "OwnerId": "AWS"}
    groups = [_group(group, lists) for group in region.groups]
    return reports.read(
        *groups,
        target=target,
        PrefixLists=[*saved, aws],
        SecurityGroupRules=[rule for group in region.groups for rule in _rules(group)],
        NetworkInterfaces=list(map(_interface, region.interfaces)),
        RouteTables=[
            {
                "RouteTableId": _id("rtb", kind),
                "VpcId": "vpc-1",
                "OwnerId": reports.ACCOUNT,
                "Associations": [{"SubnetId": kind}],
                "Routes": routes,
            }
            for kind, routes in _ROUTES.items()
        ],
        NetworkAcls=[],
        VpcBlockPublicAccessOptions={"InternetGatewayBlockMode": "off"},
    )


def _group(group: SeedGroup, lists: dict[str, str]) -> dict[str, Any]:
    owner = [("Owner", group.owner)] if group.owner else []
    return {
        "GroupId": _id("sg", group.name),
        "GroupName": group.name,
        "VpcId": "vpc-1",
        "OwnerId": reports.ACCOUNT,
        "Tags": [{"Key": key, "Value": value} for key, value in (*owner, *group.tags)],
        "IpPermissions": [_permission(rule, lists) for rule in group.rules],
    }


def _permission(rule: SeedRule, lists: dict[str, str]) -> dict[str, Any]:
    networks = [source for source in rule.sources if "/" in source and source not in lists]
    named = [source for source in rule.sources if source not in networks]
    return {
        "IpProtocol": rule.protocol,
        **({} if rule.from_port is None else {"FromPort": rule.from_port, "ToPort": rule.to_port}),
        "IpRanges": [{"CidrIp": cidr} for cidr in networks if ":" not in cidr],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in networks if ":" in cidr],
        "PrefixListIds": [{"PrefixListId": lists[name]} for name in named if name in lists],
        "UserIdGroupPairs": [{"GroupId": _id("sg", n)} for n in named if n not in lists],
    }


def _rules(group: SeedGroup) -> Iterator[dict[str, Any]]:
    for rule in group.rules:
        for source in rule.sources:
            if "/" in source:
                ports = -1 if rule.from_port is None else rule.from_port
                yield {
                    "SecurityGroupRuleId": _id("sgr", f"{group.name} {rule} {source}"),
                    "GroupId": _id("sg", group.name),
                    "IpProtocol": rule.protocol,
                    "FromPort": ports,
                    "ToPort": -1 if rule.to_port is None else rule.to_port,
                    "CidrIpv6" if ":" in source else "CidrIpv4": source,
                }


def _interface(interface: SeedInterface) -> dict[str, Any]:
    public = {"Association": {"PublicIp": interface.public}} if interface.public else {}
    return {
        "NetworkInterfaceId": _id("eni", interface.description),
        "VpcId": "vpc-1",
        "SubnetId": interface.subnet,
        "Description": interface.description,
        "Status": "in-use",
        "Groups": [{"GroupId": _id("sg", name)} for name in interface.groups],
        **public,
        **interface.fields,
    }


def _id(prefix: str, name: str) -> str:
    return f"{prefix}-{hashlib.sha256(name.encode()).hexdigest()[:17]}"
