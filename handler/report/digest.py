"""What the digest says, once for its text and its HTML form."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from handler import VERSION
from handler.fix import authorize
from handler.model import (
    ALL_REGIONS,
    Accepted,
    Attachment,
    Coverage,
    CoverageStatus,
    Finding,
    Kind,
    Report,
    Severity,
    Status,
    Target,
    Trigger,
)
from handler.policy import Policy
from handler.report import words
from handler.report.headline import headline, subject

# Together with findings and lines, which are cut to fit, these keep a mail within what is shown.
_MOST_ROWS = 40
_LONGEST_LINE = 240
_LONGEST_PLACE = 80
_LONGEST_COMMAND = 2500
_MOST_SOURCES = 10
_MOST_INTERFACES = 3
_URGENT = Severity.HIGH
_DATE = len("2026-01-01")
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
    """The digest's content in reading order; every text is plain and not yet escaped.

    ``notices`` are about the audit's own memory, ``changed`` about what is not open any more or
    can be read again.
    """

    subject: str
    headline: str
    advice: str
    notices: tuple[str, ...]
    unread: tuple[str, ...]
    changed: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    exceptions: tuple[str, ...]
    coverage: tuple[Row, ...]
    origin: str


def digest(
    report: Report,
    policy: Policy,
    most: int | None = None,
    *,
    most_lines: int | None = None,
    changed_only: bool = False,
) -> Digest:
    """The digest of a report with at most that many findings, the worst ones.

    The policy says what is listed and what is only counted; so is, with ``changed_only``, what was
    open before. Of what has a line each (notices, targets, changes, exceptions) there are at most
    ``most_lines`` of a kind.
    """
    worth = list(listed(policy, report.open))
    chosen = [finding for finding in worth if finding.is_change] if changed_only else worth
    counts = Counter(finding.severity for finding in chosen)
    shown = chosen if most is None else chosen[:most]
    return Digest(
        subject=subject(report),
        headline=headline(report),
        advice=_advice(report, chosen, worth),
        notices=_lines(report.notices, "more notice", most_lines),
        unread=_lines(map(_unread, report.unread), "more target", most_lines),
        changed=_lines(_changed(report, policy), "more change", most_lines),
        sections=tuple(
            Section(severity, counts[severity], tuple(_groups(findings)))
            for severity, findings in groupby(shown, key=lambda finding: finding.severity)
        ),
        notes=(
            *_left_out(len(chosen) - len(shown)),
            *_unchanged(len(worth) - len(chosen)),
            *_notes(report, len(worth), policy),
        ),
        exceptions=tuple(_exceptions(report, most_lines)),
        coverage=tuple(_rows(report.coverage)),
        origin=_origin(report),
    )


def listed(policy: Policy, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings that a digest lists rather than counts.

    What could not be read is listed whatever it may open: silence must mean clean.
    """
    for finding in findings:
        if finding.kind is Kind.UNREADABLE or policy.lists(finding.severity):
            yield finding


def _advice(report: Report, chosen: Sequence[Finding], worth: Sequence[Finding]) -> str:
    """What to do first: about what the digest lists, else about what is worth listing."""
    urgent = (each for some in (chosen, worth) if (each := _worst(some)) and _is_urgent(each))
    if worst := next(urgent, None):
        where = f"{_named(worst)} in {worst.target.region}"
        opening = f"close {_opening(worst)}" if worst.kind.is_judged else _find_out(worst)
        return words.cut(f"First: {opening} on {where}.", _LONGEST_LINE)
    if not report.complete:
        return "First: let the audit read what it could not; what is open there is not known."
    if report.exceptions.expiring:
        return "First: renew the exceptions that expire soon, or close what they accept."
    if worth:
        return "Nothing is urgent; close what nobody needs."
    if report.exceptions.expired or report.exceptions.unused:
        return "First: look at the exceptions that have run out or match nothing."
    return "There is nothing new to do." if report.open else "There is nothing to do."


def _worst(findings: Sequence[Finding]) -> Finding | None:
    """The first of the most severe ones, and rather what is known than what may be."""
    most_severe = [each for each in findings if each.severity is findings[0].severity]
    judged = (each for each in most_severe if each.kind.is_judged)
    return next(judged, most_severe[0] if most_severe else None)


def _is_urgent(finding: Finding) -> bool:
    return finding.severity.rank <= _URGENT.rank


def _find_out(finding: Finding) -> str:
    """What to do about what could not be judged."""
    return f"find out whom {words.traffic(finding.traffic, finding.service)} is open to"


def _unread(coverage: Coverage) -> str:
    read = f" after {words.count(coverage.groups, 'group')}" if coverage.groups else ""
    return f"{_place(coverage)} ({coverage.status}{read}): {coverage.error or ''}"


def _changed(report: Report, policy: Policy) -> Iterator[str]:
    """What was open or unread before and is not, and what can no longer be read."""
    if report.changes:
        for target in report.changes.lost:
            yield f"no longer read: {_place_of(target)}"
        for target in report.changes.left_out:
            yield f"no longer asked for, and forgotten: {_place_of(target)}"
        for target in report.changes.regained:
            yield f"read again: {_place_of(target)}"
    for each in listed(policy, report.of(Status.RESOLVED)):
        since = f", first seen on {each.first_seen[:_DATE]}" if each.first_seen else ""
        yield f"resolved: {_opening(each)} on {_named(each)} in {each.target.region}{since}"


def _lines(items: Iterable[str], noun: str, most: int | None) -> tuple[str, ...]:
    """The items cut to lines that people read, the first ones, and how many more there are."""
    lines = [words.cut(item, _LONGEST_LINE) for item in items]
    shown = lines[:most]
    more = len(lines) - len(shown)
    return (*shown, *([f"and {words.count(more, noun)}."] if more else []))


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
            place=_place_of(first.target),
            facts=tuple(facts),
            console=words.console(first),
            entries=tuple(map(_entry, members)),
        )


def _named(finding: Finding) -> str:
    """The group, or the groups that only together open it."""
    first, *others = (words.group(*each) for each in finding.groups)
    together = f" together with {words.listing(others, _MOST_SOURCES)}" if others else ""
    return words.cut(f"{first}{together}", _LONGEST_LINE)


def _attached(finding: Finding) -> str:
    if finding.attachment in {Attachment.UNKNOWN, Attachment.UNATTACHED}:
        return {Attachment.UNKNOWN: "not known"}.get(finding.attachment, "to nothing")
    things = words.listing(finding.attached, _MOST_INTERFACES)
    return words.cut(f"{finding.attachment}: {things}", 2 * _LONGEST_LINE)


def _opening(finding: Finding) -> str:
    return f"{words.traffic(finding.traffic, finding.service)} {words.reach(finding)}"


def _entry(finding: Finding) -> Entry:
    detail = f"; {finding.detail}" if finding.detail else ""
    facts = {
        "seen": _seen(finding),
        "sources": words.listing((*finding.sources, *finding.prefix_lists), _MOST_SOURCES),
        "rules": words.listing(finding.rule_ids, _MOST_SOURCES),
        "why": finding.why,
        "note": finding.exception or "",
    }
    commands = {"close": finding.fix, "and let one range in instead": authorize(finding)}
    return Entry(
        opening=words.cut(f"{_opening(finding)}{detail}", 2 * _LONGEST_LINE),
        facts=tuple(
            (key, words.cut(each, 2 * _LONGEST_LINE)) for key, each in facts.items() if each
        ),
        commands=tuple((key, _command(each)) for key, each in commands.items() if each),
    )


def _seen(finding: Finding) -> str:
    """Since when it is open, as far as that is known."""
    since = (finding.first_seen or "")[:_DATE]
    if finding.status is Status.NEW:
        return "for the first time"
    if finding.status is Status.REOPENED:
        return f"again, the first time on {since}"
    if finding.worsened_from:
        return f"since {since}, and worse now: it was {finding.worsened_from}"
    return f"since {since}" if finding.first_seen != finding.last_seen else ""


def _command(command: str) -> str:
    # Half a command would be worse than none.
    return words.plain(command) if len(command) <= _LONGEST_COMMAND else "see the report as CSV"


def _left_out(number: int) -> Iterator[str]:
    if number:
        more = words.count(number, "more finding")
        yield f"and {more}, none worse than the last one above: see the report as CSV."


def _unchanged(number: int) -> Iterator[str]:
    if number:
        yield f"Open as before: {words.count(number, 'finding')}: see the report as CSV."


def _notes(report: Report, worth: int, policy: Policy) -> Iterator[str]:
    if unlisted := len(report.open) - worth:
        below = policy.minimum_severity
        yield f"Below {below} and therefore not listed: {words.count(unlisted, 'finding')}."
    if unverified := len(report.of(Status.UNVERIFIED)):
        known = words.count(unverified, "finding")
        yield f"Known from before and not verified by this run: {known}."
    if excepted := len(report.of(Status.EXCEPTED)):
        yield f"Accepted by exceptions: {words.count(excepted, 'finding')}."
    if report.authorized:
        groups = {(each.target, each.group_id) for each in report.authorized}
        open_there = words.count(len(report.authorized), "opening")
        yield f"On authorized ports: {open_there} in {words.count(len(groups), 'group')}."


def _exceptions(report: Report, most: int | None) -> Iterator[str]:
    """The exceptions to look at, each once, the most urgent first."""
    noted, noun = report.exceptions, "more exception"
    rest = [each for each in noted.unused if each not in {*noted.expired, *noted.expiring}]
    for verb, some in (("expired", noted.expired), ("expires", noted.expiring)):
        told = (
            f"{verb} on {each.until}{' and matches nothing' if each in noted.unused else ''}: "
            f"{_accepted(each)}"
            for each in some
        )
        yield from _lines(told, noun, most)
    yield from _lines((f"matches nothing: {_accepted(each)}" for each in rest), noun, most)


def _accepted(exception: Accepted) -> str:
    source = f" from {exception.source}" if exception.source else ""
    return (
        f"{exception.ports}{source} on {exception.group}{_where(exception)}, "
        f"owner {exception.owner}, reason: {exception.reason}"
    )


def _where(exception: Accepted) -> str:
    """Where it holds, if not everywhere."""
    places = {"region": exception.region, "account": exception.account}
    return "".join(f" in {name} {place}" for name, place in places.items() if place)


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
    return _place_of(coverage.target)


def _place_of(target: Target) -> str:
    region = "the list of regions" if target.region == ALL_REGIONS else target.region
    return words.cut(f"{region} / {target.account}", _LONGEST_PLACE)


def _origin(report: Report) -> str:
    run = report.run
    stack = f" of stack {words.cut(run.stack, _LONGEST_PLACE)}" if run.stack else ""
    return (
        f"Audit{stack}, started {_TRIGGERS[run.trigger]} at {run.started_at}, took "
        f"{words.count(run.seconds, 'second')}, run {words.cut(run.id, _LONGEST_PLACE)}, "
        f"security-group-audit {VERSION}."
    )
