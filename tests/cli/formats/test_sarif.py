"""The SARIF keeps to its schema and to what GitHub requires beyond it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import FormatChecker
from jsonschema.validators import validator_for

from handler.model.audit_report import Report
from tests.cli.sample_reports import HOSTILE_TEXTS, REPORTS, hostile_report, render, ssh_report

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
VALIDATOR = validator_for(SCHEMA)(SCHEMA, format_checker=FormatChecker())


def run(report: Report) -> dict[str, Any]:
    """The only run of the log."""
    (only,) = json.loads(render("sarif", report))["runs"]
    return dict(only)


@pytest.mark.parametrize("name", REPORTS)
def test_log_is_valid_by_the_schema(name: str) -> None:
    """A log of each report is valid by the published schema of SARIF 2.1.0."""
    log = json.loads(render("sarif", REPORTS[name]))
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    assert log["version"] == "2.1.0"


@pytest.mark.parametrize("name", REPORTS)
def test_results_have_what_github_requires(name: str) -> None:
    """Each result has a rule, a severity and a relative path; fingerprints are unique."""
    log_run = run(REPORTS[name])
    rules = {rule["id"]: rule for rule in log_run["tool"]["driver"]["rules"]}
    results = log_run["results"]
    for result in results:
        score = rules[result["ruleId"]]["properties"]["security-severity"]
        assert 0 <= float(score) <= 10
        assert result["properties"]["security-severity"] == score
        assert rules[result["ruleId"]]["defaultConfiguration"]["level"] == result["level"]
        assert result["message"]["text"]
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            place = location["physicalLocation"]
            # A path inside of the repository, without dots.
            assert re.fullmatch(r"security-groups(/[\w-]+){2,3}", place["artifactLocation"]["uri"])
            assert place["region"]["startLine"] == 1
        assert result["locations"]
    fingerprints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(fingerprints)) == len(fingerprints)


def test_there_is_a_rule_for_each_kind_and_severity() -> None:
    """Each rule has a stable id, a name, a fix, and a link to AWS's documentation."""
    driver = run(REPORTS["clean"])["tool"]["driver"]
    assert driver["informationUri"].startswith("https://docs.aws.amazon.com/")
    rules = driver["rules"]
    kinds = ("exposure", "interface", "unreadable", "malformed")
    severities = ("critical", "high", "medium", "low", "info")
    ids = [f"{kind}-{severity}" for kind in kinds for severity in severities]
    assert [rule["id"] for rule in rules] == [*ids, "not-read"]
    assert len({rule["name"] for rule in rules}) == len(rules)
    assert rules[0]["help"] == {
        "text": "Public addresses reach these ports through the inbound rules of one security "
        "group. Revoke the rules, or replace their sources by the ranges that need access. "
        "The property fix of the result is the AWS CLI command that revokes just these rules. "
        "See https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18",
        "markdown": "Public addresses reach these ports through the inbound rules of one security "
        "group.\n\n**Fix:** Revoke the rules, or replace their sources by the ranges that need "
        "access. The property `fix` of the result is the AWS CLI command that revokes just these "
        "rules.\n\n[AWS documentation]"
        "(https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18)",
    }
    for rule in rules:
        assert re.fullmatch("([A-Z][a-z]+)+", rule["name"])
        assert "**Fix:** " in rule["help"]["markdown"]
        assert rule["helpUri"].startswith("https://docs.aws.amazon.com/")
        assert "security" in rule["properties"]["tags"]
        for key in ("shortDescription", "fullDescription", "help"):
            assert 0 < len(rule[key]["text"]) <= 1024


def test_clean_report_has_an_empty_list_of_results() -> None:
    """An empty list closes GitHub's open alerts; a run without a list would not."""
    log_run = run(REPORTS["clean"])
    assert log_run["results"] == []
    (invocation,) = log_run["invocations"]
    assert invocation == {
        "executionSuccessful": True,
        "startTimeUtc": "2026-11-23T06:00:00Z",
        "endTimeUtc": "2026-11-23T06:00:07Z",
        "toolExecutionNotifications": [],
    }


@pytest.mark.parametrize(
    ("name", "rules", "levels"),
    [
        pytest.param("one", ["exposure-critical"], ["error"], id="critical"),
        pytest.param("icmp", ["exposure-medium"], ["warning"], id="medium"),
        pytest.param("ipv6", ["exposure-critical"], ["error"], id="ipv6"),
        pytest.param("all-traffic", ["exposure-critical"], ["error"], id="all-traffic"),
        pytest.param("unreadable-list", ["unreadable-critical"], ["error"], id="unreadable"),
        pytest.param("malformed", ["malformed-high"], ["error"], id="malformed"),
        pytest.param(
            "joint",
            ["interface-critical", "exposure-critical", "exposure-high"],
            ["error"] * 3,
            id="joint",
        ),
    ],
)
def test_rule_is_kind_and_severity(name: str, rules: list[str], levels: list[str]) -> None:
    """Each finding is a result, in the report's order, with its rule and level."""
    results = run(REPORTS[name])["results"]
    assert [result["ruleId"] for result in results] == rules
    assert [result["level"] for result in results] == levels


def test_result_has_sentence_location_and_properties() -> None:
    """A result has a sentence, the group as its location, and the properties of the JSON report."""
    (result,) = run(REPORTS["one"])["results"]
    assert result["message"]["text"] == (
        "web (sg-1) in eu-west-1 / 123456789012 opens tcp/22 (SSH) from the whole IPv4 internet. "
        "Critical: SSH is open to the internet (EC2.19, CIS); its interfaces could not be read. "
        "Attached: not known. Sources: 0.0.0.0/0."
    )
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == (
        "security-groups/123456789012/eu-west-1/sg-1"
    )
    assert location["logicalLocations"] == [
        {
            "name": "sg-1",
            "fullyQualifiedName": "123456789012/eu-west-1/sg-1",
            "kind": "resource",
        }
    ]
    assert result["properties"]["fix"].startswith("aws ec2 revoke-security-group-ingress ")
    assert result["partialFingerprints"]["primaryLocationLineHash"] == REPORTS["one"].open[0].id


def test_joint_finding_has_related_locations() -> None:
    """The first of the groups is the location, the others are related locations."""
    result = run(REPORTS["joint"])["results"][0]
    (related,) = result["relatedLocations"]
    assert related["logicalLocations"][0]["name"] == "sg-2"


def test_unread_region_is_a_notification_and_a_result() -> None:
    """An unread region fails the run; as GitHub shows only results, it is one as well."""
    log_run = run(REPORTS["region-failed"])
    (invocation,) = log_run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    text = "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>."
    assert notification["message"]["text"] == text
    (result,) = log_run["results"]
    assert (result["ruleId"], result["level"]) == ("not-read", "error")
    assert result["message"]["text"] == f"Not read: {text}"


def test_excepted_finding_is_suppressed() -> None:
    """A suppression has the exception's reason; an open finding has an empty list of them."""
    (excepted,) = run(REPORTS["excepted"])["results"]
    assert excepted["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "accepted until 2026-12-31 by web team: until the VPN is there",
        }
    ]
    (opened,) = run(REPORTS["one"])["results"]
    assert opened["suppressions"] == []
    # GitHub takes them for one alert.
    assert excepted["partialFingerprints"] == opened["partialFingerprints"]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_messages_have_no_link_and_no_placeholder(text: str) -> None:
    """Brackets and braces are escaped (SARIF 3.11.5 and 3.11.6), the rest is printable."""
    for result in run(hostile_report(text))["results"]:
        message = result["message"]["text"]
        assert message.isprintable()
        assert not re.search(r"[\[\]]", re.sub(r"\\.", "", message))
        assert not re.search(r"[{}]", re.sub(r"\{\{|\}\}", "", message))


def test_log_of_2000_findings_is_within_the_limits_of_github() -> None:
    """GitHub accepts 25,000 results and 10 MB of gzip; the log has less than 10 MB without it."""
    assert len(run(REPORTS["many"])["results"]) == 2000
    assert len(render("sarif", REPORTS["many"])) < 10_000_000


def test_fingerprint_depends_on_the_region() -> None:
    """The same group in two regions has two fingerprints."""
    fingerprints = {
        run(ssh_report(region))["results"][0]["partialFingerprints"]["findingId/v1"]
        for region in ("eu-west-1", "us-east-1")
    }
    assert len(fingerprints) == 2
