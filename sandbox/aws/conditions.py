"""The conditions of a policy's statements."""

import operator
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

# Keys are compared without regard to case, patterns with * and ?, as IAM does.
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
    "StringEquals": operator.eq,
    "StringLike": fnmatchcase,
}

# Whether the request does not have the key, "true" or "false".
_MISSING = "Null"


def meets(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Whether a request whose condition keys have these values meets a condition.

    A key that the request does not have meets only Null. Raises ``NotImplementedError`` for
    operators that the sandbox does not know.
    """
    actual = {key.lower(): value for key, value in context.items()}
    return all(
        _compare(comparison, actual.get(key.lower()), as_list(values))
        for comparison, keys in condition.items()
        for key, values in keys.items()
    )


def as_list(value: Any) -> list[Any]:
    """The values of a policy's element, which may be one value or a list."""
    return value if isinstance(value, list) else [value]


def _compare(comparison: str, actual: str | None, values: list[str]) -> bool:
    if comparison == _MISSING:
        return str(actual is None).lower() in values
    if comparison not in _COMPARISONS:
        raise NotImplementedError(f"The sandbox does not judge {comparison} in a policy.")
    compare = _COMPARISONS[comparison]
    return actual is not None and any(compare(actual, value) for value in values)
