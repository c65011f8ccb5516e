"""The seeded account."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.aws.sample import REGIONS, everything_but_private
from sandbox.aws.seed import seed, seed_organization

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
ALLOWED = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


@pytest.fixture(scope="module")
def seeded() -> Iterator[Account]:
    """One seeded account; the tests only read it."""
    with Account() as account:
        seed(account)
        yield account


def test_everything_but_private_is_thirty_networks() -> None:
    """The way people write the internet without naming it."""
    networks = everything_but_private()
    assert len(networks) == 30
    assert networks[:2] == ("0.0.0.0/5", "8.0.0.0/7")


def test_names_keep_the_rule_of_aws() -> None:
    """Every name and description is one that AWS takes."""
    texts = [
        text
        for region in REGIONS.values()
        for group in region.groups
        for text in (group.name, group.description)
    ]
    assert [text for text in texts if not ALLOWED.fullmatch(text)] == []


@pytest.mark.parametrize(
    ("region", "groups", "public"),
    [("eu-west-1", 19, 7), ("us-east-1", 8, 2), ("ap-southeast-2", 5, 1)],
)
def test_each_region_has_its_groups_and_addresses(
    seeded: Account, region: str, groups: int, public: int
) -> None:
    """Counted with the two default groups that AWS makes for the two VPCs."""
    ec2 = seeded.client("ec2", region)
    assert len(ec2.describe_security_groups()["SecurityGroups"]) == groups
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert sum("PublicIp" in interface.get("Association", {}) for interface in interfaces) == public


def test_two_halves_meet_on_one_interface(seeded: Account) -> None:
    """The interface has both groups, each open to one half."""
    condition = {"Name": "description", "Values": ["mongo 1"]}
    found = seeded.client("ec2").describe_network_interfaces(Filters=[condition])
    (interface,) = found["NetworkInterfaces"]
    names = sorted(group["GroupName"] for group in interface["Groups"])
    assert names == ["mongo-high", "mongo-low"]


def test_an_interface_is_found_by_any_of_its_groups(seeded: Account) -> None:
    """A filter by one of its two groups, or by it and another group, finds it."""
    ec2 = seeded.client("ec2")
    groups = {group["GroupName"]: group["GroupId"] for group in _groups(ec2)}
    for names in (["session-cache"], ["application", "bastion"], ["session-cache", "application"]):
        condition = {"Name": "group-id", "Values": [groups[name] for name in names]}
        found = ec2.describe_network_interfaces(Filters=[condition])["NetworkInterfaces"]
        assert "cache" in [interface["Description"] for interface in found]
    other = {"Name": "group-id", "Values": [groups["bastion"], groups["intranet"]]}
    found = ec2.describe_network_interfaces(Filters=[other])["NetworkInterfaces"]
    assert [interface["Description"] for interface in found] == ["bastion host"]


def _groups(ec2: Any) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = ec2.describe_security_groups()["SecurityGroups"]
    return groups


@pytest.mark.parametrize(
    ("region", "gateways"),
    [
        pytest.param(
            "eu-west-1",
            {
                "bastion host": "igw",
                "jump host": "igw",
                "ELB app/shop/50dc6c495c0c9188": "igw",
                "erp": "igw",
                "mongo 1": "igw",
                "RDSNetworkInterface": "igw",
                "cache": None,
                "build agent": None,
                "AWS Lambda VPC ENI-invoices-5f2b7c1e": None,
            },
            id="public-and-private",
        ),
        pytest.param(
            "us-east-1",
            {"resolver": "igw", "vpn gateway": "igw", "edge node": "cagw"},
            id="carrier",
        ),
    ],
)
def test_subnets_have_the_route_of_their_kind(
    seeded: Account, region: str, gateways: dict[str, str | None]
) -> None:
    """A public subnet's default route leads to an internet gateway, a private one has none."""
    ec2 = seeded.client("ec2", region)
    tables = ec2.describe_route_tables()["RouteTables"]
    found = {
        interface["Description"]: _default_gateway(interface, tables)
        for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]
    }
    assert found == gateways


def _default_gateway(interface: dict[str, Any], tables: list[dict[str, Any]]) -> str | None:
    """What an interface's default IPv4 route leads to, by the beginning of its id."""
    routes: dict[str | None, dict[str, str]] = {
        association.get("SubnetId"): {
            route.get("DestinationCidrBlock"): route.get("GatewayId", route.get("CarrierGatewayId"))
            for route in table["Routes"]
        }
        for table in tables
        if table["VpcId"] == interface["VpcId"]
        for association in table["Associations"]
    }
    gateway = routes.get(interface["SubnetId"], routes[None]).get("0.0.0.0/0")
    return gateway and gateway.split("-")[0]


@pytest.mark.parametrize(
    ("region", "description", "fields"),
    [
        pytest.param(
            "eu-west-1",
            "AWS Lambda VPC ENI-invoices-5f2b7c1e",
            {"InterfaceType": "lambda", "RequesterManaged": True},
            id="function",
        ),
        pytest.param(
            "us-east-1",
            "edge node",
            {
                "Association": {"CarrierIp": "155.146.10.11"},
                "AvailabilityZone": "us-east-1-wl1-bos-wlz-1",
            },
            id="carrier",
        ),
        pytest.param(
            "ap-southeast-2",
            "ELB net/checkout/6a5b4c3d2e1f0a9b",
            {"InterfaceType": "network_load_balancer", "Groups": []},
            id="load-balancer-without-groups",
        ),
        pytest.param(
            "ap-southeast-2",
            "arn:aws:ecs:ap-southeast-2:123456789012:attachment/9d3c5b7a",
            {
                "TagSet": [
                    {"Key": "aws:ecs:clusterName", "Value": "shop"},
                    {"Key": "aws:ecs:serviceName", "Value": "checkout"},
                ]
            },
            id="task",
        ),
    ],
)
def test_interfaces_of_services_are_shown_as_in_aws(
    seeded: Account, region: str, description: str, fields: dict[str, Any]
) -> None:
    """Type, zone, addresses and tags that only AWS's services set are those of the table."""
    condition = {"Name": "description", "Values": [description]}
    found = seeded.client("ec2", region).describe_network_interfaces(Filters=[condition])
    (interface,) = found["NetworkInterfaces"]
    assert {key: interface[key] for key in fields} == fields


def test_every_interface_is_in_use(seeded: Account) -> None:
    """No group is on an interface that is attached to nothing."""
    interfaces = [
        interface
        for region in REGIONS
        for interface in seeded.client("ec2", region).describe_network_interfaces()[
            "NetworkInterfaces"
        ]
    ]
    assert {interface["Status"] for interface in interfaces} == {"in-use"}
    assert {interface["Attachment"]["Status"] for interface in interfaces} == {"attached"}


@pytest.mark.parametrize(
    ("region", "name", "tags"),
    [
        ("eu-west-1", "invoice-function", {"aws:cloudformation:stack-name": "invoices-prod"}),
        ("us-east-1", "edge-node", {"kubernetes.io/cluster/edge": "owned"}),
        ("ap-southeast-2", "checkout", {"Owner": "web"}),
    ],
)
def test_groups_have_the_tags_of_their_controller(
    seeded: Account, region: str, name: str, tags: dict[str, str]
) -> None:
    """Stacks and clusters leave their tags on groups that they own."""
    condition = {"Name": "group-name", "Values": [name]}
    (group,) = seeded.client("ec2", region).describe_security_groups(Filters=[condition])[
        "SecurityGroups"
    ]
    assert {tag["Key"]: tag["Value"] for tag in group["Tags"]} == tags


def test_a_sample_organization_has_a_dozen_accounts(account: Account) -> None:
    """The members are in four units and have openings; one of them is suspended."""
    organization = seed_organization(account)
    listed = account.client("organizations").list_accounts()["Accounts"]
    states = {item["Name"]: item["State"] for item in listed if item["Id"] in organization.members}
    assert len(states) == 12
    assert [name for name, state in states.items() if state == "SUSPENDED"] == ["old-website"]
    ec2 = organization.members["210000000002"].client("ec2", "eu-central-1")
    (group,) = ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["payments-database"]}]
    )["SecurityGroups"]
    assert (group["OwnerId"], group["IpPermissions"][0]["FromPort"]) == ("210000000002", 5432)
