"""Mails stay within what is shown and what is taken, whatever was found."""

import re
from dataclasses import replace
from datetime import date

import pytest

from handler.model.finding import Severity, Status
from handler.model.network import Target
from handler.model.run import (
    Changes,
    Coverage,
    CoverageStatus,
    ExceptionReview,
    PolicyException,
    Report,
)
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from handler.settings import Settings
from tests.support import mails

MOST_HTML = 90_000
# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MOST_MESSAGE = 40 * 1024 * 1024
MORE = re.compile(r"and ([\d,]+) more findings?, none worse than the last one above")
RECIPIENTS = tuple(f"{'x' * 60}{number:02}@{'y' * 60}.example.com" for number in range(50))


def left_out(form: str) -> int:
    """How many findings a form says that it leaves out."""
    found = MORE.search(form)
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.parametrize("number", [10, 200, 2_000, 20_000])
def test_many_findings(number: int) -> None:
    """The worst are shown, the rest is counted, and the list has them all."""
    report = mails.many(number)
    read = mails.mail(report)
    assert read.html_bytes <= MOST_HTML
    assert len(read.raw) < MOST_MESSAGE
    assert len(read.rows) == len(report.findings) == number
    shown = read.text.count("      close: ")
    assert shown >= min(number, 50)
    assert read.page.text.count(" close: ") == shown
    assert left_out(read.text) == left_out(read.page.text) == number - shown
    severities = [finding.severity for finding in report.findings]
    for severity in Severity:
        count = severities[:shown].count(severity)
        section = read.text.partition(f"\n{severity.upper()}: ")[2].partition("\n\n")[0]
        assert section.count("      close: ") == count
        said = f"{severity.upper()}: {severities.count(severity):,}\n"
        assert (said in read.text) == bool(count)


def crowded(text: str) -> Report:
    """Long texts everywhere: findings, changes, targets that were not read, and exceptions."""
    report = mails.hostile(text, 300)
    targets = [
        Target(f"{account:012}", f"region-{region:03}{text}"[:255])
        for account in range(10)
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
        replace(each, id=f"{number}", status=Status.RESOLVED, first_seen="2026-01-01T00:00:00Z")
        for number, each in enumerate(report.findings[:100])
    )
    return replace(
        report,
        coverage=coverage,
        exceptions=exceptions,
        findings=(*report.findings, *resolved),
        changes=Changes(lost=tuple(targets[:50]), regained=tuple(targets[50:100])),
        notices=((text * 300)[:300],) * 20,
    )


def test_every_exception_and_every_target_is_named_where_there_is_room() -> None:
    """And how many are not, where there is none."""
    targets = [Target("123456789012", f"region-{n:02}") for n in range(34)]
    unread = tuple(
        Coverage(each, CoverageStatus.FAILED, error=f"No {each.region}.") for each in targets
    )
    accepted = tuple(
        PolicyException(f"sg-{n:02}", "tcp/22", Traffic("tcp", 22, 22), "a", "b", date(2026, 11, 1))
        for n in range(30)
    )
    exceptions = ExceptionReview(accepted[:10], accepted[10:20], accepted[20:])
    read = mails.mail(replace(mails.one(), coverage=unread, exceptions=exceptions))
    for form in (read.text, read.page.text):
        assert not [each for each in targets if f"No {each.region}." not in form]
        assert not [each for each in accepted if f" on {each.group}, owner" not in form]
    crowd = mails.mail(crowded("&" * 255)).text
    assert "and 62 more exceptions." in crowd


@pytest.mark.parametrize(
    "character",
    [
        pytest.param("x", id="letters"),
        pytest.param("&", id="ampersands"),
        pytest.param("<", id="less-than"),
        pytest.param('"', id="quotes"),
        pytest.param("'", id="apostrophes"),
        pytest.param("\N{PILE OF POO}", id="four-bytes"),
        pytest.param("\0", id="control"),
    ],
)
@pytest.mark.parametrize("length", [255, 5_000])
def test_long_texts_everywhere(character: str, length: int) -> None:
    """However long and costly its texts, a mail is small, and it shows the worst finding."""
    report = crowded(character * length)
    read = mails.mail(report, Policy(Severity.INFO), Settings("audit@example.com", RECIPIENTS))
    assert read.html_bytes <= MOST_HTML
    assert len(read.raw) < MOST_MESSAGE
    assert max(map(len, read.raw.split(b"\r\n"))) <= 998
    assert len(read.subject) < 90
    assert [each.addr_spec for each in read.message["To"].addresses] == list(RECIPIENTS)
    shown = read.text.count("\n    - ")
    assert shown >= 1
    assert left_out(read.text) == left_out(read.page.text) == len(report.open) - shown
    (attachment,) = read.attachments
    without = re.fullmatch(
        r"findings(?:-worst-without-(\d+))?\.csv", attachment.get_filename() or ""
    )
    assert without
    assert len(read.rows) + int(without[1] or 0) == len(report.findings)
