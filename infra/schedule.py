"""Checks an EventBridge schedule expression before AWS does, and says what is wrong with it."""

import re
from dataclasses import dataclass

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


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
_CRON_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, special=r"\?|L|LW|([1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, names=_MONTHS),
    _Field("day of week", 1, 7, names=_WEEKDAYS, special=r"\?|L|[1-7]L|[1-7]#[1-5]"),
    _Field("year", 1970, 2199),
)


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
