"""Reads the scans of the accounts of a plan, each with the account's state."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from handler.aws import FAILURES, error_text
from handler.ledger.account_states import AccountStates
from handler.ledger.state import LedgerState, TargetState
from handler.model.finding import Status
from handler.model.run import Coverage, CoverageStatus
from handler.organization.plan import Account, Plan
from handler.organization.run_objects import RunObjects
from handler.organization.stored_scan import AccountScan, ScanError, decode_scan, failed_scan

# Enough to hide the latency of S3; each holds one account's objects in memory. Together with the
# threads that write, there are as many as a client keeps connections.
_THREADS = 6
_NO_RESULT = "its scan ended without a result."
_NOT_READ_LATER = "a later run could not read it."


class _Stored(NamedTuple):
    """The stored objects of an account: its scan, or why there is none, and its state."""

    account: Account
    scan: bytes | str
    state: bytes | None


def read_accounts(
    plan: Plan, objects: RunObjects, states: AccountStates
) -> Iterator[tuple[Account, AccountScan, LedgerState | None]]:
    """The accounts of the plan, each with its scan and its state. Raises ``StoreError``.

    For a region that another run has read since, that run's findings are used.
    """
    waiting: deque[Future[_Stored]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for account in plan.listing.accounts:
            waiting.append(pool.submit(_fetch, account, objects, states))
            if len(waiting) > _THREADS:
                yield _decoded(waiting.popleft().result(), states, plan.started_at)
        while waiting:
            yield _decoded(waiting.popleft().result(), states, plan.started_at)


def _fetch(account: Account, objects: RunObjects, states: AccountStates) -> _Stored:
    try:
        scan = objects.get(objects.scan_key(account.id)) or _NO_RESULT
    except FAILURES as error:
        scan = f"its scan could not be read: {error_text(error)}"
    return _Stored(account, scan, states.fetch(account.id))


def _decoded(
    stored: _Stored, states: AccountStates, started_at: str
) -> tuple[Account, AccountScan, LedgerState | None]:
    account = stored.account
    known = states.account_state(account.id, stored.state)
    if isinstance(stored.scan, str):
        return account, failed_scan(account.id, stored.scan, started_at), known
    try:
        scan = decode_scan(stored.scan, account.id)
    except ScanError as error:
        return account, failed_scan(account.id, str(error), started_at), known
    return account, _with_later_readings(scan, account, known), known


def _with_later_readings(
    scan: AccountScan, account: Account, known: LedgerState | None
) -> AccountScan:
    """The scan, with the state of the regions that a later run has read, or failed to read."""
    coverage = {c.target: c for c in scan.coverage if c.read_at}
    if known is None or not coverage:
        return scan
    # For regions without a reading: the role could not be assumed, or they were enabled since.
    last = max(c.read_at for c in coverage.values())
    later = {
        target: _later(coverage.get(target, Coverage(target, reading.status)), reading)
        for target, reading in known.targets.items()
        if target in coverage or not account.regions
        if reading.read_at > (coverage[target].read_at if target in coverage else last)
    }
    read = {target for target, c in later.items() if c.status is CoverageStatus.OK}
    found = (record.finding for record in known.records.values())
    return scan._replace(
        coverage=(*(c for c in scan.coverage if c.target not in later), *later.values()),
        findings=(
            *(f for f in scan.findings if f.target not in read),
            *(
                f if f.status is Status.EXCEPTED else f._replace(status=Status.OPEN)
                for f in found
                if f.target in read
            ),
        ),
        authorized=tuple(f for f in scan.authorized if f.target not in read),
        read_later=tuple(Coverage(target, CoverageStatus.FAILED) for target in read),
    )


def _later(coverage: Coverage, reading: TargetState) -> Coverage:
    """The coverage with the result of the later reading."""
    error = None if reading.status is CoverageStatus.OK else coverage.error or _NOT_READ_LATER
    return coverage._replace(status=reading.status, error=error, read_at=reading.read_at)
