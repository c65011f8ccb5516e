"""The advice in a digest: where to start."""

from handler.model.audit_report import Report
from handler.model.finding import Finding, Severity
from handler.model.totals import OpeningList
from handler.report import phrases
from handler.report.coverage import notices
from handler.report.subject import is_clean, worst_of
from handler.sanitize import cut

_URGENT = Severity.HIGH


def advice(report: Report, selected: OpeningList, *, is_full: bool) -> str:
    """Where to start; empty if the headline is enough.

    ``selected`` are the openings that the digest lists.
    """
    if len(selected) == 1 and (report.is_complete or not is_full):
        return ""
    worst = worst_of(selected).finding if selected else None
    if worst and worst.severity.is_at_least(_URGENT):
        return _start_with(worst, report.names.get(worst.target.account))
    if not report.is_complete:
        return "Start with what could not be read."
    if report.exceptions.expiring:
        return "Renew the exceptions that expire soon, or close what they accept."
    if report.openings:
        return "No critical or high findings." if is_full else ""
    is_due = report.exceptions.expired or report.exceptions.unused
    review = "Review the exceptions that have expired or match nothing." if is_due else ""
    # Anything not read in this run, or below the minimum severity, may be open.
    is_all = is_clean(report) and not any(notices(report))
    return review or ("Nothing to do." if is_all else "")


def _start_with(finding: Finding, account: str | None) -> str:
    place = phrases.group_names(finding, phrases.LONGEST_NAME)
    place += f" in {cut(account, phrases.LONGEST_NAME)}" if account else ""
    service, audience = phrases.service(finding), phrases.audience(finding)
    path = f"is open to {audience}"
    if finding.attached:
        path = f"from {audience} reaches {cut(finding.attached[0], phrases.LONGEST_NAME)}"
    owner = f" (owner: {cut(finding.owner, phrases.LONGEST_NAME)})" if finding.owner else ""
    return cut(f"Start with {place}: {service} {path}{owner}.", 3 * phrases.LONGEST_NAME)
