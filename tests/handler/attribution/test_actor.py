"""The principal of a record, as people read it."""

from typing import Any

import pytest

from handler.attribution.actor import actor_of
from handler.model.opened_by import Actor, ActorKind
from tests.support.cloudtrail import ACCOUNT, OTHER_ACCOUNT, iam_user, role

CENTER_PATH = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
CENTER_ROLE = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
CENTER_USER = role(CENTER_ROLE, "alice@example.com", CENTER_PATH)
ROOT = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}


@pytest.mark.parametrize(
    ("identity", "kind", "principal", "name"),
    [
        pytest.param(iam_user(), ActorKind.IAM_USER, "IAM user alice", "alice", id="user"),
        pytest.param(
            role(), ActorKind.ROLE, "role Deploy, session name alice", "Deploy", id="role"
        ),
        pytest.param(
            CENTER_USER,
            ActorKind.IDENTITY_CENTER_USER,
            "IAM Identity Center user alice@example.com (AdministratorAccess)",
            "alice@example.com",
            id="identity-center",
        ),
        pytest.param(
            role(CENTER_ROLE, "alice@example.com"),
            ActorKind.ROLE,
            f"role {CENTER_ROLE}, session name alice@example.com",
            CENTER_ROLE,
            id="only-named-like-identity-center",
        ),
        pytest.param(
            role(CENTER_ROLE, "alice@example.com", f"/team{CENTER_PATH}"),
            ActorKind.ROLE,
            f"role {CENTER_ROLE}, session name alice@example.com",
            CENTER_ROLE,
            id="path-of-identity-center-below-another",
        ),
        pytest.param(
            role(CENTER_ROLE, "alice@example.com", f"/x:role{CENTER_PATH}"),
            ActorKind.ROLE,
            f"role {CENTER_ROLE}, session name alice@example.com",
            CENTER_ROLE,
            id="path-with-a-colon-before-that-of-identity-center",
        ),
        pytest.param(
            {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "544894e8-80c1-707f"}},
            ActorKind.IDENTITY_CENTER_USER,
            "IAM Identity Center user with id 544894e8-80c1-707f",
            None,
            id="identity-center-on-behalf",
        ),
        pytest.param(
            iam_user() | {"invokedBy": "cloudformation.amazonaws.com"},
            ActorKind.SERVICE,
            "CloudFormation for IAM user alice",
            "CloudFormation",
            id="cloudformation",
        ),
        pytest.param(
            role("Stacks", "AWSCloudFormation", invokedBy="cloudformation.amazonaws.com"),
            ActorKind.SERVICE,
            "CloudFormation for role Stacks, session name AWSCloudFormation",
            "CloudFormation",
            id="cloudformation-with-a-role",
        ),
        pytest.param(
            {"type": "AWSService", "invokedBy": "eks.amazonaws.com"},
            ActorKind.SERVICE,
            "eks.amazonaws.com",
            "eks.amazonaws.com",
            id="service",
        ),
        pytest.param(
            iam_user() | {"invokedBy": "AWS Internal"},
            ActorKind.IAM_USER,
            "IAM user alice",
            "alice",
            id="console",
        ),
        pytest.param(
            {"type": "AWSAccount", "principalId": "AIDA", "accountId": OTHER_ACCOUNT},
            ActorKind.ACCOUNT,
            f"account {OTHER_ACCOUNT}",
            OTHER_ACCOUNT,
            id="account",
        ),
        pytest.param(
            iam_user("bob", OTHER_ACCOUNT),
            ActorKind.ACCOUNT,
            f"IAM user bob of account {OTHER_ACCOUNT}",
            OTHER_ACCOUNT,
            id="user-of-another-account",
        ),
        pytest.param(ROOT, ActorKind.ROOT, "the root user", None, id="root"),
        pytest.param(
            {"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/carol"},
            ActorKind.FEDERATED_USER,
            "federated user carol",
            "carol",
            id="federated",
        ),
        pytest.param(
            iam_user() | {"userName": 7},
            ActorKind.UNKNOWN,
            "an unknown principal",
            None,
            id="no-name",
        ),
        pytest.param(
            {"type": "AssumedRole", "sessionContext": []},
            ActorKind.UNKNOWN,
            "an unknown principal",
            None,
            id="no-role",
        ),
        pytest.param(
            {"type": "Unknown"}, ActorKind.UNKNOWN, "an unknown principal", None, id="another-type"
        ),
        pytest.param(None, ActorKind.UNKNOWN, "an unknown principal", None, id="nothing"),
    ],
)
def test_each_kind_of_principal_has_a_readable_form(
    identity: Any, kind: ActorKind, principal: str, name: str | None
) -> None:
    """A role has its session's name, which anybody may choose, and says so."""
    assert actor_of(identity, ACCOUNT) == Actor(kind, principal, name)


def test_a_hostile_name_is_cleaned_and_cut() -> None:
    """Control characters and text that runs backwards are replaced; 64 characters are kept."""
    hostile = iam_user("ali\u202ece\n" + 100 * "x")
    assert actor_of(hostile, ACCOUNT).principal == (
        f"IAM user ali\N{REPLACEMENT CHARACTER}ce\N{REPLACEMENT CHARACTER}{54 * 'x'}..."
    )
