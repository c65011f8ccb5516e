"""Whole mails, as they are sent and as they are read.

`GOLDEN=write venv/bin/python -m pytest tests/handler/test_mail.py` writes the files that the mails
are compared with; look at what changed in them before you commit it.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.report.size_limit import fit_digest
from tests.support import mails, reports, sample_account
from tests.support.html_page import LOADING
from tests.support.mails import ReceivedMail
from tests.support.security_groups import answer, permission

GOLDEN = Path(__file__).with_name("golden")
REPORTS: dict[str, Callable[[], Report]] = {
    "full": sample_account.full,
    "changes": sample_account.changes,
    "every-change": mails.changed,
    "clean": mails.none,
    "not-read": mails.small,
    "two-thousand": lambda: mails.many(2_000),
    "hostile": lambda: mails.hostile('<b onclick="x()">\r\n=1+1'),
}
KINDS = {"changes": DigestKind.CHANGES, "every-change": DigestKind.CHANGES}
SUBJECTS = {
    "full": "[dev] 5 critical exposures: start with legacy-erp, all traffic",
    "changes": "[dev] New critical: MySQL open to the internet on orders-database (1 resolved)",
    "every-change": "[prod] 2 regions not read; new critical: SSH open to the internet on bastion",
    "clean": "[dev] Nothing open to the internet in 1 region",
    "not-read": "[prod] 2 regions and 1 source not read; 1 critical exposure",
    "two-thousand": "[dev] 1,334 critical exposures: start with group-0, SSH",
    "hostile": '[<b onclick="x...] 1 region and 2 sources not read; 4 critical findings',
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
    kind: DigestKind
    mail: ReceivedMail


@pytest.fixture(scope="module", params=REPORTS)
def case(request: pytest.FixtureRequest) -> Case:
    """Each of the reports, with its mail composed once for all tests."""
    report, kind = REPORTS[request.param](), KINDS.get(request.param, DigestKind.FULL)
    return Case(request.param, report, kind, mails.receive(report, kind=kind))


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
    digest = fit_digest(case.report, case.kind)
    # Only a text without links needs ids, and what a mail program shows beside the subject is none.
    text = " ".join(case.mail.text.split()).casefold()
    page = " ".join(" ".join([case.mail.page.visible, *case.mail.page.links]).split()).casefold()
    content = digest._replace(subject="", preheader="", sections=())
    # A section's severity is its colour.
    sections = tuple(section._replace(severity=None) for section in digest.sections)
    for phrase in (*mails.phrases(content), *mails.phrases(sections)):
        line = " ".join(phrase.split()).casefold()
        assert line in text or line.startswith("https://") or " sg-" in line
        assert line in page or line in {group.casefold() for group in ids(case)}
    text_words, page_words = (set(re.findall(r"\w+", part)) for part in (text, page))
    assert text_words - page_words <= set(re.findall(r"\w+", " ".join(ids(case)).casefold()))
    links = set(re.findall(r"\w+", " ".join(case.mail.page.links).casefold()))
    assert page_words - text_words - links == set()


def ids(case: Case) -> list[str]:
    """The ids of the groups that the mail lists."""
    digest = fit_digest(case.report, case.kind)
    return [entry.group_ids for section in digest.sections for entry in section.entries]


def test_the_attachment_has_every_finding(case: Case) -> None:
    """The CSV has a row for each listed finding in the report's order; without one, no CSV."""
    mail, listed = case.mail, case.report.listed(case.report.findings)
    if not listed:
        assert not mail.attachments
        return
    is_long = len(mail.csv_bytes) > 1_000_000
    kind = "application/zip" if is_long else "text/csv"
    assert mail.attachments[0].get_content_type() == kind
    assert [row["id"] for row in mail.rows] == [finding.id for finding in listed]


@pytest.mark.parametrize(
    ("stack", "name"),
    [
        ("dev", "security-groups-dev-2026-11-23.csv"),
        (None, "security-groups-2026-11-23.csv"),
        ("../Prod: x", "security-groups-prod-x-2026-11-23.csv"),
    ],
)
def test_the_attachment_names_stack_and_day(stack: str | None, name: str) -> None:
    """Letters and digits of the stack's name, and the day of the run."""
    group = answer(permission("tcp", 22, 22, "0.0.0.0/0"))
    mail = mails.receive(reports.of(reports.read(group), stack=stack))
    assert mail.attachments[0].get_filename() == name


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
        "html", "head", "meta", "title", "style", "body", "table", "tr", "td", "h1", "h2", "p",
        "div", "span", "b", "br", "a", "pre",
    }  # fmt: skip
    assert not page.attributes & LOADING
    assert not [name for name in page.attributes if name.startswith("on")]
    for style in (page.styles, page.sheet, *page.comments):
        assert not re.search(r"url\(|@import|src|expression|//", style)
    assert not [link for link in page.links if not CONSOLE.fullmatch(link)]


def test_nothing_depends_on_what_mail_programs_do_not_know(case: Case) -> None:
    """Outlook has no border-spacing and no opacity, Gmail no overflow-wrap."""
    style = case.mail.page.styles + case.mail.page.sheet
    assert not re.search(r"border-spacing|opacity|overflow-wrap|rgba", style)


def test_lines_are_short(case: Case) -> None:
    """Text and HTML travel as quoted-printable, in lines of fewer than 100 bytes."""
    parts = case.mail.raw.split(b"text/csv")[0]
    assert max(map(len, parts.split(b"\r\n"))) < 100
    for line in case.mail.text.splitlines():
        assert len(line) <= 78 or len(line.split()) == 1 or "'[{" in line


@pytest.mark.parametrize(("name", "most"), [("full", 400), ("changes", 130)])
def test_mails_are_short(name: str, most: int) -> None:
    """19 findings, 5 of them critical, take 400 words at most, one new finding 130."""
    kind = KINDS.get(name, DigestKind.FULL)
    mail = mails.receive(REPORTS[name](), kind=kind)
    assert mails.words(mail.page.visible) <= most


def test_the_order_of_the_content() -> None:
    """Start, notes, unread targets, findings by severity, exceptions, coverage, run."""
    report = replace(mails.small(), notices=("The ledger could not be read: no.",))
    mail = mails.receive(report)
    for part in (mail.text, mail.page.visible):
        text = " ".join(part.casefold().split())
        places = [
            text.index(phrase)
            for phrase in (
                "2 regions and 1 source not read; ssh on bastion is open to the internet",
                "start with bastion:",
                "1 critical, 1 high, 5 medium",
                "the ledger could not be read: no.",
                "not read: what is open there is not known",
                "critical (1)",
                "high (1)",
                "expired on 2026-10-31: tcp/3389 on legacy",
                "expires on 2026-11-30: tcp/8443 on sg-partner",
                "matches nothing: all from 8.8.8.0/24 on sg-gone",
                "1 of 3 regions read: 14 groups, 16 rules.",
                "1 finding accepted by exceptions.",
                "open on purpose?",
                "scheduled run run-1",
            )
        ]
        assert places == sorted(places)


def test_subjects(case: Case) -> None:
    """The subject has the news in its first 50 characters, and 78 at most."""
    assert case.mail.subject == SUBJECTS[case.name]
    assert len(case.mail.subject) <= 78
