"""The part of a report about what one person has opened, for a mail to that person."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from handler.model.audit_report import Changes, Report
from handler.model.finding import Finding
from handler.model.opened_by import ActorKind, OpenedBy
from handler.model.policy_exception import ExceptionReview

# Administrators choose the names of these principals; callers choose the names of role sessions.
_KINDS = frozenset({ActorKind.IAM_USER, ActorKind.IDENTITY_CENTER_USER})


def copies_of(report: Report, domains: Collection[str]) -> Iterator[tuple[str, Report]]:
    """Each person's address and the report on what they have opened in this run, sorted.

    A person is an IAM user or IAM Identity Center user whose name is an address in one of the
    domains, which are in lower case.
    """
    findings_of: dict[str, list[Finding]] = {}
    for finding in report.listed(report.open):
        if finding.is_opening and (address := _address(finding, domains)):
            findings_of.setdefault(address, []).append(finding)
    for address, findings in sorted(findings_of.items()):
        targets = {finding.target for finding in findings}
        part = replace(
            report,
            coverage=tuple(c for c in report.coverage if c.target in targets),
            findings=tuple(findings),
            authorized=(),
            exceptions=ExceptionReview(),
            changes=Changes(),
            notices=(),
        )
        yield address, part


def _address(finding: Finding, domains: Collection[str]) -> str | None:
    """The name of the person who opened the finding, if it is an address in the domains."""
    opener = finding.opened_by
    if not isinstance(opener, OpenedBy) or opener.actor.kind not in _KINDS:
        return None
    name = opener.actor.name or ""
    return name if name.rpartition("@")[2].lower() in domains else None
