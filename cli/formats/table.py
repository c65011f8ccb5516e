"""The report as a table for people: in colour on a terminal, a line a finding in a pipe."""

import os
from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.formats.finding_text import attached, displayed_openings, status
from handler.model.finding import Finding, Opening, Severity, Status
from handler.model.run import Report
from handler.report import phrases
from handler.report.digest import build_digest
from handler.sanitize import plain

_COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
    Severity.INFO: "dim",
}
# Wider than any line: rich would wrap or cut the lines of a pipe.
_UNLIMITED = 1_000_000
# With fewer columns the cells would be a word or two wide.
_WIDE = 200
# With fewer columns there is no room for cells side by side.
_NARROW = 72
# The longest words there, so that a region or a group's id is not broken.
_LONGEST_REGION = len("ap-southeast-2")
_MIN_WIDTHS = {"region / account": _LONGEST_REGION, "group": len("(sg-0123456789abcdef0)")}


def write_table(report: Report, stream: TextIO) -> None:
    """Write the findings, what was not read and the coverage, as wide as the terminal is."""
    console = console_for(stream)
    with console.capture() as capture:
        for part in _parts(report, console.width):
            console.print(part)
    # rich pads cells to the width of their column, the last ones too.
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


def _parts(report: Report, width: int) -> Iterator[RenderableType]:
    digest = build_digest(report)
    openings = displayed_openings(report)
    if openings:
        if width < _NARROW:
            yield from _blocks(openings)
        else:
            yield from (_wide(openings) if width >= _WIDE else _narrow(openings), "")
    if report.unread:
        yield Text("Not read: what is open there is not known", "bold red")
        for coverage in report.unread:
            yield Padding(_cell(phrases.unread(coverage)), (0, 0, 0, 2), expand=False)
        yield ""
    yield from (_coverage(report), "")
    yield from map(_cell, (*digest.notes, *digest.exceptions))
    yield Text(digest.headline, "bold")
    yield _cell(digest.advice)


def _wide(openings: Sequence[Opening]) -> Table:
    grid = _grid("severity", "region / account", "group", "open", "attached", "status", "why")
    for opening in openings:
        cells = (*_where(opening.finding), *map(_cell, _facts(opening)))
        grid.add_row(*cells, style=_row_style(opening.finding))
    return grid


def _narrow(openings: Sequence[Opening]) -> Table:
    """With the other facts in one cell with what is open."""
    grid = _grid("severity", "region / account", "group", "open, attached, status, why")
    grid.columns[1].max_width = _LONGEST_REGION
    for opening in openings:
        cells = (*_where(opening.finding), _cell("\n".join(_facts(opening))))
        grid.add_row(*cells, style=_row_style(opening.finding))
    return grid


def _blocks(openings: Sequence[Opening]) -> Iterator[RenderableType]:
    """One finding below the other, a line for each fact."""
    for opening in openings:
        severity, place, group = _where(opening.finding)
        yield Text("  ").join([severity, group])
        for fact in (place, *map(_cell, _facts(opening))):
            yield Padding(fact, (0, 0, 0, 2), expand=False)
        yield ""


def _facts(opening: Opening) -> tuple[str, ...]:
    finding = opening.finding
    what = phrases.opening_with_detail(finding, opening.twin)
    return what, attached(finding), status(finding), plain(finding.why)


def _where(finding: Finding) -> tuple[Text, Text, Text]:
    severity = Text(finding.severity)
    if finding.status is not Status.EXCEPTED:
        severity.stylize(_COLOURS[finding.severity])
    return severity, _cell(phrases.place(finding.target)), _cell(phrases.groups(finding))


def _row_style(finding: Finding) -> str | None:
    return "dim" if finding.status is Status.EXCEPTED else None


def _coverage(report: Report) -> Table:
    grid = _grid("region / account", "read", "groups", "rules")
    for coverage in report.coverage:
        grid.add_row(
            _cell(phrases.place(coverage.target)),
            Text(coverage.status, "green" if coverage.is_complete else "bold red"),
            f"{coverage.groups:,}",
            f"{coverage.rules:,}",
        )
    return grid


def _grid(*names: str) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        grid.add_column(name, min_width=_MIN_WIDTHS.get(name))
    return grid


def _cell(text: str) -> Text:
    """A text that is wrapped and never cut."""
    return Text(text, overflow="fold")
