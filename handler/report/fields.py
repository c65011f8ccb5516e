"""Reads stored JSON by type: a field of another type is an error."""

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

_Member = TypeVar("_Member")
DECODE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""The errors that reading an invalid object raises."""


def cause_of(error: Exception) -> str:
    """Why an object could not be read, in parentheses."""
    return f"({type(error).__name__}: {error!s:.80})"


class Fields:
    """The fields of a JSON object. Methods raise one of ``DECODE_ERRORS`` for invalid fields."""

    def __init__(self, document: object) -> None:
        if not isinstance(document, Mapping):
            raise TypeError(f"expected an object, got {type(document).__name__}")
        self._document: Mapping[str, Any] = document

    def has(self, key: str) -> bool:
        """Whether the key exists."""
        return key in self._document

    def value(self, key: str) -> object:
        """A value of any type."""
        return self._document[key]

    def text(self, key: str) -> str:
        """A text, interned because names and dates repeat."""
        value = self._document[key]
        if type(value) is not str:
            self._refuse(key, str)
        return sys.intern(value)

    def optional_text(self, key: str) -> str | None:
        """A text; None if it is null or missing."""
        return None if self._document.get(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty if the key is missing."""
        if key not in self._document:
            return ()
        values = self.items(key)
        if not set(map(type, values)) <= {str}:
            raise TypeError(f"{key} must hold texts")
        return tuple(values)

    def member(self, key: str, kind: Callable[[str], _Member]) -> _Member:
        """A member of an enumeration, by its value."""
        member: _Member = _member(kind, self.text(key))
        return member

    def optional_member(self, key: str, kind: Callable[[str], _Member]) -> _Member | None:
        """A member of an enumeration; None if it is null or missing."""
        return None if self._document.get(key) is None else self.member(key, kind)

    def integer(self, key: str) -> int:
        """A whole number."""
        value = self._document[key]
        # True is an int to isinstance.
        if type(value) is not int:
            self._refuse(key, int)
        return value

    def optional_integer(self, key: str) -> int | None:
        """A whole number; None if it is null or missing."""
        return None if self._document.get(key) is None else self.integer(key)

    def count(self, key: str) -> int:
        """A whole number of 0 or more; 0 if it is null or missing."""
        number = self.optional_integer(key) or 0
        if number < 0:
            raise ValueError(f"{key} must be 0 or more, got {number}")
        return number

    def optional_number(self, key: str) -> float | None:
        """A number; None if it is null or missing."""
        return None if self._document.get(key) is None else float(self._typed(key, int, float))

    def boolean(self, key: str) -> bool:
        """True or false."""
        return bool(self._typed(key, bool))

    def time(self, key: str) -> str:
        """A time in ISO 8601 with a time zone, unchanged."""
        stored = self.text(key)
        _check_time(stored)
        return stored

    def times(self, key: str) -> tuple[str, ...]:
        """A list of times."""
        stored = self.texts(key)
        return tuple(Fields({key: time}).time(key) for time in stored)

    def optional_time(self, key: str) -> str | None:
        """A time; None if it is null or missing."""
        return None if self._document.get(key) is None else self.time(key)

    def object(self, key: str) -> "Fields":
        """An object."""
        return Fields(self._document[key])

    def optional_object(self, key: str) -> "Fields | None":
        """An object; None if it is null or missing."""
        return None if self._document.get(key) is None else self.object(key)

    def objects(self, key: str) -> tuple["Fields", ...]:
        """A list of objects."""
        return tuple(map(Fields, self.items(key)))

    def optional_objects(self, key: str) -> tuple["Fields", ...]:
        """A list of objects; empty if the key is missing."""
        return self.objects(key) if key in self._document else ()

    def items(self, key: str) -> list[Any]:
        """A list of any values."""
        return list(self._typed(key, list))

    def names(self) -> tuple[str, ...]:
        """The keys in order."""
        return tuple(self._document)

    def _typed(self, key: str, *types: type) -> Any:
        value = self._document[key]
        if type(value) not in types:
            self._refuse(key, types[0])
        return value

    def _refuse(self, key: str, expected: type) -> NoReturn:
        raise TypeError(
            f"{key} must be {expected.__name__}, got {type(self._document[key]).__name__}"
        )


@lru_cache(256)
def _member(kind: Callable[[str], Any], value: str) -> Any:
    # Cached because a call of an enumeration takes ten times as long.
    return kind(value)


@lru_cache(1024)
def _check_time(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"{text} has no zone")
