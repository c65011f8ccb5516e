"""The EventBridge rules that invoke the function."""

import json

import pytest

from tests.infra.conftest import Deploy
from tests.infra.resource_types import FUNCTION, NAME, PERMISSION, RULE, TARGET


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


def test_realtime_invokes_the_function_after_a_change(deploy: Deploy) -> None:
    """The change rule matches successful EC2 calls that can open something."""
    deployment = deploy(realtime=True, schedule="disabled")
    pattern = json.loads(deployment.one(RULE)["eventPattern"])
    assert pattern == {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
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
        },
    }
    assert deployment.one(TARGET)["arn"] == f"arn:{FUNCTION}:{NAME}-function"
    assert deployment.one(PERMISSION)["sourceArn"] == f"arn:{RULE}:{NAME}-change"


def test_realtime_is_off_by_default(deploy: Deploy) -> None:
    """Without a setting the schedule is the only rule."""
    assert list(deploy().resources[RULE]) == [f"{NAME}-schedule"]
