"""Where a report goes: standard output, or a file that is replaced completely or not at all."""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from cli.errors import AuditError


@contextmanager
def output(path: str) -> Iterator[TextIO]:
    """A stream to write a report to; ``-`` is standard output.

    A file is opened before the audit and written after it. Raises ``AuditError``, before the audit
    begins if the file cannot be written.
    """
    if path == "-":
        # Python has none if the caller has closed it.
        if sys.stdout is None:
            raise AuditError("standard output is closed.")
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A group's name that the terminal cannot show must not end the audit.
            sys.stdout.reconfigure(errors="backslashreplace")
        with _explained("standard output"):
            try:
                yield sys.stdout
                sys.stdout.flush()
            except OSError as error:
                # Python would try once more at its end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                # A reader that closes the pipe early is no error.
                if not isinstance(error, BrokenPipeError):
                    raise
        return
    file = Path(path)
    with _explained(path):
        # Devices and pipes, for example /dev/stderr, are written to and never replaced.
        replaced = file.is_file() or not file.exists()
    if replaced:
        # Of a link, the file that it leads to is replaced.
        file = Path(os.path.realpath(file))
    part = file.with_name(f".{uuid4().hex}.part") if replaced else file
    report = io.StringIO(newline="")
    try:
        with _explained(path):
            # Opened once, because the reader of a pipe ends when it is closed.
            stream = part.open("x" if replaced else "a", encoding="utf-8", newline="")
            if replaced and file.exists():
                shutil.copymode(file, part)
        # A reader that closes the pipe early is no error.
        with suppress(BrokenPipeError), stream:
            yield report
            with _explained(path):
                stream.write(report.getvalue())
                stream.close()
                if replaced:
                    part.replace(file)
    finally:
        if replaced:
            with suppress(OSError):
                part.unlink()


@contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise AuditError(f"{path} could not be written: {error.strerror}.") from error
