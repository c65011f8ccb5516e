"""What route tables prove: that replies of an interface with a public address cannot leave.

SSH open to the world is critical; high is one step lower, medium two.
"""

from typing import Any

import pytest

from tests.support.network import (
    CORE_NETWORK,
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    PUBLIC_TABLE,
    SSH_V6,
    WORLD,
    WORLD_V6,
    finding_on,
    interface,
    route,
    route_table,
    snapshot,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
PUBLIC = interface(public=PUBLIC_IPV4)
PUBLIC_V6 = interface(ipv6=PUBLIC_IPV6)
MAIN = route_table(subnets=(), is_main=True, table_id="rtb-main")
MAIN_PUBLIC = route_table(route(WORLD, "igw-1"), subnets=(), is_main=True, table_id="rtb-main")
EDGE = route_table(subnets=(), gateway="igw-1", table_id="rtb-edge")
S3_ENDPOINT = route_table(route("pl-s3", "vpce-1"))


@pytest.mark.parametrize(
    ("tables", "severity", "phrase"),
    [
        pytest.param([PUBLIC_TABLE], "critical", PUBLIC_IPV4, id="gateway-route"),
        pytest.param([route_table()], "medium", "rtb-1", id="no-gateway-route"),
        pytest.param([MAIN_PUBLIC], "critical", PUBLIC_IPV4, id="main-with-gateway"),
        pytest.param([MAIN], "medium", "rtb-main", id="main-without"),
        pytest.param([MAIN_PUBLIC, route_table()], "medium", "rtb-1", id="explicit-without"),
        pytest.param([MAIN, MAIN_PUBLIC], "critical", "", id="two-main"),
        pytest.param(
            [MAIN, route_table(route(WORLD, "igw-1"))], "critical", "", id="explicit-with-gateway"
        ),
        pytest.param([EDGE], "critical", "", id="edge-association-is-no-subnets-table"),
        pytest.param([EDGE, MAIN], "medium", "rtb-main", id="main-beside-edge-association"),
        pytest.param([EDGE, MAIN_PUBLIC], "critical", "", id="gateway-beside-edge-association"),
        pytest.param([], "critical", "", id="no-table"),
        pytest.param(
            [MAIN, MAIN | {"RouteTableId": "rtb-2"}], "critical", "", id="two-main-without-gateway"
        ),
        pytest.param(
            [route_table(), route_table(table_id="rtb-2")], "critical", "", id="two-explicit"
        ),
        pytest.param([MAIN | {"VpcId": "vpc-2"}], "critical", "", id="main-of-another-vpc"),
        pytest.param([{"RouteTableId": "rtb-1"}], "critical", "", id="not-in-ec2s-form"),
        pytest.param(None, "critical", "", id="not-in-the-snapshot"),
    ],
)
def test_route_table_of_the_subnet(tables: list[Answer], severity: str, phrase: str) -> None:
    """The subnet's explicit table decides, else the VPC's main one; an ambiguous one nothing."""
    finding = finding_on(snapshot(PUBLIC, RouteTables=tables))
    assert finding.severity == severity
    assert phrase in finding.why
    assert finding.attachment == ("internet-facing" if severity == "critical" else "internal")


@pytest.mark.parametrize(
    ("routes", "severity"),
    [
        pytest.param([route(WORLD, "igw-1", State="blackhole")], "medium", id="blackhole"),
        pytest.param([route(WORLD, "igw-1", State="filtered")], "critical", id="filtered"),
        pytest.param([route("0.0.0.0/1", "igw-1")], "critical", id="half-route"),
        pytest.param([route("198.51.100.7/32", "igw-1")], "critical", id="one-address"),
        pytest.param([route("pl-1", "igw-1")], "critical", id="prefix-list-to-gateway"),
        pytest.param([route(WORLD_V6, "igw-1")], "medium", id="ipv6-only"),
        pytest.param([route(WORLD, "nat-1")], "medium", id="nat-gateway"),
        pytest.param([route(WORLD, "tgw-1")], "high", id="transit-gateway"),
        pytest.param([route("10.0.0.0/8", "tgw-1")], "medium", id="private-to-transit-gateway"),
        pytest.param([route(WORLD, "vgw-1")], "high", id="virtual-private-gateway"),
        pytest.param([route(WORLD, "pcx-1")], "high", id="peering"),
        pytest.param([route(WORLD, "lgw-1")], "high", id="local-gateway"),
        pytest.param([route(WORLD, "cagw-1")], "high", id="carrier-gateway"),
        pytest.param([route(WORLD, CORE_NETWORK)], "high", id="core-network"),
        pytest.param(
            [route(WORLD, "tgw-1", State="blackhole")], "medium", id="transit-gateway-blackhole"
        ),
        pytest.param([route(WORLD, "vpce-1")], "critical", id="firewall-endpoint"),
        pytest.param([route("0.0.0.0/1", "vpce-1")], "critical", id="half-to-firewall-endpoint"),
        pytest.param([route(WORLD, "eni-2")], "critical", id="appliance"),
        pytest.param([route("10.0.1.0/24", "eni-2")], "critical", id="private-to-appliance"),
        pytest.param([route("pl-1", "eni-2")], "critical", id="prefix-list-to-appliance"),
        pytest.param(
            [route(WORLD, "eni-2", InstanceId="i-1", InstanceOwnerId="123456789012")],
            "critical",
            id="nat-instance",
        ),
        pytest.param(
            [{"DestinationCidrBlock": WORLD, "State": "active", "NewGatewayId": "new-1"}],
            "critical",
            id="target-of-a-new-kind",
        ),
        pytest.param(
            [route(WORLD, "i-1")],
            "critical",
            id="nat-instance-without-its-interface",
        ),
        pytest.param(
            [route(WORLD, "nat-1", Origin="Advertisement")], "critical", id="route-server"
        ),
        pytest.param([route("pl-s3", "vpce-1")], "medium", id="s3-gateway-endpoint"),
    ],
)
def test_routes_for_replies(routes: list[Answer], severity: str) -> None:
    """Without a route to what leads to the internet replies to TCP cannot leave: two steps.

    One step where they leave for a network whose far end this account does not show.
    """
    finding = finding_on(snapshot(PUBLIC, RouteTables=[route_table(*routes)]))
    assert finding.severity == severity
    assert ("rtb-1" in finding.why) == (severity != "critical")


@pytest.mark.parametrize(
    ("tables", "severity"),
    [
        pytest.param([S3_ENDPOINT], "medium", id="no-edge-association"),
        pytest.param([S3_ENDPOINT, EDGE], "critical", id="edge-association"),
        pytest.param([S3_ENDPOINT, EDGE | {"VpcId": "vpc-2"}], "medium", id="in-another-vpc"),
    ],
)
def test_endpoint_for_a_prefix_list(tables: list[Answer], severity: str) -> None:
    """It is a gateway endpoint, but may be a firewall's in a VPC with an edge-associated table."""
    assert finding_on(snapshot(PUBLIC, RouteTables=tables)).severity == severity


@pytest.mark.parametrize(
    ("routes", "severity"),
    [
        pytest.param([route(WORLD_V6, "igw-1")], "critical", id="gateway"),
        pytest.param([route(WORLD_V6, "eigw-1")], "medium", id="egress-only-gateway"),
        pytest.param([route(WORLD, "igw-1")], "medium", id="ipv4-only"),
        pytest.param([route("2000::/4", "igw-1")], "critical", id="half-route"),
        pytest.param([route(WORLD_V6, "tgw-1")], "high", id="transit-gateway"),
    ],
)
def test_routes_for_ipv6(routes: list[Answer], severity: str) -> None:
    """Whether the internet reaches an IPv6 address depends on the IPv6 routes only."""
    network = snapshot(PUBLIC_V6, groups=(SSH_V6,), RouteTables=[route_table(*routes)])
    assert finding_on(network).severity == severity


@pytest.mark.parametrize(
    ("opening", "severity"),
    [
        pytest.param(permission("tcp", 0, 65535, WORLD), "medium", id="tcp"),
        pytest.param(permission("udp", 161, 161, WORLD), "high", id="udp"),
        pytest.param(permission("icmp", -1, -1, WORLD), "low", id="icmp"),
        pytest.param(permission("-1", None, None, WORLD), "high", id="all-traffic"),
        pytest.param(permission("47", None, None, WORLD), "medium", id="gre"),
    ],
)
def test_packets_arrive_without_a_route_back(opening: Answer, severity: str) -> None:
    """What needs no reply is lowered by one step only, TCP by two."""
    network = snapshot(PUBLIC, groups=(answer(opening),), RouteTables=[route_table()])
    assert finding_on(network).severity == severity


@pytest.mark.parametrize(
    ("interfaces", "severity"),
    [
        pytest.param([PUBLIC], "medium", id="without-route"),
        pytest.param([PUBLIC, interface("eni-2", SubnetId="subnet-2")], "medium", id="and-private"),
        pytest.param(
            [PUBLIC, interface("eni-2", public="52.0.0.2", SubnetId="subnet-2")],
            "critical",
            id="and-public-with-route",
        ),
        pytest.param(
            [PUBLIC, interface("eni-2", public="52.0.0.2", VpcId="vpc-2", SubnetId="subnet-3")],
            "critical",
            id="and-in-another-vpc",
        ),
    ],
)
def test_each_interface_in_its_own_subnet(interfaces: list[Answer], severity: str) -> None:
    """An interface is assessed in its own VPC and subnet, and the worst one decides."""
    tables = [
        route_table(),
        route_table(route(WORLD, "igw-1"), table_id="rtb-2", subnets=("subnet-2",)),
        route_table(route(WORLD, "igw-2"), table_id="rtb-3", vpc_id="vpc-2", is_main=True),
    ]
    assert finding_on(snapshot(*interfaces, RouteTables=tables)).severity == severity


@pytest.mark.parametrize(
    ("address", "target", "severity"),
    [
        pytest.param("52.1.0.5", "vgw-1", "high", id="virtual-private-gateway"),
        pytest.param("52.1.0.5", "tgw-1", "high", id="transit-gateway"),
        pytest.param("52.1.0.5", CORE_NETWORK, "high", id="core-network"),
        pytest.param("52.1.0.5", "nat-1", "medium", id="nat-gateway"),
        pytest.param("10.0.0.5", "vgw-1", "medium", id="private-range"),
    ],
)
def test_public_range_of_a_vpcs_own(address: str, target: str, severity: str) -> None:
    """A VPC's own public range may be announced elsewhere: one step instead of two."""
    private = interface(PrivateIpAddresses=[{"PrivateIpAddress": address}])
    tables = [route_table(route("192.168.0.0/16", target))]
    finding = finding_on(snapshot(private, RouteTables=tables))
    assert (finding.severity, finding.attachment) == (severity, "internal")
