"""Pages of EC2's answers."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account


@pytest.fixture
def ec2_with_groups(account: Account) -> Any:
    """EC2 of a region with the default group and eleven more in its default VPC."""
    ec2 = account.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for index in range(11):
        ec2.create_security_group(GroupName=f"group {index}", Description="d", VpcId=vpc)
    return ec2


def test_without_a_size_the_answer_is_whole(ec2_with_groups: Any) -> None:
    """DescribeSecurityGroups gives all groups and no token."""
    answer = ec2_with_groups.describe_security_groups()
    assert len(answer["SecurityGroups"]) == 12
    assert "NextToken" not in answer


def test_pages_add_up_to_the_whole(ec2_with_groups: Any) -> None:
    """Twelve groups at five a page are 5, 5 and 2, and none comes twice."""
    paginator = ec2_with_groups.get_paginator("describe_security_groups")
    pages = [
        [group["GroupId"] for group in page["SecurityGroups"]]
        for page in paginator.paginate(PaginationConfig={"PageSize": 5})
    ]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert len({group for page in pages for group in page}) == 12


def test_rules_come_in_pages_too(ec2_with_groups: Any) -> None:
    """Each group has one egress rule, so that twelve rules are three pages."""
    paginator = ec2_with_groups.get_paginator("describe_security_group_rules")
    pages = paginator.paginate(PaginationConfig={"PageSize": 5})
    assert [len(page["SecurityGroupRules"]) for page in pages] == [5, 5, 2]


def test_a_token_can_be_used_twice(ec2_with_groups: Any) -> None:
    """A client that lost an answer gets the same page again."""
    first = ec2_with_groups.describe_security_groups(MaxResults=5)
    again = [
        ec2_with_groups.describe_security_groups(MaxResults=5, NextToken=first["NextToken"])
        for _ in range(2)
    ]
    assert again[0]["SecurityGroups"] == again[1]["SecurityGroups"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param({"MaxResults": 1001}, "InvalidParameterValue", id="size-over-the-largest"),
        pytest.param(
            {"MaxResults": 5, "GroupIds": ["sg-0123456789abcdef0"]},
            "InvalidParameterCombination",
            id="ids-with-a-size",
        ),
        pytest.param({"NextToken": "made up"}, "InvalidPaginationToken", id="unknown-token"),
    ],
)
def test_page_parameters_are_checked(
    account: Account, arguments: dict[str, object], code: str
) -> None:
    """Page parameters that EC2 does not take are refused with EC2's error code."""
    with pytest.raises(ClientError) as caught:
        account.client("ec2").describe_security_groups(**arguments)
    assert caught.value.response["Error"]["Code"] == code


def test_prefix_list_entries_come_in_pages_without_asking(account: Account) -> None:
    """A list of 120 entries is a page of 100 and one of 20."""
    ec2 = account.client("ec2")
    created = ec2.create_managed_prefix_list(
        PrefixListName="long",
        AddressFamily="IPv4",
        MaxEntries=120,
        Entries=[{"Cidr": f"10.0.{index}.0/24"} for index in range(120)],
    )
    paginator = ec2.get_paginator("get_managed_prefix_list_entries")
    pages = paginator.paginate(PrefixListId=created["PrefixList"]["PrefixListId"])
    assert [len(page["Entries"]) for page in pages] == [100, 20]


def test_an_unknown_prefix_list_is_not_an_empty_one(account: Account) -> None:
    """GetManagedPrefixListEntries refuses an id that does not exist."""
    with pytest.raises(ClientError, match=r"InvalidPrefixListID\.NotFound"):
        account.client("ec2").get_managed_prefix_list_entries(PrefixListId="pl-0123456789abcdef0")
