"""Several accounts: what one holds no other one shows."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account
from sandbox.aws.members import Member, Organization

MEMBER = "111122223333"


@pytest.fixture
def organization(account: Account) -> Organization:
    """An organization without members."""
    return Organization(account)


@pytest.fixture
def member(organization: Organization) -> Member:
    """A member in the root of the organization."""
    return organization.add_account(MEMBER, "shop-production")


def test_accounts_are_apart(account: Account, member: Member) -> None:
    """A group in a member is in no other account, in no region."""
    member.client("ec2").create_security_group(GroupName="theirs", Description="x")
    member.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")

    def names(ec2: Any) -> list[str]:
        groups = ec2.describe_security_groups()["SecurityGroups"]
        return sorted(group["GroupName"] for group in groups)

    assert names(member.client("ec2")) == ["default", "theirs"]
    assert names(account.client("ec2")) == ["default"]
    assert account.client("iam").list_roles()["Roles"] == []
    assert member.client("sts").get_caller_identity()["Account"] == MEMBER


def test_a_region_is_enabled_in_one_account(account: Account, member: Member) -> None:
    """Whoever opted in can use the region, and DescribeRegions lists it there only."""
    account.opt_in("af-south-1", MEMBER)
    member.client("ec2", "af-south-1").describe_security_groups()
    regions = {
        region["RegionName"]: region["OptInStatus"]
        for region in member.client("ec2").describe_regions()["Regions"]
    }
    assert (len(regions), regions["af-south-1"]) == (18, "opted-in")
    assert len(account.client("ec2").describe_regions()["Regions"]) == 17
    with pytest.raises(ClientError, match="AuthFailure"):
        account.client("ec2", "af-south-1").describe_security_groups()


def test_an_organization_lists_units_and_accounts(
    account: Account, organization: Organization
) -> None:
    """Accounts are listed in their unit with name and state; a closed one is suspended."""
    outer = organization.add_unit("workloads")
    inner = organization.add_unit("production", "workloads")
    organization.add_account(MEMBER, "shop", "production")
    organization.add_account("444455556666", "old-shop", "production")
    organization.add_account("777788889999", "gone", "workloads")
    organization.suspend("444455556666")
    organization.remove("777788889999")
    client = account.client("organizations")
    units = client.list_organizational_units_for_parent(ParentId=outer)["OrganizationalUnits"]
    assert [unit["Id"] for unit in units] == [inner]
    assert client.list_accounts_for_parent(ParentId=outer)["Accounts"] == []
    accounts = client.list_accounts_for_parent(ParentId=inner)["Accounts"]
    assert [(item["Id"], item["Name"], item["State"]) for item in accounts] == [
        (MEMBER, "shop", "ACTIVE"),
        ("444455556666", "old-shop", "SUSPENDED"),
    ]


def test_a_delegated_administrator_lists_the_organization(
    organization: Organization, member: Member
) -> None:
    """A member reads the accounts of its organization as the management account does."""
    accounts = member.client("organizations").list_accounts()["Accounts"]
    assert {item["Id"] for item in accounts} == {"123456789012", MEMBER}
    described = member.client("organizations").describe_organization()["Organization"]
    assert described["Id"] == organization.id
