"""What the digest says, once for its text and its HTML form."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from handler import VERSION
from handler.model import (
    Accepted,
    Attachment,
    Coverage,
    CoverageStatus,
    Finding,
    Kind,
    Report,
    Severity,
    Trigger,
)
from handler.policy import Policy
from handler.report import words

# Together with the findings, which are cut to fit, these keep the mail within what is shown.
_MOST_LINES = 8
_MOST_ROWS = 40
_LONGEST_LINE = 240
_LONGEST_PLACE = 80
_LONGEST_COMMAND = 700
_LONGEST_SUBJECT = 89
_MOST_SOURCES = 10
_MOST_INTERFACES = 3
_TRIGGERS = {
    Trigger.SCHEDULE: "by its schedule",
    Trigger.CHANGE: "by a change in the account",
    Trigger.MANUAL: "by hand",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding: what is open to whom, why it is that severe, and how to close it.

    ``facts`` are named lines; ``commands`` are named commands to paste.
    """

    opening: str
    facts: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one group: its name, where it is, what is attached, and who owns it."""

    name: str
    place: str
    facts: tuple[tuple[str, str], ...]
    console: str | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of one severity."""

    severity: Severity
    count: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """How much of one target was read."""

    place: str
    status: str
    groups: int
    rules: int


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest's content in reading order; every text is plain and not yet escaped."""

    subject: str
    headline: str
    advice: str
    unread: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    exceptions: tuple[str, ...]
    coverage: tuple[Row, ...]
    origin: str


def digest(report: Report, policy: Policy, most: int | None = None) -> Digest:
    """The digest of a report with at most that many findings, the worst ones.

    The policy says what is listed and what is only counted.
    """
    # What could not be read is listed whatever it may open: silence must mean clean.
    listed = [
        finding
        for finding in report.open
        if finding.kind is Kind.UNREADABLE or policy.lists(finding.severity)
    ]
    shown = listed if most is None else listed[:most]
    headline = _headline(report)
    return Digest(
        subject=_subject(report, headline),
        headline=f"{headline[0].upper()}{headline[1:]}.",
        advice=_advice(report),
        unread=_lines(map(_unread, report.unread), "more target"),
        sections=tuple(
            Section(severity, report.count(severity), tuple(_groups(findings)))
            for severity, findings in groupby(shown, key=lambda finding: finding.severity)
        ),
        notes=tuple(_notes(report, listed, len(shown), policy)),
        exceptions=tuple(_exceptions(report)),
        coverage=tuple(_rows(report.coverage)),
        origin=_origin(report),
    )


def _subject(report: Report, headline: str) -> str:
    stack = f"{words.cut(report.run.stack, 24)}: " if report.run.stack else ""
    return words.cut(f"[security groups] {stack}{headline}", _LONGEST_SUBJECT)


def _headline(report: Report) -> str:
    """The worst and where, or that nothing is open, and what is not known."""
    counts = [
        f"{report.count(severity):,} {severity}"
        for severity in Severity
        if severity is not Severity.INFO and report.count(severity)
    ]
    if counts:
        regions = {f.target for f in report.open if f.severity is not Severity.INFO}
        said = f"{', '.join(counts)} in {words.count(len(regions), 'region')}"
    else:
        read = len(report.coverage) - len(report.unread)
        said = f"nothing found open in {words.count(read, 'region')}"
    if report.unread:
        said += f", {words.count(len(report.unread), 'region')} not read"
    if report.unreadable:
        said += f", {words.count(len(report.unreadable), 'source')} not read"
    return said


def _advice(report: Report) -> str:
    """What to do first."""
    urgent = [each for each in report.open if each.severity in {Severity.CRITICAL, Severity.HIGH}]
    if urgent:
        worst = urgent[0]
        where = f"{_named(worst)} in {worst.target.region}"
        return words.cut(f"First: close {_opening(worst)} on {where}.", _LONGEST_LINE)
    if not report.complete:
        return "First: let the audit read what it could not; what is open there is not known."
    if report.open:
        return "Nothing is urgent; close what nobody needs."
    return "There is nothing to do."


def _unread(coverage: Coverage) -> str:
    read = f" after {words.count(coverage.groups, 'group')}" if coverage.groups else ""
    return f"{_place(coverage)} ({coverage.status}{read}): {coverage.error or ''}"


def _lines(items: Iterable[str], noun: str) -> tuple[str, ...]:
    """The items cut to lines that people read, the first ones, and how many more there are."""
    lines = [words.cut(item, _LONGEST_LINE) for item in items]
    more = len(lines) - _MOST_LINES
    return (*lines[:_MOST_LINES], *([f"and {words.count(more, noun)}."] if more > 0 else []))


def _groups(findings: Iterable[Finding]) -> Iterator[Group]:
    """The findings by group; those of one group in one region follow each other."""
    for _, some in groupby(findings, key=lambda each: (each.target, each.group_id, each.group_ids)):
        members = list(some)
        first = members[0]
        facts = [("attached", _attached(first))]
        if first.owner:
            facts.append(("owner", words.cut(first.owner, _LONGEST_PLACE)))
        yield Group(
            name=_named(first),
            place=words.cut(f"{first.target.region} / {first.target.account}", _LONGEST_PLACE),
            facts=tuple(facts),
            console=words.console(first),
            entries=tuple(map(_entry, members)),
        )


def _named(finding: Finding) -> str:
    """The group, or the groups that only together open it."""
    named = f"{finding.group_name} ({finding.group_id})"
    if others := finding.group_ids[1:]:
        named += f" together with {words.listing(others, _MOST_SOURCES)}"
    return words.cut(named, _LONGEST_LINE)


def _attached(finding: Finding) -> str:
    if finding.attachment in {Attachment.UNKNOWN, Attachment.UNATTACHED}:
        return {Attachment.UNKNOWN: "not known"}.get(finding.attachment, "to nothing")
    things = words.listing(finding.attached, _MOST_INTERFACES)
    return words.cut(f"{finding.attachment}: {things}", _LONGEST_LINE)


def _opening(finding: Finding) -> str:
    return f"{words.traffic(finding.traffic, finding.service)} {words.reach(finding)}"


def _entry(finding: Finding) -> Entry:
    detail = f"; {finding.detail}" if finding.detail else ""
    facts = {
        "sources": words.listing((*finding.sources, *finding.prefix_lists), _MOST_SOURCES),
        "rules": words.listing(finding.rule_ids, _MOST_SOURCES),
        "why": finding.why,
        "note": finding.exception or "",
    }
    commands = {"close": finding.fix, "or narrow": finding.narrower}
    return Entry(
        opening=words.cut(f"{_opening(finding)}{detail}", 2 * _LONGEST_LINE),
        facts=tuple(
            (key, words.cut(each, 2 * _LONGEST_LINE)) for key, each in facts.items() if each
        ),
        commands=tuple((key, _command(each)) for key, each in commands.items() if each),
    )


def _command(command: str) -> str:
    # Half a command would be worse than none.
    return words.plain(command) if len(command) <= _LONGEST_COMMAND else "see the attached list"


def _notes(report: Report, listed: Sequence[Finding], shown: int, policy: Policy) -> Iterator[str]:
    if len(listed) > shown:
        more = words.count(len(listed) - shown, "more finding")
        yield f"and {more}, none worse than the last one above; all are in the attached list."
    if unlisted := len(report.open) - len(listed):
        below = policy.minimum_severity
        yield f"Below {below} and therefore not listed: {words.count(unlisted, 'finding')}."
    if excepted := len(report.findings) - len(report.open):
        yield f"Accepted by exceptions: {words.count(excepted, 'finding')}."
    if report.authorized:
        groups = {(each.target, each.group_id) for each in report.authorized}
        open_there = words.count(len(report.authorized), "opening")
        yield f"On authorized ports: {open_there} in {words.count(len(groups), 'group')}."


def _exceptions(report: Report) -> Iterator[str]:
    """The exceptions to look at, each once, the most urgent first."""
    noted = report.exceptions
    expired = [each for each in noted.expired if each not in noted.unused]
    expiring = [each for each in noted.expiring if each not in noted.unused]
    yield from _lines((f"expired on {each.until}: {_accepted(each)}" for each in expired), "more")
    yield from _lines((f"expires on {each.until}: {_accepted(each)}" for each in expiring), "more")
    yield from _lines((f"matches nothing: {_accepted(each)}" for each in noted.unused), "more")


def _accepted(exception: Accepted) -> str:
    source = f" from {exception.source}" if exception.source else ""
    return (
        f"{exception.ports}{source} on {exception.group}, "
        f"owner {exception.owner}, reason: {exception.reason}"
    )


def _rows(coverage: Sequence[Coverage]) -> Iterator[Row]:
    """What was not read first where there are too many rows."""
    rows = list(coverage)
    if len(rows) > _MOST_ROWS:
        rows.sort(key=lambda each: each.status is CoverageStatus.OK)
    for each in rows[:_MOST_ROWS]:
        yield Row(_place(each), each.status, each.groups, each.rules)
    if rest := rows[_MOST_ROWS:]:
        read = sum(each.status is CoverageStatus.OK for each in rest)
        yield Row(
            f"and {len(rest):,} more",
            f"{read:,} ok",
            sum(each.groups for each in rest),
            sum(each.rules for each in rest),
        )


def _place(coverage: Coverage) -> str:
    return words.cut(f"{coverage.target.region} / {coverage.target.account}", _LONGEST_PLACE)


def _origin(report: Report) -> str:
    run = report.run
    stack = f" of stack {words.cut(run.stack, _LONGEST_PLACE)}" if run.stack else ""
    return (
        f"Audit{stack}, started {_TRIGGERS[run.trigger]} at {run.started_at}, took "
        f"{words.count(run.seconds, 'second')}, run {words.cut(run.id, _LONGEST_PLACE)}, "
        f"security-group-audit {VERSION}."
    )
