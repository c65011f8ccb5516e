"""Compares a run with what was known, and works out what is known after it.

A finding that is not seen again is resolved only where everything was read that could have shown
it; else it is unverified, and stays known as it was.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from handler.ledger.state import LedgerState, RunSummary
from handler.model.attachment import Attachment
from handler.model.finding import Change, Finding, Previous, Severity, Status, as_openings
from handler.model.network import ALL_REGIONS, UNKNOWN
from handler.model.run import (
    Changes,
    Coverage,
    CoverageStatus,
    ExceptionReview,
    PolicyException,
    Report,
)

# What opens again after that long is new.
_REMEMBERED = timedelta(days=90)
# Lambda keeps an asynchronous event for six hours at most:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_EVENTS_KEPT = timedelta(days=2)
_RUNS_KEPT = 100


def reconcile(
    previous: LedgerState | None,
    findings: Iterable[Finding],
    coverage: Sequence[Coverage],
    now: str,
) -> tuple[Finding, ...]:
    """The findings with their status and dates, and known findings that were not seen again.

    Without a known state, None, they keep their status. Findings that were resolved before are not
    in the result. ``now`` is UTC in ISO 8601.
    """
    if previous is None:
        return tuple(replace(finding, first_seen=now, last_seen=now) for finding in findings)
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


def find_changes(
    previous: LedgerState | None,
    coverage: Sequence[Coverage],
    exceptions: ExceptionReview,
    *,
    is_full: bool,
) -> Changes | None:
    """What else is different: which targets can be read, and which exceptions expire.

    None without a known state.
    """
    if previous is None:
        return None
    was_read = {t: status is CoverageStatus.OK for t, status in previous.coverage.items()}
    is_read = {target.target: target.is_complete for target in coverage}
    gone = set(was_read) - set(is_read) if is_full and _names_all_targets(coverage) else set()
    # Where the list of regions could not be read before, their names show that it can be again.
    is_read |= {t: True for t in gone if t.region == ALL_REGIONS}
    return Changes(
        first=is_full and previous.last_full_digest_at is None,
        lost=tuple(t for t, read in is_read.items() if not read and was_read.get(t, True)),
        regained=tuple(t for t, read in is_read.items() if read and not was_read.get(t, True)),
        left_out=tuple(sorted(gone - set(is_read))),
        ending=tuple(
            exception
            for announcement, exception in _ending(exceptions)
            if announcement not in previous.announced
        ),
    )


def next_state(
    previous: LedgerState | None, report: Report, *, mailed: bool, is_full_digest: bool
) -> LedgerState:
    """What is known after the run of that report; ``is_full_digest`` if its mail listed all."""
    known = previous or LedgerState()
    now = report.run.started_at
    is_full = report.run.is_full
    coverage = {target.target: target.status for target in report.coverage}
    forgets_left_out = is_full and _names_all_targets(report.coverage)
    findings = {
        finding.id: _as_verified(finding, known.findings.get(finding.id))
        for finding in report.findings
        # The report has named the targets that the settings leave out; they are forgotten now.
        if finding.target in coverage or not forgets_left_out
    }
    remembered = {
        finding.id: finding
        for finding in known.findings.values()
        if finding.id not in findings and _is_recent(finding.resolved_at, now, _REMEMBERED)
    }
    counts = Counter(opening.finding.severity for opening in as_openings(report.open))
    summary = RunSummary(
        id=report.run.id,
        trigger=report.run.trigger,
        started_at=now,
        opened=len(as_openings(finding for finding in report.open if finding.is_change)),
        resolved=len(as_openings(report.with_status(Status.RESOLVED))),
        open={severity: counts[severity] for severity in Severity},
        not_read=len(report.unread),
        mailed=mailed,
    )
    announced = frozenset(announcement for announcement, _ in _ending(report.exceptions))
    return LedgerState(
        findings=remembered | findings,
        coverage=coverage if is_full else {**known.coverage, **coverage},
        announced=announced if mailed else known.announced,
        events={e: at for e, at in known.events.items() if _is_recent(at, now, _EVENTS_KEPT)}
        | {report.run.id: now},
        runs=(*known.runs, summary)[-_RUNS_KEPT:],
        last_full_digest_at=now if is_full_digest and is_full else known.last_full_digest_at,
        abandoned_run=None if is_full else known.abandoned_run,
    )


def _seen(finding: Finding, before: Finding | None, now: str) -> Finding:
    """A finding of this run."""
    status = finding.status
    if status is not Status.EXCEPTED:
        status = _status(before)
    has_worsened = before and status is Status.OPEN and _is_worse(finding, before)
    return replace(
        finding,
        status=status,
        first_seen=before.first_seen if before and before.first_seen else now,
        last_seen=now,
        change=Change.WORSENED if before and has_worsened else None,
        previously=(_previous(before),) if before and has_worsened else (),
    )


def _previous(before: Finding) -> Previous:
    return Previous(before.id, before.traffic, before.reach, before.severity, before.addresses)


def _is_worse(finding: Finding, before: Finding) -> bool:
    """Whether it is more severe, and not only because its attachment could not be read."""
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
        return replace(finding, status=Status.UNVERIFIED, change=None, previously=())
    return replace(finding, status=Status.RESOLVED, resolved_at=now, change=None, previously=())


class _Scope:
    """The findings that a run would have seen if they were still there."""

    def __init__(self, seen: Iterable[Finding], coverage: Iterable[Coverage]) -> None:
        self._read = {target.target for target in coverage if target.is_complete}
        # A source that could not be evaluated may still open what it opened before.
        self._not_evaluated = {
            (finding.target, group_id)
            for finding in seen
            if not finding.kind.is_exposure
            for group_id in _group_ids(finding)
        }

    def __contains__(self, finding: Finding) -> bool:
        if finding.target not in self._read:
            return False
        if not finding.kind.is_exposure:
            return True
        # A group without an id may be any.
        group_ids = (*_group_ids(finding), UNKNOWN)
        return all((finding.target, group_id) not in self._not_evaluated for group_id in group_ids)


def _group_ids(finding: Finding) -> tuple[str, ...]:
    return finding.group_ids or (finding.group_id,)


def _names_all_targets(coverage: Iterable[Coverage]) -> bool:
    """Whether the run knew the names of all the targets that it was to read."""
    return all(target.target.region != ALL_REGIONS for target in coverage)


def _ending(exceptions: ExceptionReview) -> Iterator[tuple[str, PolicyException]]:
    """The exceptions that expired or soon will, each with the key of its announcement."""
    for word, ending in (("expired", exceptions.expired), ("expiring", exceptions.expiring)):
        for e in ending:
            fields = (word, e.group, e.ports, e.source, e.account, e.region, e.until)
            yield "|".join(map(str, fields)), e


def _is_recent(at: str | None, now: str, span: timedelta) -> bool:
    return at is not None and datetime.fromisoformat(now) - datetime.fromisoformat(at) <= span
