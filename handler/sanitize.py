"""Text from outside the program: quoted for an error, cleaned for a reader, cut to a length."""

import re
import reprlib
from collections.abc import Iterable, Iterator
from unicodedata import category, combining

_LONGEST_VALUE = 160
# The longest name, ID or description in AWS.
_LONGEST_TEXT = 255
# Letters and symbols that fonts show as nothing, and variation selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
# No script has more combining marks on one letter; more cover the lines above and below.
_MOST_MARKS = 4
# The combining class of a virama, which joins two letters of an Indian script into one.
_VIRAMA = 9
_REPLACED = "\N{REPLACEMENT CHARACTER}"


class _Repr(reprlib.Repr):
    """Writes values as YAML does, and as JSON does but for the quotes."""

    def repr_NoneType(self, _value: None, _level: int) -> str:  # noqa: N802 -- found by the type's name
        return "null"

    def repr_bool(self, value: bool, _level: int) -> str:  # noqa: FBT001 -- as above
        return str(value).lower()


_REPR = _Repr()
_REPR.maxstring = 80
_REPR.maxlevel = 2


def describe(value: object) -> str:
    """A value from outside for an error message, cut to a readable length."""
    text = _REPR.repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def expected(key: str, expectation: str, value: object, hint: str = "") -> str:
    """The error message for an invalid value: key, expectation, value and hint."""
    return f"{key} must be {expectation}, got {describe(value)}{hint and f': {hint}'}."


def clean_text(value: object) -> str | None:
    """A text from AWS that every report can hold: at most 255 characters, all encodable.

    None for what is not text.
    """
    if not isinstance(value, str):
        return None
    if len(value) <= _LONGEST_TEXT and value.isascii():
        return value
    return value[:_LONGEST_TEXT].encode(errors="replace").decode()


def clean_texts(values: Iterable[object]) -> tuple[str, ...]:
    """The texts from AWS among the values; empty ones are left out."""
    return tuple(filter(None, map(clean_text, values)))


def plain(text: str) -> str:
    """A text without control characters, invisible characters and piled-up combining marks.

    Each becomes one replacement character, so the length stays the same.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(_BLANK.sub(_REPLACED, text)))


def cut(text: str, length: int) -> str:
    """The plain text with at most ``length`` characters; a text that was cut ends with dots."""
    if len(text) <= length:
        return plain(text)
    return f"{plain(text[: length - 3]).rstrip()}..."


def _visible(text: str) -> Iterator[str]:
    marks, is_joined = 0, False
    for character in text:
        if category(character).startswith("M"):
            marks += 1
        elif not is_joined:
            marks = 0
        is_joined = combining(character) == _VIRAMA
        yield character if character.isprintable() and marks <= _MOST_MARKS else _REPLACED
