"""Roles lead from one account to another: who may assume them, and what they allow."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from sandbox.aws.account import Account
from sandbox.aws.members import Member, Organization
from tests.sandbox.conftest import create

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
        credentials = entered["Credentials"]
        ec2 = boto3.client(
            "ec2",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        answer = getattr(ec2, call)()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return sorted({group["OwnerId"] for group in answer["SecurityGroups"]})
"""


@pytest.fixture(scope="module")
def organization(shared_account: Account) -> Organization:
    """An organization without members."""
    return Organization(shared_account)


@pytest.fixture(scope="module")
def member(organization: Organization) -> Member:
    """A member in the root of the organization."""
    return organization.add_account(MEMBER, "shop-production")


def policy(*statements: dict[str, Any]) -> str:
    """The document with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: str = SCANNER, **condition: str) -> dict[str, Any]:
    """A statement that lets a principal assume the role if condition keys have these values."""
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": principal},
        "Condition": {
            "StringEquals": {key.replace("__", ":"): value for key, value in condition.items()}
        },
    }


def add_role(member: Member, trusted: dict[str, Any], *statements: dict[str, Any]) -> None:
    """Create the role ``audit`` in a member, in the place of an earlier one."""
    remove_role(member)
    iam = member.client("iam")
    iam.create_role(RoleName="audit", AssumeRolePolicyDocument=policy(trusted))
    iam.put_role_policy(RoleName="audit", PolicyName="read", PolicyDocument=policy(*statements))


def remove_role(member: Member) -> None:
    """Delete the role ``audit`` if it is there."""
    iam = member.client("iam")
    if iam.list_roles()["Roles"]:
        iam.delete_role_policy(RoleName="audit", PolicyName="read")
        iam.delete_role(RoleName="audit")


@pytest.fixture(scope="module")
def enter(shared_account: Account) -> Callable[..., object]:
    """Lets a function assume the member's role, and returns what it reads there."""
    account = shared_account
    create(account, ENTERING)

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


def test_a_trusted_function_reads_a_member(enter: Callable[..., object], member: Member) -> None:
    """With a role that trusts the function's role, it reads the member's groups."""
    add_role(member, trust(), READ)
    assert enter() == [MEMBER]


def test_a_role_that_does_not_exist_is_not_assumed(
    enter: Callable[..., object], member: Member
) -> None:
    """AWS answers AccessDenied, as for a role that does not trust the caller."""
    remove_role(member)
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
    credentials = sts.assume_role(RoleArn=role, RoleSessionName="audit")["Credentials"]
    entered = boto3.client(
        "sts",
        endpoint_url=member.account.endpoint,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
    )
    identity = entered.get_caller_identity()
    assert identity["Account"] == MEMBER
    assert identity["Arn"].startswith(f"arn:aws:sts::{MEMBER}:assumed-role/audit/")
