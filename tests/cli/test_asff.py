"""The ASFF, held to botocore's model of Security Hub and to the limits of its documentation."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Report, Scan
from tests.cli.forms import HOSTILE, REPORTS, SSH, everywhere, hostile, written
from tests.support.reports import ACCOUNT, of, read
from tests.support.security_groups import answer, permission

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
    """The list that the form writes."""
    return list(json.loads(written("asff", report)))


def refused(shape: Any, value: Any) -> Iterator[str]:
    """Texts that the service's model has a pattern or a list of values against."""
    if shape.type_name == "structure":
        for key, each in value.items():
            yield from refused(shape.members[key], each)
    elif shape.type_name == "list":
        for each in value:
            yield from refused(shape.member, each)
    elif shape.type_name == "map":
        for pair in value.items():
            yield from refused(shape.key, pair[0])
            yield from refused(shape.value, pair[1])
    elif shape.type_name == "string":
        pattern = shape.metadata.get("pattern") or ".*"
        if not re.fullmatch(pattern, value) or value not in (shape.enum or [value]):
            yield f"{shape.name}: {value!r}"


@pytest.mark.parametrize("name", REPORTS)
def test_security_hub_takes_it(name: str) -> None:
    """Keys, types, required fields, patterns and values are those of BatchImportFindings."""
    found = findings(REPORTS[name])
    for start in range(0, len(found), 100):
        request = {"Findings": found[start : start + 100]}
        errors = ParamValidator().validate(request, REQUEST)
        assert not errors.has_errors(), errors.generate_report()
        assert list(refused(REQUEST, request)) == []


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_longer_than_documented(name: str) -> None:
    """Texts, fields, resources and whole findings keep to their limits; ids are unique."""
    found = findings(REPORTS[name])
    for finding in found:
        for way, most in LIMITS.items():
            value: Any = finding
            for key in way:
                value = value[key]
            assert 1 <= len(value) <= most, way
        assert len(finding["Types"]) <= 50
        assert len(finding["ProductFields"]) <= 50
        for key, value in finding["ProductFields"].items():
            assert (len(key) <= 128, len(value) <= 2048) == (True, True)
        assert 1 <= len(finding["Resources"]) <= 32
        assert len(json.dumps(finding)) < 240_000
    assert len({finding["Id"] for finding in found}) == len(found)


def test_a_clean_report_is_an_empty_list() -> None:
    """There is nothing to import."""
    assert findings(REPORTS["clean"]) == []


def test_a_finding_says_all_of_it() -> None:
    """What is open, how bad it is, how to close it, and on which group."""
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
            "internet. SSH open to the world is critical (EC2.19, CIS); what is attached is not "
            "known. Attached: not known. Sources: 0.0.0.0/0."
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
def test_every_partition_has_its_arns(region: str, partition: str) -> None:
    """Product, group and interface are those of the region's part of AWS."""
    (finding,) = findings(everywhere(region))
    (group,) = finding["Resources"]
    assert finding["ProductArn"] == (
        f"arn:{partition}:securityhub:{region}:{ACCOUNT}:product/{ACCOUNT}/default"
    )
    assert group["Id"] == f"arn:{partition}:ec2:{region}:{ACCOUNT}:security-group/sg-1"
    assert (group["Partition"], group["Region"]) == (partition, region)


def test_groups_that_open_it_together_are_all_resources() -> None:
    """And the interface that they are on."""
    resources = findings(REPORTS["together"])[0]["Resources"]
    assert [each["Id"].rpartition(":")[2] for each in resources] == [
        "security-group/sg-1",
        "security-group/sg-2",
        "network-interface/eni-1",
    ]


def test_a_group_on_many_interfaces_keeps_to_the_limit() -> None:
    """The group itself is always among the resources."""
    attached = [
        {"NetworkInterfaceId": f"eni-{number}", "Groups": [{"GroupId": "sg-1"}]}
        for number in range(40)
    ]
    (finding,) = findings(of(read(SSH, NetworkInterfaces=attached)))
    assert len(finding["Resources"]) == 32
    assert finding["Resources"][0]["Type"] == "AwsEc2SecurityGroup"


def test_what_was_not_read_is_a_finding_about_the_account() -> None:
    """Nobody could check, and silence would look clean."""
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


def test_regions_that_could_not_be_listed_are_a_finding() -> None:
    """Of no region; Security Hub needs one that there is."""
    lost = Coverage(Target(ACCOUNT, "all"), CoverageStatus.DENIED, error="No.")
    (finding,) = findings(of(Scan(lost)))
    assert finding["Title"] == "Security groups not read: the list of regions / 123456789012"
    assert finding["ProductArn"].split(":")[3] == "us-east-1"
    assert finding["Resources"][0]["Region"] == "us-east-1"


def test_a_list_that_was_not_read_is_a_warning() -> None:
    """Some of what the check needs is missing."""
    (finding,) = findings(REPORTS["unreadable-list"])
    assert finding["Compliance"] == {"Status": "WARNING"}
    assert "prefix list pl-1 could not be read" in finding["Description"]
    assert finding["Remediation"]["Recommendation"]["Text"].startswith(
        "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1 "
    )


def test_what_is_accepted_is_suppressed_and_comes_back() -> None:
    """Security Hub keeps a suppressed finding so; without the exception it is another one."""
    (accepted,) = findings(REPORTS["excepted"])
    (opened,) = findings(REPORTS["one"])
    assert accepted["Workflow"] == {"Status": "SUPPRESSED"}
    assert accepted["Description"].endswith(
        "Exception: accepted until 2026-12-31 by web team: until the VPN is there."
    )
    assert opened["Workflow"] == {"Status": "NEW"}
    assert accepted["Id"] == f"{opened['Id']}/excepted"


@pytest.mark.parametrize(
    ("rules", "has_field"),
    [pytest.param(12, True, id="a-field-has-room"), pytest.param(64, False, id="nothing-has-room")],
)
def test_half_a_command_is_no_recommendation(rules: int, *, has_field: bool) -> None:
    """A command that is too long for its place is left out as a whole."""
    cidrs = [f"8.8.{number}.0/24" for number in range(rules)]
    report = of(read(answer(permission("tcp", 22, 22, *cidrs))))
    (finding,) = findings(report)
    assert "aws ec2" not in finding["Remediation"]["Recommendation"]["Text"]
    assert ("fix" in finding["ProductFields"]) == has_field
    assert finding["ProductFields"]["narrower"].startswith("aws ec2 authorize-")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_texts_of_an_account_are_printable(text: str) -> None:
    """Nobody's console is moved by them."""

    def texts(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for each in value.values():
                yield from texts(each)
        elif isinstance(value, list):
            for each in value:
                yield from texts(each)

    assert all(each.isprintable() for each in texts(findings(hostile(text))))
