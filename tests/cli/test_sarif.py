"""The SARIF, held to its schema and to what GitHub asks for beyond it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import FormatChecker
from jsonschema.validators import validator_for

from handler.model.run import Report
from tests.cli.forms import HOSTILE, REPORTS, everywhere, hostile, written

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
VALIDATOR = validator_for(SCHEMA)(SCHEMA, format_checker=FormatChecker())


def run(report: Report) -> dict[str, Any]:
    """The one run of the log."""
    (only,) = json.loads(written("sarif", report))["runs"]
    return dict(only)


@pytest.mark.parametrize("name", REPORTS)
def test_it_is_sarif(name: str) -> None:
    """The published schema takes every report."""
    log = json.loads(written("sarif", REPORTS[name]))
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    assert log["version"] == "2.1.0"


@pytest.mark.parametrize("name", REPORTS)
def test_github_takes_it(name: str) -> None:
    """Each result has a known rule and a file of the repository; fingerprints are unique."""
    told = run(REPORTS[name])
    rules = {rule["id"]: rule for rule in told["tool"]["driver"]["rules"]}
    results = told["results"]
    for result in results:
        score = rules[result["ruleId"]]["properties"]["security-severity"]
        assert 0 <= float(score) <= 10
        assert result["properties"]["security-severity"] == score
        assert rules[result["ruleId"]]["defaultConfiguration"]["level"] == result["level"]
        assert result["message"]["text"]
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            place = location["physicalLocation"]
            # A path of the repository, with nothing in it that leads elsewhere.
            assert re.fullmatch(r"security-groups(/[\w-]+){2,3}", place["artifactLocation"]["uri"])
            assert place["region"]["startLine"] == 1
        assert result["locations"]
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(prints)) == len(prints)


def test_rules_say_what_they_are_about() -> None:
    """Every rule has what GitHub shows, is stable, and leads to AWS's documentation."""
    rules = run(REPORTS["clean"])["tool"]["driver"]["rules"]
    kinds = ("exposure", "interface", "unreadable", "malformed")
    severities = ("critical", "high", "medium", "low", "info")
    named = [f"{kind}-{severity}" for kind in kinds for severity in severities]
    assert [rule["id"] for rule in rules] == [*named, "not-read"]
    for rule in rules:
        assert rule["helpUri"].startswith("https://docs.aws.amazon.com/")
        assert "security" in rule["properties"]["tags"]
        for key in ("shortDescription", "fullDescription", "help"):
            assert 0 < len(rule[key]["text"]) <= 1024


def test_a_clean_report_has_no_result() -> None:
    """An empty list, which closes what was open before; nothing at all would not."""
    told = run(REPORTS["clean"])
    assert told["results"] == []
    (invocation,) = told["invocations"]
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
            "together", ["interface-critical", *["exposure-high"] * 2], ["error"] * 3, id="together"
        ),
    ],
)
def test_kind_and_severity_make_the_rule(name: str, rules: list[str], levels: list[str]) -> None:
    """In the report's order."""
    results = run(REPORTS[name])["results"]
    assert [result["ruleId"] for result in results] == rules
    assert [result["level"] for result in results] == levels


def test_a_result_says_what_is_open_where() -> None:
    """In a sentence, as a place, and with all that the JSON report says of it."""
    (result,) = run(REPORTS["one"])["results"]
    assert result["message"]["text"] == (
        "web (sg-1) in eu-west-1 / 123456789012 opens tcp/22 (SSH) from the whole IPv4 internet. "
        "SSH open to the world is critical (EC2.19, CIS); what is attached is not known. "
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


def test_groups_that_open_it_together_are_all_named() -> None:
    """One is the place, the others are related."""
    result = run(REPORTS["together"])["results"][0]
    (related,) = result["relatedLocations"]
    assert related["logicalLocations"][0]["name"] == "sg-2"


def test_what_was_not_read_fails_the_run_and_is_a_result() -> None:
    """SARIF knows notifications; GitHub shows results only."""
    told = run(REPORTS["region-failed"])
    (invocation,) = told["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    said = "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>."
    assert notification["message"]["text"] == said
    (result,) = told["results"]
    assert (result["ruleId"], result["level"]) == ("not-read", "error")
    assert result["message"]["text"] == f"Not read: {said}"


def test_what_is_accepted_is_suppressed() -> None:
    """By an exception outside of the code, with its reason; what is open says that it is not."""
    (accepted,) = run(REPORTS["excepted"])["results"]
    assert accepted["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "accepted until 2026-12-31 by web team: until the VPN is there",
        }
    ]
    (opened,) = run(REPORTS["one"])["results"]
    assert opened["suppressions"] == []
    # It is the same finding with and without the exception.
    assert accepted["partialFingerprints"] == opened["partialFingerprints"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_in_an_account_is_a_link_or_a_placeholder(text: str) -> None:
    """Brackets and braces are escaped as SARIF says (3.11.5 and 3.11.6), the rest is printable."""
    for result in run(hostile(text))["results"]:
        message = result["message"]["text"]
        assert message.isprintable()
        assert not re.search(r"[\[\]]", re.sub(r"\\.", "", message))
        assert not re.search(r"[{}]", re.sub(r"\{\{|\}\}", "", message))


def test_a_log_is_not_too_large_for_github() -> None:
    """It takes 25,000 results and 10 MB, packed."""
    assert len(run(REPORTS["many"])["results"]) == 2000
    assert len(written("sarif", REPORTS["many"])) < 10_000_000


def test_a_finding_in_another_region_is_another_one() -> None:
    """Fingerprints know the place."""
    prints = {
        run(everywhere(region))["results"][0]["partialFingerprints"]["findingId/v1"]
        for region in ("eu-west-1", "us-east-1")
    }
    assert len(prints) == 2
