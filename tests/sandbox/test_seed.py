"""The seeded account."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.aws.seed import REGIONS, everything_but_private, seed

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
    [("eu-west-1", 17, 6), ("us-east-1", 7, 2), ("ap-southeast-2", 4, 0)],
)
def test_each_region_has_its_groups_and_addresses(
    seeded: Account, region: str, groups: int, public: int
) -> None:
    """Counted with the two default groups that AWS makes for the two VPCs."""
    ec2 = seeded.client("ec2", region)
    assert len(ec2.describe_security_groups()["SecurityGroups"]) == groups
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert sum("Association" in interface for interface in interfaces) == public


def test_two_halves_meet_on_one_interface(seeded: Account) -> None:
    """The interface has both groups, each open to one half."""
    condition = {"Name": "description", "Values": ["mongo 1"]}
    found = seeded.client("ec2").describe_network_interfaces(Filters=[condition])
    (interface,) = found["NetworkInterfaces"]
    names = sorted(group["GroupName"] for group in interface["Groups"])
    assert names == ["mongo-high", "mongo-low"]


def test_an_interface_is_found_by_any_of_its_groups(seeded: Account) -> None:
    """Whoever asks for one group of two, and for groups elsewhere, finds it."""
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


def test_hostile_text_arrives_in_tags(seeded: Account) -> None:
    """A script in an Owner tag is stored as it was given."""
    condition = {"Name": "group-name", "Values": ["search-cluster"]}
    found = seeded.client("ec2").describe_security_groups(Filters=[condition])
    (group,) = found["SecurityGroups"]
    assert group["Tags"] == [{"Key": "Owner", "Value": "<script>alert(1)</script>"}]
