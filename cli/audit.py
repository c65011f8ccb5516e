"""The audit command: reads saved snapshots, or accounts with the caller's credentials."""

import gc
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

import boto3
from botocore.exceptions import NoCredentialsError
from rich.console import Console

from cli.errors import AuditError
from cli.snapshot_file import Snapshot, SnapshotError
from handler import clock
from handler.assume_role import enter_account
from handler.audit import build_report, scan_targets
from handler.aws import FAILURES, Caller, Clients, caller_of, error_text
from handler.model.audit_report import Report
from handler.model.finding import Severity
from handler.model.network import Target
from handler.model.run import Run, Scan, Trigger
from handler.model.totals import AccountResult
from handler.policy.policy import Policy
from handler.report import phrases
from handler.sanitize import plain
from handler.scan import scan_target, unread_account

# The region that is asked for the account and its regions if the caller has configured none.
_DEFAULT_REGION = "us-east-1"
# Each account reads several regions at a time, and one interpreter lock is shared by all.
_ACCOUNTS_AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class OtherAccounts:
    """Accounts to read through a role in each; the role's name begins with its path, if any."""

    ids: Sequence[str]
    role_name: str
    external_id: str | None = None


def audit_snapshots(files: Iterable[tuple[str, bytes]], policy: Policy) -> Report:
    """The report on saved snapshots of different regions, each with the name of its file.

    Raises ``AuditError`` with the name if a file is no snapshot.
    """
    started_at = clock.timestamp()
    names = dict[Target, str]()
    scans = []
    for name, content in files:
        try:
            snapshot = Snapshot(content)
        except SnapshotError as error:
            raise AuditError(plain(f"{name}: {error}")) from error
        if other := names.get(snapshot.target):
            place = phrases.place(snapshot.target)
            raise AuditError(
                plain(
                    f"{name}: {place} is in {other} as well; give one file for each region, and "
                    'add "Region" to files without groups'
                )
            )
        names[snapshot.target] = name
        scans.append(scan_target(snapshot.target, snapshot, policy))
    return _report(started_at, scans, policy)


def audit_accounts(
    profile: str | None,
    regions: Sequence[str],
    policy: Policy,
    others: OtherAccounts | None,
) -> Report:
    """The report on these regions, or on all enabled ones, of the caller's account or of others.

    Raises ``AuditError`` if the caller's account is not known.
    """
    started_at = clock.timestamp()
    try:
        region = boto3.Session(profile_name=profile).region_name or _DEFAULT_REGION
        clients = Clients(boto3.Session(profile_name=profile, region_name=region))
        # Without valid credentials no account can be entered.
        caller = caller_of(clients)
        scans = (
            _scan_others(clients, caller, others, regions, policy)
            if others
            else scan_targets(clients, caller.account, regions, policy)
        )
        scans = _with_progress(scans, len(others.ids) if others else 1)
        report = _report(started_at, scans, policy, is_full=not regions)
        return _with_accounts(report, others.ids) if others else report
    except FAILURES as error:
        hint = (
            " Set AWS_PROFILE, or use --profile." if isinstance(error, NoCredentialsError) else ""
        )
        raise AuditError(f"the account could not be read: {error_text(error)}{hint}") from error


def exit_status(report: Report, fail_on: Severity | None) -> int:
    """3 if something was not read, 1 if a finding is that severe or worse, else 0."""
    if not report.is_complete:
        return 3
    return int(
        fail_on is not None
        and any(finding.severity.is_at_least(fail_on) for finding in report.open)
    )


def _scan_others(
    clients: Clients,
    caller: Caller,
    others: OtherAccounts,
    regions: Sequence[str],
    policy: Policy,
) -> Iterator[Scan]:
    """The scans of each account, as the accounts are done.

    An account whose role cannot be assumed counts as not read.
    """

    def scan_account(account: str) -> list[Scan]:
        try:
            entered = enter_account(clients, caller, account, others.role_name, others.external_id)
            return list(scan_targets(entered, account, regions, policy))
        except FAILURES as error:
            return [unread_account(account, error)]

    pool = ThreadPoolExecutor(_ACCOUNTS_AT_A_TIME)
    try:
        futures = [pool.submit(scan_account, account) for account in others.ids]
        for future in as_completed(futures):
            yield from future.result()
            # The clients of an account hold each other: those of 100 accounts are 2 GB.
            gc.collect()
    finally:
        # Accounts that are still waiting must not delay the end after Ctrl-C.
        pool.shutdown(wait=False, cancel_futures=True)


def _with_accounts(report: Report, ids: Iterable[str]) -> Report:
    """The report with the numbers of each account."""
    openings: dict[str, Counter[Severity]] = {account: Counter() for account in sorted(ids)}
    for opening in report.openings:
        openings[opening.finding.target.account][opening.finding.severity] += 1
    unread = {coverage.target.account for coverage in report.unread}
    accounts = (AccountResult(i, None, counts, i not in unread) for i, counts in openings.items())
    return replace(report, accounts=tuple(accounts))


def _with_progress(scans: Iterable[Scan], accounts: int) -> Iterator[Scan]:
    """The scans unchanged; a terminal shows how many there are so far."""
    read = set[str]()
    with Console(stderr=True).status("Reading the regions ...") as status:
        for number, scan in enumerate(scans, start=1):
            target = scan.coverage.target
            read.add(target.account)
            last = f", the last one {target.region}"
            ending = f" in {len(read)} of {accounts} accounts" if accounts > 1 else last
            status.update(f"Regions read: {number}{ending}")
            yield scan


def _report(
    started_at: str, scans: Iterable[Scan], policy: Policy, *, is_full: bool = True
) -> Report:
    read = list(scans)
    run = Run(str(uuid.uuid4()), Trigger.MANUAL, started_at, clock.timestamp(), is_full=is_full)
    return build_report(run, read, policy)
