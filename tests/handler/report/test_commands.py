"""The commands that the mail shows."""

import pytest

from handler.model.attachment import Attachment
from handler.model.finding import Finding, Opening
from handler.model.traffic import Traffic
from handler.report.commands import Command, commands_of, wrap
from tests.support import reports
from tests.support.security_groups import answer, permission

WORLD = "0.0.0.0/0"
REVOKE = "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1"


def ssh() -> Finding:
    """SSH that is open to the internet, on interfaces that could not be read."""
    (finding,) = reports.read(answer(permission("tcp", 22, 22, WORLD))).findings
    return finding._replace(fix=f"{REVOKE} --security-group-rule-ids sgr-1")


def test_each_option_has_its_line() -> None:
    """What does not fit a phone goes below its option; ids are whole."""
    ids = "sgr-0123456789abcdef0 sgr-0123456789abcdef1"
    assert wrap(f"{REVOKE} --security-group-rule-ids {ids}") == (
        "aws ec2 revoke-security-group-ingress \\\n"
        "  --region eu-west-1 \\\n"
        "  --group-id sg-1 \\\n"
        "  --security-group-rule-ids \\\n"
        "    sgr-0123456789abcdef0 \\\n"
        "    sgr-0123456789abcdef1"
    )


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("'a && b'", id="and"),
        pytest.param("""'it'"'"'s --here'""", id="quotes"),
        pytest.param("""'[{"IpProtocol": "-1"}]'""", id="json"),
    ],
)
def test_a_quoted_argument_stays_one(argument: str) -> None:
    """Neither spaces nor && nor options in quotes end it."""
    assert wrap(f"aws ec2 x --a {argument}") == f"aws ec2 x \\\n  --a {argument}"


def test_rules_of_both_families_are_revoked_at_once() -> None:
    """Commands that differ in their rule ids only become one; those of two groups stay two."""
    second = REVOKE.replace("sg-1", "sg-2")
    merged = wrap(
        f"{REVOKE} --security-group-rule-ids sgr-1 && {second} --security-group-rule-ids sgr-2"
        f" && {REVOKE} --security-group-rule-ids sgr-3 sgr-1"
    )
    assert merged == (
        "aws ec2 revoke-security-group-ingress \\\n"
        "  --region eu-west-1 \\\n"
        "  --group-id sg-1 \\\n"
        "  --security-group-rule-ids sgr-1 sgr-3 &&\n"
        "aws ec2 revoke-security-group-ingress \\\n"
        "  --region eu-west-1 \\\n"
        "  --group-id sg-2 \\\n"
        "  --security-group-rule-ids sgr-2"
    )


def test_logins_get_the_narrower_rule_first() -> None:
    """Who closes SSH lets a range in before, so that nobody locks themselves out."""
    assert commands_of(Opening(ssh())) == (
        Command(
            "1. Allow your range",
            "aws ec2 authorize-security-group-ingress \\\n"
            "  --region eu-west-1 \\\n"
            "  --group-id sg-1 \\\n"
            "  --protocol tcp \\\n"
            "  --port 22 \\\n"
            "  --cidr YOUR-RANGE",
        ),
        Command(
            "2. Revoke",
            "aws ec2 revoke-security-group-ingress \\\n"
            "  --region eu-west-1 \\\n"
            "  --group-id sg-1 \\\n"
            "  --security-group-rule-ids sgr-1",
        ),
    )


@pytest.mark.parametrize(
    ("traffic", "attachment", "steps"),
    [
        pytest.param(Traffic("tcp", 3389, 3389), Attachment.INTERNET_FACING, 2, id="rdp"),
        pytest.param(Traffic("tcp", 0, 65535), Attachment.UNKNOWN, 2, id="range-with-ssh"),
        pytest.param(Traffic("tcp", 5432, 5432), Attachment.INTERNET_FACING, 1, id="database"),
        pytest.param(Traffic("udp", 22, 22), Attachment.INTERNET_FACING, 1, id="udp"),
        pytest.param(Traffic("all"), Attachment.INTERNET_FACING, 1, id="all-traffic"),
        pytest.param(Traffic("tcp", 22, 22), Attachment.UNATTACHED, 1, id="unattached"),
        pytest.param(Traffic("tcp", 22, 22), Attachment.NO_INBOUND, 1, id="no-inbound"),
    ],
)
def test_other_commands_revoke_only(traffic: Traffic, attachment: Attachment, steps: int) -> None:
    """There is a first step only where somebody may log in; for all traffic there is none."""
    finding = ssh()._replace(traffic=traffic, attachment=attachment)
    assert len(commands_of(Opening(finding))) == steps


def test_no_command_is_cut() -> None:
    """Of a finding without a command there is none; one of over 2,500 characters is in the CSV."""
    assert commands_of(Opening(ssh()._replace(fix=None))) == ()
    long = ssh()._replace(fix=f"{REVOKE} --security-group-rule-ids {'sgr-0 ' * 500}")
    assert commands_of(Opening(long)) == (Command("", "see the CSV"),)


def test_control_characters_do_not_end_a_line() -> None:
    """A newline in a quoted argument is replaced; lines end where the command is wrapped."""
    assert wrap("aws ec2 x --a 'b\nc'") == ("aws ec2 x \\\n  --a 'b\N{REPLACEMENT CHARACTER}c'")
