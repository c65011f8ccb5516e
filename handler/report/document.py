"""The report as the JSON object that other systems read."""

from typing import Any

from handler.fix import authorize
from handler.model import Accepted, Finding, Report, Severity, Status
from handler.report import words

VERSION = 1


def document(report: Report) -> dict[str, Any]:
    """The report as JSON-serialisable data, the same for the same report."""
    run = report.run
    return {
        "version": VERSION,
        "run": {
            "id": run.id,
            "trigger": run.trigger,
            "startedAt": run.started_at,
            "finishedAt": run.finished_at,
        },
        "coverage": [
            {
                "account": coverage.target.account,
                "region": coverage.target.region,
                "status": coverage.status,
                "groups": coverage.groups,
                "rules": coverage.rules,
                "error": coverage.error,
            }
            for coverage in report.coverage
        ],
        "summary": {
            **{severity: report.count(severity) for severity in Severity},
            **{
                status: len(report.of(status))
                for status in (Status.EXCEPTED, Status.UNVERIFIED, Status.RESOLVED)
            },
            "complete": report.complete,
        },
        "findings": [finding_object(finding) for finding in report.findings],
        "authorized": [finding_object(finding) for finding in report.authorized],
        "notices": list(report.notices),
        "exceptions": {
            "expired": [_accepted(each) for each in report.exceptions.expired],
            "expiring": [_accepted(each) for each in report.exceptions.expiring],
            "unused": [_accepted(each) for each in report.exceptions.unused],
        },
    }


def finding_object(finding: Finding) -> dict[str, Any]:
    """One finding as JSON-serialisable data."""
    traffic = finding.traffic
    return {
        "id": finding.id,
        "kind": finding.kind,
        "severity": finding.severity,
        "status": finding.status,
        "account": finding.target.account,
        "region": finding.target.region,
        "groupId": finding.group_id,
        **({"groupIds": list(finding.group_ids)} if finding.group_ids else {}),
        **({"groupNames": list(finding.group_names)} if finding.group_names else {}),
        "groupName": finding.group_name,
        "vpcId": finding.vpc_id,
        "family": finding.family,
        "protocol": traffic.protocol,
        "fromPort": traffic.from_port,
        "toPort": traffic.to_port,
        "icmpType": traffic.icmp_type,
        "icmpCode": traffic.icmp_code,
        "service": finding.service,
        "reach": finding.reach,
        "addresses": finding.addresses,
        "share": finding.share,
        "sources": list(finding.sources),
        "prefixLists": list(finding.prefix_lists),
        "ruleIds": list(finding.rule_ids),
        "attachment": finding.attachment,
        "interfaces": list(finding.interfaces),
        "attached": list(finding.attached),
        "owner": finding.owner,
        "why": finding.why,
        "exception": finding.exception,
        "firstSeen": finding.first_seen,
        "lastSeen": finding.last_seen,
        "resolvedAt": finding.resolved_at,
        "worsenedFrom": finding.worsened_from,
        "fix": finding.fix,
        "narrower": authorize(finding),
        "console": words.console(finding),
        "detail": finding.detail,
    }


def _accepted(exception: Accepted) -> dict[str, Any]:
    return {
        "group": exception.group,
        "ports": exception.ports,
        "source": exception.source,
        "reason": exception.reason,
        "owner": exception.owner,
        "until": exception.until.isoformat(),
        "account": exception.account,
        "region": exception.region,
    }
