"""Who opened a finding, in each output format."""

import pytest

from tests.cli.sample_reports import SSH_GROUP, render
from tests.support.openers import opened
from tests.support.reports import of, read

PHRASE = "IAM user alice, 23 Nov 2026 05:58 UTC from 203.0.113.9"


@pytest.mark.parametrize(
    ("format_name", "text"),
    [
        ("table", f"opened by: {PHRASE}"),
        ("markdown", f"opened by: {PHRASE}"),
        ("html", f"opened by: {PHRASE}"),
        ("csv", PHRASE),
        ("json", '"principal": "IAM user alice"'),
        ("sarif", f"Opened by: {PHRASE}."),
        ("asff", f"Opened by: {PHRASE}."),
        ("asff", f'"openedBy": "{PHRASE}"'),
    ],
)
def test_each_format_says_who_opened_a_finding(format_name: str, text: str) -> None:
    """Principal, time and address; programs get them as fields."""
    assert text in " ".join(render(format_name, opened(of(read(SSH_GROUP)))).split())
