"""The report as a table for people: in colour on a terminal, a line a finding in a pipe."""

import os
from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.formats import facts
from handler.model import CoverageStatus, Finding, Report, Severity, Status
from handler.policy import Policy
from handler.report.digest import digest

_COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
    Severity.INFO: "dim",
}
# Wider than any line: rich cuts or wraps what it finds no room for, and a pipe has room.
_ENDLESS = 1_000_000
# Below that many columns each column would be a word or two wide.
_WIDE = 200
# Below that there is no room for columns.
_NARROW = 72
# The longest words there, so that a region or a group's id is in one piece.
_LONGEST_REGION = len("ap-southeast-2")
_LEAST = {"region / account": _LONGEST_REGION, "group": len("(sg-0123456789abcdef0)")}


def table(report: Report, policy: Policy, stream: TextIO) -> None:
    """Write the findings, what was not read and what was, as wide as the terminal is."""
    console = console_for(stream)
    with console.capture() as shown:
        for each in _parts(report, policy, console.width):
            console.print(each)
    # Cells are padded to the width of their column, the last ones too.
    stream.writelines(f"{line.rstrip()}\n" for line in shown.get().rstrip("\n").split("\n"))


def console_for(stream: TextIO) -> Console:
    """As wide as the terminal is; without one, as wide as it takes."""
    console = Console(
        file=stream,
        force_terminal=stream.isatty(),  # whatever FORCE_COLOR says, a file is no terminal
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _ENDLESS
    return console


def _parts(report: Report, policy: Policy, width: int) -> Iterator[RenderableType]:
    said = digest(report, policy)
    findings = facts.listed(report, policy)
    if findings:
        if width < _NARROW:
            yield from _listed(findings)
        else:
            yield from (_wide(findings) if width >= _WIDE else _narrow(findings), "")
    if report.unread:
        yield Text("Not read: what is open there is not known", "bold red")
        for each in report.unread:
            yield Padding(_cell(facts.unread(each)), (0, 0, 0, 2), expand=False)
        yield ""
    yield from (_coverage(report), "")
    yield from map(_cell, (*said.notes, *said.exceptions))
    yield Text(said.headline, "bold")
    yield _cell(said.advice)


def _wide(findings: Sequence[Finding]) -> Table:
    grid = _grid("severity", "region / account", "group", "open", "attached", "status", "why")
    for each in findings:
        grid.add_row(*_where(each), *map(_cell, _what(each)), style=_row_style(each))
    return grid


def _narrow(findings: Sequence[Finding]) -> Table:
    """With all else below what is open, a word or two to a line otherwise."""
    grid = _grid("severity", "region / account", "group", "open, attached, status, why")
    grid.columns[1].max_width = _LONGEST_REGION
    for each in findings:
        grid.add_row(*_where(each), _cell("\n".join(_what(each))), style=_row_style(each))
    return grid


def _listed(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """One below the other."""
    for each in findings:
        severity, place, group = _where(each)
        yield Text("  ").join([severity, group])
        for part in (place, *map(_cell, _what(each))):
            yield Padding(part, (0, 0, 0, 2), expand=False)
        yield ""


def _what(finding: Finding) -> tuple[str, ...]:
    opening, attached = facts.opening(finding), facts.attached(finding)
    return opening, attached, facts.status(finding), facts.why(finding)


def _where(finding: Finding) -> tuple[Text, Text, Text]:
    severity = Text(finding.severity)
    if finding.status is not Status.EXCEPTED:
        severity.stylize(_COLOURS[finding.severity])
    return severity, _cell(facts.place(finding.target)), _cell(facts.group(finding))


def _row_style(finding: Finding) -> str | None:
    return "dim" if finding.status is Status.EXCEPTED else None


def _coverage(report: Report) -> Table:
    read = _grid("region / account", "read", "groups", "rules")
    for each in report.coverage:
        ok = each.status is CoverageStatus.OK
        read.add_row(
            _cell(facts.place(each.target)),
            Text(each.status, "green" if ok else "bold red"),
            f"{each.groups:,}",
            f"{each.rules:,}",
        )
    return read


def _grid(*names: str) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        grid.add_column(name, min_width=_LEAST.get(name))
    return grid


def _cell(text: str) -> Text:
    """A text that is wrapped and never cut."""
    return Text(text, overflow="fold")
