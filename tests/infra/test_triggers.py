"""The EventBridge rules that invoke the function."""

import json

import pulumi
import pytest

from tests.infra.conftest import Deploy
from tests.infra.resource_types import FUNCTION, NAME, PERMISSION, POLICY, ROLE, RULE, TARGET


def test_schedule_invokes_the_function(deploy: Deploy) -> None:
    """The scheduled rule targets the function and is the only rule that may invoke it."""
    deployment = deploy(schedule="rate(12 hours)")
    rule_arn = f"arn:{RULE}:security-group-audit-schedule"
    function_arn = f"arn:{FUNCTION}:security-group-audit-function"
    assert deployment.one(RULE)["scheduleExpression"] == "rate(12 hours)"
    assert deployment.one(TARGET)["arn"] == function_arn
    assert deployment.one(PERMISSION) == {
        "action": "lambda:InvokeFunction",
        "function": "security-group-audit-function",
        "principal": "events.amazonaws.com",
        "sourceArn": rule_arn,
    }


@pytest.mark.parametrize("kind", [RULE, TARGET, PERMISSION])
def test_disabled_schedule_declares_nothing(deploy: Deploy, kind: str) -> None:
    """With schedule disabled there is no rule, no target and no permission."""
    assert deploy(schedule="disabled").all(kind) == []


OPENING_CALL = {
    "eventSource": ["ec2.amazonaws.com"],
    "eventName": [
        "AssignIpv6Addresses",
        "AssociateAddress",
        "AuthorizeSecurityGroupIngress",
        "ModifyInstanceAttribute",
        "ModifyManagedPrefixList",
        "ModifyNetworkInterfaceAttribute",
        "ModifySecurityGroupRules",
        "RestoreManagedPrefixListVersion",
    ],
    "errorCode": [{"exists": False}],
}
CHANGE, FORWARDER = f"{NAME}-change", f"{NAME}-change-forwarder"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/default"


def test_realtime_invokes_the_function_after_a_change(deploy: Deploy) -> None:
    """One rule matches successful EC2 calls of the account that can open something."""
    deployment = deploy(realtime=True, schedule="disabled", regions=["eu-west-1"])
    assert json.loads(deployment.one(RULE)["eventPattern"]) == {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "account": ["123456789012"],
        "region": ["eu-west-1"],
        "detail": OPENING_CALL,
    }
    assert deployment.one(TARGET)["arn"] == f"arn:{FUNCTION}:{NAME}-function"
    assert deployment.one(PERMISSION)["sourceArn"] == f"arn:{RULE}:{CHANGE}"


def test_realtime_forwards_changes_of_other_regions(deploy: Deploy) -> None:
    """A rule in each matches that region's own events and sends them to the function's bus."""
    deployment = deploy(realtime=True, schedule="disabled")
    rules, targets = deployment.resources[RULE], deployment.resources[TARGET]
    regions = {name: json.loads(rule["eventPattern"])["region"] for name, rule in rules.items()}
    assert regions == {
        CHANGE: ["eu-central-1", "eu-west-1", "us-east-1"],
        f"{CHANGE}-eu-central-1": ["eu-central-1"],
        f"{CHANGE}-us-east-1": ["us-east-1"],
    }
    for region in ("eu-central-1", "us-east-1"):
        assert rules[f"{CHANGE}-{region}"]["region"] == region
        assert targets[f"{CHANGE}-{region}-target"] == {
            "region": region,
            "rule": f"{CHANGE}-{region}",
            "arn": BUS,
            "roleArn": f"arn:{ROLE}:{FORWARDER}",
        }
    assert deployment.one(PERMISSION)["sourceArn"] == f"arn:{RULE}:{CHANGE}"


def test_the_forwarding_role_may_put_events_and_nothing_else(deploy: Deploy) -> None:
    """On the default bus of the function's region; EventBridge of this account may assume it."""
    deployment = deploy(realtime=True)
    (permission,) = json.loads(deployment.resources[POLICY][f"{FORWARDER}-policy"]["policy"])[
        "Statement"
    ]
    assert (permission["Action"], permission["Resource"]) == (["events:PutEvents"], BUS)
    (trust,) = json.loads(deployment.resources[ROLE][FORWARDER]["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize(
    ("config", "regions"),
    [
        pytest.param({"realtime": True}, "eu-central-1,eu-west-1,us-east-1", id="all"),
        pytest.param({"realtime": True, "regions": ["us-east-1"]}, "", id="listed"),
        pytest.param({}, "", id="off"),
    ],
)
def test_the_function_knows_where_changes_start_a_run(
    deploy: Deploy, config: dict[str, object], regions: str
) -> None:
    """With all regions these are the enabled ones: others may be enabled later."""
    variables = deploy(**config).one(FUNCTION)["environment"]["variables"]
    assert variables["REALTIME_REGIONS"] == regions


def test_realtime_is_off_by_default(deploy: Deploy) -> None:
    """Without a setting the schedule is the only rule."""
    assert list(deploy().resources[RULE]) == [f"{NAME}-schedule"]


def test_realtime_needs_enabled_regions(deploy: Deploy) -> None:
    """A region that the account has not enabled is refused: no rule can be created in it."""
    with pytest.raises(pulumi.RunError) as error:
        deploy(realtime=True, regions=["eu-west-1", "me-south-1"])
    assert str(error.value) == (
        "regions must be enabled in the account, got 'me-south-1': realtime needs a rule in each."
    )
    assert deploy(regions=["eu-west-1", "me-south-1"]).one(FUNCTION)
