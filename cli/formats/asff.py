"""The report in the AWS Security Finding Format, for Security Hub's BatchImportFindings.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html; the
limits are those of its API reference,
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cli.errors import AuditError
from cli.formats.finding_text import UnreadTarget, description, unread_targets
from handler.model.audit_report import Report
from handler.model.finding import Finding, Kind, Severity, Status
from handler.model.network import ACCOUNT_ID, ALL_REGIONS, UNKNOWN, Target
from handler.model.run import Run
from handler.report import phrases
from handler.report.json_report import finding_to_json
from handler.sanitize import cut, plain

_NAME = "security-group-audit"
_TYPES = ["Software and Configuration Checks/AWS Security Best Practices/Network Reachability"]
_DOCS = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html"
_READ_ADVICE = "Remove rules that are not needed, and grant the audit read access."
_LONGEST_TITLE = 256
_LONGEST_DESCRIPTION = 1024
_LONGEST_RECOMMENDATION = 512
_LONGEST_FIELD = 2048
_MAX_RESOURCES = 32
# Security Hub needs a region also where the list of regions could not be read.
_HOME = "us-east-1"
_SEVERITIES = {
    Severity.CRITICAL: ("CRITICAL", 90),
    Severity.HIGH: ("HIGH", 70),
    Severity.MEDIUM: ("MEDIUM", 40),
    Severity.LOW: ("LOW", 1),
    Severity.INFO: ("INFORMATIONAL", 0),
}
# What a finding has in other fields, and the list of earlier findings, which is not a text.
_LEFT_OUT = frozenset(
    {"id", "severity", "account", "region", "vpcId", "console", "firstSeen", "previously"}
)


def build_asff(report: Report) -> list[dict[str, Any]]:
    """The report as findings, first the targets that were not read.

    Raises ``AuditError`` when an account or a region is not known: Security Hub refuses that.
    """
    for coverage in report.coverage:
        _require_known(coverage.target)
    return [
        *(_unread(report.run, unread) for unread in unread_targets(report)),
        *(_finding(report.run, finding) for finding in report.findings),
    ]


def _require_known(target: Target) -> None:
    known = target.region != UNKNOWN and re.fullmatch(r"[a-z0-9-]{1,16}", target.region)
    if not known or not ACCOUNT_ID.fullmatch(target.account):
        raise AuditError(
            "Security Hub needs the region and the account of 12 digits of every finding: "
            f"add Region and Account to the snapshot, got {phrases.place(target)}."
        )


def _finding(run: Run, finding: Finding) -> dict[str, Any]:
    is_excepted = finding.status is Status.EXCEPTED
    is_unreadable = finding.kind is Kind.UNREADABLE
    fix = finding.fix if finding.fix and len(finding.fix) <= _LONGEST_RECOMMENDATION else None
    console_url = phrases.console_url(finding)
    return {
        **_head(run, finding.target, finding.severity),
        # Security Hub keeps what it suppressed. An accepted finding has an id of its own, so that
        # it is not suppressed any more when its exception has expired.
        "Id": f"{_NAME}/{finding.id}{'/excepted' if is_excepted else ''}",
        "GeneratorId": f"{_NAME}/{finding.kind}",
        "Title": cut(f"{phrases.opening(finding)} on {phrases.groups(finding)}", _LONGEST_TITLE),
        "Description": cut(description(finding), _LONGEST_DESCRIPTION),
        "Remediation": _remediation(
            fix or (_READ_ADVICE if is_unreadable else "Remove rules that are not needed.")
        ),
        **({"SourceUrl": console_url} if console_url else {}),
        "Resources": list(_resources(finding))[:_MAX_RESOURCES],
        "Compliance": {"Status": "WARNING" if is_unreadable else "FAILED"},
        "Workflow": {"Status": "SUPPRESSED" if is_excepted else "NEW"},
        "ProductFields": dict(
            _product_fields({**finding_to_json(finding), "openedBy": phrases.opened_by(finding)})
        ),
    }


def _unread(run: Run, unread: UnreadTarget) -> dict[str, Any]:
    """A target that was not read, as a finding about its account."""
    target = unread.target
    return {
        **_head(run, target, unread.SEVERITY),
        "Id": f"{_NAME}/{unread.KIND}/{target.account}/{target.region}",
        "GeneratorId": f"{_NAME}/{unread.KIND}",
        "Title": cut(f"Security groups not read: {phrases.place(target)}", _LONGEST_TITLE),
        "Description": cut(f"What is open there is not known. {unread.text}", _LONGEST_DESCRIPTION),
        "Remediation": _remediation("Let the audit read what it could not, and run it again."),
        "Resources": [_resource("AwsAccount", f"AWS::::Account:{target.account}", target)],
        "Compliance": {"Status": "NOT_AVAILABLE"},
        "Workflow": {"Status": "NEW"},
        "ProductFields": {"status": str(unread.status)},
    }


def _head(run: Run, target: Target, severity: Severity) -> dict[str, Any]:
    """What findings of every kind have."""
    label, normalized = _SEVERITIES[severity]
    product = f"product/{target.account}/default"
    return {
        "SchemaVersion": "2018-10-08",
        "ProductArn": _arn("securityhub", target, product),
        "AwsAccountId": target.account,
        "Types": _TYPES,
        "CreatedAt": run.started_at,
        "UpdatedAt": run.finished_at,
        "Severity": {"Label": label, "Normalized": normalized, "Original": str(severity)},
        "FindingProviderFields": {
            "Severity": {"Label": label, "Original": str(severity)},
            "Types": _TYPES,
        },
        "RecordState": "ACTIVE",
    }


def _remediation(text: str) -> dict[str, Any]:
    return {"Recommendation": {"Text": plain(text), "Url": _DOCS}}


def _resources(finding: Finding) -> Iterator[dict[str, Any]]:
    """The groups, and the interfaces they are attached to."""
    target = finding.target
    for group_id, name in finding.groups:
        details = {
            "GroupId": group_id,
            "GroupName": name,
            "OwnerId": target.account,
            "VpcId": finding.vpc_id,
        }
        yield {
            **_resource(
                "AwsEc2SecurityGroup", _arn("ec2", target, f"security-group/{group_id}"), target
            ),
            "Details": {"AwsEc2SecurityGroup": dict(_filled(details))},
        }
    for interface in finding.interfaces:
        arn = _arn("ec2", target, f"network-interface/{interface}")
        yield _resource("AwsEc2NetworkInterface", arn, target)


def _resource(kind: str, resource_id: str, target: Target) -> dict[str, Any]:
    return {
        "Type": kind,
        "Id": plain(resource_id),
        "Partition": _partition(target),
        "Region": _region(target),
    }


def _product_fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of a finding's JSON, cut to fit; a command that is too long is left out."""
    for key, value in document.items():
        if key in _LEFT_OUT or value in (None, ()):
            continue
        text = " ".join(value) if isinstance(value, tuple) else str(value)
        if key not in {"fix", "narrower"} or len(text) <= _LONGEST_FIELD:
            yield from _filled({key: cut(text, _LONGEST_FIELD)})


def _filled(fields: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """The fields that say something: Security Hub refuses blanks."""
    for key, value in fields.items():
        if value and value.strip():
            yield key, plain(value)


def _arn(service: str, target: Target, resource: str) -> str:
    region, account = _region(target), target.account
    return plain(f"arn:{_partition(target)}:{service}:{region}:{account}:{resource}")


def _region(target: Target) -> str:
    return _HOME if target.region == ALL_REGIONS else plain(target.region)


def _partition(target: Target) -> str:
    """The region's partition, of those that Security Hub accepts."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    names = (name for prefix, name in prefixes.items() if target.region.startswith(prefix))
    return next(names, "aws")
