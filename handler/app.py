"""What Lambda calls: one audit, from the event to the mail."""

import logging
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from handler import notify
from handler.audit import report, scans
from handler.aws import Clients
from handler.model import CoverageStatus, Report, Run, Scan, Severity, Trigger
from handler.settings import Settings, deployed_policy

_LOGGER = logging.getLogger(__name__)
_SCHEDULERS = ("aws.events", "aws.scheduler")


class AuditIncompleteError(Exception):
    """Something could not be read; the log and the mail say what."""


def lambda_handler(event: object, context: object) -> dict[str, Any]:
    """Audit every target and mail what is open.

    The result is ``{"statusCode": 200, "body": "Audit complete."}`` with the run's counts.
    Raises ``SettingsError`` or ``PolicyError`` before anything is read, ``MailError`` when SES
    refuses the digest, and ``AuditIncompleteError``, after the mail, when something was not read.
    """
    settings, policy, clients = Settings.from_env(os.environ), deployed_policy(), Clients()
    clock, started_at = time.monotonic(), _now()
    run_id = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    trigger = _trigger(event)
    _LOGGER.info("Audit started.", extra={"runId": run_id, "trigger": trigger.value})

    scanned = list(_logged(scans(clients, settings.regions, policy)))
    run = Run(run_id, trigger, started_at, finished_at=_now(), stack=settings.stack)
    audit = report(run, scanned, policy)
    _log_findings(audit)
    mailed = notify.is_wanted(settings.notify, audit, policy)
    if mailed:
        notify.send(clients.get("sesv2"), settings, notify.compose(settings, audit, policy))

    counts = _counts(audit) | {"mailed": int(mailed)}
    duration = round((time.monotonic() - clock) * 1000)
    _LOGGER.info("Audit finished.", extra=counts | {"runId": run_id, "durationMs": duration})
    if not audit.complete:
        message = f"The audit is incomplete: {'; '.join(_unread(audit))}"
        raise AuditIncompleteError(message)
    return {"statusCode": 200, "body": "Audit complete.", "counts": counts}


def _trigger(event: object) -> Trigger:
    """What an event of any shape means; whatever is no schedule and no change is a person."""
    fields = event if isinstance(event, dict) else {}
    if fields.get("source") in _SCHEDULERS:
        return Trigger.SCHEDULE
    if fields.get("detail-type") == "AWS API Call via CloudTrail":
        return Trigger.CHANGE
    return Trigger.MANUAL


def _logged(scanned: Iterable[Scan]) -> Iterator[Scan]:
    """The scans as they come, each with its line in the log."""
    for scan in scanned:
        coverage, target = scan.coverage, scan.coverage.target
        place: dict[str, str | int] = {"account": target.account, "region": target.region}
        read = {"status": coverage.status.value, "groups": coverage.groups, "rules": coverage.rules}
        if coverage.status is CoverageStatus.OK:
            _LOGGER.info("Target read.", extra=place | read)
        else:
            _LOGGER.error("Target not read.", extra=place | read | {"reason": coverage.error or ""})
        yield scan


def _log_findings(audit: Report) -> None:
    for finding in audit.findings:
        what: dict[str, str | int] = {
            "account": finding.target.account,
            "region": finding.target.region,
            "findingId": finding.id,
            "kind": finding.kind.value,
            "severity": finding.severity.value,
            "status": finding.status.value,
            "groupId": finding.group_id,
            "protocol": finding.traffic.protocol,
            "reach": finding.reach.value,
            "ruleIds": ",".join(finding.rule_ids),
        }
        if None not in (ports := (finding.traffic.from_port, finding.traffic.to_port)):
            what["ports"] = "-".join(map(str, ports))
        _LOGGER.warning("Finding.", extra=what)


def _counts(audit: Report) -> dict[str, int]:
    return {
        "targets": len(audit.coverage),
        "targetsNotRead": len(audit.unread),
        "groups": sum(coverage.groups for coverage in audit.coverage),
        "rules": sum(coverage.rules for coverage in audit.coverage),
        "findings": len(audit.open),
        "excepted": len(audit.findings) - len(audit.open),
        **{severity.value: audit.count(severity) for severity in Severity},
    }


def _unread(audit: Report) -> Iterator[str]:
    for coverage in audit.unread:
        yield f"{coverage.target.region} was not read: {coverage.error}"
    for finding in audit.unreadable:
        yield f"{finding.group_id} in {finding.target.region}: {finding.detail}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
