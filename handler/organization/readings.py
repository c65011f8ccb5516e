"""Reads the scans of the accounts of a plan, each with what is known of its account."""

from collections import deque
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from handler.aws import FAILURES, error_text
from handler.ledger.accounts import AccountBook
from handler.ledger.state import LedgerState, TargetState
from handler.model.finding import Status
from handler.model.network import ALL_REGIONS, Target
from handler.model.run import Coverage, CoverageStatus
from handler.organization.account_scan import AccountScan, ScanError, decode_scan, failed_scan
from handler.organization.objects import Exchange
from handler.organization.plan import Account, Plan

# They hide the latency of S3; each holds the objects of one account in memory. With those that
# write, they are as many as a client keeps connections.
_THREADS = 6
_NO_RESULT = "its scan ended without a result."
_NOT_READ_LATER = "a later run could not read it."


class _Stored(NamedTuple):
    """What is stored of an account: its scan, or why there is none, and what is known of it."""

    account: Account
    scan: bytes | str
    known: bytes | None


def read_accounts(
    plan: Plan, exchange: Exchange, book: AccountBook
) -> Iterator[tuple[Account, AccountScan, LedgerState | None]]:
    """The accounts of the plan, with what was read and what was known. Raises ``StoreError``.

    Of a region that a later run has read since, what was read is what that run has left.
    """
    waiting: deque[Future[_Stored]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for account in plan.listing.accounts:
            waiting.append(pool.submit(_fetch, account, exchange, book))
            if len(waiting) > _THREADS:
                yield _decoded(waiting.popleft().result(), book)
        while waiting:
            yield _decoded(waiting.popleft().result(), book)


def _fetch(account: Account, exchange: Exchange, book: AccountBook) -> _Stored:
    try:
        scan = exchange.get(exchange.scan_key(account.id)) or _NO_RESULT
    except FAILURES as error:
        scan = f"its scan could not be read: {error_text(error)}"
    return _Stored(account, scan, book.fetch(account.id))


def _decoded(stored: _Stored, book: AccountBook) -> tuple[Account, AccountScan, LedgerState | None]:
    account = stored.account
    known = book.known(account.id, stored.known)
    if isinstance(stored.scan, str):
        return account, failed_scan(account.id, stored.scan), known
    try:
        scan = decode_scan(stored.scan, account.id)
    except ScanError as error:
        return account, failed_scan(account.id, str(error)), known
    return account, _with_later_readings(scan, known), known


def _with_later_readings(scan: AccountScan, known: LedgerState | None) -> AccountScan:
    """The scan, with what is known of the regions that a later run has read, or could not read."""
    targets = known.targets if known else {}
    later = {t: r for t, r in targets.items() if r.read_at > (_began(scan, t) or r.read_at)}
    if known is None or not later:
        return scan
    read = {target for target, reading in later.items() if reading.status is CoverageStatus.OK}
    found = (record.finding for record in known.records.values())
    return scan._replace(
        coverage=tuple(_later_coverage(scan, targets.keys() - later.keys(), later)),
        findings=(
            *(f for f in scan.findings if f.target not in read),
            *(f._replace(status=_as_read(f.status)) for f in found if f.target in read),
        ),
        authorized=tuple(f for f in scan.authorized if f.target not in read),
        read_later=tuple(Coverage(target, CoverageStatus.FAILED) for target in read),
    )


def _began(scan: AccountScan, target: Target) -> str | None:
    """When the scan began to read the target; None where it has not, or that is not known."""
    began = {coverage.target: coverage.read_at for coverage in scan.coverage}
    if target in began:
        return began[target]
    # Where the account could not be entered, that stands for all of its regions.
    if target.region == ALL_REGIONS:
        return max(began.values(), default="")
    return began.get(target._replace(region=ALL_REGIONS))


def _later_coverage(
    scan: AccountScan, others: AbstractSet[Target], later: Mapping[Target, TargetState]
) -> Iterator[Coverage]:
    """What the scan and the later run have read; ``others`` is known and not read later."""
    began = {coverage.target: coverage for coverage in scan.coverage}
    for target, coverage in began.items():
        is_said_by_regions = target.region == ALL_REGIONS and not others - {target}
        if target not in later and not is_said_by_regions:
            yield coverage
    for target, reading in later.items():
        coverage = began.get(target, Coverage(target, reading.status))
        error = None if reading.status is CoverageStatus.OK else coverage.error or _NOT_READ_LATER
        yield coverage._replace(status=reading.status, error=error, read_at=reading.read_at)


def _as_read(status: Status) -> Status:
    return status if status is Status.EXCEPTED else Status.OPEN
