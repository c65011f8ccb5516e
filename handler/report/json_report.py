"""The report as the JSON object that other systems read, and back."""

from typing import Any

from handler.model.address import Family
from handler.model.attachment import Attachment
from handler.model.finding import Finding, Kind, Severity, Status
from handler.model.network import Reach, Target
from handler.model.run import Coverage, CoverageStatus, PolicyException, Report, Run, Trigger
from handler.model.traffic import Traffic
from handler.report import phrases
from handler.report.fields import Fields

VERSION = 1


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


def report_from_json(document: object) -> Report:
    """A stored report, as far as it is shown; without exceptions, authorized ports and changes.

    Raises one of ``DECODE_ERRORS``.
    """
    fields = Fields(document)
    run = fields.object("run")
    severity = fields.optional_text("minimumSeverity")
    return Report(
        run=Run(
            run.text("id"),
            Trigger(run.text("trigger")),
            run.time("startedAt"),
            run.time("finishedAt"),
        ),
        coverage=tuple(
            Coverage(
                Target(coverage.text("account"), coverage.text("region")),
                CoverageStatus(coverage.text("status")),
                coverage.integer("groups"),
                coverage.integer("rules"),
                coverage.optional_text("error"),
                coverage.optional_text("notice"),
            )
            for coverage in fields.objects("coverage")
        ),
        findings=tuple(map(finding_from_fields, fields.objects("findings"))),
        notices=fields.texts("notices"),
        minimum_severity=Severity(severity) if severity else Severity.LOW,
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


def finding_from_fields(fields: Fields) -> Finding:
    """A finding of the ledger's state or of a report. Raises one of ``DECODE_ERRORS``."""
    family, worsened_from = fields.optional_text("family"), fields.optional_text("worsenedFrom")
    group_ids, group_names = fields.texts("groupIds"), fields.texts("groupNames")
    if len(group_ids) != len(group_names):
        message = "groupIds and groupNames must have one length"
        raise ValueError(message)
    return Finding(
        id=fields.text("id"),
        kind=Kind(fields.text("kind")),
        severity=Severity(fields.text("severity")),
        status=Status(fields.text("status")),
        target=Target(fields.text("account"), fields.text("region")),
        group_id=fields.text("groupId"),
        group_ids=group_ids,
        group_names=group_names,
        group_name=fields.text("groupName"),
        vpc_id=fields.optional_text("vpcId"),
        family=Family(family) if family else None,
        traffic=Traffic(
            fields.text("protocol"),
            fields.optional_integer("fromPort"),
            fields.optional_integer("toPort"),
            fields.optional_integer("icmpType"),
            fields.optional_integer("icmpCode"),
        ),
        service=fields.optional_text("service"),
        reach=Reach(fields.text("reach")),
        addresses=fields.optional_integer("addresses"),
        share=fields.optional_number("share"),
        sources=fields.texts("sources"),
        prefix_lists=fields.texts("prefixLists"),
        rule_ids=fields.texts("ruleIds"),
        attachment=Attachment(fields.text("attachment")),
        interfaces=fields.texts("interfaces"),
        attached=fields.texts("attached"),
        owner=fields.optional_text("owner"),
        managed_by=fields.optional_text("managedBy"),
        part_of=fields.optional_text("partOf"),
        why=fields.text("why"),
        exception=fields.optional_text("exception"),
        first_seen=fields.time("firstSeen"),
        last_seen=fields.time("lastSeen"),
        resolved_at=fields.optional_time("resolvedAt"),
        worsened_from=Severity(worsened_from) if worsened_from else None,
        fix=fields.optional_text("fix"),
        narrower=fields.optional_text("narrower"),
        detail=fields.optional_text("detail"),
    )


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
