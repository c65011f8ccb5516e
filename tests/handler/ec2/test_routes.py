"""Route tables, network ACLs and VPC Block Public Access as EC2 answers them, to the model."""

from typing import Any

import pytest

from handler.ec2.routes import parse_block_public_access, parse_network_acl, parse_route_table
from handler.model.network import AclEntry, BlockPublicAccess, NetworkAcl, Route, RouteTable
from handler.model.traffic import Traffic
from tests.support.network import (
    ACCOUNT,
    CORE_NETWORK,
    WORLD,
    WORLD_V6,
    acl_entry,
    block_options,
    exclusion,
    network_acl,
    route,
    route_table,
    tcp,
)

Answer = dict[str, Any]


def test_route_table() -> None:
    """A table has its VPC, owner, routes, subnets, and whether it is main or a gateway's."""
    answer = route_table(route(WORLD, "igw-1"), subnets=("subnet-1", "subnet-2"), is_main=True)
    assert parse_route_table(answer) == RouteTable(
        id="rtb-1",
        vpc_id="vpc-1",
        owner_id=ACCOUNT,
        routes=(Route(WORLD, "igw-1"),),
        subnet_ids=("subnet-1", "subnet-2"),
        is_main=True,
    )
    assert parse_route_table(route_table(subnets=(), gateway="igw-1")).has_gateway


@pytest.mark.parametrize(
    "target",
    [
        "igw-1",
        "vgw-1",
        "vpce-1",
        "nat-1",
        "tgw-1",
        "pcx-1",
        "eni-1",
        "eigw-1",
        "lgw-1",
        "cagw-1",
        CORE_NETWORK,
    ],
)
@pytest.mark.parametrize("destination", [WORLD, WORLD_V6, "pl-1"])
def test_routes(destination: str, target: str) -> None:
    """Each kind of destination and target is read from its own key."""
    table = parse_route_table(route_table(route(destination, target)))
    assert table.routes == (Route(destination, target),)


@pytest.mark.parametrize(
    ("fields", "routes"),
    [
        pytest.param({"State": "blackhole"}, (), id="blackhole"),
        pytest.param({"State": "filtered"}, (Route(WORLD, "igw-1"),), id="filtered"),
        pytest.param(
            {"Origin": "Advertisement"}, (Route(WORLD, "igw-1", is_advertised=True),), id="learnt"
        ),
        pytest.param({"Origin": "CreateRoute"}, (Route(WORLD, "igw-1"),), id="created"),
        pytest.param({"GatewayId": "local"}, (), id="local"),
    ],
)
def test_state_and_origin(fields: Answer, routes: tuple[Route, ...]) -> None:
    """A blackhole leads nowhere, a local route stays in the VPC; all others count."""
    answer = route_table(route(WORLD, "igw-1", **fields))
    assert parse_route_table(answer).routes == routes


def test_target_of_a_nat_instance() -> None:
    """A route to an instance has its interface as well, which is the target."""
    answer = route_table(route(WORLD, "eni-1", InstanceId="i-1", InstanceOwnerId=ACCOUNT))
    assert parse_route_table(answer).routes == (Route(WORLD, "eni-1"),)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="nothing"),
        pytest.param({}, id="without-an-id"),
        pytest.param(route_table() | {"Associations": None}, id="without-associations"),
        pytest.param(route_table() | {"Associations": ["subnet-1"]}, id="association-no-object"),
        pytest.param(route_table() | {"Routes": None}, id="without-routes"),
        pytest.param(route_table() | {"Routes": ["igw-1"]}, id="route-no-object"),
        pytest.param(route_table({"GatewayId": "igw-1"}), id="route-without-a-destination"),
        pytest.param(route_table(route("10.0.0.0/33", "igw-1")), id="destination-no-cidr"),
    ],
)
def test_a_table_in_another_form(answer: object) -> None:
    """A route that was overlooked could let replies out: nothing is taken from such a table."""
    with pytest.raises(ValueError, match=r"must (have|be)|is not a CIDR"):
        parse_route_table(answer)


def test_network_acl() -> None:
    """An ACL has its subnets and its inbound entries, the lowest number first."""
    icmp = {"Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -1}}
    answer = network_acl(
        acl_entry(32767, "deny"),
        acl_entry(3, "allow", Egress=True),
        acl_entry(2, "allow", WORLD_V6, **icmp),
        acl_entry(1, "deny", **tcp(22, 23)),
    )
    assert parse_network_acl(answer) == NetworkAcl(
        "acl-1",
        "vpc-1",
        ("subnet-1",),
        (
            AclEntry(1, Traffic("tcp", 22, 23), WORLD, is_allow=False),
            AclEntry(2, Traffic("icmp", icmp_type=8), WORLD_V6, is_allow=True),
            AclEntry(32767, Traffic("all"), WORLD, is_allow=False),
        ),
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("acl-1", id="no-object"),
        pytest.param({"Entries": [], "Associations": []}, id="without-an-id"),
        pytest.param(network_acl() | {"Entries": None}, id="without-entries"),
        pytest.param(network_acl() | {"Associations": None}, id="without-associations"),
        pytest.param(network_acl(acl_entry(1, "deny", "10.0.0.0/33")), id="no-cidr"),
        pytest.param(network_acl(acl_entry(1, "deny", CidrBlock=None)), id="without-a-cidr"),
        pytest.param(network_acl(acl_entry(1, "reject")), id="unknown-action"),
        pytest.param(network_acl(acl_entry(1, "deny", RuleNumber="1")), id="number-as-text"),
    ],
)
def test_an_acl_in_another_form(answer: object) -> None:
    """An entry that was overlooked could let strangers in: nothing is taken from such an ACL."""
    with pytest.raises(ValueError, match=r"must (have|be)|is not a CIDR"):
        parse_network_acl(answer)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"PortRange": {"From": "22", "To": "23"}}, id="ports-as-text"),
        pytest.param({"PortRange": {"From": 22}}, id="without-a-last-port"),
        pytest.param({"PortRange": {"From": 22, "To": []}}, id="list-as-port"),
        pytest.param({"IcmpTypeCode": {"Type": "8", "Code": 0}}, id="type-as-text"),
        pytest.param({"PortRange": {"From": 23, "To": 22}}, id="ports-out-of-order"),
        pytest.param({"RuleAction": []}, id="list-as-action"),
        pytest.param({"Protocol": "tcp"}, id="name-of-a-protocol"),
        pytest.param({"Protocol": 6}, id="protocol-as-number"),
        pytest.param({"Egress": None}, id="inbound-or-outbound"),
    ],
)
def test_an_entry_in_another_form(fields: Answer) -> None:
    """Ports and types must be whole numbers, and an action a text."""
    with pytest.raises(ValueError, match="must"):
        parse_network_acl(network_acl(acl_entry(1, "deny", **{"Protocol": "6", **fields})))


def test_block_public_access() -> None:
    """The mode, and what is excluded from it for inbound traffic."""
    exclusions = [
        exclusion("vpc-1"),
        exclusion("subnet-1"),
        exclusion("vpc-2", "allow-egress"),
        exclusion("vpc-3", state="delete-complete"),
    ]
    block = parse_block_public_access(block_options(), exclusions)
    assert block == BlockPublicAccess("block-bidirectional", ("vpc-1", "subnet-1"))


def test_block_public_access_in_progress() -> None:
    """While it is being updated it counts as off."""
    options = block_options(state="update-in-progress")
    assert parse_block_public_access(options, []) == BlockPublicAccess("off")


@pytest.mark.parametrize(
    ("options", "exclusions"),
    [
        pytest.param(None, [], id="nothing"),
        pytest.param({"State": "update-complete"}, [], id="without-a-mode"),
        pytest.param(block_options(), ["vpc-1"], id="exclusion-no-object"),
        pytest.param(block_options(), [exclusion("vpc-1") | {"ResourceArn": None}], id="no-arn"),
    ],
)
def test_block_public_access_in_another_form(options: object, exclusions: list[object]) -> None:
    """An exclusion that was overlooked could let strangers in."""
    with pytest.raises(ValueError, match="must have a"):
        parse_block_public_access(options, exclusions)


def test_state_of_an_exclusion_in_another_form() -> None:
    """A state that is no text is none in which the exclusion has ended."""
    answer = exclusion("vpc-1") | {"State": []}
    assert parse_block_public_access(block_options(), [answer]).excluded == ("vpc-1",)


@pytest.mark.parametrize(
    ("state", "subnet_ids"),
    [
        pytest.param("associated", ("subnet-1",), id="associated"),
        pytest.param("disassociated", (), id="disassociated"),
        pytest.param("failed", (), id="failed"),
    ],
)
def test_state_of_an_association(state: str, subnet_ids: tuple[str, ...]) -> None:
    """An association that has ended or failed does not hold."""
    table = route_table()
    table["Associations"][0]["AssociationState"] = {"State": state}
    assert parse_route_table(table).subnet_ids == subnet_ids


def test_association_that_changes() -> None:
    """While an association changes, the table proves nothing."""
    table = route_table()
    table["Associations"][0]["AssociationState"] = {"State": "associating"}
    with pytest.raises(ValueError, match="must be settled"):
        parse_route_table(table)


def test_block_public_access_in_an_unknown_state() -> None:
    """Only a setting that is known to be in force counts."""
    options = {"InternetGatewayBlockMode": "block-bidirectional", "State": "paused"}
    assert parse_block_public_access(options, []).mode == "off"
