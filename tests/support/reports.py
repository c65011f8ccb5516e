"""Reports built from the scan of a snapshot."""

import json
from typing import Any

from cli.snapshot_file import Snapshot
from handler.audit import build_report
from handler.ledger.state import LedgerState
from handler.model.audit_report import Report
from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Run, Scan, Trigger
from handler.policy.policy import Policy
from handler.scan import scan_target

ACCOUNT = "123456789012"
IRELAND = Target(ACCOUNT, "eu-west-1")
FRANKFURT = Target(ACCOUNT, "eu-central-1")
DENIED = Scan(Coverage(FRANKFURT, CoverageStatus.DENIED, error="UnauthorizedOperation: <b>No</b>."))


def read(*groups: dict[str, Any], target: Target = IRELAND, **more: object) -> Scan:
    """The scan of a region with these groups, and with more of what a snapshot may hold."""
    snapshot = {"SecurityGroups": groups, **more}
    return scan_target(target, Snapshot(json.dumps(snapshot).encode()), Policy())


def of(
    *scans: Scan,
    trigger: Trigger = Trigger.SCHEDULE,
    stack: str | None = "dev",
    policy: Policy | None = None,
    previous: LedgerState | None = None,
    is_full: bool = True,
) -> Report:
    """The report of a run with these scans, after that state."""
    started_at, finished_at = "2026-11-23T06:00:00Z", "2026-11-23T06:00:07Z"
    run = Run("run-1", trigger, started_at, finished_at, stack, is_full)
    return build_report(run, scans, policy or Policy(), previous)
