"""The report as the JSON object that other systems read, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handler.model.address import Family
from handler.model.attachment import Attachment
from handler.model.finding import Finding, Kind, Severity, Status
from handler.model.network import Reach, Target
from handler.model.run import Coverage, CoverageStatus, PolicyException, Report, Run, Trigger
from handler.model.traffic import Traffic
from handler.report import phrases

VERSION = 1
DECODE_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What the functions from JSON raise for an object that is not what it should be."""


def report_to_json(report: Report) -> dict[str, Any]:
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
        "minimumSeverity": report.minimum_severity,
        "coverage": [
            {
                "account": coverage.target.account,
                "region": coverage.target.region,
                "status": coverage.status,
                "groups": coverage.groups,
                "rules": coverage.rules,
                "error": coverage.error,
                "notice": coverage.notice,
            }
            for coverage in report.coverage
        ],
        "summary": {
            **{severity: report.count(severity) for severity in Severity},
            **{
                status: len(report.with_status(status))
                for status in (Status.EXCEPTED, Status.UNVERIFIED, Status.RESOLVED)
            },
            "complete": report.is_complete,
        },
        "findings": [finding_to_json(finding) for finding in report.findings],
        "authorized": [finding_to_json(finding) for finding in report.authorized],
        "notices": list(report.notices),
        "exceptions": {
            "expired": list(map(_exception_to_json, report.exceptions.expired)),
            "expiring": list(map(_exception_to_json, report.exceptions.expiring)),
            "unused": list(map(_exception_to_json, report.exceptions.unused)),
        },
    }


def report_from_json(document: Mapping[str, Any]) -> Report:
    """A stored report, as far as it is shown; without exceptions, authorized ports and changes.

    Raises one of ``DECODE_ERRORS``.
    """
    run = document["run"]
    return Report(
        run=Run(run["id"], Trigger(run["trigger"]), run["startedAt"], run["finishedAt"]),
        coverage=tuple(
            Coverage(
                Target(coverage["account"], coverage["region"]),
                CoverageStatus(coverage["status"]),
                coverage["groups"],
                coverage["rules"],
                coverage["error"],
                coverage.get("notice"),
            )
            for coverage in document["coverage"]
        ),
        findings=tuple(map(finding_from_json, document["findings"])),
        notices=tuple(document["notices"]),
        minimum_severity=Severity(document.get("minimumSeverity", Severity.LOW)),
    )


def finding_to_json(finding: Finding) -> dict[str, Any]:
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
        "managedBy": finding.managed_by,
        "partOf": finding.part_of,
        "why": finding.why,
        "exception": finding.exception,
        "firstSeen": finding.first_seen,
        "lastSeen": finding.last_seen,
        "resolvedAt": finding.resolved_at,
        "worsenedFrom": finding.worsened_from,
        "fix": finding.fix,
        "narrower": finding.narrower,
        "console": phrases.console_url(finding),
        "detail": finding.detail,
    }


def finding_from_json(document: Mapping[str, Any]) -> Finding:
    """A finding of the ledger's state or of a report. Raises one of ``DECODE_ERRORS``."""

    def texts(key: str) -> tuple[str, ...]:
        return tuple(document.get(key, ()))

    family, worsened_from = document["family"], document["worsenedFrom"]
    resolved_at = document["resolvedAt"]
    return Finding(
        id=document["id"],
        kind=Kind(document["kind"]),
        severity=Severity(document["severity"]),
        status=Status(document["status"]),
        target=Target(document["account"], document["region"]),
        group_id=document["groupId"],
        group_ids=texts("groupIds"),
        group_names=texts("groupNames"),
        group_name=document["groupName"],
        vpc_id=document["vpcId"],
        family=Family(family) if family else None,
        traffic=Traffic(
            document["protocol"],
            document["fromPort"],
            document["toPort"],
            document["icmpType"],
            document["icmpCode"],
        ),
        service=document["service"],
        reach=Reach(document["reach"]),
        addresses=document["addresses"],
        share=document["share"],
        sources=texts("sources"),
        prefix_lists=texts("prefixLists"),
        rule_ids=texts("ruleIds"),
        attachment=Attachment(document["attachment"]),
        interfaces=texts("interfaces"),
        attached=texts("attached"),
        owner=document["owner"],
        managed_by=document.get("managedBy"),
        part_of=document.get("partOf"),
        why=document["why"],
        exception=document["exception"],
        first_seen=parse_time(document["firstSeen"]),
        last_seen=parse_time(document["lastSeen"]),
        resolved_at=parse_time(resolved_at) if resolved_at else None,
        worsened_from=Severity(worsened_from) if worsened_from else None,
        fix=document["fix"],
        narrower=document.get("narrower"),
        detail=document["detail"],
    )


def parse_time(stored: str) -> str:
    """A time in ISO 8601 with a zone, as it is stored. Raises ``ValueError`` for another one."""
    if datetime.fromisoformat(stored).tzinfo is None:
        message = f"{stored} has no zone"
        raise ValueError(message)
    return stored


def _exception_to_json(exception: PolicyException) -> dict[str, Any]:
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
