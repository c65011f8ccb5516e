"""An audit from a terminal: of a saved snapshot, or with the caller's own credentials."""

import uuid
from collections.abc import Iterable, Iterator, Sequence

import boto3
from rich.console import Console

from cli.errors import AuditError
from cli.snapshot import Snapshot, SnapshotError
from handler import clock
from handler.audit import build_report, scan_targets
from handler.aws import FAILURES, Clients, error_text
from handler.model.finding import Severity
from handler.model.network import Target
from handler.model.run import Report, Run, Scan, Trigger
from handler.policy.policy import Policy
from handler.report import phrases
from handler.sanitize import plain
from handler.scan import scan_target

# Where EC2 is asked for the regions when the caller has configured none.
_DEFAULT_REGION = "us-east-1"


def audit_snapshots(files: Iterable[tuple[str, bytes]], policy: Policy) -> Report:
    """The report on saved snapshots of different regions, each with the name of its file.

    Raises ``AuditError`` with the name when a file is no snapshot.
    """
    started_at = clock.timestamp()
    names = dict[Target, str]()
    scans = []
    for name, content in files:
        try:
            snapshot = Snapshot(content)
        except SnapshotError as error:
            raise AuditError(plain(f"{name}: {error}")) from error
        if first := names.get(snapshot.target):
            where = phrases.place(snapshot.target)
            message = (
                f"{name}: {where} is in {first} as well; give one file for each region, and add "
                '"Region" to files without groups'
            )
            raise AuditError(plain(message))
        names[snapshot.target] = name
        scans.append(scan_target(snapshot.target, snapshot, policy))
    return _report(started_at, scans, policy)


def audit_account(profile: str | None, regions: Sequence[str], policy: Policy) -> Report:
    """The report on these regions of the caller's account, or on all enabled ones.

    Raises ``AuditError`` when the account cannot be read.
    """
    started_at = clock.timestamp()
    try:
        region = boto3.Session(profile_name=profile).region_name or _DEFAULT_REGION
        clients = Clients(boto3.Session(profile_name=profile, region_name=region))
        scans = _with_progress(scan_targets(clients, regions, policy))
        return _report(started_at, scans, policy, is_full=not regions)
    except FAILURES as error:
        message = f"the account could not be read: {error_text(error)}"
        raise AuditError(message) from error


def exit_status(report: Report, fail_on: Severity | None) -> int:
    """3 when something was not read, 1 when a finding is that severe or worse, else 0."""
    if not report.is_complete:
        return 3
    return int(
        fail_on is not None
        and any(finding.severity.is_at_least(fail_on) for finding in report.open)
    )


def _with_progress(scans: Iterable[Scan]) -> Iterator[Scan]:
    """The scans as they come, with their number on a terminal."""
    with Console(stderr=True).status("Reading the regions ...") as status:
        for number, scan in enumerate(scans, start=1):
            status.update(f"Regions read: {number}, the last one {scan.coverage.target.region}")
            yield scan


def _report(
    started_at: str, scans: Iterable[Scan], policy: Policy, *, is_full: bool = True
) -> Report:
    read = list(scans)
    run = Run(str(uuid.uuid4()), Trigger.MANUAL, started_at, clock.timestamp(), is_full=is_full)
    return build_report(run, read, policy)
