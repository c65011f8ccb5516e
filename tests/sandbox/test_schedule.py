"""Schedule expressions that EventBridge takes."""

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account
from sandbox.aws.schedule import is_valid


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(1 day)",
        "rate(2 days)",
        "rate(11 hours)",
        "cron(0 8 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(30 6 L * ? 2026-2030)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * FRIL *)",
        "cron(0 9 15W JAN,JUL ? *)",
    ],
)
def test_valid_expressions(expression: str) -> None:
    """Rates and crons of AWS's documentation are taken."""
    assert is_valid(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 days)",
        "rate(2 day)",
        "rate(0 days)",
        "rate(day)",
        "rate(1 day) ",
        "1 day",
        "cron(0 8 * * *)",
        "cron(0 8 * * * *)",
        "cron(0 8 ? * ? *)",
        "cron(60 8 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 8 * 13 ? *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 ? * 8 *)",
        "cron(0/0 8 * * ? *)",
    ],
)
def test_invalid_expressions(expression: str) -> None:
    """What AWS refuses is refused, also where it is close to something valid."""
    assert not is_valid(expression)


def test_put_rule_refuses_an_invalid_schedule(account: Account) -> None:
    """The error is the one AWS gives."""
    events = account.client("events")
    with pytest.raises(ClientError, match=r"Parameter ScheduleExpression is not valid\."):
        events.put_rule(Name="daily", ScheduleExpression="rate(1 days)")
    assert events.list_rules()["Rules"] == []
