"""Interfaces, route tables, network ACLs and VPC Block Public Access, as EC2 answers them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account


@pytest.fixture
def ec2(account: Account) -> Any:
    """EC2 in eu-west-1, with a default VPC."""
    return account.client("ec2")


@pytest.fixture
def interface(ec2: Any) -> str:
    """The id of an interface in the default VPC."""
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    created = ec2.create_network_interface(SubnetId=subnet)
    return str(created["NetworkInterface"]["NetworkInterfaceId"])


def described(ec2: Any, **arguments: Any) -> list[dict[str, Any]]:
    """The network interfaces that EC2 describes."""
    interfaces: list[dict[str, Any]] = ec2.describe_network_interfaces(**arguments)[
        "NetworkInterfaces"
    ]
    return interfaces


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"InterfaceType": "lambda", "Status": "in-use"}, id="type-and-status"),
        pytest.param(
            {
                "Ipv6Addresses": [{"Ipv6Address": "2a05:d018::1"}],
                "Ipv6Prefixes": [{"Ipv6Prefix": "2a05:d018:0:1::/80"}],
            },
            id="ipv6",
        ),
        pytest.param({"Groups": []}, id="no-groups"),
    ],
)
def test_fields_of_an_interface_are_overridden(
    account: Account, ec2: Any, interface: str, fields: dict[str, Any]
) -> None:
    """The interface is described with the given fields, and otherwise as before."""
    (before,) = described(ec2)
    account.networks.override(interface, **fields)
    assert described(ec2) == [{**before, **fields}]


@pytest.mark.parametrize("kind", ["PublicIp", "CarrierIp", "CustomerOwnedIp"])
def test_an_association_stands_on_the_private_address(
    account: Account, ec2: Any, interface: str, kind: str
) -> None:
    """An address of any kind is shown with the interface and with its primary private address."""
    account.networks.override(interface, Association={kind: "203.0.113.7"})
    (found,) = described(ec2)
    assert found["Association"] == {kind: "203.0.113.7"}
    assert found["PrivateIpAddresses"][0]["Association"] == {kind: "203.0.113.7"}


def test_a_hidden_interface_is_described_on_request_only(
    account: Account, ec2: Any, interface: str
) -> None:
    """An interface hidden by default needs IncludeManagedResources."""
    operator = {"Managed": True, "Principal": "eks.amazonaws.com", "HiddenByDefault": True}
    account.networks.override(interface, Operator=operator)
    assert described(ec2) == described(ec2, IncludeManagedResources=False) == []
    assert [found["Operator"] for found in described(ec2, IncludeManagedResources=True)] == [
        operator
    ]


def test_a_managed_interface_that_is_not_hidden_is_always_described(
    account: Account, ec2: Any, interface: str
) -> None:
    """Operator alone hides nothing."""
    account.networks.override(interface, Operator={"Managed": True, "HiddenByDefault": False})
    assert len(described(ec2)) == len(described(ec2, IncludeManagedResources=True)) == 1


@pytest.mark.parametrize(
    ("types", "found"),
    [
        pytest.param(["lambda"], ["lambda"], id="one"),
        pytest.param(["interface", "lambda"], ["interface", "lambda"], id="either-of-two"),
        pytest.param(["*_load_balancer"], ["network_load_balancer"], id="wildcard"),
        pytest.param(["efa"], [], id="none"),
    ],
)
def test_interfaces_are_filtered_by_type(
    account: Account, ec2: Any, types: list[str], found: list[str]
) -> None:
    """interface-type matches interfaces of any of its values."""
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    for kind in ("interface", "lambda", "network_load_balancer"):
        created = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
        account.networks.override(created["NetworkInterfaceId"], InterfaceType=kind)
    interfaces = described(ec2, Filters=[{"Name": "interface-type", "Values": types}])
    assert sorted(interface["InterfaceType"] for interface in interfaces) == found


def test_filters_must_all_match(account: Account, ec2: Any, interface: str) -> None:
    """group-id, interface-type and one of moto's own filters narrow the answer together."""
    account.networks.override(interface, InterfaceType="lambda")
    (group,) = (group["GroupId"] for group in described(ec2)[0]["Groups"])
    matching = {
        "group-id": [group, "sg-0123456789abcdef0"],
        "interface-type": ["lambda"],
        "vpc-id": [ec2.describe_vpcs()["Vpcs"][0]["VpcId"]],
    }
    other = {"group-id": ["sg-0123456789abcdef0"], "interface-type": ["efa"], "vpc-id": ["vpc-0"]}
    assert len(described(ec2, Filters=_filters(matching))) == 1
    for name in matching:
        assert described(ec2, Filters=_filters({**matching, name: other[name]})) == []


def _filters(conditions: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": values} for name, values in conditions.items()]


def test_the_default_vpc_has_an_internet_gateway(ec2: Any) -> None:
    """The VPC's main route table has a default route to the gateway, as in AWS."""
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    (table,) = ec2.describe_route_tables()["RouteTables"]
    assert gateway["Attachments"][0]["VpcId"] == table["VpcId"]
    assert [association["Main"] for association in table["Associations"]] == [True]
    assert {route["DestinationCidrBlock"]: route["GatewayId"] for route in table["Routes"]} == {
        "172.31.0.0/16": "local",
        "0.0.0.0/0": gateway["InternetGatewayId"],
    }


def test_fields_of_a_route_table_are_overridden(account: Account, ec2: Any) -> None:
    """Owner and routes, such as one to a gateway that was deleted, are described as given."""
    (table,) = ec2.describe_route_tables()["RouteTables"]
    routes = [{"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "blackhole"}]
    account.networks.override(table["RouteTableId"], OwnerId="210987654321", Routes=routes)
    assert ec2.describe_route_tables()["RouteTables"] == [
        {**table, "OwnerId": "210987654321", "Routes": routes}
    ]


def test_fields_of_a_network_acl_are_overridden(account: Account, ec2: Any) -> None:
    """Entries with an ICMP type, which moto loses, are described as given."""
    (acl,) = ec2.describe_network_acls()["NetworkAcls"]
    entries = [{"Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -1}, "RuleNumber": 90}]
    account.networks.override(acl["NetworkAclId"], Entries=entries)
    assert ec2.describe_network_acls()["NetworkAcls"] == [{**acl, "Entries": entries}]


@pytest.mark.parametrize(
    ("make", "operation", "key"),
    [
        pytest.param(
            "create_route_table", "describe_route_tables", "RouteTables", id="route-tables"
        ),
        pytest.param("create_network_acl", "describe_network_acls", "NetworkAcls", id="acls"),
    ],
)
def test_answers_come_in_pages(ec2: Any, make: str, operation: str, key: str) -> None:
    """The default VPC's and eleven more are 5, 5 and 2 on a page."""
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for _ in range(11):
        getattr(ec2, make)(VpcId=vpc)
    pages = ec2.get_paginator(operation).paginate(PaginationConfig={"PageSize": 5})
    assert [len(page[key]) for page in pages] == [5, 5, 2]


def test_public_access_is_not_blocked_at_first(ec2: Any) -> None:
    """VPC Block Public Access is off, without exclusions."""
    options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert options == {
        "AwsAccountId": "123456789012",
        "AwsRegion": "eu-west-1",
        "State": "default-state",
        "InternetGatewayBlockMode": "off",
        "ManagedBy": "account",
        "ExclusionsAllowed": "allowed",
    }
    answer = ec2.describe_vpc_block_public_access_exclusions()
    assert answer["VpcBlockPublicAccessExclusions"] == []


def test_public_access_is_blocked_in_one_region(account: Account) -> None:
    """Options and exclusions are described as set, and other regions stay as they were."""
    exclusion = {
        "ExclusionId": "vpcbpa-exclude-0123456789abcdef0",
        "InternetGatewayExclusionMode": "allow-bidirectional",
        "ResourceArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0123456789abcdef0",
        "State": "create-complete",
    }
    account.networks.block_public_access(
        "us-east-1",
        exclusions=[exclusion],
        InternetGatewayBlockMode="block-ingress",
        ManagedBy="declarative-policy",
    )
    modes = []
    for region in ("us-east-1", "eu-west-1"):
        answer = account.client("ec2", region).describe_vpc_block_public_access_options()
        options = answer["VpcBlockPublicAccessOptions"]
        modes.append((options["State"], options["InternetGatewayBlockMode"], options["ManagedBy"]))
    assert modes == [
        ("update-complete", "block-ingress", "declarative-policy"),
        ("default-state", "off", "account"),
    ]
    answer = account.client("ec2", "us-east-1").describe_vpc_block_public_access_exclusions()
    assert answer["VpcBlockPublicAccessExclusions"] == [exclusion]


def test_exclusions_come_in_pages(account: Account, ec2: Any) -> None:
    """Six exclusions at five a page are 5 and 1."""
    exclusions = [{"ExclusionId": f"vpcbpa-exclude-{index}"} for index in range(6)]
    account.networks.block_public_access("eu-west-1", exclusions=exclusions)
    first = ec2.describe_vpc_block_public_access_exclusions(MaxResults=5)
    second = ec2.describe_vpc_block_public_access_exclusions(NextToken=first["NextToken"])
    assert first["VpcBlockPublicAccessExclusions"] == exclusions[:5]
    assert second["VpcBlockPublicAccessExclusions"] == exclusions[5:]
    assert "NextToken" not in second


def test_filtered_exclusions_are_refused(ec2: Any) -> None:
    """A request for some of the exclusions fails, because filters of them are not imitated."""
    for condition in ({"Filters": _filters({"state": ["x"]})}, {"ExclusionIds": ["x"]}):
        with pytest.raises(ClientError, match="InternalFailure"):
            ec2.describe_vpc_block_public_access_exclusions(**condition)
