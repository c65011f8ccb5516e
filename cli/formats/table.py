"""The report as a table for people: two lines a finding, one where there is room."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from cli.formats.finding_text import unread_targets
from cli.formats.short_text import displayed_openings, facts, group_names, region, service_and_ports
from handler.model.audit_report import Report
from handler.model.finding import Opening, Severity, Status
from handler.report.coverage import UNREAD_TITLE
from handler.report.digest import build_digest
from handler.report.exception_review import exceptions_to_review

_COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
    Severity.INFO: "dim",
}
# Wider than any line: rich would wrap the lines of a pipe.
_UNLIMITED = 1_000_000
# From so many columns on, most findings fit on one line.
_WIDE = 160
_NARROWEST = len("sgr-0123456789abcdef0")
# A longer text takes from the padding of the next one.
_WIDEST_COLUMN = 24
_GAP = "  "


def write_table(report: Report, stream: TextIO) -> None:
    """Write the findings, what was not read, and the summary, as wide as the terminal is."""
    console = console_for(stream)
    write_parts(_parts(report, console), console, stream)


def write_parts(parts: Iterable[RenderableType], console: Console, stream: TextIO) -> None:
    """Write the parts without spaces at the ends of lines."""
    # A console would exit with 1 when the reader of a pipe ends early.
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    stream.writelines(f"{line.rstrip()}\n" for line in capture.get().rstrip("\n").split("\n"))


def console_for(stream: TextIO) -> Console:
    """A console as wide as the terminal; without one, as wide as the longest line."""
    console = Console(
        file=stream,
        force_terminal=stream.isatty(),  # FORCE_COLOR does not make a file a terminal
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNLIMITED
    return console


def _parts(report: Report, console: Console) -> Iterator[Text]:
    digest = build_digest(report)
    openings = displayed_openings(report)
    yield from _findings(report, openings, console)
    if openings:
        yield Text()
    if report.unread:
        yield from unread_lines(report, console)
        yield Text()
    summary = (*digest.notes, *exceptions_to_review(report), digest.coverage)
    for line in (*map(Text, summary), Text(digest.headline, "bold")):
        yield from _wrapped(Text(), [[line]], console)


def unread_lines(report: Report, console: Console) -> Iterator[Text]:
    """What was not read, and why; nothing if everything was read."""
    if report.unread:
        yield Text(UNREAD_TITLE, "bold red")
    for unread in unread_targets(report):
        yield from _wrapped(Text("  "), [[Text(unread.text)]], console)


def _findings(report: Report, openings: Sequence[Opening], console: Console) -> Iterator[Text]:
    rows = [
        (service_and_ports(o), group_names(o.finding), region(o.finding.target, report))
        for o in openings
    ]
    widths = [min(max(map(cell_len, column)), _WIDEST_COLUMN) for column in zip(*rows, strict=True)]
    for opening, row in zip(openings, rows, strict=True):
        severity = opening.finding.severity
        is_excepted = opening.finding.status is Status.EXCEPTED
        margin = Text(f"{severity.upper():8}{_GAP}", "dim" if is_excepted else _COLOURS[severity])
        columns = [Text(text, "dim" if is_excepted else "") for text in _aligned(row, widths)]
        details = [Text(fact, "dim") for fact in facts(opening)]
        room = console.width - len(margin)
        if console.width >= _WIDE:
            lines = [columns + details]
        elif Text(_GAP).join(columns + details[:1]).cell_len <= room:
            lines = [columns + details[:1], details[1:]]
        else:
            lines = [columns, details]
        yield from _wrapped(margin, lines, console)


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The texts, each padded to the end of its column unless one before it was too wide."""
    end = column = 0
    for text, width in zip(texts, widths, strict=True):
        end, column = end + cell_len(text), column + width
        yield text + " " * (column - end)
        end, column = max(end, column) + len(_GAP), column + len(_GAP)


def _wrapped(margin: Text, lines: Iterable[Sequence[Text]], console: Console) -> Iterator[Text]:
    """The lines, wrapped to the width; only the first has the margin, the others an indent."""
    indent = Text(" " * min(len(margin), len(_GAP)))
    for line in lines:
        width = max(console.width - len(margin), _NARROWEST)
        parts = [part for text in line for part in text.wrap(console, width, overflow="fold")]
        while parts:
            joined = Text.assemble(margin, parts.pop(0))
            while (
                parts
                and joined.cell_len + cell_len(_GAP + parts[0].plain.rstrip()) <= console.width
            ):
                joined = Text(_GAP).join([joined, parts.pop(0)])
            yield joined
            margin = indent
