"""One audit in three steps: plan the targets, scan each, report on all of them."""

import gc
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from handler import collect
from handler.address import Internets
from handler.aws import FAILURES, Clients
from handler.exceptions import apply
from handler.ledger import State, changes, reconcile
from handler.model import ALL_REGIONS, Finding, Report, Run, Scan, Target
from handler.policy import Policy
from handler.scan import coverage, scan

# They hide the latency of 17 regions; more cost memory and share one interpreter lock.
_THREADS = 4
_TOO_LATE = "the run's time was over before all of it was read; raise the function's timeout."


def endless() -> float:
    """The seconds that are left of a run without a limit."""
    return threading.TIMEOUT_MAX


def scans(
    clients: Clients,
    regions: Sequence[str],
    policy: Policy,
    seconds_left: Callable[[], float] = endless,
) -> Iterator[Scan]:
    """Every target's scan, in order, as it is done; no regions means all enabled ones.

    Targets that are not done when no seconds are left count as failed. Raises one of
    ``aws.FAILURES`` when not even the account is known.
    """
    account = collect.account(clients.get("sts"))
    try:
        targets = plan(account, regions or collect.enabled_regions(clients.get("ec2")))
    except FAILURES as error:
        # Without the list of regions nothing was read, and that must not look clean.
        yield Scan(coverage(Target(account, ALL_REGIONS), [error]))
        return
    pool = ThreadPoolExecutor(_THREADS)
    with _collector_paused():
        try:
            running = [(each, pool.submit(_scan, clients, policy, each)) for each in targets]
            for target, scanned in running:
                try:
                    yield scanned.result(timeout=max(0.0, seconds_left()))
                except TimeoutError:
                    yield Scan(coverage(target, [TimeoutError(_TOO_LATE)]))
        finally:
            # Whoever still waits for an answer then waits for nobody.
            pool.shutdown(wait=False, cancel_futures=True)


def plan(account: str, regions: Iterable[str]) -> list[Target]:
    """The targets to scan, sorted."""
    return sorted({Target(account, region) for region in regions})


def report(
    run: Run, scanned: Iterable[Scan], policy: Policy, previous: State | None = None
) -> Report:
    """All that the scans found, less what the policy accepts that day, in the report's order.

    ``previous`` is what was known before; None where nobody knows.
    """
    scanned = list(scanned)
    read = tuple(sorted((each.coverage for each in scanned), key=lambda each: each.target))
    found = [finding for each in scanned for finding in each.findings]
    applied = apply(found, read, policy, run)
    known = _still_judged(previous, applied.authorized, policy)
    reconciled = reconcile(known, applied.findings, read, run.started_at)
    return Report(
        run=run,
        coverage=read,
        findings=tuple(sorted(reconciled, key=lambda finding: finding.sort_key)),
        authorized=tuple(sorted(applied.authorized, key=lambda finding: finding.sort_key)),
        exceptions=applied.exceptions,
        changes=changes(previous, read, applied.exceptions, whole=run.whole),
    )


def _still_judged(
    state: State | None, authorized: Iterable[Finding], policy: Policy
) -> State | None:
    """What was known, less what the policy of today does not judge: that is not resolved.

    It is open on purpose now, or from ranges that are trusted now.
    """
    if state is None:
        return None
    ids = {finding.id for finding in authorized}
    internets = Internets(policy.trusted_cidrs)
    findings = {
        key: each
        for key, each in state.findings.items()
        if key not in ids and not (policy.trusted_cidrs and _names_private(each, internets))
    }
    return replace(state, findings=findings)


def _names_private(finding: Finding, internets: Internets) -> bool:
    """Whether a source of the finding holds no public address; then none does in a new one."""
    if not finding.kind.is_judged:
        return False
    try:
        located = [internets.locate(source) for source in finding.sources]
    except ValueError:
        # The state may hold anything.
        return False
    return any(start == end for _, (start, end) in located)


def _scan(clients: Clients, policy: Policy, target: Target) -> Scan:
    try:
        return scan(target, collect.Region(clients.get("ec2", target.region)), policy)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must not take the other targets
        surprise = ValueError(f"{type(error).__name__}: {error}")
        return Scan(coverage(target, [surprise]))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Python without its cyclic garbage collector, which takes half of the CPU of reading.

    It walks all the answers again and again and frees next to nothing: they hold no cycles, and
    go page by page. Around all threads, because there is one collector for all of them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
