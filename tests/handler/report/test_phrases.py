"""Phrases that several forms of the report share."""

from dataclasses import replace

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
    elsewhere = replace(finding, target=Target(reports.ACCOUNT, region))
    assert phrases.console_url(elsewhere) is None
