"""One audit in three steps: plan the targets, scan each, report on all of them."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from handler import collect
from handler.aws import FAILURES, Clients
from handler.exceptions import apply
from handler.model import ALL_REGIONS, Report, Run, Scan, Target
from handler.policy import Policy
from handler.scan import coverage, scan

# They hide the latency of 17 regions; more cost memory and share one interpreter lock.
_THREADS = 4


def scans(clients: Clients, regions: Sequence[str], policy: Policy) -> Iterator[Scan]:
    """Every target's scan, in order, as it is done; no regions means all enabled ones.

    Raises one of ``aws.FAILURES`` when not even the account is known.
    """
    account = collect.account(clients.get("sts"))
    try:
        targets = plan(account, regions or collect.enabled_regions(clients.get("ec2")))
    except FAILURES as error:
        # Without the list of regions nothing was read, and that must not look clean.
        yield Scan(coverage(Target(account, ALL_REGIONS), [error]))
        return
    with _collector_paused(), ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(partial(_scan, clients, policy), targets)


def plan(account: str, regions: Iterable[str]) -> list[Target]:
    """The targets to scan, sorted."""
    return sorted({Target(account, region) for region in regions})


def report(run: Run, scanned: Iterable[Scan], policy: Policy) -> Report:
    """All that the scans found, less what the policy accepts that day, in the report's order."""
    scanned = list(scanned)
    coverage = tuple(sorted((each.coverage for each in scanned), key=lambda each: each.target))
    found = sorted(
        (finding for each in scanned for finding in each.findings),
        key=lambda finding: finding.sort_key,
    )
    applied = apply(found, coverage, policy, run.day)
    return Report(run, coverage, applied.findings, applied.authorized, applied.exceptions)


def _scan(clients: Clients, policy: Policy, target: Target) -> Scan:
    return scan(target, collect.Region(clients.get("ec2", target.region)), policy)


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
