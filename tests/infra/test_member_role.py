"""The role in each account, and the StackSet that creates it."""

import json
from typing import Any

import pytest

from tests.infra.conftest import MANAGEMENT_ACCOUNT, Deploy, Deployment
from tests.infra.resource_types import NAME, STACK_INSTANCES, STACK_SET
from tests.infra.test_organization_permissions import statements

UNIT = "ou-ab12-cd34ef56"
ALL_AT_ONCE = {"failureTolerancePercentage": 100, "maxConcurrentPercentage": 100}


def member_role(deployment: Deployment) -> dict[str, Any]:
    """The properties of the role in the template that the StackSet deploys."""
    template = json.loads(deployment.one(STACK_SET)["templateBody"])
    (role,) = template["Resources"].values()
    assert role["Type"] == "AWS::IAM::Role"
    properties: dict[str, Any] = role["Properties"]
    return properties


def test_stack_set_deploys_the_role_to_units(deploy: Deploy) -> None:
    """With deployMemberRole a StackSet follows the units, in one region, whatever fails."""
    deployment = deploy(organizationalUnits=["ou-ab12-zz34ef56", UNIT], deployMemberRole=True)
    stack_set = deployment.one(STACK_SET)
    assert stack_set["permissionModel"] == "SERVICE_MANAGED"
    assert stack_set["autoDeployment"] == {"enabled": True, "retainStacksOnAccountRemoval": False}
    assert stack_set["capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert deployment.one(STACK_INSTANCES) == {
        "stackSetName": f"{NAME}-member-role",
        "callAs": "DELEGATED_ADMIN",
        "deploymentTargets": {"organizationalUnitIds": [UNIT, "ou-ab12-zz34ef56"]},
        "regions": ["eu-west-1"],
        "operationPreferences": ALL_AT_ONCE,
    }
    assert stack_set["operationPreferences"] == ALL_AT_ONCE


@pytest.mark.parametrize(
    ("account", "caller"), [(MANAGEMENT_ACCOUNT, "SELF"), ("123456789012", "DELEGATED_ADMIN")]
)
def test_stack_set_is_called_by_who_it_is(deploy: Deploy, account: str, caller: str) -> None:
    """In the management account the caller is itself, elsewhere a delegated administrator."""
    deployment = deploy(organizationalUnits=[UNIT], deployMemberRole=True, aws_account=account)
    assert deployment.one(STACK_SET)["callAs"] == caller
    assert deployment.one(STACK_INSTANCES)["callAs"] == caller


def test_role_is_not_deployed_unasked(deploy: Deploy) -> None:
    """Without deployMemberRole there is no StackSet."""
    assert deploy(organizationalUnits=[UNIT]).all(STACK_SET) == []


def test_member_role_reads_groups(deploy: Deploy) -> None:
    """The role has the configured name, and may do what reads groups in all regions."""
    deployment = deploy(
        organizationalUnits=[UNIT],
        deployMemberRole=True,
        memberRoleName="audit-prod",
        regions=["eu-west-1"],
    )
    role = member_role(deployment)
    assert role["RoleName"] == "audit-prod"
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Resource"], "Condition" in statement) == ("*", False)
    own = statements(deployment, "scan-policy")["ReadSecurityGroups"]
    assert statement["Action"] == own["Action"]


@pytest.mark.parametrize(
    ("overrides", "conditions"),
    [
        pytest.param({}, {}, id="no-external-id"),
        pytest.param(
            {"externalId": "our-audit"}, {"sts:ExternalId": "our-audit"}, id="external-id"
        ),
    ],
)
def test_member_role_trusts_the_scan_role(
    deploy: Deploy, overrides: dict[str, str], conditions: dict[str, str]
) -> None:
    """Only the scan role of the stack's account enters, from within the organization."""
    deployment = deploy(organizationalUnits=[UNIT], deployMemberRole=True, **overrides)
    (trust,) = member_role(deployment)["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {
                "aws:PrincipalArn": "arn:aws:iam::123456789012:role/security-group-audit-scan",
                "aws:PrincipalOrgID": "o-ab12cd34ef",
                **conditions,
            }
        },
    }
