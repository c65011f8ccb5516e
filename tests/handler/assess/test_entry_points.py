"""Network load balancers and Global Accelerators, whose targets may see the client's own address.

SSH open to the world is critical; high is one step lower, medium two.
"""

from typing import Any

import pytest

from tests.support.network import (
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    PUBLIC_TABLE,
    SSH,
    SSH_V6,
    WORLD,
    WORLD_V6,
    accelerator,
    acl_entry,
    finding_on,
    interface,
    load_balancer,
    network_acl,
    route,
    route_table,
    snapshot,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
TARGET = interface()
BALANCER = load_balancer()
IN_VPC_2: dict[str, Any] = {"VpcId": "vpc-2", "SubnetId": "subnet-20"}
HTTPS = permission("tcp", 443, 443, WORLD)
BALANCER_IN_VPC_2 = load_balancer(**IN_VPC_2)


def peered_tables(**fields: Any) -> list[Answer]:
    """The tables of vpc-1 and vpc-2 with routes to each other over a peering connection."""
    return [
        route_table(route("10.2.0.0/16", "pcx-1", **fields), is_main=True),
        route_table(
            route("10.0.0.0/16", "pcx-1", **fields),
            route(WORLD, "igw-2"),
            table_id="rtb-2",
            vpc_id="vpc-2",
            subnets=(),
            is_main=True,
        ),
    ]


@pytest.mark.parametrize(
    ("balancer", "severity"),
    [
        pytest.param(BALANCER, "high", id="without-groups"),
        pytest.param(load_balancer(public=None), "medium", id="internal"),
        pytest.param(load_balancer(Status="available"), "medium", id="not-in-use"),
        pytest.param(load_balancer(public=None, ipv6=PUBLIC_IPV6), "medium", id="ipv6-only"),
        pytest.param(BALANCER_IN_VPC_2, "medium", id="in-another-vpc"),
        pytest.param(
            BALANCER | {"InterfaceType": "interface", "Description": "ELB app/shop/1"},
            "medium",
            id="application-load-balancer",
        ),
        pytest.param(
            BALANCER | {"InterfaceType": "gateway_load_balancer"},
            "medium",
            id="gateway-load-balancer",
        ),
    ],
)
def test_network_load_balancer(balancer: Answer, severity: str) -> None:
    """An internet-facing one in the VPC passes clients on to private targets: one step lower."""
    finding = finding_on(snapshot(TARGET, balancer, RouteTables=[PUBLIC_TABLE]))
    assert finding.severity == severity
    assert ("load balancer shop" in finding.why) == (severity == "high")
    assert finding.attachment == ("behind-load-balancer" if severity == "high" else "internal")


@pytest.mark.parametrize(
    ("permissions", "severity"),
    [
        pytest.param([HTTPS], "high", id="open"),
        pytest.param([permission("tcp", 443, 443, "10.0.0.0/8")], "medium", id="private"),
        pytest.param([], "medium", id="closed"),
        pytest.param([permission("tcp", 443, 443, WORLD_V6)], "medium", id="open-for-ipv6-only"),
        pytest.param(
            [permission("tcp", 443, 443, "pl-1")],
            "high",
            id="a-list-that-is-not-known",
        ),
    ],
)
def test_groups_of_the_load_balancer(permissions: list[Answer], severity: str) -> None:
    """A load balancer with groups passes on clients that they let in."""
    groups = (SSH, answer(*permissions, group_id="sg-2", name="balancer"))
    network = snapshot(TARGET, load_balancer(groups=("sg-2",)), groups=groups)
    assert finding_on(network).severity == severity


@pytest.mark.parametrize(
    ("interface_type", "severity"),
    [
        pytest.param("interface", "high", id="interface"),
        pytest.param("new-kind", "high", id="unknown-type"),
        pytest.param("vpc_endpoint", "medium", id="vpc-endpoint"),
        pytest.param("efs", "medium", id="efs"),
        pytest.param("lambda", "low", id="lambda"),
    ],
)
def test_types_behind_a_load_balancer(interface_type: str, severity: str) -> None:
    """What cannot be a target is not reached through a load balancer."""
    target = interface(InterfaceType=interface_type)
    assert finding_on(snapshot(target, BALANCER)).severity == severity


@pytest.mark.parametrize(
    ("table", "severity"),
    [
        pytest.param(PUBLIC_TABLE, "high", id="gateway-route"),
        pytest.param(route_table(is_main=True), "medium", id="no-gateway-route"),
        pytest.param(route_table(route(WORLD_V6, "igw-1"), is_main=True), "medium", id="ipv6-only"),
    ],
)
def test_routes_of_the_load_balancer(table: Answer, severity: str) -> None:
    """A load balancer without a route to an internet gateway has no clients there."""
    assert finding_on(snapshot(TARGET, BALANCER, RouteTables=[table])).severity == severity


def test_public_target_without_a_route_is_behind_its_load_balancer() -> None:
    """A proof closes the target's own public address, not the way through the load balancer."""
    tables = [
        route_table(),
        route_table(route(WORLD, "igw-1"), table_id="rtb-9", subnets=("subnet-9",), is_main=True),
    ]
    target = interface(public=PUBLIC_IPV4)
    finding = finding_on(snapshot(target, BALANCER, RouteTables=tables))
    assert (finding.severity, finding.attachment) == ("high", "behind-load-balancer")


def test_interface_in_another_vpc_than_its_group() -> None:
    """The interface's own VPC decides, not the group's."""
    target = interface(**IN_VPC_2)
    assert finding_on(snapshot(target, BALANCER_IN_VPC_2)).severity == "high"
    network = snapshot(target, BALANCER, RouteTables=[PUBLIC_TABLE])
    assert finding_on(network).severity == "medium"


@pytest.mark.parametrize(
    ("tables", "severity"),
    [
        pytest.param(peered_tables(), "high", id="active"),
        pytest.param(peered_tables(State="blackhole"), "medium", id="blackhole"),
        pytest.param([PUBLIC_TABLE], "medium", id="not-peered"),
        pytest.param(
            None,
            "high",
            id="not-read",
        ),
    ],
)
def test_load_balancer_in_a_peered_vpc(tables: list[Answer] | None, severity: str) -> None:
    """A load balancer may have targets in a VPC that it reaches over a peering connection."""
    network = snapshot(TARGET, BALANCER_IN_VPC_2, RouteTables=tables)
    assert finding_on(network).severity == severity


@pytest.mark.parametrize(
    ("entry_point", "severity", "attachment"),
    [
        pytest.param(accelerator(), "critical", "internet-facing", id="same-subnet"),
        pytest.param(
            accelerator(SubnetId="subnet-2"), "high", "behind-load-balancer", id="same-vpc"
        ),
        pytest.param(accelerator(**IN_VPC_2), "medium", "internal", id="another-vpc"),
        pytest.param(accelerator(Status="available"), "medium", "internal", id="not-in-use"),
    ],
)
def test_global_accelerator(entry_point: Answer, severity: str, attachment: str) -> None:
    """A private target in the accelerator's subnet faces the internet, without any route to it."""
    tables = [route_table(is_main=True)]
    finding = finding_on(snapshot(TARGET, entry_point, RouteTables=tables))
    assert (finding.severity, finding.attachment) == (severity, attachment)
    assert ("eni-8" in finding.why) == (severity != "medium")


@pytest.mark.parametrize(
    "interface_type",
    [
        pytest.param(
            kind,
        )
        for kind in ("vpc_endpoint", "efs", "efa-only")
    ],
)
def test_types_that_are_no_endpoint_of_an_accelerator(interface_type: str) -> None:
    """Interfaces of these types are internal, whatever is in their subnet."""
    target = interface(InterfaceType=interface_type)
    assert finding_on(snapshot(target, accelerator())).attachment == "internal"


@pytest.mark.parametrize(
    ("entry_point", "group", "severity"),
    [
        pytest.param(BALANCER, SSH, "high", id="load-balancer"),
        pytest.param(accelerator(), SSH, "critical", id="accelerator"),
        pytest.param(load_balancer(ipv6=PUBLIC_IPV6), SSH_V6, "high", id="ipv6-load-balancer"),
    ],
)
def test_network_acl_closes_no_way_through_them(
    entry_point: Answer, group: Answer, severity: str
) -> None:
    """An ACL that denies everything is no proof for a target."""
    denials = acl_entry(1, "deny"), acl_entry(2, "deny", WORLD_V6)
    acl = network_acl(*denials, subnets=("subnet-1", "subnet-9"))
    network = snapshot(
        interface(public=PUBLIC_IPV4, ipv6=PUBLIC_IPV6),
        entry_point,
        groups=(group,),
        NetworkAcls=[acl],
        RouteTables=[PUBLIC_TABLE],
    )
    assert finding_on(network).severity == severity
