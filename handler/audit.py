"""One audit in three steps: plan the targets, scan each, report on all of them."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from handler import clock
from handler.aws import FAILURES, Clients
from handler.ec2.region import Ec2Region, enabled_regions
from handler.ledger.changes import find_changes
from handler.ledger.reconcile import reconcile
from handler.ledger.state import LedgerState
from handler.model.audit_report import Report
from handler.model.finding import Finding
from handler.model.network import Target
from handler.model.run import Coverage, Run, Scan
from handler.policy.exceptions import PolicyResult, apply_policy
from handler.policy.policy import Policy
from handler.scan import coverage_of, scan_target, unread_account

# Enough to hide the latency of 17 regions; more would cost memory and share one interpreter lock.
_THREADS = 6
_TOO_LATE = "the run reached its time limit before reading all of it; raise the function's timeout."


def scan_targets(
    clients: Clients,
    account: str,
    regions: Sequence[str],
    policy: Policy,
    seconds_left: Callable[[], float] = lambda: threading.TIMEOUT_MAX,
) -> Iterator[Scan]:
    """The scans of an account, in order, as they are done; no regions means all enabled ones.

    Targets that are not done when no seconds are left count as failed.
    """
    try:
        targets = plan_targets(account, regions or enabled_regions(clients.get("ec2")))
    except FAILURES as error:
        # Without the list of regions nothing was read, and that must not look clean.
        yield unread_account(account, error)
        return
    pool = ThreadPoolExecutor(_THREADS)
    try:
        scans = [(target, pool.submit(_scan, clients, policy, target)) for target in targets]
        for target, future in scans:
            try:
                yield future.result(timeout=max(0.0, seconds_left()))
            except TimeoutError:
                yield Scan(coverage_of(target, [TimeoutError(_TOO_LATE)]))
    finally:
        # A thread that still waits for an answer must not delay the mail.
        pool.shutdown(wait=False, cancel_futures=True)


def plan_targets(account: str, regions: Iterable[str]) -> list[Target]:
    """The targets to scan, sorted."""
    return sorted({Target(account, region) for region in regions})


def build_report(
    run: Run, scans: Iterable[Scan], policy: Policy, previous: LedgerState | None = None
) -> Report:
    """The report on the scans, after the policy was applied as of the run's day.

    ``previous`` is the state before the run; None if it is not known.
    """
    scans = sorted(scans, key=lambda scan: scan.coverage.target)
    coverage = tuple(scan.coverage for scan in scans)
    findings = [finding for scan in scans for finding in scan.findings]
    return report_on(run, coverage, apply_policy(findings, coverage, policy, run), policy, previous)


def report_on(
    run: Run,
    coverage: Sequence[Coverage],
    result: PolicyResult,
    policy: Policy,
    previous: LedgerState | None,
) -> Report:
    """The report on findings to which the policy has been applied."""
    findings, authorized, exceptions = result.findings, result.authorized, result.exceptions
    reconciled = reconcile(previous, findings, authorized, coverage, policy, run.started_at)
    return Report(
        run=run,
        coverage=tuple(coverage),
        findings=_sorted(reconciled.findings),
        authorized=_sorted(authorized),
        exceptions=exceptions,
        changes=find_changes(previous, reconciled, coverage, exceptions, is_full=run.is_full),
        minimum_severity=policy.minimum_severity,
    )


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.sort_key))


def _scan(clients: Clients, policy: Policy, target: Target) -> Scan:
    read_at = clock.precise_timestamp()
    try:
        scan = scan_target(target, Ec2Region(clients.get("ec2", target.region)), policy)
    except Exception as error:  # noqa: BLE001 -- one target's error must not fail the others
        unexpected = ValueError(f"{type(error).__name__}: {error}")
        scan = Scan(coverage_of(target, [unexpected]))
    return scan._replace(coverage=scan.coverage._replace(read_at=read_at))
