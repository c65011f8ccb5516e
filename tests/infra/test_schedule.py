"""What counts as an EventBridge schedule."""

import pytest

from infra.schedule import problem


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 hour)",
        "rate(12 hours)",
        "rate(1 day)",
        "rate(7 days)",
        "cron(0 6 * * ? *)",
        "cron(0 6 ? * MON-FRI *)",
        "cron(0/15 8-17 ? * mon,wed *)",
        "cron(15 10 ? * 6L 2026-2030)",
        "cron(0 18 L * ? *)",
        "cron(0 18 LW * ? *)",
        "cron(0 18 15W * ? *)",
        "cron(0 9 ? JAN,JUL 2#1 *)",
        "cron(*/5 0-23/2 1-31 * ? *)",
    ],
)
def test_takes_what_aws_takes(expression: str) -> None:
    """Every form of AWS's documentation is a schedule."""
    assert problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("rate(1 days)", "1 takes day, rate(1 day)"),
        ("rate(2 day)", "2 takes days, rate(2 days)"),
        ("rate(0 days)", "the value of a rate is a whole number above 0"),
        ("rate(-1 days)", "the value of a rate is a whole number above 0"),
        ("rate(1.5 hours)", "the value of a rate is a whole number above 0"),
        ("rate(\u0663 days)", "the value of a rate is a whole number above 0"),
        ("rate(2 weeks)", "the unit of a rate is minutes, hours or days"),
        ("cron(60 6 * * ? *)", "60 is no minutes"),
        ("cron(0 24 * * ? *)", "24 is no hours"),
        ("cron(0 6 0 * ? *)", "0 is no day of month"),
        ("cron(0 6 32W * ? *)", "32W is no day of month"),
        ("cron(0 6 * 13 ? *)", "13 is no month"),
        ("cron(0 6 ? * 0 *)", "0 is no day of week"),
        ("cron(0 6 ? * MON-XYZ *)", "MON-XYZ is no day of week"),
        ("cron(0 6 ? * ?,2 *)", "?,2 is no day of week"),
        ("cron(0 6 * * ? 1969)", "1969 is no year"),
        ("cron(0/0 6 * * ? *)", "0/0 is no minutes"),
        ("cron(0, 6 * * ? *)", "0, is no minutes"),
        ("cron(0 6 * * * *)", "exactly one of day of month and day of week is ?"),
        ("cron(0 6 ? * ? *)", "exactly one of day of month and day of week is ?"),
    ],
)
def test_says_what_is_wrong(expression: str, said: str) -> None:
    """A near miss is refused with its own reason."""
    assert problem(expression) == said


@pytest.mark.parametrize("expression", ["", "daily", "every day", "rate(1 day) ", "rate(1  day)"])
def test_other_forms_need_no_reason(expression: str) -> None:
    """What is neither rate nor cron has no more to say."""
    assert problem(expression) == ""
