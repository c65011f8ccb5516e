"""Scans one account, as a step of the state machine: enter it, read, evaluate, store."""

import gc
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from handler import clock, logs
from handler.assume_role import enter_account
from handler.audit import scan_targets
from handler.aws import FAILURES, Clients, caller_of
from handler.model.run import Run, Scan, Trigger
from handler.organization.configuration import deployed_organization
from handler.organization.plan import Account, account_item
from handler.organization.run_objects import RunObjects
from handler.organization.stored_scan import AccountScan, bounded, encode_scan, failed_scan
from handler.policy.exceptions import apply_policy
from handler.sanitize import cut
from handler.scan import unread_account
from handler.settings import SettingsError, deployed_policy, regions_in, required

_LONGEST_CAUSE = 300


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Store the scan of the account in ``item``, or that it failed, with ``failure``.

    The first result of an account in a run is kept. The result is ``{}``; raises one of
    ``aws.FAILURES`` if the scan cannot be stored, and ``SettingsError``, ``PolicyError`` or
    ``PlanError`` before anything is read.
    """
    # An account's clients are in reference cycles, and a warm function reads hundreds of accounts.
    # What the last one left is in the youngest generation.
    gc.collect(0)
    budget, clients = clock.TimeBudget(context), Clients()
    account, run = account_item(event["item"]), str(event["run"])
    objects = RunObjects(clients.get("s3"), required(os.environ, "LEDGER_BUCKET"), run)
    if failure := event.get("failure"):
        scan = failed_scan(account.id, _text_of(failure), clock.precise_timestamp())
    else:
        started = Run(run, Trigger.SCHEDULE, str(event["startedAt"]), clock.timestamp())
        scan = _read(account, started, clients, budget)
    body = encode_scan(account.id, bounded(scan))
    objects.put_once(objects.scan_key(account.id), body)
    return {}


def _read(account: Account, run: Run, clients: Clients, budget: clock.TimeBudget) -> AccountScan:
    """Read every region, and apply the policy as of the day of the run."""
    organization, policy = deployed_organization(), deployed_policy()
    if organization is None:
        raise SettingsError("organization.json is missing.")
    regions, began = account.regions or regions_in(os.environ), clock.precise_timestamp()
    scans: Iterable[Scan]
    try:
        caller, role = caller_of(clients), organization.member_role
        entered = enter_account(clients, caller, account.id, role, organization.external_id)
    except FAILURES as error:
        scans = [unread_account(account.id, error)]
    else:
        seconds_left = budget.reading_seconds_left
        scans = scan_targets(entered, account.id, regions, policy, seconds_left)
    read = list(logs.log_scans(scans))
    coverage = tuple(s.coverage._replace(read_at=s.coverage.read_at or began) for s in read)
    findings = [finding for scan in read for finding in scan.findings]
    applied = apply_policy(findings, coverage, policy, run)
    used = frozenset(exception.key for exception in applied.used)
    return AccountScan(coverage, applied.findings, applied.authorized, used)


def _text_of(failure: Mapping[str, Any]) -> str:
    """Why a scan failed, from what Step Functions and Lambda say."""
    error, cause = str(failure.get("Error", "")), str(failure.get("Cause", ""))
    try:
        message = json.loads(cause)["errorMessage"]
    except (ValueError, TypeError, KeyError):
        message = cause
    words = ": ".join(filter(None, (error, " ".join(str(message).split()))))
    return f"its scan failed: {cut(words, _LONGEST_CAUSE)}"
