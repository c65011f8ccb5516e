"""Whole mails, as they are sent and as they are read.

`GOLDEN=write venv/bin/python -m pytest tests/handler/test_mail.py` writes the files that the mails
are compared with; look at what changed in them before you commit it.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from handler.model.run import Report
from handler.report.size_limit import fit_digest
from tests.support import mails, reports
from tests.support.html_page import LOADING
from tests.support.mails import ReceivedMail
from tests.support.security_groups import answer, permission

GOLDEN = Path(__file__).with_name("golden")
REPORTS: dict[str, Callable[[], Report]] = {
    "small": mails.small,
    "changed": mails.changed,
    "one": mails.one,
    "none": mails.none,
    "failures": mails.failures,
    "two-thousand": lambda: mails.many(2_000),
}
SUBJECTS = {
    "small": "prod: 1 critical in 1 region, 2 regions not read, 1 source not read",
    "changed": "prod: 1 critical, 1 high, 1 medium in 1 region, 2 not read (5 changes)",
    "one": "dev: 1 critical in 1 region",
    "none": "dev: nothing found open in 1 region",
    "failures": "dev: nothing could be read in 2 regions",
    "two-thousand": "dev: 1,334 critical, 666 low in 1 region",
}
CONSOLE = re.compile(
    r"https://([a-z0-9-]+\.console\.aws\.amazon\.com|console\.amazonaws\.cn"
    r"|console\.amazonaws-us-gov\.com)/ec2/home\?region=[a-z0-9-]+#SecurityGroup:groupId=[\w%.~-]+"
)


@dataclass(frozen=True)
class Case:
    """A report and the mail on it; the files in ``golden`` have its name."""

    name: str
    report: Report
    mail: ReceivedMail


@pytest.fixture(scope="module", params=REPORTS)
def case(request: pytest.FixtureRequest) -> Case:
    """Each of the reports, with its mail composed once for all tests."""
    report = REPORTS[request.param]()
    return Case(request.param, report, mails.receive(report))


def outline(mail: ReceivedMail) -> str:
    """The headers, then the parts by their types and names."""
    headers = [
        f"{name}: {value}" for name, value in mail.message.items() if "boundary" not in value
    ]
    parts = [
        " ".join(filter(None, (part.get_content_type(), part.get_filename())))
        for part in mail.message.walk()
    ]
    return "\n".join([*headers, "", *parts]) + "\n"


def test_mails_are_those_of_the_golden_files(case: Case) -> None:
    """Headers, text and HTML are equal to the files, to the letter."""
    parts = {"headers": outline(case.mail), "txt": case.mail.text, "html": case.mail.html}
    for suffix, content in parts.items():
        file = GOLDEN / f"{case.name}.{suffix}"
        if os.environ.get("GOLDEN") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(content, "utf-8")
        assert content == file.read_text("utf-8"), file.name


def test_text_and_html_say_the_same(case: Case) -> None:
    """Every phrase of the digest is in both, and neither has a word that the other lacks."""
    mail, digest = case.mail, fit_digest(case.report)
    text = mail.text.casefold()
    page = " ".join([mail.page.text, *mail.page.links]).casefold()
    for phrase in mails.phrases(digest):
        assert phrase.casefold() in text or phrase == digest.subject
        assert phrase.casefold() in page
    text_words, page_words = (set(re.findall(r"\w+", part)) for part in (text, page))
    assert text_words - page_words == set()
    # The subject is the page's title, and only the page's table names its columns.
    titles = set(re.findall(r"\w+", f"region account status {digest.subject}".casefold()))
    assert page_words - text_words <= titles


def test_the_attachment_has_every_finding(case: Case) -> None:
    """The CSV has a row for each finding in the report's order; without findings there is none."""
    mail, report = case.mail, case.report
    if not report.findings:
        assert not mail.attachments
        return
    assert mail.attachments[0].get_content_type() == "text/csv"
    assert mail.attachments[0].get_filename() == "findings.csv"
    assert [row["id"] for row in mail.rows] == [finding.id for finding in report.findings]


@pytest.mark.parametrize(
    ("name", "start"), [("web", b"severity,"), ("\N{SNOWMAN}", b"\xef\xbb\xbfseverity,")]
)
def test_the_attachment_has_a_byte_order_mark_unless_it_is_ascii(name: str, start: bytes) -> None:
    """Excel needs the mark to read UTF-8; names of other alphabets arrive as they are."""
    group = answer(permission("tcp", 22, 22, "0.0.0.0/0"), name=name)
    mail = mails.receive(reports.of(reports.read(group)))
    assert mail.csv_bytes.startswith(start)
    assert mail.rows[0]["groupName"] == name


def test_html_loads_nothing_and_links_to_the_console_only(case: Case) -> None:
    """No element, style or comment for Outlook fetches anything; every link is one to AWS."""
    page = case.mail.page
    assert page.tags <= {
        "html", "head", "meta", "title", "body", "table", "tr", "th", "td", "h1", "h2", "p", "div",
        "span", "b", "br", "hr", "a", "code",
    }  # fmt: skip
    assert not page.attributes & LOADING
    assert not [name for name in page.attributes if name.startswith("on")]
    for style in (page.styles, *page.comments):
        assert not re.search(r"url\(|@import|src|expression|//", style)
    assert not [link for link in page.links if not CONSOLE.fullmatch(link)]


def test_the_order_of_the_sections() -> None:
    """Advice, unread targets, findings by severity, exceptions, coverage, run."""
    mail = mails.receive(mails.small())
    for part in (mail.text.casefold(), mail.page.text.casefold()):
        places = [
            part.index(phrase)
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


def test_subjects(case: Case) -> None:
    """The subject has the worst severities first, in fewer than 90 characters."""
    subject = f"[security groups] {SUBJECTS[case.name]}"
    assert case.mail.subject == subject
    assert len(subject) < 90
