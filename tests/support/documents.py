"""JSON documents with odd values in them."""

from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
"""The way to a value within a document, as keys and indexes."""

ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    7,
    -1.5,
    "x",
    "2026-11-23",
    "9999-12-31T23:59:59Z",
    [],
    [1],
    {},
    {"x": 1},
)
"""A value of each type, and those that may pass for another one."""


def places(value: object, place: Place = ()) -> Iterator[Place]:
    """The ways to everything within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for key, part in inner:
        yield (*place, key)
        if isinstance(part, dict | list):
            yield from places(part, (*place, key))


def changed(document: Any, place: Place, value: object) -> Any:
    """A copy of a document with another value in one place."""
    if not place:
        return value
    key, *rest = place
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[key] = changed(document[key], tuple(rest), value)
    return copy
