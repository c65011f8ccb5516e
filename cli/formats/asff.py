"""The report in the AWS Security Finding Format, for Security Hub's BatchImportFindings.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html; the
limits are those of its API reference,
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cli.errors import AuditError
from cli.formats import facts
from handler.model import (
    ALL_REGIONS,
    UNKNOWN,
    Coverage,
    Finding,
    Kind,
    Report,
    Run,
    Severity,
    Status,
    Target,
)
from handler.report import words
from handler.report.document import document

_NAME = "security-group-audit"
_TYPES = ["Software and Configuration Checks/AWS Security Best Practices/Network Reachability"]
_DOCS = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html"
_TITLE, _DESCRIPTION, _RECOMMENDATION, _FIELD = 256, 1024, 512, 2048
_MOST_RESOURCES = 32
# Where the regions could not even be listed, no region is to blame, and Security Hub needs one.
_HOME = "us-east-1"
_SEVERITIES = {
    Severity.CRITICAL: ("CRITICAL", 90),
    Severity.HIGH: ("HIGH", 70),
    Severity.MEDIUM: ("MEDIUM", 40),
    Severity.LOW: ("LOW", 1),
    Severity.INFO: ("INFORMATIONAL", 0),
}
# What every finding says of itself elsewhere.
_SAID = frozenset({"id", "severity", "account", "region", "vpcId", "console", "firstSeen"})


def asff(report: Report) -> list[dict[str, Any]]:
    """The report as findings, first what was not read.

    Raises ``AuditError`` when an account or a region is not known: Security Hub refuses that.
    """
    told = document(report)["findings"]
    for coverage in report.coverage:
        _check(coverage.target)
    return [
        *(_unread(report.run, each) for each in report.unread),
        *(
            _finding(report.run, finding, fields)
            for finding, fields in zip(report.findings, told, strict=True)
        ),
    ]


def _check(target: Target) -> None:
    known = target.region != UNKNOWN and re.fullmatch(r"[a-z0-9-]{1,16}", target.region)
    if not known or not re.fullmatch(r"[0-9]{12}", target.account):
        message = (
            "Security Hub needs the region and the account of 12 digits of every finding: "
            f"add Region and Account to the snapshot, got {facts.place(target)}."
        )
        raise AuditError(message)


def _finding(run: Run, finding: Finding, told: Mapping[str, Any]) -> dict[str, Any]:
    accepted = finding.status is Status.EXCEPTED
    unread = finding.kind is Kind.UNREADABLE
    fix = finding.fix if finding.fix and len(finding.fix) <= _RECOMMENDATION else None
    console = words.console(finding)
    return {
        **_head(run, finding.target, finding.severity),
        # Security Hub never takes back what it suppressed. A finding that is accepted is another
        # one therefore, and the one that comes back after its exception is not suppressed.
        "Id": f"{_NAME}/{finding.id}{'/excepted' if accepted else ''}",
        "GeneratorId": f"{_NAME}/{finding.kind}",
        "Title": words.cut(f"{facts.opened(finding)} on {facts.group(finding)}", _TITLE),
        "Description": words.cut(facts.sentences(finding), _DESCRIPTION),
        "Remediation": _remediation(fix or "Close what nobody needs, and let the audit read it."),
        **({"SourceUrl": console} if console else {}),
        "Resources": list(_resources(finding))[:_MOST_RESOURCES],
        "Compliance": {"Status": "WARNING" if unread else "FAILED"},
        "Workflow": {"Status": "SUPPRESSED" if accepted else "NEW"},
        "ProductFields": dict(_fields(told)),
    }


def _unread(run: Run, coverage: Coverage) -> dict[str, Any]:
    """A target that was not read, as a finding about its account."""
    target = coverage.target
    return {
        **_head(run, target, Severity.HIGH),
        "Id": f"{_NAME}/not-read/{target.account}/{target.region}",
        "GeneratorId": f"{_NAME}/not-read",
        "Title": words.cut(f"Security groups not read: {facts.place(target)}", _TITLE),
        "Description": words.cut(
            f"What is open there is not known. {facts.unread(coverage)}", _DESCRIPTION
        ),
        "Remediation": _remediation("Let the audit read what it could not, and run it again."),
        "Resources": [_resource("AwsAccount", f"AWS::::Account:{target.account}", target)],
        "Compliance": {"Status": "NOT_AVAILABLE"},
        "Workflow": {"Status": "NEW"},
        "ProductFields": {"status": str(coverage.status)},
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
    return {"Recommendation": {"Text": words.plain(text), "Url": _DOCS}}


def _resources(finding: Finding) -> Iterator[dict[str, Any]]:
    """The groups, and the interfaces they are attached to."""
    target = finding.target
    ids = finding.group_ids or (finding.group_id,)
    names = finding.group_names or (finding.group_name,)
    for group_id, name in zip(ids, names, strict=True):
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
        "Id": words.plain(resource_id),
        "Partition": _partition(target),
        "Region": _region(target),
    }


def _fields(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the report's JSON says of a finding, as far as it has room; half a command has none."""
    for key, value in told.items():
        if key in _SAID or value in (None, []):
            continue
        text = " ".join(value) if isinstance(value, list) else str(value)
        if key not in {"fix", "narrower"} or len(text) <= _FIELD:
            yield from _filled({key: words.cut(text, _FIELD)})


def _filled(fields: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """The fields that say something: Security Hub refuses blanks."""
    for key, value in fields.items():
        if value and value.strip():
            yield key, words.plain(value)


def _arn(service: str, target: Target, resource: str) -> str:
    region, account = _region(target), target.account
    return words.plain(f"arn:{_partition(target)}:{service}:{region}:{account}:{resource}")


def _region(target: Target) -> str:
    return _HOME if target.region == ALL_REGIONS else words.plain(target.region)


def _partition(target: Target) -> str:
    """The part of AWS that the region belongs to, as far as Security Hub knows them."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    found = (name for prefix, name in prefixes.items() if target.region.startswith(prefix))
    return next(found, "aws")
