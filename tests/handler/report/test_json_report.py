"""The report as JSON."""

import json

from handler.report.json_report import report_to_json
from tests.support import reports
from tests.support.security_groups import answer, permission

SSH = answer(permission("tcp", 22, 22, "0.0.0.0/0"))


def test_a_report_in_full() -> None:
    """Every field of the format is there, in the types that JSON has."""
    rule = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    rules = [rule | {"SecurityGroupRuleId": "sgr-1", "CidrIpv4": "0.0.0.0/0"}]
    read = reports.read(SSH, SecurityGroupRules=rules, NetworkInterfaces=[])
    shown = json.loads(json.dumps(report_to_json(reports.of(read, reports.DENIED))))
    identity = shown["findings"][0].pop("id")
    assert len(identity) == 16
    assert shown == {
        "version": 2,
        "run": {
            "id": "run-1",
            "trigger": "schedule",
            "startedAt": "2026-11-23T06:00:00Z",
            "finishedAt": "2026-11-23T06:00:07Z",
        },
        "minimumSeverity": "low",
        "coverage": [
            {
                "account": "123456789012",
                "region": "eu-central-1",
                "status": "denied",
                "groups": 0,
                "rules": 0,
                "error": "UnauthorizedOperation: <b>No</b>.",
                "notice": None,
                "readAt": "",
            },
            {
                "account": "123456789012",
                "region": "eu-west-1",
                "status": "ok",
                "groups": 1,
                "rules": 1,
                "error": None,
                "notice": None,
                "readAt": "",
            },
        ],
        "summary": {
            "critical": 0,
            "high": 0,
            "medium": 1,
            "low": 0,
            "info": 0,
            "excepted": 0,
            "unverified": 0,
            "resolved": 0,
            "complete": False,
        },
        "findings": [
            {
                "kind": "exposure",
                "severity": "medium",
                "status": "open",
                "account": "123456789012",
                "region": "eu-west-1",
                "groupId": "sg-1",
                "groupName": "web",
                "vpcId": "vpc-1",
                "family": "ipv4",
                "protocol": "tcp",
                "fromPort": 22,
                "toPort": 22,
                "icmpType": None,
                "icmpCode": None,
                "service": "SSH",
                "reach": "world",
                "addresses": 3702258432,
                "share": 1.0,
                "sources": ["0.0.0.0/0"],
                "prefixLists": [],
                "sourceCount": 1,
                "ruleIds": ["sgr-1"],
                "ruleCount": 1,
                "attachment": "unattached",
                "interfaces": [],
                "attached": [],
                "interfaceCount": 0,
                "owner": None,
                "managedBy": None,
                "partOf": None,
                "why": "Medium: SSH would be critical (EC2.19, CIS), but the group is not attached "
                "to any network interface.",
                "exception": None,
                "firstSeen": "2026-11-23T06:00:00Z",
                "lastSeen": "2026-11-23T06:00:00Z",
                "resolvedAt": None,
                "changedAt": None,
                "change": None,
                "previously": [],
                "previouslyCount": 0,
                "flips": 0,
                "flippingSince": None,
                "openedBy": None,
                "fix": "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1 "
                "--security-group-rule-ids sgr-1",
                "narrower": "aws ec2 authorize-security-group-ingress --region eu-west-1 "
                "--group-id sg-1 --protocol tcp --port 22 --cidr YOUR-RANGE",
                "console": "https://eu-west-1.console.aws.amazon.com/ec2/home"
                "?region=eu-west-1#SecurityGroup:groupId=sg-1",
                "detail": None,
            }
        ],
        "authorized": [],
        "notices": [],
        "exceptions": {"expired": [], "expiring": [], "unused": []},
    }


def test_the_order_of_findings() -> None:
    """Findings are sorted by severity, region, group, family, protocol and port."""
    everything = permission("tcp", 443, 443, "0.0.0.0/0"), permission("udp", 9, 9, "0.0.0.0/0")
    ssh = permission("tcp", 22, 22, "::/0", "0.0.0.0/0")
    found = report_to_json(
        reports.of(
            reports.read(answer(*everything, ssh, group_id="sg-2"), SSH),
            reports.read(SSH, target=reports.FRANKFURT),
        )
    )["findings"]
    assert [
        tuple(finding[key] for key in ("severity", "region", "groupId", "family", "fromPort"))
        for finding in found
    ] == [
        ("critical", "eu-central-1", "sg-1", "ipv4", 22),
        ("critical", "eu-west-1", "sg-1", "ipv4", 22),
        ("critical", "eu-west-1", "sg-2", "ipv4", 22),
        ("critical", "eu-west-1", "sg-2", "ipv6", 22),
        ("high", "eu-west-1", "sg-2", "ipv4", 9),
        ("low", "eu-west-1", "sg-2", "ipv4", 443),
    ]


def test_what_changes_the_id_of_a_finding() -> None:
    """A new group name or another source keeps the id; other ports or another family change it."""

    def identity(*permissions: dict[str, object], name: str = "web") -> str:
        (found,) = reports.read(answer(*permissions, name=name)).findings
        return found.id

    ssh = identity(permission("tcp", 22, 22, "0.0.0.0/0"))
    assert identity(permission("6", 22, 22, "0.0.0.0/0"), name="shop") == ssh
    assert identity(permission("tcp", 22, 23, "0.0.0.0/0")) != ssh
    assert identity(permission("tcp", 22, 22, "0.0.0.0/1")) == ssh
    assert identity(permission("tcp", 22, 22, "::/0")) != ssh
    assert identity(permission("tcp", 22, 22, "::/0")) != ssh
