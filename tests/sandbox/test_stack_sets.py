"""CloudFormation's StackSets: what one deploys is in the members of its organizational units."""

import json
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.aws.members import Member, Organization

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "audit",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"AWS": "123456789012"},
                }
            ],
        },
        "Policies": [
            {
                "PolicyName": "read",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}
                    ],
                },
            }
        ],
    },
}


@pytest.fixture
def organization(account: Account) -> Organization:
    """An organization without members."""
    return Organization(account)


def deploy(caller: Account | Member, unit: str, **call_as: Any) -> Any:
    """Create the stack set with its instances in a unit; returns the client."""
    client = caller.client("cloudformation")
    client.create_stack_set(
        StackSetName="audit",
        TemplateBody=json.dumps({"Resources": {"Role": ROLE}}),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        Capabilities=["CAPABILITY_NAMED_IAM"],
        **call_as,
    )
    client.create_stack_instances(
        StackSetName="audit",
        DeploymentTargets={"OrganizationalUnitIds": [unit]},
        Regions=["eu-west-1"],
        **call_as,
    )
    return client


def roles(member: Member) -> list[str]:
    """The names of the roles in a member, without the one that every member has."""
    return [
        role["RoleName"]
        for role in member.client("iam").list_roles()["Roles"]
        if role["RoleName"] != "OrganizationAccountAccessRole"
    ]


def test_a_stack_set_reaches_members_of_nested_units(
    account: Account, organization: Organization
) -> None:
    """The role is in members of the unit and of units in it, can be assumed, and nowhere else."""
    outer = organization.add_unit("workloads")
    organization.add_unit("production", "workloads")
    organization.add_unit("europe", "production")
    members = [
        organization.add_account("111122223333", "shop", "europe"),
        organization.add_account("444455556666", "tools", "workloads"),
        organization.add_account("777788889999", "elsewhere"),
    ]
    deploy(account, outer)
    assert [roles(member) for member in members] == [["audit"], ["audit"], []]
    entered = account.client("sts").assume_role(
        RoleArn="arn:aws:iam::111122223333:role/audit", RoleSessionName="audit"
    )
    assert entered["AssumedRoleUser"]["Arn"].startswith("arn:aws:sts::111122223333:assumed-role/")


def test_deleting_instances_takes_the_role_away(
    account: Account, organization: Organization
) -> None:
    """Without instances and stack set no member has the role."""
    unit = organization.add_unit("workloads")
    member = organization.add_account("111122223333", "shop", "workloads")
    client = deploy(account, unit)
    client.delete_stack_instances(
        StackSetName="audit",
        DeploymentTargets={"OrganizationalUnitIds": [unit]},
        Regions=["eu-west-1"],
        RetainStacks=False,
    )
    assert roles(member) == []
    client.delete_stack_set(StackSetName="audit")
    assert [item["Status"] for item in client.list_stack_sets()["Summaries"]] == ["DELETED"]


def test_the_role_comes_and_goes_with_an_account(
    account: Account, organization: Organization
) -> None:
    """Automatic deployment covers members that come into the unit later, or leave."""
    unit = organization.add_unit("workloads")
    deploy(account, unit)
    member = organization.add_account("111122223333", "shop", "workloads")
    assert roles(member) == ["audit"]
    organization.remove("111122223333")
    assert roles(member) == []


def test_a_delegated_administrator_deploys(organization: Organization) -> None:
    """A member may call as one: the stack set is the management account's then."""
    unit = organization.add_unit("workloads")
    member = organization.add_account("111122223333", "shop", "workloads")
    administrator = organization.add_account("444455556666", "security")
    deploy(administrator, unit, CallAs="DELEGATED_ADMIN")
    assert roles(member) == ["audit"]
