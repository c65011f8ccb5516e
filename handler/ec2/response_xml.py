"""Parses EC2's responses by their shapes as boto3 does, in half the time."""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

# Strips the namespace from an element's name as botocore does; responses have few names.
_name = lru_cache(1024)(partial(re.compile("{.*}").sub, ""))
_Reader = Callable[[Element], Any]
_READERS: dict[tuple[str, int], _Reader] = {}


def parse_response(
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    operation_model: Any,
    **_: object,
) -> None:
    """Handles botocore's before-parse event: parses the response and leaves botocore an empty one.

    A response that is not in EC2's usual format is left for botocore to parse or reject.
    """
    if response_dict["status_code"] != HTTPStatus.OK:
        return
    parser = XMLParser(encoding="utf-8")  # noqa: S314 -- botocore does the same
    try:
        parser.feed(response_dict["body"])
        root = parser.close()
        if len(root.findall("{*}requestId")) > 1:
            return
        customized_response_dict |= _reader_of(operation_model)(root)
    except (ParseError, ValueError):
        return
    response_dict["body"] = b"<empty/>"


def _reader_of(operation: Any) -> _Reader:
    # The number of shapes tells reduced service models from complete ones.
    key = operation.name, len(operation.service_model.shape_names)
    if key not in _READERS:
        _READERS[key] = _reader(operation.output_shape)
    return _READERS[key]


def _reader(shape: Any) -> _Reader:
    """A function that reads an element. Raises ``ValueError`` for a shape that EC2 does not use."""
    match shape.type_name:
        case "structure" if not shape.is_tagged_union:
            return _structure_reader(shape)
        case "list" if not shape.serialization.get("flattened"):
            read = _reader(shape.member)
            return lambda node: list(map(read, node))
        case "string":
            return lambda node: node.text or ""
        case "integer" | "long":
            return lambda node: int(node.text or "")
        case "boolean":
            return lambda node: node.text == "true"
    raise ValueError


def _structure_reader(shape: Any) -> _Reader:
    members = {
        member.serialization.get("name", name): (name, _reader(member))
        for name, member in shape.members.items()
    }

    def read(node: Element) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for child in node:
            if member := members.get(_name(child.tag)):
                name, read_child = member
                # botocore turns repeated elements into a list.
                if name in values:
                    raise ValueError
                values[name] = read_child(child)
        return values

    return read
