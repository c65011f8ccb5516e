"""Which expressions are EventBridge schedules, and the longest time between two runs."""

from datetime import date

import pytest

from infra.schedule_expression import find_problem, longest_gap_minutes

TODAY = date(2026, 11, 24)
HOUR = 60
DAY = 24 * HOUR


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
def test_valid_expression_has_no_problem(expression: str) -> None:
    """Every form in EventBridge's documentation is valid."""
    assert find_problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("rate(1 days)", "write rate(1 day)"),
        ("rate(2 day)", "write rate(2 days)"),
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
        ("cron(0 6 * * * *)", "exactly one of day of month and day of week must be ?"),
        ("cron(0 6 ? * ? *)", "exactly one of day of month and day of week must be ?"),
    ],
)
def test_invalid_expression_has_a_problem(expression: str, problem: str) -> None:
    """An invalid rate or cron expression has a problem that names the value and the rule."""
    assert find_problem(expression) == problem


@pytest.mark.parametrize("expression", ["", "daily", "every day", "rate(1 day) ", "rate(1  day)"])
def test_other_forms_have_an_empty_problem(expression: str) -> None:
    """The problem of what is neither rate(...) nor cron(...) is an empty text."""
    assert find_problem(expression) == ""


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        pytest.param("rate(1 minute)", 1, id="rate-minute"),
        pytest.param("rate(12 hours)", 12 * HOUR, id="rate-hours"),
        pytest.param("rate(1 day)", 24 * HOUR, id="rate-day"),
        pytest.param("rate(7 days)", 7 * DAY, id="rate-days"),
        pytest.param("cron(0 6 * * ? *)", 24 * HOUR, id="daily"),
        pytest.param("cron(30 6,18 * * ? *)", 12 * HOUR, id="twice-a-day"),
        pytest.param("cron(0 6,7,12 * * ? *)", 18 * HOUR, id="overnight"),
        pytest.param("cron(0/15 * * * ? *)", 15, id="quarters"),
        pytest.param("cron(50/5 * * * ? *)", 55, id="step-to-the-end"),
        pytest.param("cron(*/40 * * * ? *)", 40, id="step-that-does-not-divide"),
        pytest.param("cron(0 22-2 * * ? *)", 20 * HOUR, id="hours-over-midnight"),
        pytest.param("cron(0 8-17/3 * * ? *)", 15 * HOUR, id="range-with-step"),
        pytest.param("cron(0 6 ? * MON-FRI *)", 72 * HOUR, id="working-days"),
        pytest.param("cron(0 8-17 ? * MON-FRI *)", 63 * HOUR, id="working-hours"),
        pytest.param("cron(0 6 ? * fri-mon *)", 4 * DAY, id="over-the-weekend"),
        pytest.param("cron(0 6 ? * 1,4 *)", 4 * DAY, id="sunday-and-wednesday"),
        pytest.param("cron(0 6 ? * L *)", 7 * DAY, id="every-saturday"),
        pytest.param("cron(0 6 ? * 6L *)", 35 * DAY, id="last-friday"),
        pytest.param("cron(0 6 ? * 2#1 *)", 35 * DAY, id="first-monday"),
        pytest.param("cron(0 6 ? * 6#5 *)", 119 * DAY, id="fifth-friday"),
        pytest.param("cron(0 6 1 * ? *)", 31 * DAY, id="monthly"),
        pytest.param("cron(0 6 1/10 * ? *)", 10 * DAY, id="every-ten-days"),
        pytest.param("cron(0 6 31 * ? *)", 61 * DAY, id="long-months-only"),
        pytest.param("cron(0 6 L * ? *)", 31 * DAY, id="last-day"),
        pytest.param("cron(0 6 LW * ? *)", 33 * DAY, id="last-working-day"),
        pytest.param("cron(0 6 1W * ? *)", 33 * DAY, id="first-working-day"),
        pytest.param("cron(0 6 31W * ? *)", 63 * DAY, id="working-day-nearest-to-the-31st"),
        pytest.param("cron(0 6 1 1,7 ? *)", 184 * DAY, id="half-years"),
        pytest.param("cron(0 6 * JAN ? *)", 336 * DAY, id="january"),
        pytest.param("cron(0 6 29 2 ? *)", 2921 * DAY, id="leap-days-without-2100"),
        pytest.param("cron(0 6 * * ? 2026-2028)", DAY, id="years"),
        pytest.param("cron(0 6 * * ? 2027)", 38 * DAY + 6 * HOUR, id="begins-next-year"),
        pytest.param("cron(0 6 24 11 ? 2026)", 6 * HOUR, id="today-only"),
    ],
)
def test_longest_gap_is_in_minutes(expression: str, minutes: int) -> None:
    """The longest gap until 2199 counts, in minutes, and so does the time to the first run."""
    assert longest_gap_minutes(expression, TODAY) == minutes


@pytest.mark.parametrize(
    ("day", "runs"),
    [
        pytest.param("1W", date(2026, 8, 3), id="saturday-the-first-goes-forward"),
        pytest.param("15W", date(2026, 8, 14), id="saturday-goes-back"),
        pytest.param("16W", date(2026, 8, 17), id="sunday-goes-forward"),
        pytest.param("31W", date(2026, 8, 31), id="monday-stays"),
        pytest.param("LW", date(2026, 8, 31), id="last"),
    ],
)
def test_nearest_working_day_stays_in_its_month(day: str, runs: date) -> None:
    """W matches the nearest working day of the month; August 2026 begins on a Saturday."""
    expression = f"cron(0 0 {day} 8 ? 2026)"
    assert longest_gap_minutes(expression, runs) == 0
    assert longest_gap_minutes(expression, date(2026, 8, 1)) == (runs - date(2026, 8, 1)).days * DAY


def test_last_day_on_a_sunday_goes_back() -> None:
    """31W in May 2026, which ends on a Sunday, matches Friday the 29th."""
    assert longest_gap_minutes("cron(0 0 31W 5 ? 2026)", date(2026, 5, 29)) == 0


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("cron(0 6 * * ? 2025)", id="year-past"),
        pytest.param("cron(0 6 23 11 ? 2026)", id="yesterday"),
        pytest.param("cron(0 6 31 2 ? *)", id="no-such-day"),
    ],
)
def test_schedule_that_never_runs_has_no_gap(expression: str) -> None:
    """A cron expression that matches no day from today on has the gap None."""
    assert longest_gap_minutes(expression, TODAY) is None
