"""Compressed objects with one line of JSON per entry, which are read one entry at a time."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from handler.report.fields import DECODE_ERRORS, Fields
from handler.report.json_report import encode

LINE_ERRORS = (*DECODE_ERRORS, OSError, EOFError, zlib.error)
"""The errors that reading an invalid or incomplete object raises."""


def compress_lines(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """The entries as a compressed object; the same bytes for the same entries."""
    buffer = BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as stream:
        for entry in entries:
            stream.write(f"{encode(entry)}\n".encode())
    return buffer.getvalue()


def read_lines(stored: bytes) -> Iterator[Fields]:
    """The entries of an object. Raises one of ``LINE_ERRORS``."""
    with gzip.GzipFile(fileobj=BytesIO(stored)) as stream:
        for line in stream:
            yield Fields(json.loads(line))
