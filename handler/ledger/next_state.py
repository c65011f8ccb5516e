"""Works out the state after a run: its findings, and what its mail said of them."""

from typing import Any

from handler.ledger import flips
from handler.ledger.changes import announcements_of
from handler.ledger.records import (
    REMEMBERED,
    flips_of,
    has_other_settings,
    path_became_unknown,
    records_of,
    settings_key,
    was_announced_resolved,
)
from handler.ledger.state import (
    Announcement,
    Flips,
    LedgerState,
    Opened,
    Record,
    Resolved,
    RunSummary,
    TargetState,
)
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import STORED_FIELDS, Change, Finding, Severity, Status, is_listed
from handler.model.network import ALL_REGIONS
from handler.model.run import Coverage, CoverageStatus
from handler.policy.policy import Policy

_RUNS_KEPT = 100
# Anybody who may edit rules can create and resolve any number of findings.
_RESOLVED_KEPT = 20_000


def next_state(
    previous: LedgerState | None, report: Report, policy: Policy, kind: DigestKind | None
) -> LedgerState:
    """The state after the run of that report; ``kind`` is the digest that it mailed, if any."""
    return _NextState(previous or LedgerState(), report, policy, kind).state()


class _NextState:
    """Works out the state after one run."""

    def __init__(
        self, previous: LedgerState, report: Report, policy: Policy, kind: DigestKind | None
    ) -> None:
        self._previous = previous
        self._report = report
        self._policy = policy
        self._kind = kind
        self._now = report.run.started_at
        self._has_new_settings = has_other_settings(previous, policy)
        lists_all_regions = all(c.target.region != ALL_REGIONS for c in report.coverage)
        self._replaces_targets = report.run.is_full and lists_all_regions

    def state(self) -> LedgerState:
        """The state after the run."""
        previous, run = self._previous, self._report.run
        coverage = {c.target: c for c in self._report.coverage if self._is_remembered(c)}
        targets = {
            target: TargetState(c.status, c.read_at or self._now) for target, c in coverage.items()
        }
        records = {
            finding.id: self._record(finding)
            for finding in self._report.findings
            if finding.status is not Status.RESOLVED
            and is_listed(finding, self._policy.minimum_severity)
            # The report has named the targets that the settings leave out: their findings are
            # dropped.
            and (finding.target in coverage or finding.target in previous.targets)
            and (finding.target in coverage or not self._replaces_targets)
        }
        is_whole_digest = self._kind is DigestKind.FULL and run.is_full
        return LedgerState(
            records=records,
            resolved=self._resolved(records),
            targets=targets if self._replaces_targets else {**previous.targets, **targets},
            announced=announcements_of(self._report.exceptions)
            if self._kind
            else previous.announced,
            runs=(*previous.runs, self._summary())[-_RUNS_KEPT:],
            settings=settings_key(self._policy) if run.is_full else previous.settings,
            last_full_digest_at=self._now if is_whole_digest else previous.last_full_digest_at,
        )

    def _is_remembered(self, coverage: Coverage) -> bool:
        """Whether the settings include the target; others are not stored."""
        run, target = self._report.run, coverage.target
        if run.is_full or target in self._previous.targets:
            return True
        if run.regions:
            return target.region in run.regions
        return coverage.status is CoverageStatus.OK

    def _record(self, finding: Finding) -> Record:
        known = self._previous.records.get(finding.id)
        if finding.status is Status.UNVERIFIED and known:
            return known
        records = records_of(self._previous, finding)
        if known and finding.change is None and path_became_unknown(finding, known.finding):
            before = known.finding
            finding = finding._replace(severity=before.severity, attachment=before.attachment)
        history = flips_of(
            self._previous, finding, self._now, has_new_settings=self._has_new_settings
        )
        before_mail = flips.merged(record.announced for record in records)
        return Record(outline(finding), self._announcement(finding, before_mail, history), history)

    def _announcement(
        self, finding: Finding, before: Announcement | None, history: Flips | None
    ) -> Announcement | None:
        """What mails last said of an open finding."""
        is_announced = self._kind is DigestKind.FULL or (
            self._kind is not None and (finding.is_change or finding.change is Change.NARROWED)
        )
        if not is_announced or finding.status is Status.EXCEPTED:
            return before
        opened = (Opened(finding.traffic, finding.address_set),)
        announced = Announcement(finding.severity, opened, self._now)
        if history and before and flips.is_within(before.at, self._now, flips.PERIOD):
            merged = flips.merged([announced, before])
            return merged._replace(is_open=True) if merged else announced
        return announced

    def _resolved(self, records: dict[str, Record]) -> dict[str, Resolved]:
        """The resolved findings, the latest last."""
        resolved = {
            finding_id: self._without_stale_record(gone)
            for finding_id, gone in self._previous.resolved.items()
            if finding_id not in records
            and flips.is_within(gone.resolved_at, self._now, REMEMBERED)
        }
        for finding in self._report.with_status(Status.RESOLVED):
            if finding.id in self._previous.resolved and finding.id not in self._previous.records:
                gone = resolved.get(finding.id)
                if gone and gone.record and self._kind:
                    resolved[finding.id] = gone._replace(
                        record=_announced_as_resolved(gone.record, self._now)
                    )
                continue
            history = flips_of(
                self._previous, finding, self._now, has_new_settings=self._has_new_settings
            )
            records_before = records_of(self._previous, finding)
            announced = flips.merged(record.announced for record in records_before)
            record = Record(outline(finding), announced, history)
            resolved[finding.id] = self._newly_resolved(finding, record)
        for finding in self._report.changes.unlisted if self._report.changes else ():
            # Stored as resolved, so that it counts as reopened if it returns.
            history = flips_of(self._previous, finding, self._now, has_new_settings=False)
            known = self._previous.records[finding.id]
            resolved[finding.id] = self._newly_resolved(finding, known._replace(flips=history))
        return dict(list(resolved.items())[-_RESOLVED_KEPT:])

    def _newly_resolved(self, finding: Finding, record: Record) -> Resolved:
        """The entry of a finding that this run resolved."""
        first_seen = finding.first_seen or self._now
        record = _announced_as_resolved(record, self._now) if self._kind else record
        return Resolved(finding.target.account, first_seen, self._now, record)

    def _without_stale_record(self, gone: Resolved) -> Resolved:
        """A resolved finding, without its record once it is stable and a mail has reported it."""
        if gone.record is None or not was_announced_resolved(gone.record):
            return gone
        is_stable = flips.current([gone.record.flips], self._now) is None
        return gone._replace(record=None) if is_stable else gone

    def _summary(self) -> RunSummary:
        totals, run = self._report.totals, self._report.run
        return RunSummary(
            id=run.id,
            trigger=run.trigger,
            started_at=run.started_at,
            opened=totals.opened,
            resolved=totals.resolved,
            open={severity: totals.openings.get(severity, 0) for severity in Severity},
            not_read=totals.unread,
            mailed=self._kind is not None,
        )


def _announced_as_resolved(record: Record, now: str) -> Record:
    """The record after a mail has said that the finding is resolved."""
    finding = record.finding
    opened = (Opened(finding.traffic, finding.address_set),)
    announced = record.announced or Announcement(finding.severity, opened, now)
    return record._replace(announced=announced._replace(is_open=False))


def outline(finding: Finding) -> Finding:
    """The finding without the fields that only a report needs."""
    stored: tuple[Any, ...] = finding[:STORED_FIELDS]
    return Finding(*stored)
