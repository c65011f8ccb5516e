"""The report as the JSON object that other systems read."""

from typing import Any

from handler.model import Accepted, Finding, Report, Severity
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
            "excepted": len(report.findings) - len(report.open),
            "unverified": 0,
            "complete": report.complete,
        },
        "findings": [_finding(report, finding) for finding in report.findings],
        "authorized": [_finding(report, finding) for finding in report.authorized],
        "exceptions": {
            "expired": [_accepted(each) for each in report.exceptions.expired],
            "expiring": [_accepted(each) for each in report.exceptions.expiring],
            "unused": [_accepted(each) for each in report.exceptions.unused],
        },
    }


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
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
        # Without a ledger every run sees every finding for the first time.
        "firstSeen": report.run.started_at,
        "fix": finding.fix,
        "narrower": finding.narrower,
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
