"""The report as SARIF 2.1.0, for GitHub code scanning and whatever else reads it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. What GitHub asks for beyond it:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from cli.formats import facts
from handler import VERSION
from handler.model import Coverage, Finding, Kind, Report, Severity, Status, Target
from handler.report.document import document

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_NAME = "security-group-audit"
_UNREAD = "not-read"
_DOCS = "https://docs.aws.amazon.com"
_KINDS = {
    Kind.EXPOSURE: (
        "A security group is open to the internet",
        "Public addresses reach these ports through the inbound rules of one security group.",
        f"{_DOCS}/securityhub/latest/userguide/ec2-controls.html#ec2-18",
    ),
    Kind.INTERFACE: (
        "Security groups are open to the internet together",
        "The inbound rules of all groups on a network interface let in more than any group's.",
        f"{_DOCS}/vpc/latest/userguide/vpc-security-groups.html",
    ),
    Kind.UNREADABLE: (
        "A source could not be read",
        "A rule lets a prefix list in whose entries could not be read; it may hold the internet.",
        f"{_DOCS}/vpc/latest/userguide/managed-prefix-lists.html",
    ),
    Kind.MALFORMED: (
        "A rule makes no sense",
        "A rule could not be judged because its protocol, ports or sources make no sense.",
        f"{_DOCS}/vpc/latest/userguide/security-group-rules.html",
    ),
}
_NOT_READ = (
    "A region was not read",
    "The audit could not read all of a region, and what is open there is not known.",
    f"{_DOCS}/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html",
)
# GitHub takes above 9 for critical, from 7 for high, from 4 for medium, above 0 for low.
_LEVELS = {
    Severity.CRITICAL: ("error", "9.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.MEDIUM: ("warning", "5.5"),
    Severity.LOW: ("note", "2.0"),
    Severity.INFO: ("note", "0.0"),
}
_ESCAPES = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"})


def sarif(report: Report) -> dict[str, Any]:
    """The report as a SARIF log of one run.

    What was not read is a notification of the run, which SARIF has them for, and a result too,
    because GitHub shows nothing else.
    """
    run, told = report.run, document(report)["findings"]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": _NAME, "version": VERSION, "rules": _rules()}},
                "invocations": [
                    {
                        "executionSuccessful": report.complete,
                        "startTimeUtc": run.started_at,
                        "endTimeUtc": run.finished_at,
                        "toolExecutionNotifications": [_notification(e) for e in report.unread],
                    }
                ],
                "results": [
                    *map(_unread, report.unread),
                    *map(_result, report.findings, told),
                ],
            }
        ],
    }


def _rules() -> list[dict[str, Any]]:
    """A rule for each kind and severity: GitHub takes the severity of a rule, not of a result."""
    rules = [
        _rule(f"{kind}-{severity}", texts, severity)
        for kind, texts in _KINDS.items()
        for severity in Severity
    ]
    return [*rules, _rule(_UNREAD, _NOT_READ, Severity.HIGH)]


def _rule(rule_id: str, texts: tuple[str, str, str], severity: Severity) -> dict[str, Any]:
    short, full, uri = texts
    level, score = _LEVELS[severity]
    return {
        "id": rule_id,
        "shortDescription": {"text": f"{short}."},
        "fullDescription": {"text": full},
        "help": {"text": f"{full} See {uri}"},
        "helpUri": uri,
        "defaultConfiguration": {"level": level},
        "properties": {"security-severity": score, "tags": ["security", "aws", "ec2"]},
    }


def _result(finding: Finding, told: Mapping[str, Any]) -> dict[str, Any]:
    level, score = _LEVELS[finding.severity]
    return {
        "ruleId": f"{finding.kind}-{finding.severity}",
        "level": level,
        "message": _message(facts.sentences(finding)),
        "locations": [_location(finding.target, finding.group_id)],
        "relatedLocations": [_location(finding.target, each) for each in finding.group_ids[1:]],
        "partialFingerprints": _fingerprints(finding.id),
        "suppressions": _suppressions(finding),
        "properties": {**told, "security-severity": score},
    }


def _unread(coverage: Coverage) -> dict[str, Any]:
    level, score = _LEVELS[Severity.HIGH]
    target = f"{coverage.target.account}\n{coverage.target.region}"
    return {
        "ruleId": _UNREAD,
        "level": level,
        "message": _message(f"Not read: {facts.unread(coverage)}"),
        "locations": [_location(coverage.target)],
        "partialFingerprints": _fingerprints(hashlib.sha256(target.encode()).hexdigest()[:16]),
        "suppressions": [],
        "properties": {"security-severity": score},
    }


def _notification(coverage: Coverage) -> dict[str, Any]:
    return {
        "level": "error",
        "message": _message(facts.unread(coverage)),
        "associatedRule": {"id": _UNREAD},
    }


def _suppressions(finding: Finding) -> list[dict[str, Any]]:
    """Who accepts the finding; an empty list says that nobody does."""
    if finding.status is not Status.EXCEPTED:
        return []
    accepted = {"kind": "external", "status": "accepted"}
    return [{**accepted, "justification": finding.exception or "accepted by an exception"}]


def _location(target: Target, group_id: str | None = None) -> dict[str, Any]:
    """A group or a target, and a path of the same name: GitHub refuses a result without a file."""
    parts = [each for each in (target.account, target.region, group_id) if each is not None]
    path = "/".join(["security-groups", *(re.sub(r"[^A-Za-z0-9-]", "_", each) for each in parts)])
    return {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 1}},
        "logicalLocations": [
            {"name": parts[-1], "fullyQualifiedName": "/".join(parts), "kind": "resource"}
        ],
    }


def _fingerprints(fingerprint: str) -> dict[str, str]:
    """The name of a finding from run to run; GitHub knows the first key only."""
    return {"primaryLocationLineHash": fingerprint, "findingId/v1": fingerprint}


def _message(text: str) -> dict[str, str]:
    """A text in which nothing is a link or a placeholder (sections 3.11.5 and 3.11.6)."""
    return {"text": text.translate(_ESCAPES)}
