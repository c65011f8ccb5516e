"""What an EventBridge schedule expression means: what is wrong with it, and when it runs."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}


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
        return all(self._accepts_item(item) for item in text.split(","))

    def values(self, text: str) -> frozenset[int]:
        """What a list of values, ranges and steps stands for; everything for ``?``."""
        if text == "?":
            return frozenset(range(self.low, self.high + 1))
        return frozenset(value for item in text.split(",") for value in self._item_values(item))

    def _item_values(self, item: str) -> Iterator[int]:
        base, slash, step = item.partition("/")
        first, dash, last = ("", "", "") if base == "*" else base.partition("-")
        start = self._value(first) if first else self.low
        # 5/10 begins at 5 and goes on to the field's end.
        end = self._value(last) if dash else self.high if slash or not first else start
        assert start is not None  # noqa: S101 - `accepts` has said so
        assert end is not None  # noqa: S101 - as above
        # FRI-MON goes over the end of the week, as in Quartz, whose syntax this is.
        count = (end - start) % (self.high - self.low + 1) + 1
        for offset in range(0, count, int(step or 1)):
            yield self.low + (start - self.low + offset) % (self.high - self.low + 1)

    def _accepts_item(self, item: str) -> bool:
        base, slash, step = item.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            return False
        if base == "*":
            return True
        first, dash, last = base.partition("-")
        values = [self._value(first), self._value(last if dash else first)]
        return None not in values

    def _value(self, text: str) -> int | None:
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        if text.isascii() and text.isdigit() and self.low <= int(text) <= self.high:
            return int(text)
        return None


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
_MINUTE = _Field("minutes", 0, 59)
_HOUR = _Field("hours", 0, 23)
_DAY = _Field("day of month", 1, 31, special=r"\?|L|LW|([1-9]|[12]\d|3[01])W")
_MONTH = _Field("month", 1, 12, names=_MONTHS)
_WEEKDAY = _Field("day of week", 1, 7, names=_WEEKDAYS, special=r"\?|L|[1-7]L|[1-7]#[1-5]")
_YEAR = _Field("year", 1970, 2199)
_CRON_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY, _YEAR)


def problem(expression: str) -> str | None:
    """What is wrong with ``expression`` as a schedule of an EventBridge rule; None when nothing is.

    Half a sentence, for example "1 takes day, rate(1 day)"; empty for what is neither rate nor
    cron.
    """
    if rate := re.fullmatch(r"rate\((\S+) (\S+)\)", expression):
        return _rate_problem(*rate.groups())
    if cron := re.fullmatch(r"cron\((.*)\)", expression):
        return _cron_problem(cron.group(1).split())
    return ""


def _rate_problem(value: str, unit: str) -> str | None:
    if not re.fullmatch(r"[1-9][0-9]*", value):
        return "the value of a rate is a whole number above 0"
    if not re.fullmatch(r"(minute|hour|day)s?", unit):
        return "the unit of a rate is minutes, hours or days"
    singular = unit.removesuffix("s")
    expected = singular if value == "1" else f"{singular}s"
    if unit != expected:
        return f"{value} takes {expected}, rate({value} {expected})"
    return None


def _cron_problem(fields: list[str]) -> str | None:
    if len(fields) != len(_CRON_FIELDS):
        return (
            "cron takes six fields (minutes, hours, day of month, month, day of week, year), "
            f"not {len(fields)}"
        )
    for field, text in zip(_CRON_FIELDS, fields, strict=True):
        if not field.accepts(text):
            return f"{text} is no {field.name}"
    if (fields[2] == "?") == (fields[4] == "?"):
        return "exactly one of day of month and day of week is ?"
    return None


def longest_gap(expression: str, today: date) -> int | None:
    """The most minutes that a valid schedule lets pass between two runs; None if it never runs.

    What lies before ``today`` does not count; the time from its midnight to the first run does,
    since a cron may begin in a later year.
    """
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return int(rate[1]) * _MINUTES[rate[2]]
    minutes, hours, day, month, weekday, year = expression[len("cron(") : -1].split()
    times = sorted(
        60 * hour + minute for hour in _HOUR.values(hours) for minute in _MINUTE.values(minutes)
    )
    # Every day to the end of EventBridge's calendar: 29 February skips 2100, and L, W and # move.
    days = [each for each in _dates(day, month, weekday, year, today.year) if each >= today]
    if not days:
        return None
    within_a_day = max((later - earlier for earlier, later in pairwise(times)), default=0)
    overnight = times[0] - times[-1]
    nights = max(((later - earlier).days for earlier, later in pairwise(days)), default=0)
    return max(
        (days[0] - today).days * _MINUTES["day"] + times[0],
        within_a_day,
        nights * _MINUTES["day"] + overnight,
    )


def _dates(day: str, month: str, weekday: str, year: str, first_year: int) -> Iterator[date]:
    """The dates, in order, on which a cron expression with these fields runs."""
    months = sorted(_MONTH.values(month))
    for number in sorted(_YEAR.values(year)):
        if number >= first_year:
            for each in months:
                first, length = calendar.monthrange(number, each)
                for matching in _days_of_month(day, weekday, first, length):
                    yield date(number, each, matching)


def _days_of_month(day: str, weekday: str, first: int, length: int) -> list[int]:
    """The days that match in a month of ``length`` days that begins on weekday ``first``."""
    days = range(1, length + 1)
    # The calendar counts from Monday, 0; cron from Sunday, 1.
    weekdays = [(first + offset + 1) % 7 + 1 for offset in range(length)]
    if nearest := re.fullmatch(r"(\d+|L)W", day):
        wanted = length if nearest[1] == "L" else int(nearest[1])
        return [_working_day(wanted, weekdays)] if wanted <= length else []
    if day == "L":
        return [length]
    if day != "?":
        return sorted(_DAY.values(day) & set(days))
    if weekday == "L":
        weekday = str(_WEEKDAY.high)
    value, _, nth = weekday.removesuffix("L").partition("#")
    matching = [each for each in days if weekdays[each - 1] in _WEEKDAY.values(value)]
    if weekday.endswith("L"):
        return matching[-1:]
    return matching[int(nth) - 1 : int(nth)] if nth else matching


def _working_day(wanted: int, weekdays: list[int]) -> int:
    """The day from Monday to Friday that is nearest to the wanted one in the same month."""
    saturday, sunday = _WEEKDAY.high, _WEEKDAY.low
    if weekdays[wanted - 1] == saturday:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekdays[wanted - 1] == sunday:
        return wanted + 1 if wanted < len(weekdays) else wanted - 2
    return wanted
