"""The alarms, their topic and the metrics of each run."""

import pytest

from tests.infra.conftest import Deploy
from tests.infra.resource_types import ALARM, METRIC, NAME, SUBSCRIPTION, TOPIC, TOPIC_POLICY


def test_counts_become_metrics(deploy: Deploy) -> None:
    """The last log line is counted, and each count in it is a metric in the stack's namespace."""
    filters = deploy(alarms=False).all(METRIC)
    assert {metric["pattern"] for metric in filters} == {'{ $.message = "Audit finished." }'}
    assert {metric["logGroupName"] for metric in filters} == {f"{NAME}-log"}
    assert [metric["metricTransformation"] for metric in filters] == [
        {
            "namespace": "SecurityGroupAudit/dev",
            "name": name,
            "value": value,
            "unit": "Count",
        }
        for name, value in (
            ("critical", "$.critical"),
            ("high", "$.high"),
            ("info", "$.info"),
            ("low", "$.low"),
            ("medium", "$.medium"),
            ("runs", "1"),
            ("targetsNotRead", "$.targetsNotRead"),
        )
    ]


def test_failed_run_triggers_an_alarm(deploy: Deploy) -> None:
    """One error in 300 seconds triggers the alarm; no data does not."""
    alarm = deploy().resources[ALARM][f"{NAME}-alarm-failed"]
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["dimensions"] == {"FunctionName": f"{NAME}-function"}
    assert (alarm["statistic"], alarm["threshold"], alarm["period"]) == ("Sum", 1, 300)
    assert alarm["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["treatMissingData"] == "notBreaching"
    assert alarm["alarmActions"] == [f"arn:{TOPIC}:{NAME}-alarm"]
    assert alarm["alarmDescription"] == (
        "The security-group audit of stack dev failed: something could not be read, or the digest "
        "could not be sent. See the log:\n"
        "aws logs tail --region eu-west-1 --since 1h --format short security-group-audit-log"
    )


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("rate(5 minutes)", 2),
        ("rate(1 day)", 25),
        ("cron(0 6 ? * MON-FRI *)", 73),
        ("rate(167 hours)", 168),
    ],
)
def test_missing_run_triggers_an_alarm(deploy: Deploy, schedule: str, hours: int) -> None:
    """No finished run in the schedule's longest gap plus one hour triggers the alarm."""
    alarm = deploy(schedule=schedule).resources[ALARM][f"{NAME}-alarm-silent"]
    assert (alarm["namespace"], alarm["metricName"]) == ("SecurityGroupAudit/dev", "runs")
    assert "dimensions" not in alarm
    assert (alarm["statistic"], alarm["threshold"], alarm["period"]) == ("Sum", 1, 3600)
    assert alarm["comparisonOperator"] == "LessThanThreshold"
    assert (alarm["evaluationPeriods"], alarm["datapointsToAlarm"]) == (hours, hours)
    assert alarm["treatMissingData"] == "breaching"
    assert alarm["alarmDescription"] == (
        f"The security-group audit of stack dev has not finished a run for {hours} hours; this is "
        "expected after the first deployment, until the first run. What the last runs did is in "
        f"the log:\naws logs tail --region eu-west-1 --since {hours}h --format short "
        "security-group-audit-log\nIf there was none, the schedule may be missing or disabled:\n"
        "aws events describe-rule --region eu-west-1 --name security-group-audit-schedule"
    )
    assert alarm["alarmActions"] == [f"arn:{TOPIC}:{NAME}-alarm"]


def test_weekly_schedule_has_no_alarm_for_missing_runs(
    deploy: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    """A gap of 168 hours, 169 with the added one, is too long for an alarm: a warning instead."""
    assert list(deploy(schedule="rate(7 days)").resources[ALARM]) == [f"{NAME}-alarm-failed"]
    (message,) = caplog.messages
    assert message == (
        "No alarm watches whether the audit runs: an alarm looks back 168 hours, and schedule may "
        "let 168 hours pass between two runs."
    )


def test_disabled_schedule_has_no_alarm_for_missing_runs(
    deploy: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    """With schedule disabled only failed runs have an alarm, and there is no warning."""
    assert list(deploy(schedule="disabled").resources[ALARM]) == [f"{NAME}-alarm-failed"]
    assert caplog.messages == []


def test_each_recipient_is_subscribed(deploy: Deploy) -> None:
    """Each recipient of the digest has an email subscription to the topic."""
    subscriptions = deploy(recipients=["a@example.com", "b@example.com"]).all(SUBSCRIPTION)
    assert subscriptions == [
        {"topic": f"arn:{TOPIC}:{NAME}-alarm", "protocol": "email", "endpoint": "a@example.com"},
        {"topic": f"arn:{TOPIC}:{NAME}-alarm", "protocol": "email", "endpoint": "b@example.com"},
    ]


@pytest.mark.parametrize("kind", [ALARM, TOPIC, TOPIC_POLICY, SUBSCRIPTION])
def test_alarms_can_be_disabled(deploy: Deploy, kind: str) -> None:
    """With alarms false there is no alarm, topic, topic policy or subscription."""
    assert deploy(alarms=False).all(kind) == []
