"""Validates EventBridge schedule expressions and computes the longest time between two runs."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise, product

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
_MAX_CHARACTERS = 256
_UNIT_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
# *, 5, 5-10, or MON-FRI, each with an optional step: /15.
_ITEM = re.compile(r"(?:\*|([A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?)(?:/([0-9]*[1-9][0-9]*))?")


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a cron expression: its bounds, its names and its special forms."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str = r"(?!)"  # matches nothing

    def accepts(self, text: str) -> bool:
        """Whether ``text`` is a special form or a list of values, ranges and steps."""
        if re.fullmatch(self.special, text):
            return True
        try:
            self.values(text)
        except ValueError:
            return False
        return True

    def values(self, text: str) -> frozenset[int]:
        """The numbers that a list of values, ranges and steps matches.

        Raises ``ValueError`` if ``text`` is malformed or outside of the field's bounds.
        """
        return frozenset(value for item in text.split(",") for value in self._item_values(item))

    def _item_values(self, item: str) -> Iterator[int]:
        match = _ITEM.fullmatch(item)
        if not match:
            raise ValueError(item)
        first, last, step = match.groups()
        start = self._value(first) if first else self.low
        # 5/10 starts at 5 and continues to the end of the field.
        end = self._value(last) if last else start if first and not step else self.high
        # FRI-MON continues past the end of the week, as in Quartz, whose syntax this is.
        size = self.high - self.low + 1
        for offset in range(0, (end - start) % size + 1, int(step or 1)):
            yield self.low + (start - self.low + offset) % size

    def _value(self, text: str) -> int:
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        if not self.low <= int(text) <= self.high:
            raise ValueError(text)
        return int(text)


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
_MINUTE = _Field("minutes", 0, 59)
_HOUR = _Field("hours", 0, 23)
_DAY = _Field("day of month", 1, 31, special=r"\?|L|LW|([1-9]|[12]\d|3[01])W")
_MONTH = _Field("month", 1, 12, names=_MONTHS)
_WEEKDAY = _Field("day of week", 1, 7, names=_WEEKDAYS, special=r"\?|L|[1-7]L|[1-7]#[1-5]")
_YEAR = _Field("year", 1970, 2199)
_CRON_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY, _YEAR)


def find_problem(expression: str) -> str | None:
    """What is wrong with a rate or cron expression, for example "write rate(1 day)".

    None if the expression is valid, an empty text if it is neither ``rate(...)`` nor
    ``cron(...)``. Source: the EventBridge user guide, linked above.
    """
    if len(expression) > _MAX_CHARACTERS:
        return f"it has more than {_MAX_CHARACTERS} characters"
    if rate := re.fullmatch(r"rate\((\S+) (\S+)\)", expression):
        return _rate_problem(*rate.groups())
    if cron := re.fullmatch(r"cron\((.*)\)", expression):
        return _cron_problem(cron[1].split())
    return ""


def _rate_problem(value: str, unit: str) -> str | None:
    if not re.fullmatch(r"[1-9][0-9]*", value):
        return "the value of a rate is a whole number above 0"
    if not re.fullmatch(r"(minute|hour|day)s?", unit):
        return "the unit of a rate is minutes, hours or days"
    singular = unit.removesuffix("s")
    expected = singular if value == "1" else f"{singular}s"
    if unit != expected:
        return f"write rate({value} {expected})"
    return None


def _cron_problem(texts: list[str]) -> str | None:
    if len(texts) != len(_CRON_FIELDS):
        return (
            "cron takes six fields (minutes, hours, day of month, month, day of week, year), "
            f"not {len(texts)}"
        )
    for field, text in zip(_CRON_FIELDS, texts, strict=True):
        if not field.accepts(text):
            return f"{text} is no {field.name}"
    if (texts[2] == "?") == (texts[4] == "?"):
        return "exactly one of day of month and day of week must be ?"
    return None


def longest_gap_minutes(expression: str, today: date) -> int | None:
    """The longest time between two runs of a valid schedule, in minutes; None if it never runs.

    Runs before ``today`` do not count. The time from its midnight to the first run does, since a
    cron expression may start in a later year.
    """
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return int(rate[1]) * _UNIT_MINUTES[rate[2]]
    minutes, hours, day, month, weekday, year = expression[len("cron(") : -1].split()
    times = sorted(
        60 * hour + minute for hour in _HOUR.values(hours) for minute in _MINUTE.values(minutes)
    )
    # All days until 2199, the last year EventBridge accepts: 2100 has no 29 February, and the
    # dates of L, W and # differ from month to month.
    years = [number for number in sorted(_YEAR.values(year)) if number >= today.year]
    days = [
        date(year_number, month_number, day_number)
        for year_number, month_number in product(years, sorted(_MONTH.values(month)))
        for day_number in _matching_days(day, weekday, year_number, month_number)
    ]
    days = [run_day for run_day in days if run_day >= today]
    if not days:
        return None
    within_a_day = max((later - earlier for earlier, later in pairwise(times)), default=0)
    overnight = times[0] - times[-1]
    nights = max(((later - earlier).days for earlier, later in pairwise(days)), default=0)
    return max(
        (days[0] - today).days * _UNIT_MINUTES["day"] + times[0],
        within_a_day,
        nights * _UNIT_MINUTES["day"] + overnight,
    )


def _matching_days(day: str, weekday: str, year: int, month: int) -> list[int]:
    """The days of the month that the fields day of month and day of week match, in order."""
    first_weekday, length = calendar.monthrange(year, month)
    # The calendar numbers Monday 0 to Sunday 6, cron Sunday 1 to Saturday 7.
    weekdays = [(first_weekday + offset + 1) % 7 + 1 for offset in range(length)]
    if nearest := re.fullmatch(r"(\d+|L)W", day):
        target = length if nearest[1] == "L" else int(nearest[1])
        return [_nearest_working_day(target, weekdays)] if target <= length else []
    if day == "L":
        return [length]
    if day != "?":
        return sorted(number for number in _DAY.values(day) if number <= length)
    if weekday == "L":
        weekday = str(_WEEKDAY.high)
    value, _, nth = weekday.removesuffix("L").partition("#")
    allowed = _WEEKDAY.values(value)
    matching = [number for number, name in enumerate(weekdays, start=1) if name in allowed]
    if weekday.endswith("L"):
        return matching[-1:]
    return matching[int(nth) - 1 : int(nth)] if nth else matching


def _nearest_working_day(target: int, weekdays: list[int]) -> int:
    """The day from Monday to Friday that is nearest to ``target`` in the same month."""
    saturday, sunday = _WEEKDAY.high, _WEEKDAY.low
    if weekdays[target - 1] == saturday:
        return target - 1 if target > 1 else target + 2
    if weekdays[target - 1] == sunday:
        return target + 1 if target < len(weekdays) else target - 2
    return target
