"""The result of a run for its caller: the counts, or the error with which it fails."""

from typing import Any

from handler import logs
from handler.clock import TimeBudget
from handler.event import RunRequest
from handler.ledger.steps import Outcome
from handler.model.audit_report import Report
from handler.model.finding import Severity, Status
from handler.model.run import AuditIncompleteError


def result_of(request: RunRequest, outcome: Outcome | None, budget: TimeBudget) -> dict[str, Any]:
    """The result of a run, which is logged; None was an event that needed no run.

    Raises ``AuditIncompleteError`` if the run has a problem.
    """
    if outcome is None:
        logs.log_answered(request)
        return complete({"mailed": 0})
    counts = counts_of(outcome.report, mailed=outcome.mailed)
    logs.log_counts(request, counts, budget.milliseconds_spent())
    if outcome.problem:
        raise AuditIncompleteError(outcome.problem)
    return complete(counts)


def complete(counts: dict[str, int]) -> dict[str, Any]:
    """The result of a run with these counts."""
    return {"statusCode": 200, "body": "Audit complete.", "counts": counts}


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
