"""JSON, CSV and HTML outside of the mail, each read by what people read them with."""

import csv
import json
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest

from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Scan
from handler.report.csv import COLUMNS
from handler.sanitize import plain
from tests.cli.forms import HOSTILE, REPORTS, hostile, written
from tests.support.reports import of


def rows(name: str) -> list[dict[str, Any]]:
    """The lines of the CSV, by the names of its columns."""
    return list(csv.DictReader(StringIO(written("csv", REPORTS[name]), newline=""), strict=True))


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag, and where a link leads to."""
        self.tags += [tag, *(value or "" for key, value in attrs if key == "href")]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


@pytest.mark.parametrize("name", REPORTS)
def test_json_is_one_object_with_all_findings(name: str) -> None:
    """With those that are accepted, and how much of every target was read."""
    report, told = REPORTS[name], json.loads(written("json", REPORTS[name]))
    assert told["version"] == 1
    assert [each["id"] for each in told["findings"]] == [each.id for each in report.findings]
    assert [each["status"] for each in told["coverage"]] == [
        each.status for each in report.coverage
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_csv_has_a_line_for_each_finding_and_target_not_read(name: str) -> None:
    """In the report's order, with all columns and nothing that a spreadsheet runs."""
    report, lines = REPORTS[name], rows(name)
    assert [line["id"] for line in lines] == [
        *(each.id for each in report.findings),
        *("" for _ in report.unread),
    ]
    for line in lines:
        assert tuple(line) == COLUMNS
        for cell in line.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert cell.isprintable()


def test_csv_says_what_was_not_read() -> None:
    """A list of findings that lacks a region must not look like all of them."""
    (line,) = rows("region-failed")
    assert {key: value for key, value in line.items() if value} == {
        "severity": "high",
        "status": "denied",
        "kind": "not-read",
        "account": "123456789012",
        "region": "eu-central-1",
        "detail": "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.",
    }


def test_csv_runs_nothing_that_a_snapshot_calls_itself() -> None:
    """A snapshot may say any account and region."""
    lost = Coverage(Target("=1+1", "@x\x1b"), CoverageStatus.FAILED, error="No.")
    (line,) = csv.DictReader(StringIO(written("csv", of(Scan(lost))), newline=""))
    assert (line["account"], line["region"]) == ("'=1+1", "'@x\N{REPLACEMENT CHARACTER}")
    assert line["detail"].startswith("'@x")


@pytest.mark.parametrize("name", REPORTS)
def test_csv_ends_every_line_as_csv_does(name: str) -> None:
    """The lines about targets too: RFC 4180 says CRLF."""
    text = written("csv", REPORTS[name])
    assert text.count("\r\n") == text.count("\n") == text.count("\r")


@pytest.mark.parametrize("name", ["clean", "one", "region-failed", "excepted", "together"])
def test_html_says_what_the_mail_says(name: str) -> None:
    """All of it, as one page."""
    page = Page(written("html", REPORTS[name]))
    assert page.tags[0] == "html"
    assert "What was read" in page.text
    assert all(each.target.region in page.text for each in REPORTS[name].coverage)
    assert ("Not read: what is open there is not known" in page.text) == (name == "region-failed")


def test_html_is_as_large_as_a_mail_may_be() -> None:
    """The worst findings, and how many more there are."""
    written_page = written("html", REPORTS["many"])
    assert len(written_page.encode()) <= 90_000
    text = Page(written_page).text
    # The advice names the first of them once more.
    shown = text.count("tcp/22 (SSH) from the whole IPv4 internet") - 1
    assert f"and {2000 - shown:,} more findings, none worse than the last one above" in text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_html_has_only_its_own_tags(text: str) -> None:
    """What an account says is text, and links lead to AWS's console."""
    page = Page(written("html", hostile(text)))
    tags = {tag for tag in page.tags if "/" not in tag}
    assert tags <= {
        *("html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "b", "br", "hr", "a"),
        *("table", "tr", "td", "th", "span", "code"),
    }
    links = [tag for tag in page.tags if "/" in tag]
    assert all(link.startswith("https://eu-west-1.console.aws.amazon.com/") for link in links)
    assert plain(text).strip()[:60] in page.text
