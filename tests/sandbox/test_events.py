"""Schedules and events: delivered only if EventBridge would deliver them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account

ECHO = "def handle(event, context): return event"
REGION = "eu-west-1"
RULE_ARN = "arn:aws:events:eu-west-1:123456789012:rule/daily"


def schedule(account: Account, target: str, **rule: str) -> Any:
    """The rule ``daily`` with one target; returns the client of EventBridge."""
    events = account.client("events")
    events.put_rule(Name="daily", **(rule or {"ScheduleExpression": "rate(1 day)"}))
    events.put_targets(Rule="daily", Targets=[{"Id": "function", "Arn": target}])
    return events


def permit(account: Account, **condition: str) -> None:
    """Let EventBridge invoke the function."""
    account.client("lambda").add_permission(
        FunctionName="trial",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        **condition,
    )


def test_a_schedule_runs_its_function(account: Account, deploy: Callable[..., str]) -> None:
    """The function gets the documented scheduled event."""
    arn = deploy(ECHO)
    schedule(account, arn)
    permit(account, SourceArn=RULE_ARN)
    (delivery,) = account.events.fire("daily", REGION, at=datetime(2026, 3, 1, 8, tzinfo=UTC))
    assert (delivery.target, delivery.delivered, delivery.reason) == (arn, True, None)
    assert delivery.event is not None
    assert {**delivery.event, "id": ""} == {
        "version": "0",
        "id": "",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-03-01T08:00:00Z",
        "region": "eu-west-1",
        "resources": [RULE_ARN],
        "detail": {},
    }
    assert [invocation.error for invocation in delivery.invocations] == [None]


def test_all_tries_of_a_failing_function_are_told(
    account: Account, deploy: Callable[..., str]
) -> None:
    """A function that fails on an asynchronous event is run three times."""
    schedule(account, deploy("def handle(event, context): raise ValueError"))
    permit(account)
    (delivery,) = account.events.fire("daily", REGION)
    assert [invocation.error for invocation in delivery.invocations] == ["Unhandled"] * 3


def test_without_permission_nothing_is_delivered(
    account: Account, deploy: Callable[..., str]
) -> None:
    """A function without a resource policy is not invoked."""
    schedule(account, deploy(ECHO))
    (delivery,) = account.events.fire("daily", REGION)
    assert (delivery.delivered, delivery.invocations) == (False, ())
    assert "no policy that allows events.amazonaws.com" in str(delivery.reason)


@pytest.mark.parametrize(
    ("condition", "delivered"),
    [
        pytest.param({"SourceArn": RULE_ARN}, True, id="this-rule"),
        pytest.param({"SourceArn": RULE_ARN[:-5] + "*"}, True, id="pattern"),
        pytest.param({"SourceArn": RULE_ARN + "-2"}, False, id="another-rule"),
        pytest.param({"SourceAccount": "123456789012"}, True, id="this-account"),
        pytest.param({"SourceAccount": "210987654321"}, False, id="another-account"),
    ],
)
def test_conditions_of_the_permission_are_judged(
    account: Account, deploy: Callable[..., str], condition: dict[str, str], *, delivered: bool
) -> None:
    """Source ARN and source account must be those of the rule."""
    schedule(account, deploy(ECHO))
    permit(account, **condition)
    (delivery,) = account.events.fire("daily", REGION)
    assert delivery.delivered is delivered


def test_a_missing_function_is_said(account: Account) -> None:
    """A target that does not exist gets nothing."""
    missing = "arn:aws:lambda:eu-west-1:123456789012:function:missing"
    schedule(account, missing)
    (delivery,) = account.events.fire("daily", REGION)
    assert str(delivery.reason).startswith(f"The function {missing} cannot be found")


def test_a_disabled_rule_does_not_fire(account: Account, deploy: Callable[..., str]) -> None:
    """The error names the rule and its state."""
    schedule(account, deploy(ECHO), ScheduleExpression="rate(1 day)", State="DISABLED")
    with pytest.raises(ValueError, match="'daily' in eu-west-1 must be enabled"):
        account.events.fire("daily", REGION)


def test_an_unknown_rule_does_not_fire(account: Account) -> None:
    """The error names the rule and the region."""
    with pytest.raises(ValueError, match="'missing' must exist in eu-west-1"):
        account.events.fire("missing", REGION)


@pytest.mark.parametrize(("source", "deliveries"), [("aws.ec2", 1), ("aws.s3", 0)])
def test_an_event_goes_to_the_rules_that_match_it(
    account: Account, deploy: Callable[..., str], source: str, deliveries: int
) -> None:
    """An event is delivered to the rules whose pattern matches it."""
    schedule(account, deploy(ECHO), EventPattern='{"source": ["aws.ec2"]}')
    permit(account)
    event = {"source": source, "detail-type": "AWS API Call via CloudTrail", "detail": {}}
    assert len(account.events.deliver(event, REGION)) == deliveries


def put(account: Account, source: str, **entry: str) -> Any:
    """Put one event with plain boto3."""
    detail = {"Source": source, "DetailType": "Change", "Detail": '{"port": 22}', **entry}
    return account.client("events").put_events(Entries=[detail])


def test_a_put_event_runs_the_functions_of_its_rules(
    account: Account, deploy: Callable[..., str]
) -> None:
    """PutEvents answers at once; the function of a rule that matches gets the event."""
    arn = deploy("def handle(event, context): print(event['source'], event['detail'])")
    schedule(account, arn, EventPattern='{"source": ["aws.ec2"], "detail": {"port": [22]}}')
    permit(account)
    assert put(account, "aws.s3")["FailedEntryCount"] == 0
    assert put(account, "aws.ec2")["FailedEntryCount"] == 0
    account.functions.wait(30)
    events = account.client("logs").filter_log_events(logGroupName="/aws/lambda/trial")["events"]
    messages = [event["message"] for event in events if event["message"].startswith("aws.")]
    assert messages == ["aws.ec2 {'port': 22}"]


def test_other_buses_are_refused(account: Account) -> None:
    """An event that would be lost is refused."""
    with pytest.raises(ClientError, match="events of the default bus only"):
        put(account, "mine", EventBusName="other")


BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
CHANGE = {"source": "aws.ec2", "account": "123456789012", "region": "us-east-1", "detail": {}}


def forward(account: Account, service: str = "events", action: str = "events:PutEvents") -> None:
    """A rule in us-east-1 that forwards to the bus of eu-west-1, with a role."""

    def policy(**statement: Any) -> str:
        statements = [{"Effect": "Allow", **statement}]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    iam, events = account.client("iam"), account.client("events", "us-east-1")
    trust = policy(Principal={"Service": f"{service}.amazonaws.com"}, Action="sts:AssumeRole")
    role = iam.create_role(RoleName="forwarder", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="forwarder", PolicyName="put", PolicyDocument=policy(Action=action, Resource=BUS)
    )
    events.put_rule(Name="forward", EventPattern='{"source": ["aws.ec2"]}')
    events.put_targets(Rule="forward", Targets=[{"Id": "bus", "Arn": BUS, "RoleArn": role}])


def test_a_rule_forwards_to_the_bus_of_another_region(
    account: Account, deploy: Callable[..., str]
) -> None:
    """What a rule there matches arrives with the region that it happened in."""
    arn = deploy(ECHO)
    schedule(account, arn, EventPattern='{"region": ["us-east-1"]}')
    permit(account)
    forward(account)
    to_bus, to_function = account.events.deliver(CHANGE, "us-east-1")
    assert (to_bus.target, to_bus.delivered) == (BUS, True)
    assert (to_function.target, to_function.event) == (arn, CHANGE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"service": "lambda"}, "does not trust events.amazonaws.com", id="trust"),
        pytest.param({"action": "events:PutRule"}, "may not put events", id="permission"),
    ],
)
def test_a_role_must_allow_to_forward(
    account: Account, change: dict[str, str], reason: str
) -> None:
    """EventBridge must be able to assume the role, and that to put events on the bus."""
    forward(account, **change)
    (delivery,) = account.events.deliver(CHANGE, "us-east-1")
    assert not delivery.delivered
    assert reason in str(delivery.reason)
