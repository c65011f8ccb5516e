"""What Lambda calls: one audit, from the event to the mail and the ledger."""

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from handler import clock
from handler.audit import endless, report, scans
from handler.aws import Clients
from handler.event import Order, order
from handler.memory import Memory
from handler.model import ALL_REGIONS, CoverageStatus, Report, Run, Scan, Severity, Status
from handler.notify import MailError, Occasion, compose, occasion, send
from handler.policy import Policy
from handler.report.document import document
from handler.settings import Settings, deployed_policy
from handler.store import ConflictError, Store

_LOGGER = logging.getLogger(__name__)
# Reading stops that long before the end, for mail and ledger; in a short run, a third of it.
_RESERVE_SECONDS = 75.0
_BUSY = (
    "Other runs wrote the ledger until the time was over. This one has mailed nothing; what it saw "
    "is new to the next one."
)


class AuditIncompleteError(Exception):
    """Something could not be read or kept; the log and the mail say what."""


def lambda_handler(event: object, context: object) -> dict[str, Any]:
    """Audit every target, mail what there is to mail, and remember what is known.

    The result is ``{"statusCode": 200, "body": "Audit complete."}`` with the run's counts.
    Raises ``SettingsError``, ``PolicyError`` or ``EventError`` before anything is read,
    ``MailError`` when SES refuses the digest, which leaves what is known as it was, and
    ``AuditIncompleteError``, after mail and ledger, when something was not read or not kept.
    """
    settings, policy, clients = Settings.from_env(os.environ), deployed_policy(), Clients()
    ticks, started_at = time.monotonic(), clock.stamp()
    request_id = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    todo = order(event, request_id, settings)
    _LOGGER.info("Audit started.", extra={"runId": todo.id, "trigger": todo.trigger.value})

    left = _seconds_left(context)
    reserve = min(_RESERVE_SECONDS, left() / 3)
    memory = Memory(_store(clients, settings, todo), todo.id)
    while True:
        began = left()
        memory.load()
        if memory.has_answered:
            return _repeated(todo)
        scanned = list(_logged(scans(clients, todo.regions, policy, lambda: left() - reserve)))
        run = Run(todo.id, todo.trigger, started_at, clock.stamp(), settings.stack, todo.whole)
        try:
            memory.settle(left() / 2)
            audit, what = _concluded(run, scanned, policy, todo, memory)
            memory.save(document(audit))
            if what and not memory.claim(left()):
                audit, what = _concluded(run, scanned, policy, todo, memory)
            if what:
                _mail(clients, settings, policy, memory, audit, what)
            memory.commit(audit, mailed=what is not None, listed=what is Occasion.EVERYTHING)
            break
        except ConflictError as error:
            # Another run was faster, and may have seen what this one has not: once more.
            if left() - reserve < began - left():
                raise AuditIncompleteError(_BUSY) from error

    _log_findings(audit)
    counts = _counts(audit) | {"mailed": int(what is not None)}
    duration = round((time.monotonic() - ticks) * 1000)
    _LOGGER.info("Audit finished.", extra=counts | {"runId": run.id, "durationMs": duration})
    if problems := [*_unread(audit), *memory.failures]:
        message = f"The audit is incomplete: {' '.join(problems)}"
        raise AuditIncompleteError(message)
    return {"statusCode": 200, "body": "Audit complete.", "counts": counts}


def _concluded(
    run: Run, scanned: list[Scan], policy: Policy, todo: Order, memory: Memory
) -> tuple[Report, Occasion | None]:
    """What the run has to say, and what of it is to be mailed."""
    audit = replace(report(run, scanned, policy, memory.state), notices=memory.notices)
    if todo.dry_run:
        return audit, None
    return audit, occasion(todo.notify, audit, policy, memory.state)


def _mail(
    clients: Clients,
    settings: Settings,
    policy: Policy,
    memory: Memory,
    audit: Report,
    what: Occasion,
) -> None:
    """Send the mail; one that SES surely refused is none that the next run may repeat."""
    mail = compose(settings, replace(audit, notices=memory.notices), policy, what)
    try:
        send(clients.get("sesv2"), settings, mail)
    except MailError as error:
        _log_findings(audit)
        memory.release(refused=error.refused)
        raise


def _store(clients: Clients, settings: Settings, todo: Order) -> Store | None:
    """The ledger's bucket, where there is one and the run may write."""
    if settings.ledger_bucket is None or todo.dry_run:
        return None
    return Store(clients.get("s3"), settings.ledger_bucket)


def _repeated(todo: Order) -> dict[str, Any]:
    """The result for an event that was delivered again."""
    _LOGGER.info("Event answered before.", extra={"runId": todo.id})
    return {"statusCode": 200, "body": "Audit complete.", "counts": {"mailed": 0}}


def _seconds_left(context: object) -> Callable[[], float]:
    """How long the run may still take."""
    milliseconds = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: float(milliseconds() / 1000)) if milliseconds else endless


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
        **{severity.value: audit.count(severity) for severity in Severity},
        **{status.value: len(audit.of(status)) for status in Status if status is not Status.OPEN},
    }


def _unread(audit: Report) -> Iterator[str]:
    for coverage in audit.unread:
        every = coverage.target.region == ALL_REGIONS
        what = "The list of regions" if every else f"Region {coverage.target.region}"
        yield f"{what} was not read: {coverage.error}"
    for finding in audit.unreadable:
        yield f"{finding.group_id} in {finding.target.region}: {finding.detail}"
