"""The log lines and the result of a run: ids and numbers, never recipients or whole texts."""

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from handler.clock import TimeBudget
from handler.event import RunRequest, answer
from handler.model.finding import MAX_NAMED, Severity, Status
from handler.model.run import AuditIncompleteError, Report, Scan

if TYPE_CHECKING:
    # The scan function logs too, and starts faster without the ledger.
    from handler.ledger.steps import Outcome

_LOGGER = logging.getLogger(__name__)


def log_start(request: RunRequest) -> None:
    """Log the start of a run."""
    _LOGGER.info("Audit started.", extra={"runId": request.id, "trigger": request.trigger.value})


def log_foreign(request: RunRequest) -> None:
    """Log that an event about another account is ignored."""
    _LOGGER.warning("Event of another account ignored.", extra={"runId": request.id})


def log_scans(scans: Iterable[Scan]) -> Iterator[Scan]:
    """The scans as they arrive, each logged in one line."""
    for scan in scans:
        coverage, target = scan.coverage, scan.coverage.target
        facts: dict[str, str | int] = {
            "account": target.account,
            "region": target.region,
            "status": coverage.status.value,
            "groups": coverage.groups,
            "rules": coverage.rules,
        }
        if coverage.is_complete:
            _LOGGER.info("Target read.", extra=facts)
        else:
            _LOGGER.error("Target not read.", extra=facts | {"reason": coverage.error or ""})
        yield scan


def log_findings(report: Report) -> None:
    """Log one line per listed finding."""
    for finding in report.listed(report.findings):
        facts: dict[str, str | int] = {
            "account": finding.target.account,
            "region": finding.target.region,
            "findingId": finding.id,
            "kind": finding.kind.value,
            "severity": finding.severity.value,
            "status": finding.status.value,
            "groupId": finding.group_id,
            "protocol": finding.traffic.protocol,
            "reach": finding.reach.value,
            "ruleIds": ",".join(finding.rule_ids[:MAX_NAMED]),
        }
        if None not in (ports := (finding.traffic.from_port, finding.traffic.to_port)):
            facts["ports"] = "-".join(map(str, ports))
        _LOGGER.warning("Finding.", extra=facts)


def log_copies(copied: Iterable[bool]) -> None:
    """Log one line per copy, without its recipient."""
    for is_sent in copied:
        if is_sent:
            _LOGGER.info("Copy sent.")
        else:
            _LOGGER.warning("Copy not sent.")


def conclude(request: RunRequest, outcome: "Outcome | None", budget: TimeBudget) -> dict[str, Any]:
    """Log the counts, from which the metrics are made; the result of the run.

    Raises ``AuditIncompleteError`` if the run has a problem.
    """
    if outcome is None:
        _LOGGER.info("Event answered before.", extra={"runId": request.id})
        return answer({"mailed": 0})
    counts = counts_of(outcome.report, mailed=outcome.mailed)
    facts = counts | {"runId": request.id, "durationMs": budget.milliseconds_spent()}
    _LOGGER.info("Audit finished.", extra=facts)
    if outcome.problem:
        raise AuditIncompleteError(outcome.problem)
    return answer(counts)


def counts_of(report: Report, *, mailed: bool) -> dict[str, int]:
    """The numbers of a run: targets, groups, rules, findings by severity and status, mails."""
    totals = report.totals
    statuses = (status for status in Status if status is not Status.OPEN)
    return {
        "targets": totals.regions,
        "targetsNotRead": totals.unread,
        "groups": totals.groups,
        "rules": totals.rules,
        "findings": totals.findings,
        **{severity.value: totals.severities.get(severity, 0) for severity in Severity},
        **{status.value: totals.statuses.get(status, 0) for status in statuses},
        "mailed": int(mailed),
    }
