"""Runs of the audit one after another, with what is known between them and without AWS."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli.snapshot_file import Snapshot
from handler.audit import build_report
from handler.digest_choice import choose_digest
from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Finding, Status
from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Run, Scan, Trigger
from handler.policy.policy import Policy
from handler.scan import scan_target
from handler.settings import Notify
from tests.support.reports import IRELAND


@dataclass(frozen=True, slots=True)
class Step:
    """What a run reads, and its settings; ``region`` is a snapshot without its groups."""

    groups: tuple[dict[str, Any], ...] = ()
    region: dict[str, Any] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    target: Target = IRELAND
    status: CoverageStatus = CoverageStatus.OK
    is_full: bool = True

    def scan(self) -> Scan:
        """The scan of the target; one that was not read in full has findings all the same."""
        snapshot = {"SecurityGroups": self.groups, **self.region}
        scan = scan_target(self.target, Snapshot(json.dumps(snapshot).encode()), self.policy)
        if self.status is CoverageStatus.OK:
            return scan
        return Scan(Coverage(self.target, self.status, error="Not all was read."), scan.findings)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: its report, the digest that it mailed, and what is known after it."""

    report: Report
    kind: DigestKind | None
    state: LedgerState

    @property
    def time(self) -> datetime:
        """When the run started."""
        return datetime.fromisoformat(self.report.run.started_at)

    @property
    def listed(self) -> tuple[Finding, ...]:
        """All findings that the report lists."""
        return self.report.listed(self.report.findings)

    @property
    def mailed(self) -> tuple[Finding, ...]:
        """The open findings that its mail lists."""
        listed = self.report.listed(self.report.open)
        if self.kind is DigestKind.CHANGES:
            return tuple(finding for finding in listed if finding.is_change)
        return listed if self.kind else ()

    def with_status(self, status: Status) -> tuple[Finding, ...]:
        """The listed findings with that status."""
        return self.report.listed(self.report.with_status(status))


def run(
    state: LedgerState,
    scans: Sequence[Scan],
    at: datetime,
    policy: Policy,
    *,
    is_full: bool = True,
) -> Outcome:
    """One run of a stack that mails changes; what it mails is accepted."""
    time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    this_run = Run(f"run-{time}", Trigger.SCHEDULE, time, time, "dev", is_full)
    report = build_report(this_run, scans, policy, state)
    kind = choose_digest(Notify.CHANGES, report, state.last_full_digest_at)
    return Outcome(report, kind, next_state(state, report, policy, kind))


def follow(state: LedgerState, step: Step, at: datetime) -> Outcome:
    """The run that reads what the step says."""
    return run(state, [step.scan()], at, step.policy, is_full=step.is_full)
