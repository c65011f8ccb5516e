"""What was known after the last committed run, and what a new run makes of it.

A finding that is not seen again is resolved only where everything was read that could have shown
it; else it is unverified, and stays known as it was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from handler.model import (
    ALL_REGIONS,
    UNKNOWN,
    Accepted,
    Attachment,
    Changes,
    Coverage,
    CoverageStatus,
    Exceptions,
    Finding,
    Kind,
    Report,
    Severity,
    Status,
    Target,
    Trigger,
)

# What opens again after that long is new.
_REMEMBERED = timedelta(days=90)
# Lambda keeps an asynchronous event for six hours at most:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_EVENTS_KEPT = timedelta(days=2)
_RUNS_KEPT = 100
_UNJUDGED = frozenset({Kind.UNREADABLE, Kind.MALFORMED})


@dataclass(frozen=True, slots=True)
class Mailing:
    """A run that is about to mail, and when it has certainly done so or died.

    The same event may be answered by several runs at once; ``token`` is each one's own.
    """

    run: str
    until: str
    token: str


@dataclass(frozen=True, slots=True)
class Past:
    """One committed run in figures."""

    id: str
    trigger: Trigger
    started_at: str
    opened: int
    resolved: int
    open: Mapping[Severity, int]
    not_read: int
    mailed: bool


@dataclass(frozen=True, slots=True)
class State:
    """What is known after a committed run; an empty one before the first.

    ``findings`` are as they were last verified, by id, the resolved ones included. ``events`` are
    the ids of the runs, which are those of the events they answered, and when. ``listed_at`` is
    when a mail last listed all that was open. ``died`` is a run whose mail nobody knows of, until
    a run has looked at everything since.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    coverage: Mapping[Target, CoverageStatus] = field(default_factory=dict)
    announced: frozenset[str] = frozenset()
    events: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[Past, ...] = ()
    listed_at: str | None = None
    mailing: Mailing | None = None
    died: str | None = None


def reconcile(
    previous: State | None,
    findings: Iterable[Finding],
    coverage: Sequence[Coverage],
    now: str,
) -> tuple[Finding, ...]:
    """The findings with what they are compared with before, and those that are no longer seen.

    Where nobody knows what was before, None, they are as open as they were. Findings that were
    resolved before are not in the result. ``now`` is UTC in ISO 8601.
    """
    if previous is None:
        return tuple(replace(each, first_seen=now, last_seen=now) for each in findings)
    known = previous.findings
    seen = tuple(_seen(finding, known.get(finding.id), now) for finding in findings)
    scope = _Scope(seen, coverage)
    ids = {finding.id for finding in seen}
    gone = (
        _gone(finding, scope, now)
        for finding in known.values()
        if finding.id not in ids and finding.status is not Status.RESOLVED
    )
    return (*seen, *gone)


def changes(
    previous: State | None, coverage: Sequence[Coverage], exceptions: Exceptions, *, whole: bool
) -> Changes | None:
    """What else is different: which targets can be read, and which exceptions run out.

    None where nobody knows what was before.
    """
    if previous is None:
        return None
    was_read = {t: status is CoverageStatus.OK for t, status in previous.coverage.items()}
    is_read = {each.target: each.status is CoverageStatus.OK for each in coverage}
    gone = set(was_read) - set(is_read) if whole and _names_all(coverage) else set()
    # When the regions could not be listed, their names are all that tells they are again.
    is_read |= {t: True for t in gone if t.region == ALL_REGIONS}
    return Changes(
        first=whole and previous.listed_at is None,
        lost=tuple(t for t, read in is_read.items() if not read and was_read.get(t, True)),
        regained=tuple(t for t, read in is_read.items() if read and not was_read.get(t, True)),
        left_out=tuple(sorted(gone - set(is_read))),
        ending=tuple(each for key, each in _ending(exceptions) if key not in previous.announced),
    )


def committed(previous: State | None, report: Report, *, mailed: bool, listed: bool) -> State:
    """What is known after the run of that report; ``listed`` if its mail listed all."""
    known = previous or State()
    now = report.run.started_at
    coverage = {each.target: each.status for each in report.coverage}
    forgets = report.run.whole and _names_all(report.coverage)
    findings = {
        finding.id: _as_verified(finding, known.findings.get(finding.id))
        for finding in report.findings
        # Said once, and then nobody's business: the settings leave the target out.
        if finding.target in coverage or not forgets
    }
    kept = {
        finding.id: finding
        for finding in known.findings.values()
        if finding.id not in findings and _is_recent(finding.resolved_at, now, _REMEMBERED)
    }
    past = Past(
        id=report.run.id,
        trigger=report.run.trigger,
        started_at=now,
        opened=sum(finding.is_change for finding in report.open),
        resolved=len(report.of(Status.RESOLVED)),
        open={severity: report.count(severity) for severity in Severity},
        not_read=len(report.unread),
        mailed=mailed,
    )
    return State(
        findings=kept | findings,
        coverage=coverage if report.run.whole else {**known.coverage, **coverage},
        announced=frozenset(key for key, _ in _ending(report.exceptions))
        if mailed
        else known.announced,
        events={e: at for e, at in known.events.items() if _is_recent(at, now, _EVENTS_KEPT)}
        | {report.run.id: now},
        runs=(*known.runs, past)[-_RUNS_KEPT:],
        listed_at=now if listed and report.run.whole else known.listed_at,
        died=None if report.run.whole else known.died,
    )


def _seen(finding: Finding, before: Finding | None, now: str) -> Finding:
    """A finding of this run."""
    first_seen = before.first_seen if before and before.first_seen else now
    status = finding.status
    if status is not Status.EXCEPTED:
        status = _status(before)
    worsened_from = before.severity if before and status is Status.OPEN else None
    return replace(
        finding,
        status=status,
        first_seen=first_seen,
        last_seen=now,
        worsened_from=worsened_from if before and _is_worse(finding, before) else None,
    )


def _is_worse(finding: Finding, before: Finding) -> bool:
    """Whether it is more severe, and not only because nobody knows any more what is attached."""
    lost_sight = finding.attachment is Attachment.UNKNOWN is not before.attachment
    wider = finding.reach.rank < before.reach.rank
    return finding.severity.rank < before.severity.rank and (wider or not lost_sight)


def _status(before: Finding | None) -> Status:
    if before is None:
        return Status.NEW
    if before.status in {Status.RESOLVED, Status.EXCEPTED}:
        return Status.REOPENED
    return Status.OPEN


def _as_verified(finding: Finding, before: Finding | None) -> Finding:
    """A finding as it was last verified."""
    if before and finding.status is Status.UNVERIFIED:
        return before
    lost_sight = finding.attachment is Attachment.UNKNOWN
    if before and lost_sight and finding.status is Status.OPEN and not finding.worsened_from:
        return replace(finding, severity=before.severity, attachment=before.attachment)
    return finding


def _gone(finding: Finding, scope: "_Scope", now: str) -> Finding:
    """A finding of an earlier run that this run did not see."""
    if finding not in scope:
        return replace(finding, status=Status.UNVERIFIED, worsened_from=None)
    return replace(finding, status=Status.RESOLVED, resolved_at=now, worsened_from=None)


class _Scope:
    """The findings that a run would have seen if they were still there."""

    def __init__(self, seen: Iterable[Finding], coverage: Iterable[Coverage]) -> None:
        self._read = {each.target for each in coverage if each.status is CoverageStatus.OK}
        # A source that could not be judged may still open what it opened before.
        self._unjudged = {
            (finding.target, group_id)
            for finding in seen
            if finding.kind in _UNJUDGED
            for group_id in _groups(finding)
        }

    def __contains__(self, finding: Finding) -> bool:
        judged = finding.kind in _UNJUDGED or not any(
            # A group without an id may be any.
            (finding.target, group_id) in self._unjudged
            for group_id in (*_groups(finding), UNKNOWN)
        )
        return judged and finding.target in self._read


def _names_all(coverage: Iterable[Coverage]) -> bool:
    """Whether the run knew the names of all the targets that it was to read."""
    return all(each.target.region != ALL_REGIONS for each in coverage)


def _groups(finding: Finding) -> tuple[str, ...]:
    return finding.group_ids or (finding.group_id,)


def _ending(exceptions: Exceptions) -> Iterator[tuple[str, Accepted]]:
    """The exceptions that ran out or soon will, by what is announced of them."""
    for word, some in (("expired", exceptions.expired), ("expiring", exceptions.expiring)):
        for each in some:
            what = (each.group, each.ports, each.source, each.account, each.region, each.until)
            yield "|".join(map(str, (word, *what))), each


def _is_recent(at: str | None, now: str, span: timedelta) -> bool:
    return at is not None and datetime.fromisoformat(now) - datetime.fromisoformat(at) <= span
