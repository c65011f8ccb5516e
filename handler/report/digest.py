"""What the digest says, once for its text and its HTML form."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from handler.model import Attachment, Coverage, Finding, Kind, Report, Severity, Trigger
from handler.policy import Policy
from handler.report import words

# Mail programs cut long mails; the worst come first and the rest is counted.
_MOST_FINDINGS = 100
_MOST_SOURCES = 10
_MOST_INTERFACES = 3
_TRIGGERS = {
    Trigger.SCHEDULE: "by its schedule",
    Trigger.CHANGE: "by a change in the account",
    Trigger.MANUAL: "by hand",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding: where, what is open to whom, by which sources and rules, and how to close it."""

    place: str
    group: str
    opening: str
    sources: str
    rules: str
    fix: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of one severity."""

    severity: Severity
    count: int
    entries: tuple[Entry, ...]


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
    unread: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    coverage: tuple[Row, ...]
    origin: str


def digest(report: Report, policy: Policy) -> Digest:
    """The digest of a report; the policy says what is listed and what is only counted."""
    # What could not be read is listed whatever it may open: silence must mean clean.
    listed = [
        finding
        for finding in report.findings
        if finding.kind is Kind.UNREADABLE or policy.lists(finding.severity)
    ]
    shown = listed[:_MOST_FINDINGS]
    headline = _headline(report)
    stack = f"{words.plain(report.run.stack)}: " if report.run.stack else ""
    return Digest(
        subject=f"[security groups] {stack}{headline}",
        headline=f"{headline[0].upper()}{headline[1:]}.",
        unread=tuple(_unread(coverage) for coverage in report.unread),
        sections=tuple(
            Section(severity, report.count(severity), tuple(map(_entry, findings)))
            for severity, findings in groupby(shown, key=lambda finding: finding.severity)
        ),
        notes=_notes(report, listed, policy),
        coverage=tuple(_row(coverage) for coverage in report.coverage),
        origin=_origin(report),
    )


def _headline(report: Report) -> str:
    """The worst and where, or that nothing is open, and what is not known."""
    counts = [
        f"{report.count(severity):,} {severity}"
        for severity in Severity
        if severity is not Severity.INFO and report.count(severity)
    ]
    if counts:
        regions = {f.target for f in report.findings if f.severity is not Severity.INFO}
        said = f"{', '.join(counts)} in {words.count(len(regions), 'region')}"
    else:
        read = len(report.coverage) - len(report.unread)
        said = f"nothing found open in {words.count(read, 'region')}"
    if report.unread:
        said += f", {words.count(len(report.unread), 'region')} not read"
    if report.unreadable:
        said += f", {words.count(len(report.unreadable), 'source')} not read"
    return said


def _unread(coverage: Coverage) -> str:
    read = f" after {words.count(coverage.groups, 'group')}" if coverage.groups else ""
    return f"{_place(coverage)} ({coverage.status}{read}): {words.plain(coverage.error or '')}"


def _entry(finding: Finding) -> Entry:
    opening = f"{words.traffic(finding.traffic, finding.service)} {words.reach(finding)}"
    detail = f"; {words.plain(finding.detail)}" if finding.detail else ""
    return Entry(
        place=f"{finding.target.region} / {finding.target.account}",
        group=_group(finding),
        opening=f"{opening}{detail}",
        sources=words.listing((*finding.sources, *finding.prefix_lists), _MOST_SOURCES),
        rules=words.listing(finding.rule_ids, _MOST_SOURCES),
        fix=finding.fix and words.plain(finding.fix),
    )


def _group(finding: Finding) -> str:
    """The group, or the groups that only together open it, and what it is attached to."""
    named = f"{finding.group_name} ({finding.group_id})"
    if others := finding.group_ids[1:]:
        named += f" together with {words.listing(others, _MOST_SOURCES)}"
    if finding.attachment is not Attachment.UNKNOWN:
        named += f", {finding.attachment}"
    if finding.interfaces:
        named += f" on {words.listing(finding.interfaces, _MOST_INTERFACES)}"
    return words.plain(named)


def _notes(report: Report, listed: Sequence[Finding], policy: Policy) -> tuple[str, ...]:
    notes = []
    if len(listed) > _MOST_FINDINGS:
        more = words.count(len(listed) - _MOST_FINDINGS, "more finding")
        notes.append(f"and {more}, none of them worse than the last one above.")
    if unlisted := len(report.findings) - len(listed):
        below = policy.minimum_severity
        notes.append(f"Below {below} and therefore not listed: {words.count(unlisted, 'finding')}.")
    return tuple(notes)


def _row(coverage: Coverage) -> Row:
    return Row(_place(coverage), coverage.status, coverage.groups, coverage.rules)


def _place(coverage: Coverage) -> str:
    return f"{coverage.target.region} / {coverage.target.account}"


def _origin(report: Report) -> str:
    run = report.run
    stack = f" of stack {words.plain(run.stack)}" if run.stack else ""
    return (
        f"Audit{stack}, started {_TRIGGERS[run.trigger]} at {run.started_at}, "
        f"finished at {run.finished_at}, run {words.plain(run.id)}."
    )
