"""Whole mails, as they are sent and as they are read.

`GOLDEN=write venv/bin/python -m pytest tests/handler/test_mail.py` writes the files that the mails
are compared with; look at what changed in them before you commit it.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from handler.model.run import Report
from handler.policy.policy import Policy
from handler.report.size_limit import fit_digest
from tests.support import mails, reports
from tests.support.html_page import LOADING
from tests.support.security_groups import answer, permission

GOLDEN = Path(__file__).with_name("golden")
CASES = [
    pytest.param(mails.small, mails.POLICY, id="small"),
    pytest.param(mails.changed, mails.POLICY, id="changed"),
    pytest.param(mails.one, Policy(), id="one"),
    pytest.param(mails.none, Policy(), id="none"),
    pytest.param(mails.failures, Policy(), id="failures"),
]
LARGE = [*CASES, pytest.param(lambda: mails.many(2_000), Policy(), id="two-thousand")]
CONSOLE = re.compile(
    r"https://([a-z0-9-]+\.console\.aws\.amazon\.com|console\.amazonaws\.cn"
    r"|console\.amazonaws-us-gov\.com)/ec2/home\?region=[a-z0-9-]+#SecurityGroup:groupId=[\w%.~-]+"
)
Make = Callable[[], Report]


def outline(read: mails.Read) -> str:
    """The headers, then the parts by their types and names."""
    headers = [
        f"{name}: {value}" for name, value in read.message.items() if "boundary" not in value
    ]
    parts = [
        " ".join(filter(None, (part.get_content_type(), part.get_filename())))
        for part in read.message.walk()
    ]
    return "\n".join([*headers, "", *parts]) + "\n"


@pytest.mark.parametrize(("make", "policy"), LARGE)
def test_mails_are_what_they_were(
    make: Make, policy: Policy, request: pytest.FixtureRequest
) -> None:
    """Headers, text and HTML are those of the files, to the letter."""
    read = mails.mail(make(), policy)
    forms = {"headers": outline(read), "txt": read.text, "html": read.html}
    name = request.node.callspec.id
    for form, content in forms.items():
        file = GOLDEN / f"{name}.{form}"
        if os.environ.get("GOLDEN") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(content, "utf-8")
        assert content == file.read_text("utf-8"), file.name


@pytest.mark.parametrize(("make", "policy"), LARGE)
def test_text_and_html_say_the_same(make: Make, policy: Policy) -> None:
    """Every phrase of the digest is in both, and neither has a word that the other lacks."""
    report = make()
    read = mails.mail(report, policy)
    digest = fit_digest(report)
    shown = " ".join([read.page.text, *read.page.links]).casefold()
    for phrase in mails.phrases(digest):
        assert phrase.casefold() in read.text.casefold() or phrase == digest.subject
        assert phrase.casefold() in shown
    words = [set(re.findall(r"\w+", form.casefold())) for form in (read.text, shown)]
    assert words[0] - words[1] == set()
    # The subject is the page's title, and only the page's table names its columns.
    titles = set(re.findall(r"\w+", f"region account status {digest.subject}".casefold()))
    assert words[1] - words[0] <= titles


@pytest.mark.parametrize(("make", "policy"), LARGE)
def test_the_list_has_every_finding(make: Make, policy: Policy) -> None:
    """The attachment has a row for each finding in the report's order."""
    report = make()
    read = mails.mail(report, policy)
    if not report.findings:
        assert not read.attachments
        return
    assert read.attachments[0].get_content_type() == "text/csv"
    assert read.attachments[0].get_filename() == "findings.csv"
    assert [row["id"] for row in read.rows] == [finding.id for finding in report.findings]


@pytest.mark.parametrize(
    ("name", "start"), [("web", b"severity,"), ("\N{SNOWMAN}", b"\xef\xbb\xbfseverity,")]
)
def test_the_list_is_marked_where_excel_needs_it(name: str, start: bytes) -> None:
    """Texts of other alphabets arrive as they are, in mails that know ASCII only."""
    group = answer(permission("tcp", 22, 22, "0.0.0.0/0"), name=name)
    read = mails.mail(reports.of(reports.read(group)))
    assert read.list_bytes.startswith(start)
    assert read.rows[0]["groupName"] == name


@pytest.mark.parametrize(("make", "policy"), LARGE)
def test_html_loads_nothing_and_leads_to_the_console(make: Make, policy: Policy) -> None:
    """No element or style fetches anything, in Outlook's comments neither; links are AWS's."""
    page = mails.mail(make(), policy).page
    assert page.tags <= {
        "html", "head", "meta", "title", "body", "table", "tr", "th", "td", "h1", "h2", "p", "div",
        "span", "b", "br", "hr", "a", "code",
    }  # fmt: skip
    assert not page.attributes & LOADING
    assert not [name for name in page.attributes if name.startswith("on")]
    for style in (page.styles, *page.comments):
        assert not re.search(r"url\(|@import|src|expression|//", style)
    assert not [link for link in page.links if not CONSOLE.fullmatch(link)]


def test_order_of_the_mail() -> None:
    """What to do, what was not read, findings worst first, exceptions, coverage, how it was run."""
    read = mails.mail(mails.small(), mails.POLICY)
    for form in (read.text.casefold(), read.page.text.casefold()):
        places = [
            form.index(phrase)
            for phrase in (
                "first: close ",
                "not read: what is open there is not known",
                "critical: ",
                "high: ",
                "accepted by exceptions: 1 finding.",
                "expired on 2026-10-31: tcp/3389 on legacy",
                "expires on 2026-11-30: tcp/8443 on sg-partner",
                "matches nothing: all from 8.8.8.0/24 on sg-gone",
                "what was read",
                "audit of stack prod, started by its schedule",
            )
        ]
        assert places == sorted(places)


@pytest.mark.parametrize(
    ("make", "subject"),
    [
        pytest.param(
            mails.small,
            "[security groups] prod: 2 critical in 1 region, 2 regions not read, 1 source not read",
            id="small",
        ),
        pytest.param(mails.one, "[security groups] dev: 1 critical in 1 region", id="one"),
        pytest.param(
            mails.none, "[security groups] dev: nothing found open in 1 region", id="none"
        ),
        pytest.param(
            mails.failures,
            "[security groups] dev: nothing could be read in 2 regions",
            id="failures",
        ),
        pytest.param(
            lambda: mails.many(2_000),
            "[security groups] dev: 1,334 critical, 666 low in 1 region",
            id="two-thousand",
        ),
    ],
)
def test_subjects(make: Make, subject: str) -> None:
    """The worst first, in fewer than 90 characters."""
    assert mails.mail(make()).subject == subject
    assert len(subject) < 90
