"""The size of mails: small enough for mail programs and SES, whatever was found."""

import re
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from datetime import date
from secrets import token_bytes

import pytest

from handler.csv_attachment import CsvAttachment
from handler.mail import compose
from handler.model.audit_report import Changes, Report
from handler.model.finding import Severity, Status, as_openings
from handler.model.network import Target
from handler.model.policy_exception import ExceptionReview, PolicyException
from handler.model.run import Coverage, CoverageStatus
from handler.model.traffic import Traffic
from handler.settings import Settings
from tests.support import mails

MAX_HTML_BYTES = 90_000
# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MAX_MESSAGE_BYTES = 40 * 1024 * 1024
MORE = re.compile(r"And ([\d,]+) more findings? in the CSV\.")
ENTRY = re.compile(r"^  \S.* \N{MIDDLE DOT} tcp/", re.MULTILINE)
RECIPIENTS = tuple(f"{'x' * 60}{number:02}@{'y' * 60}.example.com" for number in range(50))


def left_out(form: str) -> int:
    """How many findings a form says that it leaves out."""
    found = MORE.search(" ".join(form.split()))
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.parametrize("number", [10, 200, 2_000, 20_000])
def test_many_findings(number: int) -> None:
    """The worst findings are listed, the others are counted, and the CSV has all of them."""
    report = mails.many(number)
    mail = mails.receive(report)
    assert mail.html_bytes <= MAX_HTML_BYTES
    assert len(mail.raw) < MAX_MESSAGE_BYTES
    assert len(mail.rows) == len(report.findings) == number
    shown = len(ENTRY.findall(mail.text))
    assert shown >= min(number, 50)
    assert mail.page.visible.count(" \N{MIDDLE DOT} tcp/") == shown
    assert left_out(mail.text) == left_out(mail.page.visible) == number - shown
    severities = [finding.severity for finding in report.findings]
    for severity in Severity:
        heading = f"\n{severity.upper()} ({severities.count(severity):,})\n"
        section = re.split(r"\n[A-Z]+ \(|\nAll|\n1 region", mail.text.partition(heading)[2])[0]
        assert len(ENTRY.findall(section)) == severities[:shown].count(severity)
        assert (heading in mail.text) == bool(section)


def crowded(text: str, groups: int = 60, accounts: int = 2) -> Report:
    """Long texts everywhere: findings, changes, targets that were not read, and exceptions.

    There are three findings for each group, and a hundred targets for each account.
    """
    report = mails.hostile(text, groups)
    targets = [
        Target(f"{account:012}", f"region-{region:03}{text}"[:255])
        for account in range(accounts)
        for region in range(100)
    ]
    coverage = tuple(
        Coverage(target, status, 1_000_000, 1_000_000, (text * 300)[:300])
        for target in targets
        for status in (CoverageStatus.FAILED, CoverageStatus.OK)
    )
    accepted = tuple(
        PolicyException(
            f"{number:03}{text}"[:255],
            "tcp/22",
            Traffic("tcp", 22, 22),
            (text * 255)[:255],
            (text * 255)[:255],
            date(2026, 11, 1),
        )
        for number in range(200)
    )
    exceptions = ExceptionReview(accepted[:70], accepted[70:140], accepted[140:])
    resolved = tuple(
        finding._replace(id=f"{number}", status=Status.RESOLVED, first_seen="2026-01-01T00:00:00Z")
        for number, finding in enumerate(report.findings[:100])
    )
    return replace(
        report,
        coverage=coverage,
        exceptions=exceptions,
        findings=(*report.findings, *resolved),
        changes=Changes(lost=tuple(targets[:50]), regained=tuple(targets[50:100])),
        notices=((text * 300)[:300],) * 20,
    )


def test_exceptions_and_targets_are_listed_while_there_is_room() -> None:
    """30 exceptions and 34 targets are all listed; of more, the rest is counted."""
    targets = [Target("123456789012", f"region-{n:02}") for n in range(34)]
    unread = tuple(
        Coverage(target, CoverageStatus.FAILED, error=f"No {number}.")
        for number, target in enumerate(targets)
    )
    accepted = tuple(
        PolicyException(f"sg-{n:02}", "tcp/22", Traffic("tcp", 22, 22), "a", "b", date(2026, 11, 1))
        for n in range(30)
    )
    exceptions = ExceptionReview(accepted[:10], accepted[10:20], accepted[20:])
    mail = mails.receive(replace(mails.one(), coverage=unread, exceptions=exceptions))
    for form in (" ".join(mail.text.split()), mail.page.visible):
        assert not [number for number in range(34) if f"No {number}." not in form]
        groups = [exception.group for exception in accepted]
        assert not [group for group in groups if f" on {group}, owner" not in form]
    crowd = mails.receive(crowded("&" * 255)).text
    assert "and 66 more exceptions." in crowd


@pytest.mark.parametrize(
    "character",
    [
        pytest.param("x", id="letters"),
        pytest.param("&", id="ampersands"),
        pytest.param('"', id="quotes"),
        pytest.param("\N{PILE OF POO}", id="four-bytes"),
        pytest.param("\0", id="control"),
    ],
)
@pytest.mark.parametrize("length", [255, 5_000])
def test_long_texts_everywhere(character: str, length: int) -> None:
    """However long its texts and their HTML, a mail is small and shows the worst finding."""
    check_size(crowded(character * length))


def test_long_texts_in_many_findings_and_targets() -> None:
    """A mail on 900 findings and 1,000 targets with long texts is as small as one on fewer."""
    check_size(crowded("&" * 255, groups=300, accounts=10))


def check_size(report: Report) -> None:
    """The mail on the report, with a row for each finding, is taken by SES and shown in full."""
    settings = Settings("audit@example.com", RECIPIENTS)
    mail = mails.receive(replace(report, minimum_severity=Severity.INFO), settings)
    assert mail.html_bytes <= MAX_HTML_BYTES
    assert len(mail.raw) < MAX_MESSAGE_BYTES
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
    assert len(mail.subject) <= 78
    assert [address.addr_spec for address in mail.message["To"].addresses] == list(RECIPIENTS)
    shown = sum(tag == "b" for tag, _ in mail.page.seen) - 1
    assert shown >= 1
    openings = len(as_openings(report.open))
    assert left_out(mail.text) == left_out(mail.page.visible)
    assert 0 < openings - left_out(mail.text) <= shown
    (attachment,) = mail.attachments
    name = attachment.get_filename() or ""
    assert re.fullmatch(r"security-groups-[\w-]*2026-11-23\.csv(\.zip)?", name)
    assert len(mail.rows) == len(report.findings)


def test_a_csv_that_has_grown_too_long() -> None:
    """SES takes the mail, which says how many findings are in the stored report only."""
    report = mails.small()
    with closing(CsvAttachment(report.run)) as csv:
        for _ in range(60):
            csv.write(f"{b64encode(token_bytes(750_000)).decode()}\r\n")
        mail = mails.ReceivedMail(compose(mails.SETTINGS, report, csv=csv))
    assert len(mail.raw) < MAX_MESSAGE_BYTES
    text = " ".join(mail.text.split())
    said = re.search(r"room for (\d+) findings; (\d+) more are in the report", text)
    assert said is not None
    assert int(said[1]) + int(said[2]) == 60
    assert int(said[1]) >= 33
