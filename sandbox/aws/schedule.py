"""Which schedule expressions EventBridge takes; moto takes more."""

import re

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
_RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!0+ |1 )\d+ (?:minutes|hours|days))\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_FIELDS = ("minutes", "hours", "day", "month", "weekday", "year")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def is_valid(expression: str) -> bool:
    """Whether PutRule takes the expression: rate(1 day), rate(5 minutes), cron(0 8 ? * MON *)."""
    if _RATE.fullmatch(expression):
        return True
    cron = _CRON.fullmatch(expression)
    if cron is None or len(fields := cron[1].split()) != len(_FIELDS):
        return False
    minutes, hours, day, month, weekday, year = fields
    return (
        _matches(minutes, 0, 59)
        and _matches(hours, 0, 23)
        and _matches(month, 1, 12, _MONTHS)
        and _matches(year, 1970, 2199)
        and (day == "?") != (weekday == "?")
        and (day in ("?", "L", "LW") or _matches(day.removesuffix("W"), 1, 31))
        and (weekday in ("?", "L") or _matches(_last_or_nth(weekday), 1, 7, _DAYS))
    )


def _last_or_nth(weekday: str) -> str:
    return re.sub(r"(?<=[\dA-Z])(?:L|#[1-5])$", "", weekday)


def _matches(field: str, lowest: int, highest: int, names: list[str] | None = None) -> bool:
    """Whether a field is a list of values, ranges and increments between two bounds."""
    numbers = {name: lowest + index for index, name in enumerate(names or [])}

    def number(text: str) -> int:
        return numbers.get(text.upper(), int(text) if text.isdecimal() else -1)

    for part in field.split(","):
        base, slash, step = part.partition("/")
        start, dash, end = base.partition("-")
        if slash and not (step.isdecimal() and int(step) > 0):
            return False
        if base == "*":
            continue
        if not lowest <= number(start) <= highest:
            return False
        if dash and not lowest <= number(end) <= highest:
            return False
    return True
