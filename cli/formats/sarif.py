"""The report as SARIF 2.1.0, for GitHub code scanning and other readers.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. What GitHub requires beyond it:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from cli.formats.finding_text import UnreadTarget, description, unread_targets
from handler import VERSION
from handler.model.audit_report import Report
from handler.model.finding import Finding, Kind, Severity, Status
from handler.model.network import Target
from handler.report.json_report import finding_to_json

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_NAME = "security-group-audit"
_DOCS = "https://docs.aws.amazon.com"
# There is no project page; this is AWS's page on security groups.
_INFORMATION = f"{_DOCS}/vpc/latest/userguide/vpc-security-groups.html"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a reader is told about all results of a kind."""

    name: str
    short: str
    full: str
    fix: str
    uri: str


_COMMAND = "The property `fix` of the result is the AWS CLI command that revokes just these rules."
_RULES = {
    Kind.EXPOSURE: _Rule(
        "OpenSecurityGroup",
        "A security group is open to the internet",
        "Public addresses reach these ports through the inbound rules of one security group.",
        f"Revoke the rules, or replace their sources by the ranges that need access. {_COMMAND}",
        f"{_DOCS}/securityhub/latest/userguide/ec2-controls.html#ec2-18",
    ),
    Kind.JOINT: _Rule(
        "SecurityGroupsOpenTogether",
        "Security groups are open to the internet together",
        "The inbound rules of all groups on a network interface let in more than any group's.",
        f"Revoke the rules of one group, or detach it from the network interface. {_COMMAND}",
        f"{_DOCS}/vpc/latest/userguide/vpc-security-groups.html",
    ),
    Kind.UNREADABLE: _Rule(
        "UnreadableSource",
        "A source could not be read",
        "The entries of a prefix list could not be read; it may contain the whole internet.",
        "Allow the audit to call ec2:GetManagedPrefixListEntries, or ask the list's owner to share "
        "it.",
        f"{_DOCS}/vpc/latest/userguide/managed-prefix-lists.html",
    ),
    Kind.MALFORMED: _Rule(
        "MalformedRule",
        "A rule is malformed",
        "A rule could not be evaluated because its protocol, ports or sources are not valid.",
        "Look at the rule in the AWS console, and replace it by a valid one.",
        f"{_DOCS}/vpc/latest/userguide/security-group-rules.html",
    ),
}
_NOT_READ = _Rule(
    "RegionNotRead",
    "A region was not read",
    "The audit could not read all of a region, and what is open there is not known.",
    "Remove the cause that the result names, often a missing permission, and run the audit again.",
    f"{_DOCS}/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html",
)
# GitHub reads scores above 9 as critical, from 7 as high, from 4 as medium, above 0 as low.
_LEVELS = {
    Severity.CRITICAL: ("error", "9.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.MEDIUM: ("warning", "5.5"),
    Severity.LOW: ("note", "2.0"),
    Severity.INFO: ("note", "0.0"),
}
_ESCAPES = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"})


def build_sarif(report: Report) -> dict[str, Any]:
    """The report as a SARIF log of one run.

    A target that was not read is a notification of the run, as SARIF intends, and a result too,
    because GitHub shows results only.
    """
    run = report.run
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": _NAME,
                        "version": VERSION,
                        "informationUri": _INFORMATION,
                        "rules": _rules(),
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": report.is_complete,
                        "startTimeUtc": run.started_at,
                        "endTimeUtc": run.finished_at,
                        "toolExecutionNotifications": [
                            _notification(unread) for unread in unread_targets(report)
                        ],
                    }
                ],
                "results": [
                    *map(_unread, unread_targets(report)),
                    *map(_result, report.findings),
                ],
            }
        ],
    }


def _rules() -> list[dict[str, Any]]:
    """A rule for each kind and severity: GitHub shows the severity of a rule, not of a result."""
    rules = [
        _descriptor(f"{kind}-{severity}", f"{rule.name}{severity.capitalize()}", rule, severity)
        for kind, rule in _RULES.items()
        for severity in Severity
    ]
    unread = _descriptor(UnreadTarget.KIND, _NOT_READ.name, _NOT_READ, UnreadTarget.SEVERITY)
    return [*rules, unread]


def _descriptor(rule_id: str, name: str, rule: _Rule, severity: Severity) -> dict[str, Any]:
    level, score = _LEVELS[severity]
    return {
        "id": rule_id,
        "name": name,
        "shortDescription": {"text": f"{rule.short}."},
        "fullDescription": {"text": rule.full},
        "help": {
            "text": f"{rule.full} {rule.fix.replace('`', '')} See {rule.uri}",
            "markdown": f"{rule.full}\n\n**Fix:** {rule.fix}\n\n[AWS documentation]({rule.uri})",
        },
        "helpUri": rule.uri,
        "defaultConfiguration": {"level": level},
        "properties": {"security-severity": score, "tags": ["security", "aws", "ec2"]},
    }


def _result(finding: Finding) -> dict[str, Any]:
    level, score = _LEVELS[finding.severity]
    return {
        "ruleId": f"{finding.kind}-{finding.severity}",
        "level": level,
        "message": _message(description(finding)),
        "locations": [_location(finding.target, finding.group_id)],
        "relatedLocations": [
            _location(finding.target, group_id) for group_id in finding.group_ids[1:]
        ],
        "partialFingerprints": _fingerprints(finding.id),
        "suppressions": _suppressions(finding),
        "properties": {**finding_to_json(finding), "security-severity": score},
    }


def _unread(unread: UnreadTarget) -> dict[str, Any]:
    level, score = _LEVELS[unread.SEVERITY]
    target = f"{unread.target.account}\n{unread.target.region}"
    return {
        "ruleId": unread.KIND,
        "level": level,
        "message": _message(f"Not read: {unread.text}"),
        "locations": [_location(unread.target)],
        "partialFingerprints": _fingerprints(hashlib.sha256(target.encode()).hexdigest()[:16]),
        "suppressions": [],
        "properties": {"security-severity": score},
    }


def _notification(unread: UnreadTarget) -> dict[str, Any]:
    return {
        "level": "error",
        "message": _message(unread.text),
        "associatedRule": {"id": unread.KIND},
    }


def _suppressions(finding: Finding) -> list[dict[str, Any]]:
    """Who accepts the finding; an empty list says that nobody does."""
    if finding.status is not Status.EXCEPTED:
        return []
    justification = finding.exception or "accepted by an exception"
    return [{"kind": "external", "status": "accepted", "justification": justification}]


def _location(target: Target, group_id: str | None = None) -> dict[str, Any]:
    """A group or a target, as a path too: GitHub refuses a result without a file."""
    parts = [part for part in (target.account, target.region, group_id) if part is not None]
    names = (re.sub(r"[^A-Za-z0-9-]", "_", part) for part in parts)
    path = "/".join(["security-groups", *names])
    return {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 1}},
        "logicalLocations": [
            {"name": parts[-1], "fullyQualifiedName": "/".join(parts), "kind": "resource"}
        ],
    }


def _fingerprints(fingerprint: str) -> dict[str, str]:
    """The id of a finding from run to run; GitHub reads the first key only."""
    return {"primaryLocationLineHash": fingerprint, "findingId/v1": fingerprint}


def _message(text: str) -> dict[str, str]:
    """A text in which nothing is a link or a placeholder (sections 3.11.5 and 3.11.6)."""
    return {"text": text.translate(_ESCAPES)}
