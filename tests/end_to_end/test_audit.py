"""From the schedule to the mail: the deployed zip in an account with groups of every kind."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.aws.mail import Mail
from tests.end_to_end.conftest import Deployed, Installer
from tests.support.stack import unwrapped

INCOMPLETE = "AuditIncompleteError"


@dataclass(frozen=True)
class FirstRun:
    """What the first run of a stack returned, mailed and logged, and the rules that it read."""

    result: dict[str, Any]
    mails: list[Mail]
    text: str
    log: list[dict[str, Any]]
    rules: list[dict[str, Any]]


@pytest.fixture(scope="module")
def first_run(install: Installer[Deployed]) -> FirstRun:
    """One run for all tests that only read what it left."""
    deployed = install()
    result = json.loads(deployed.run().payload)
    rules = deployed.account.client("ec2").describe_security_group_rules()["SecurityGroupRules"]
    return FirstRun(result, deployed.mails(), deployed.text(), deployed.log(), rules)


def test_the_schedule_sends_one_mail(first_run: FirstRun) -> None:
    """One run finds what is open in three regions and mails one digest to the recipients."""
    assert first_run.result == {
        "statusCode": 200,
        "body": "Audit complete.",
        "counts": {
            "targets": 17,
            "targetsNotRead": 0,
            "groups": 46,
            "rules": 61,
            "findings": 29,
            "critical": 7,
            "high": 4,
            "medium": 7,
            "low": 6,
            "info": 5,
            "new": 24,
            "reopened": 0,
            "resolved": 0,
            "excepted": 0,
            "unverified": 0,
            "mailed": 1,
        },
    }
    (mail,) = first_run.mails
    assert mail.message["Subject"] == (
        "[dev] 5 critical exposures: start with legacy-erp, all traffic"
    )
    assert (mail.sender, mail.recipients) == ("audit@example.com", ("security@example.com",))


def test_the_mail_says_what_is_open(first_run: FirstRun) -> None:
    """Every way to open a port is found, and what is closed is not mentioned."""
    text = unwrapped(first_run.text)
    for opening, group in (
        ("SSH \N{MIDDLE DOT} tcp/22", "bastion"),
        ("RDP \N{MIDDLE DOT} tcp/3389 (IPv4 + IPv6)", "windows-jump-host"),
        ("All traffic", "legacy-erp"),
        ("HTTPS \N{MIDDLE DOT} tcp/443 (IPv4 + IPv6)", "shop-load-balancer"),
        ("FTP, SSH, Telnet, SMTP \N{MIDDLE DOT} tcp/20-25", "file-transfer"),
        ("PostgreSQL \N{MIDDLE DOT} tcp/5432", "orders-database"),
        ("Redis \N{MIDDLE DOT} tcp/6379", "session-cache"),
        ("Elasticsearch \N{MIDDLE DOT} tcp/9200", "search-cluster"),
        ("DNS \N{MIDDLE DOT} udp/53", "resolver"),
        ("IPsec ESP \N{MIDDLE DOT} protocol 50", "vpn-esp"),
        ("development server \N{MIDDLE DOT} tcp/3000 (IPv6)", "metrics"),
    ):
        assert f"{opening} {group} (sg-" in text
    assert re.search(
        "MongoDB \N{MIDDLE DOT}" r" tcp/27017 mongo-(low \+ mongo-high|high \+ mongo-low) \(sg-",
        text,
    )
    for closed in ("intranet", "cloudfront-origin", "application"):
        assert closed not in text


def test_a_finding_names_its_rules_and_how_to_close_it(first_run: FirstRun) -> None:
    """The rule ids are the account's own, and the command revokes just them."""
    half, other = sorted(
        rule["SecurityGroupRuleId"]
        for rule in first_run.rules
        if rule["FromPort"] == 5432 and not rule["IsEgress"]
    )
    assert f"--security-group-rule-ids \\ {half} \\ {other} " in unwrapped(first_run.text)


def test_the_log_is_structured(first_run: FirstRun) -> None:
    """Each line is JSON with a message and its facts, in the stack's own log group."""
    lines = first_run.log
    assert [line["message"] for line in lines if line["level"] == "INFO"] == [
        "Audit started.",
        *["Target read."] * 17,
        "Audit finished.",
    ]
    finding = next(line for line in lines if line["message"] == "Finding.")
    assert finding["region"] == "eu-west-1"
    assert finding["severity"] == "critical"
    assert finding["ruleIds"].startswith("sgr-")
    assert lines[-1]["durationMs"] > 0


def test_a_denied_region_is_said_and_fails_the_run(deployed: Deployed) -> None:
    """The other regions are mailed, the denied one is named, and Lambda counts an error."""
    deployed.account.faults.deny("DescribeSecurityGroups", "us-east-1", caller=deployed.caller)
    failures = [json.loads(result.payload) for result in deployed.fire().invocations]
    # Lambda tries it twice more; the ledger knows that it was mailed, and that it failed.
    assert [failure["errorType"] for failure in failures] == [INCOMPLETE] * 3
    assert len(deployed.mails()) == 1
    text = unwrapped(deployed.text())
    assert text.startswith("1 region not read; 5 critical exposures to the internet ")
    assert "us-east-1 / 123456789012 (denied): UnauthorizedOperation: You are not" in text
    (line,) = [line for line in deployed.log() if line["message"] == "Target not read."]
    assert (line["region"], line["status"]) == ("us-east-1", "denied")


def test_throttling_is_waited_for(deployed: Deployed) -> None:
    """A request that AWS throttles is asked again, and the audit is complete."""
    deployed.account.faults.throttle("DescribeSecurityGroups", 2, caller=deployed.caller)
    assert json.loads(deployed.run().payload)["counts"]["targetsNotRead"] == 0


def test_a_refused_mail_fails_the_run(deployed: Deployed) -> None:
    """When SES does not take the digest the run says so and fails, as often as Lambda tries it."""
    deployed.account.faults.refuse_mail(message="Email address is not verified.")
    results = deployed.fire().invocations
    failures = [json.loads(result.payload) for result in results]
    assert [failure["errorType"] for failure in failures] == ["MailError"] * 3
    assert failures[0]["errorMessage"] == (
        "SES did not accept the digest: MessageRejected: Email address is not verified. Follow the "
        "link that SES mailed to each address; in SES's sandbox the recipients must be verified "
        "too."
    )
    deployed.account.faults.clear()
    assert json.loads(deployed.run().payload)["counts"]["new"] == 24


def test_without_its_permission_the_schedule_reaches_nothing(install: Installer[Deployed]) -> None:
    """A schedule that may not invoke the function runs nothing."""
    deployed = install()
    functions, name = deployed.account.client("lambda"), deployed.outputs["functionName"]
    policy = json.loads(functions.get_policy(FunctionName=name)["Policy"])
    statement = policy["Statement"][0]["Sid"]
    functions.remove_permission(FunctionName=name, StatementId=statement)
    delivery = deployed.fire()
    assert not delivery.delivered
    assert delivery.invocations == ()
    assert deployed.mails() == []
    install.remove()  # no other test gets a stack without its permission
