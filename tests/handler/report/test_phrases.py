"""Phrases that several forms of the report share."""

import pytest

from handler.model.network import Target
from handler.report import phrases
from tests.support import reports
from tests.support.security_groups import answer, permission


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("ap-southeast-2", "ap-southeast-2.console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_url_of_a_region(region: str, host: str) -> None:
    """Each partition of AWS has its own host."""
    group = answer(permission("tcp", 22, 22, "0.0.0.0/0"), group_id="sg/1")
    (finding,) = reports.read(group, target=Target(reports.ACCOUNT, region)).findings
    assert phrases.console_url(finding) == (
        f"https://{host}/ec2/home?region={region}#SecurityGroup:groupId=sg%2F1"
    )


@pytest.mark.parametrize(
    "region",
    [
        "unknown",
        "all",
        "",
        "us-iso-east-1",
        "eusc-de-east-1",
        "evil.example/eu-west-1",
        "eu-west-1\n",
    ],
)
def test_an_unknown_region_has_no_console_url(region: str) -> None:
    """The region is a part of the host's name, so that any other text gives None."""
    (finding,) = reports.read(answer(permission("tcp", 22, 22, "0.0.0.0/0"))).findings
    elsewhere = finding._replace(target=Target(reports.ACCOUNT, region))
    assert phrases.console_url(elsewhere) is None


def test_the_first_ten_groups_are_named() -> None:
    """A group without a name has its id, a long name is cut, the others are counted."""
    (finding,) = reports.read(answer(permission("tcp", 22, 22, "0.0.0.0/0"))).findings
    ids = tuple(f"sg-{number}" for number in range(12))
    joint = finding._replace(group_ids=ids, group_names=(" ", "n" * 90, *ids[2:]))
    assert phrases.group_names(joint, 10) == (
        "sg-0 + nnnnnnn... + sg-2 + sg-3 + sg-4 + sg-5 + sg-6 + sg-7 + sg-8 + sg-9 + 2 more"
    )


@pytest.mark.parametrize(
    ("services", "verb"),
    [
        ("SSH", "is"),
        ("Redis", "is"),
        ("SSH, Telnet and FTP", "are"),
        ("SSH and RDP", "are"),
        ("Kubernetes NodePorts", "are"),
        ("Kubernetes controllers", "are"),
    ],
)
def test_the_verb_of_services(services: str, verb: str) -> None:
    """Several services, and those whose name is a plural, are; others are singular."""
    assert phrases.are_or_is(services) == verb
