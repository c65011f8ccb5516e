"""The ASFF keeps to botocore's model of Security Hub and to the limits in its documentation."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from handler.model.audit_report import Report
from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Scan
from tests.cli.sample_reports import (
    HOSTILE_TEXTS,
    REPORTS,
    SSH_GROUP,
    hostile_report,
    render,
    ssh_report,
)
from tests.support.reports import ACCOUNT, of, read

MODEL = boto3.client("securityhub", region_name="eu-west-1").meta.service_model
REQUEST = MODEL.operation_model("BatchImportFindings").input_shape
# https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
LIMITS = {
    ("Id",): 512,
    ("ProductArn",): 2048,
    ("GeneratorId",): 512,
    ("AwsAccountId",): 12,
    ("Title",): 256,
    ("Description",): 1024,
    ("Severity", "Original"): 64,
    ("FindingProviderFields", "Severity", "Original"): 64,
    ("Remediation", "Recommendation", "Text"): 512,
}


def findings(report: Report) -> list[dict[str, Any]]:
    """The findings that the format writes."""
    return list(json.loads(render("asff", report)))


def invalid_texts(shape: Any, value: Any) -> Iterator[str]:
    """The texts that do not match the pattern or the list of values in the service's model."""
    if shape.type_name == "structure":
        for key, member in value.items():
            yield from invalid_texts(shape.members[key], member)
    elif shape.type_name == "list":
        for item in value:
            yield from invalid_texts(shape.member, item)
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from invalid_texts(shape.key, key)
            yield from invalid_texts(shape.value, member)
    elif shape.type_name == "string":
        pattern = shape.metadata.get("pattern") or ".*"
        if not re.fullmatch(pattern, value) or value not in (shape.enum or [value]):
            yield f"{shape.name}: {value!r}"


@pytest.mark.parametrize("name", REPORTS)
def test_findings_match_the_model_of_security_hub(name: str) -> None:
    """Keys, types, required fields, patterns and values are those of BatchImportFindings."""
    imported = findings(REPORTS[name])
    for start in range(0, len(imported), 100):
        request = {"Findings": imported[start : start + 100]}
        errors = ParamValidator().validate(request, REQUEST)
        assert not errors.has_errors(), errors.generate_report()
        assert list(invalid_texts(REQUEST, request)) == []


@pytest.mark.parametrize("name", REPORTS)
def test_findings_keep_to_the_documented_limits(name: str) -> None:
    """Texts, fields, resources and findings of 240 KB keep to their limits; ids are unique."""
    imported = findings(REPORTS[name])
    for finding in imported:
        for path, limit in LIMITS.items():
            value: Any = finding
            for key in path:
                value = value[key]
            assert 1 <= len(value) <= limit, path
        assert len(finding["Types"]) <= 50
        assert len(finding["ProductFields"]) <= 50
        for key, value in finding["ProductFields"].items():
            assert (len(key) <= 128, len(value) <= 2048) == (True, True)
        assert 1 <= len(finding["Resources"]) <= 32
        assert len(json.dumps(finding)) < 240_000
    assert len({finding["Id"] for finding in imported}) == len(imported)


def test_clean_report_is_an_empty_list() -> None:
    """A report without findings has nothing to import."""
    assert findings(REPORTS["clean"]) == []


def test_finding_has_all_fields() -> None:
    """A finding has what is open, its severity, the command that closes it, and the group."""
    (finding,) = findings(REPORTS["one"])
    fields = finding.pop("ProductFields")
    recommendation = finding["Remediation"]["Recommendation"]
    assert recommendation.pop("Text").startswith("aws ec2 revoke-security-group-ingress --region ")
    types = ["Software and Configuration Checks/AWS Security Best Practices/Network Reachability"]
    assert finding == {
        "SchemaVersion": "2018-10-08",
        "Id": f"security-group-audit/{REPORTS['one'].open[0].id}",
        "ProductArn": "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default",
        "GeneratorId": "security-group-audit/exposure",
        "AwsAccountId": "123456789012",
        "Types": types,
        "CreatedAt": "2026-11-23T06:00:00Z",
        "UpdatedAt": "2026-11-23T06:00:07Z",
        "Severity": {"Label": "CRITICAL", "Normalized": 90, "Original": "critical"},
        "FindingProviderFields": {
            "Severity": {"Label": "CRITICAL", "Original": "critical"},
            "Types": types,
        },
        "RecordState": "ACTIVE",
        "Title": "tcp/22 (SSH) from the whole IPv4 internet on web (sg-1)",
        "Description": (
            "web (sg-1) in eu-west-1 / 123456789012 opens tcp/22 (SSH) from the whole IPv4 "
            "internet. Critical: SSH is open to the internet (EC2.19, CIS); its interfaces could "
            "not be read. Attached: not known. Sources: 0.0.0.0/0."
        ),
        "Remediation": {
            "Recommendation": {
                "Url": "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html"
            }
        },
        "SourceUrl": (
            "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1"
            "#SecurityGroup:groupId=sg-1"
        ),
        "Resources": [
            {
                "Type": "AwsEc2SecurityGroup",
                "Id": "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1",
                "Partition": "aws",
                "Region": "eu-west-1",
                "Details": {
                    "AwsEc2SecurityGroup": {
                        "GroupId": "sg-1",
                        "GroupName": "web",
                        "OwnerId": "123456789012",
                        "VpcId": "vpc-1",
                    }
                },
            }
        ],
        "Compliance": {"Status": "FAILED"},
        "Workflow": {"Status": "NEW"},
    }
    assert (fields["protocol"], fields["fromPort"], fields["sources"]) == ("tcp", "22", "0.0.0.0/0")


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
    ],
)
def test_arns_are_in_the_partition_of_the_region(region: str, partition: str) -> None:
    """The ARNs of product and group begin with the partition that the region belongs to."""
    (finding,) = findings(ssh_report(region))
    (group,) = finding["Resources"]
    assert finding["ProductArn"] == (
        f"arn:{partition}:securityhub:{region}:{ACCOUNT}:product/{ACCOUNT}/default"
    )
    assert group["Id"] == f"arn:{partition}:ec2:{region}:{ACCOUNT}:security-group/sg-1"
    assert (group["Partition"], group["Region"]) == (partition, region)


def test_joint_finding_has_all_groups_as_resources() -> None:
    """Resources are the groups that open a port only together, and their network interface."""
    resources = findings(REPORTS["joint"])[0]["Resources"]
    assert [resource["Id"].rpartition(":")[2] for resource in resources] == [
        "security-group/sg-1",
        "security-group/sg-2",
        "network-interface/eni-1",
    ]


def test_group_on_many_interfaces_keeps_to_the_limit() -> None:
    """With 40 interfaces a finding has 16 resources of at most 32; the group is the first."""
    interfaces = [
        {"NetworkInterfaceId": f"eni-{number}", "Groups": [{"GroupId": "sg-1"}]}
        for number in range(40)
    ]
    (finding,) = findings(of(read(SSH_GROUP, NetworkInterfaces=interfaces)))
    assert len(finding["Resources"]) == 16
    assert finding["Resources"][0]["Type"] == "AwsEc2SecurityGroup"


def test_unread_region_is_a_finding_about_the_account() -> None:
    """A region that could not be read is a high finding, because no finding would look clean."""
    (finding,) = findings(REPORTS["region-failed"])
    assert finding["Id"] == "security-group-audit/not-read/123456789012/eu-central-1"
    assert finding["Severity"]["Label"] == "HIGH"
    assert finding["Compliance"] == {"Status": "NOT_AVAILABLE"}
    assert finding["Title"] == "Security groups not read: eu-central-1 / 123456789012"
    assert "UnauthorizedOperation: <b>No</b>." in finding["Description"]
    assert finding["Resources"] == [
        {
            "Type": "AwsAccount",
            "Id": "AWS::::Account:123456789012",
            "Partition": "aws",
            "Region": "eu-central-1",
        }
    ]


def test_unread_list_of_regions_is_a_finding_in_us_east_1() -> None:
    """Security Hub needs an existing region; a failed DescribeRegions has none."""
    unread = Coverage(Target(ACCOUNT, "all"), CoverageStatus.DENIED, error="No.")
    (finding,) = findings(of(Scan(unread)))
    assert finding["Title"] == "Security groups not read: the list of regions / 123456789012"
    assert finding["ProductArn"].split(":")[3] == "us-east-1"
    assert finding["Resources"][0]["Region"] == "us-east-1"


def test_unreadable_prefix_list_is_a_warning() -> None:
    """A finding about a prefix list that could not be read has the compliance status WARNING."""
    (finding,) = findings(REPORTS["unreadable-list"])
    assert finding["Compliance"] == {"Status": "WARNING"}
    assert "prefix list pl-1 could not be read" in finding["Description"]
    assert finding["Remediation"]["Recommendation"]["Text"].startswith(
        "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1 "
    )


def test_excepted_finding_is_suppressed_under_an_id_of_its_own() -> None:
    """Security Hub keeps a finding suppressed, so it needs another id without the exception."""
    (excepted,) = findings(REPORTS["excepted"])
    (opened,) = findings(REPORTS["one"])
    assert excepted["Workflow"] == {"Status": "SUPPRESSED"}
    assert excepted["Description"].endswith(
        "Exception: accepted until 2026-12-31 by web team: until the VPN is there."
    )
    assert opened["Workflow"] == {"Status": "NEW"}
    assert excepted["Id"] == f"{opened['Id']}/excepted"


@pytest.mark.parametrize(
    ("length", "has_field"),
    [
        pytest.param(2_000, True, id="a-field-has-room"),
        pytest.param(3_000, False, id="nothing-has-room"),
    ],
)
def test_command_that_does_not_fit_is_left_out(length: int, *, has_field: bool) -> None:
    """A command that is too long for recommendation or field is left out, never cut."""
    report = REPORTS["one"]
    (opened,) = report.findings
    long = opened._replace(fix=f"aws ec2 {'x' * length}")
    (finding,) = findings(replace(report, findings=(long,)))
    assert "aws ec2" not in finding["Remediation"]["Recommendation"]["Text"]
    assert ("fix" in finding["ProductFields"]) == has_field
    assert finding["ProductFields"]["narrower"].startswith("aws ec2 authorize-")


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_texts_of_an_account_are_printable(text: str) -> None:
    """No field contains a control character, whatever the account's texts contain."""

    def texts(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for member in value.values():
                yield from texts(member)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)

    assert all(field.isprintable() for field in texts(findings(hostile_report(text))))
