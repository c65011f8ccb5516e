"""Several accounts: what one holds no other one shows, and roles lead from one to another."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account
from sandbox.aws.members import Member, Organization

MEMBER = "111122223333"
READ = {"Effect": "Allow", "Action": "ec2:DescribeSecurityGroups", "Resource": "*"}
ENTER = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
SCANNER = "arn:aws:iam::123456789012:role/trial"
# The function assumes a role and reads with it; it returns an error's code, or owner ids.
ENTERING = """
import boto3
from botocore.exceptions import ClientError
def handle(event, context):
    call = event.get("call", "describe_security_groups")
    try:
        entered = boto3.client("sts").assume_role(RoleSessionName="audit", **event["assume"])
        given = entered["Credentials"]
        ec2 = boto3.client(
            "ec2",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        answer = getattr(ec2, call)()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return sorted({group["OwnerId"] for group in answer["SecurityGroups"]})
"""


@pytest.fixture
def organization(account: Account) -> Organization:
    """An organization without members."""
    return Organization(account)


@pytest.fixture
def member(organization: Organization) -> Member:
    """A member in the root of the organization."""
    return organization.add_account(MEMBER, "shop-production")


def policy(*statements: dict[str, Any]) -> str:
    """The document with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: str = SCANNER, **condition: str) -> dict[str, Any]:
    """A statement that lets a principal assume the role where condition keys equal values."""
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": principal},
        "Condition": {
            "StringEquals": {key.replace("__", ":"): value for key, value in condition.items()}
        },
    }


def add_role(member: Member, trusted: dict[str, Any], *statements: dict[str, Any]) -> None:
    """Create the role ``audit`` in a member."""
    iam = member.client("iam")
    iam.create_role(RoleName="audit", AssumeRolePolicyDocument=policy(trusted))
    iam.put_role_policy(RoleName="audit", PolicyName="read", PolicyDocument=policy(*statements))


@pytest.fixture
def enter(account: Account, deploy: Callable[..., str]) -> Callable[..., object]:
    """Lets a function assume the member's role, and returns what it reads there."""
    deploy(ENTERING)

    def run(*statements: dict[str, Any], call: str | None = None, **assume: str) -> object:
        account.client("iam").put_role_policy(
            RoleName="trial", PolicyName="more", PolicyDocument=policy(*(statements or [ENTER]))
        )
        event = {
            "assume": {"RoleArn": f"arn:aws:iam::{MEMBER}:role/audit", **assume},
            **({"call": call} if call else {}),
        }
        payload = account.functions.invoke("eu-west-1", "trial", json.dumps(event).encode()).payload
        answer: object = json.loads(payload)
        return answer

    return run


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


def test_a_trusted_function_reads_a_member(enter: Callable[..., object], member: Member) -> None:
    """With a role that trusts the function's role, it reads the member's groups."""
    add_role(member, trust(), READ)
    assert enter() == [MEMBER]


def test_a_role_that_does_not_exist_is_not_assumed(
    enter: Callable[..., object], member: Member
) -> None:
    """AWS answers AccessDenied, as for a role that trusts somebody else."""
    assert member.client("iam").list_roles()["Roles"] == []
    assert enter() == "AccessDenied"


def test_an_assumed_role_may_do_what_its_policy_allows(
    enter: Callable[..., object], member: Member
) -> None:
    """Another call of EC2 than those of the role's policy is refused."""
    add_role(member, trust(), READ)
    assert enter(call="describe_vpcs") == "UnauthorizedOperation"


@pytest.mark.parametrize(
    ("principal", "result"),
    [
        ("123456789012", [MEMBER]),
        ("arn:aws:iam::123456789012:root", [MEMBER]),
        ("arn:aws:iam::123456789012:role/other", "AccessDenied"),
        ("arn:aws:iam::210987654321:root", "AccessDenied"),
    ],
)
def test_the_principal_of_the_trust_policy_decides(
    enter: Callable[..., object], member: Member, principal: str, result: object
) -> None:
    """A role trusts a role, or an account and all who may assume roles there."""
    add_role(member, trust(principal), READ)
    assert enter() == result


@pytest.mark.parametrize(
    ("condition", "assume", "result"),
    [
        ({"aws__PrincipalArn": SCANNER}, {}, [MEMBER]),
        ({"aws__PrincipalArn": SCANNER + "-2"}, {}, "AccessDenied"),
        ({"aws__PrincipalOrgID": "o-other00000"}, {}, "AccessDenied"),
        ({"sts__ExternalId": "4711"}, {"ExternalId": "4711"}, [MEMBER]),
        ({"sts__ExternalId": "4711"}, {"ExternalId": "0815"}, "AccessDenied"),
        ({"sts__ExternalId": "4711"}, {}, "AccessDenied"),
    ],
)
def test_conditions_of_the_trust_policy_decide(
    enter: Callable[..., object],
    member: Member,
    condition: dict[str, str],
    assume: dict[str, str],
    result: object,
) -> None:
    """The caller's role, its organization and the external id must be those of the condition."""
    add_role(member, trust("123456789012", **condition), READ)
    assert enter(**assume) == result


@pytest.mark.parametrize(
    ("key", "value", "result"),
    [
        ("aws:ResourceOrgID", None, [MEMBER]),
        ("aws:ResourceOrgID", "o-other00000", "AccessDenied"),
        ("aws:ResourceAccount", MEMBER, [MEMBER]),
        ("aws:ResourceAccount", "210987654321", "AccessDenied"),
    ],
)
def test_the_callers_own_policy_decides(
    enter: Callable[..., object],
    organization: Organization,
    member: Member,
    key: str,
    value: str | None,
    result: object,
) -> None:
    """sts:AssumeRole may be limited to an organization or to accounts; None is this one's id."""
    add_role(member, trust(aws__PrincipalOrgID=organization.id), READ)
    condition = {"StringEquals": {key: value or organization.id}}
    assert enter(ENTER | {"Condition": condition}) == result


def test_without_permission_to_assume_roles_none_is_assumed(
    enter: Callable[..., object], member: Member
) -> None:
    """That the role trusts the caller is not enough."""
    add_role(member, trust(), READ)
    assert enter(READ) == "AccessDenied"


def test_a_role_is_told_who_it_is(member: Member) -> None:
    """The caller of an assumed role is in the member, by the role's name."""
    add_role(member, trust("123456789012"), READ)
    sts = member.account.client("sts")
    role = f"arn:aws:iam::{MEMBER}:role/audit"
    given = sts.assume_role(RoleArn=role, RoleSessionName="audit")["Credentials"]
    entered = boto3.client(
        "sts",
        endpoint_url=member.account.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
    )
    identity = entered.get_caller_identity()
    assert identity["Account"] == MEMBER
    assert identity["Arn"].startswith(f"arn:aws:sts::{MEMBER}:assumed-role/audit/")


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
