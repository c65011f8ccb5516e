"""What the digest contains, once for its text and its HTML part."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from handler import VERSION
from handler.clock import day_of
from handler.model.finding import Finding, Opening, Severity, Status, as_openings
from handler.model.network import Target
from handler.model.run import Coverage, PolicyException, Report, Trigger
from handler.report import phrases
from handler.report.headline import headline, subject
from handler.sanitize import cut, join_first, plain

# Together with findings and lines, which are cut to fit, these keep a mail within the size limit.
_MAX_ROWS = 40
_LONGEST_LINE = 240
_LONGEST_PLACE = 80
_LONGEST_COMMAND = 2500
_NAMED_SOURCES = 10
_URGENT = Severity.HIGH
_TRIGGERS = {
    Trigger.SCHEDULE: "by its schedule",
    Trigger.CHANGE: "by a change in the account",
    Trigger.MANUAL: "by hand",
}


class DigestKind(StrEnum):
    """What a digest lists: all that is open, or what has changed."""

    FULL = "full"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding: what is open to whom, the reason for its severity, and how to close it.

    ``facts`` are named lines; ``commands`` are named commands to paste.
    """

    opening: str
    facts: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one group: its name, where it is, what it is attached to, and its owner."""

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

    ``notices`` are about the ledger, ``changed`` about what is not open any more or can be read
    again.
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


def build_digest(
    report: Report,
    kind: DigestKind = DigestKind.FULL,
    *,
    max_findings: int | None = None,
    max_lines: int | None = None,
) -> Digest:
    """The digest of a report with at most ``max_findings`` findings, the worst ones.

    A digest of changes counts what was open before. Notices, targets, changes and exceptions have
    at most ``max_lines`` lines each.
    """
    listed = as_openings(report.listed(report.open))
    is_full = kind is DigestKind.FULL
    selected = listed if is_full else tuple(o for o in listed if o.finding.is_change)
    counts = Counter(opening.finding.severity for opening in selected)
    displayed = selected if max_findings is None else selected[:max_findings]
    return Digest(
        subject=subject(report),
        headline=headline(report),
        advice=_advice(report, selected, listed),
        notices=_lines(_notices(report), "more notice", max_lines),
        unread=_lines(map(phrases.unread, report.unread), "more target", max_lines),
        changed=_lines(_changed(report), "more change", max_lines),
        sections=tuple(
            Section(severity, counts[severity], tuple(_groups(findings)))
            for severity, findings in groupby(displayed, key=lambda o: o.finding.severity)
        ),
        notes=(
            *_left_out(len(selected) - len(displayed)),
            *_unchanged(len(listed) - len(selected)),
            *_notes(report, len(listed)),
        ),
        exceptions=tuple(_exceptions(report, max_lines)),
        coverage=tuple(_rows(report.coverage)),
        origin=_origin(report),
    )


def _advice(report: Report, selected: Sequence[Opening], listed: Sequence[Opening]) -> str:
    """What to do first: about what the digest lists, else about all that is worth listing."""
    worst = (_worst(openings) for openings in (selected, listed) if openings)
    if opening := next((o for o in worst if o.finding.severity.is_at_least(_URGENT)), None):
        urgent = opening.finding
        where = f"{_group_names(urgent)} in {urgent.target.region}"
        if urgent.kind.is_exposure:
            action = f"close {phrases.opening(urgent, opening.twin)}"
        else:
            what = phrases.traffic(urgent.traffic, urgent.service)
            action = f"find out whom {what} is open to"
        return cut(f"First: {action} on {where}.", _LONGEST_LINE)
    if not report.is_complete:
        return "First: let the audit read what it could not; what is open there is not known."
    if report.exceptions.expiring:
        return "First: renew the exceptions that expire soon, or close what they accept."
    if listed:
        return "Nothing is urgent; close what nobody needs."
    if report.exceptions.expired or report.exceptions.unused:
        return "First: look at the exceptions that have run out or match nothing."
    return "There is nothing new to do." if report.open else "There is nothing to do."


def _worst(openings: Sequence[Opening]) -> Opening:
    """The first of the most severe ones, and rather what is open than what may be."""
    severity = openings[0].finding.severity
    most_severe = [opening for opening in openings if opening.finding.severity is severity]
    return next((o for o in most_severe if o.finding.kind.is_exposure), most_severe[0])


def _notices(report: Report) -> Iterator[str]:
    """What went wrong with the ledger, and what could not be read that lowers severities."""
    yield from report.notices
    for coverage in report.coverage:
        if coverage.notice:
            yield f"{_place(coverage.target)}: {coverage.notice}"


def _changed(report: Report) -> Iterator[str]:
    """What was open or unread before and is not, and what can no longer be read."""
    if report.changes:
        for target in report.changes.lost:
            yield f"no longer read: {_place(target)}"
        for target in report.changes.left_out:
            yield f"no longer asked for, and forgotten: {_place(target)}"
        for target in report.changes.regained:
            yield f"read again: {_place(target)}"
    for opening in as_openings(report.listed(report.with_status(Status.RESOLVED))):
        finding = opening.finding
        where = f"{_group_names(finding)} in {finding.target.region}"
        since = f", first seen on {day_of(finding.first_seen)}" if finding.first_seen else ""
        yield f"resolved: {phrases.opening(finding, opening.twin)} on {where}{since}"


def _lines(items: Iterable[str], noun: str, max_lines: int | None) -> tuple[str, ...]:
    """The first items, cut to readable lines, and how many more there are."""
    lines = [cut(item, _LONGEST_LINE) for item in items]
    displayed = lines[:max_lines]
    more = len(lines) - len(displayed)
    return (*displayed, *([f"and {phrases.count(more, noun)}."] if more else []))


def _groups(openings: Iterable[Opening]) -> Iterator[Group]:
    """The findings by group, in the order of each group's first one."""
    by_group: dict[object, list[Opening]] = {}
    for opening in openings:
        finding = opening.finding
        key = finding.target, finding.group_id, finding.group_ids
        by_group.setdefault(key, []).append(opening)
    for members in by_group.values():
        first = members[0].finding
        facts = [("attached", cut(phrases.attached(first), 2 * _LONGEST_LINE))]
        if first.owner:
            facts.append(("owner", cut(first.owner, _LONGEST_PLACE)))
        if first.managed_by:
            warning = "change it there, a manual change is undone or drifts"
            facts.append(("managed by", cut(f"{first.managed_by}: {warning}", _LONGEST_LINE)))
        yield Group(
            name=_group_names(first),
            place=_place(first.target),
            facts=tuple(facts),
            console=phrases.console_url(first),
            entries=tuple(map(_entry, members)),
        )


def _group_names(finding: Finding) -> str:
    return cut(phrases.groups(finding), _LONGEST_LINE)


def _place(target: Target) -> str:
    return cut(phrases.place(target), _LONGEST_PLACE)


def _entry(opening: Opening) -> Entry:
    finding, findings = opening.finding, opening.findings
    sources = [source for f in findings for source in (*f.sources, *f.prefix_lists)]
    rule_ids = [rule_id for f in findings for rule_id in f.rule_ids]
    facts = {
        "seen": _seen(finding),
        "sources": join_first(sources, _NAMED_SOURCES, total=sum(f.source_count for f in findings)),
        "rules": join_first(
            rule_ids, _NAMED_SOURCES, total=sum(f.rule_count for f in findings if f.rule_ids)
        ),
        "why": finding.why,
        "note": finding.exception or "",
    }
    commands = {
        "close": " && ".join(f.fix for f in findings if f.fix),
        "and let one range in instead": finding.narrower,
    }
    return Entry(
        opening=cut(phrases.opening_with_detail(finding, opening.twin), 2 * _LONGEST_LINE),
        facts=tuple((name, cut(fact, 2 * _LONGEST_LINE)) for name, fact in facts.items() if fact),
        commands=tuple((name, _command(text)) for name, text in commands.items() if text),
    )


def _seen(finding: Finding) -> str:
    """Since when it is open, as far as that is known."""
    since = day_of(finding.first_seen or "")
    if finding.status is Status.NEW:
        return "for the first time"
    if finding.status is Status.REOPENED:
        return f"again, the first time on {since}"
    if finding.worsened_from:
        return f"since {since}, and worse now: it was {finding.worsened_from}"
    return f"since {since}" if finding.first_seen != finding.last_seen else ""


def _command(command: str) -> str:
    # Half a command would be worse than none.
    return plain(command) if len(command) <= _LONGEST_COMMAND else "see the report as CSV"


def _left_out(number: int) -> Iterator[str]:
    if number:
        more = phrases.count(number, "more finding")
        yield f"and {more}, none worse than the last one above: see the report as CSV."


def _unchanged(number: int) -> Iterator[str]:
    if number:
        yield f"Open as before: {phrases.count(number, 'finding')}: see the report as CSV."


def _notes(report: Report, listed: int) -> Iterator[str]:
    if unlisted := len(as_openings(report.open)) - listed:
        findings = phrases.count(unlisted, "finding")
        yield f"Below {report.minimum_severity} and therefore not listed: {findings}."
    if unverified := len(report.with_status(Status.UNVERIFIED)):
        findings = phrases.count(unverified, "finding")
        yield f"Known from before and not verified by this run: {findings}."
    if excepted := len(report.with_status(Status.EXCEPTED)):
        yield f"Accepted by exceptions: {phrases.count(excepted, 'finding')}."
    if report.authorized:
        groups = {(finding.target, finding.group_id) for finding in report.authorized}
        openings = phrases.count(len(report.authorized), "opening")
        yield f"On authorized ports: {openings} in {phrases.count(len(groups), 'group')}."


def _exceptions(report: Report, max_lines: int | None) -> Iterator[str]:
    """The exceptions that need attention, each once, the most urgent first."""
    review, noun = report.exceptions, "more exception"
    for verb, exceptions in (("expired", review.expired), ("expires", review.expiring)):
        lines = (
            f"{verb} on {exception.until}"
            f"{' and matches nothing' if exception in review.unused else ''}: "
            f"{_describe_exception(exception)}"
            for exception in exceptions
        )
        yield from _lines(lines, noun, max_lines)
    dated = {*review.expired, *review.expiring}
    unused = (exception for exception in review.unused if exception not in dated)
    lines = (f"matches nothing: {_describe_exception(exception)}" for exception in unused)
    yield from _lines(lines, noun, max_lines)


def _describe_exception(exception: PolicyException) -> str:
    source = f" from {exception.source}" if exception.source else ""
    places = {"region": exception.region, "account": exception.account}
    where = "".join(f" in {name} {place}" for name, place in places.items() if place)
    return (
        f"{exception.ports}{source} on {exception.group}{where}, "
        f"owner {exception.owner}, reason: {exception.reason}"
    )


def _rows(coverage: Sequence[Coverage]) -> Iterator[Row]:
    """What was not read first where there are too many rows."""
    targets = list(coverage)
    if len(targets) > _MAX_ROWS:
        targets.sort(key=lambda target: target.is_complete)
    for target in targets[:_MAX_ROWS]:
        yield Row(_place(target.target), target.status, target.groups, target.rules)
    if rest := targets[_MAX_ROWS:]:
        yield Row(
            f"and {len(rest):,} more",
            f"{sum(target.is_complete for target in rest):,} ok",
            sum(target.groups for target in rest),
            sum(target.rules for target in rest),
        )


def _origin(report: Report) -> str:
    run = report.run
    stack = f" of stack {cut(run.stack, _LONGEST_PLACE)}" if run.stack else ""
    return (
        f"Audit{stack}, started {_TRIGGERS[run.trigger]} at {run.started_at}, took "
        f"{phrases.count(run.seconds, 'second')}, run {cut(run.id, _LONGEST_PLACE)}, "
        f"security-group-audit {VERSION}."
    )
