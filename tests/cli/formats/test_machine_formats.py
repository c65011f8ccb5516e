"""JSON, CSV and HTML as the command writes them, each read by a parser of its kind."""

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
from tests.cli.sample_reports import HOSTILE_TEXTS, REPORTS, hostile_report, render
from tests.support.reports import of


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of the CSV, by column."""
    return list(csv.DictReader(StringIO(render("csv", REPORTS[name]), newline=""), strict=True))


class Page(HTMLParser):
    """The tags, the targets of links and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and its href."""
        self.tags += [tag, *(value or "" for key, value in attrs if key == "href")]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


@pytest.mark.parametrize("name", REPORTS)
def test_json_has_all_findings_and_targets(name: str) -> None:
    """The object has each finding, excepted ones too, and the coverage of each target."""
    report, document = REPORTS[name], json.loads(render("json", REPORTS[name]))
    ids = [finding["id"] for finding in document["findings"]]
    statuses = [coverage["status"] for coverage in document["coverage"]]
    assert document["version"] == 2
    assert ids == [finding.id for finding in report.findings]
    assert statuses == [coverage.status for coverage in report.coverage]


@pytest.mark.parametrize("name", REPORTS)
def test_csv_has_a_row_for_each_finding_and_unread_target(name: str) -> None:
    """Rows are in the report's order, and no cell is a formula for a spreadsheet."""
    report, lines = REPORTS[name], rows(name)
    assert [line["id"] for line in lines] == [
        *(finding.id for finding in report.findings),
        *("" for _ in report.unread),
    ]
    for line in lines:
        assert tuple(line) == COLUMNS
        for cell in line.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert cell.isprintable()


def test_csv_has_a_row_for_an_unread_region() -> None:
    """An unread region has the severity high and the error as its detail."""
    (line,) = rows("region-failed")
    assert {key: value for key, value in line.items() if value} == {
        "severity": "high",
        "status": "denied",
        "kind": "not-read",
        "account": "123456789012",
        "region": "eu-central-1",
        "detail": "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.",
    }


def test_csv_quotes_account_and_region_of_a_snapshot() -> None:
    """A snapshot may name any account and region; a formula in them begins with an apostrophe."""
    unread = Coverage(Target("=1+1", "@x\x1b"), CoverageStatus.FAILED, error="No.")
    (line,) = csv.DictReader(StringIO(render("csv", of(Scan(unread))), newline=""))
    assert (line["account"], line["region"]) == ("'=1+1", "'@x\N{REPLACEMENT CHARACTER}")
    assert line["detail"].startswith("'@x")


@pytest.mark.parametrize("name", REPORTS)
def test_csv_lines_end_with_cr_and_lf(name: str) -> None:
    """Each line, of a finding or of a target, ends with CRLF as in RFC 4180."""
    text = render("csv", REPORTS[name])
    assert text.count("\r\n") == text.count("\n") == text.count("\r")


@pytest.mark.parametrize("name", ["clean", "one", "region-failed", "excepted", "joint"])
def test_html_is_a_page_with_findings_and_coverage(name: str) -> None:
    """The page says how many regions were read, and warns of one that was not."""
    page = Page(render("html", REPORTS[name]))
    assert page.tags[0] == "html"
    read = "1 of 2 regions read:" if name == "region-failed" else "1 region read:"
    assert read in page.text
    assert ("Not read: what is open there is not known" in page.text) == (name == "region-failed")


def test_html_has_at_most_90_kb() -> None:
    """With 2,000 findings the page has the worst ones and the number of the others."""
    html = render("html", REPORTS["many"])
    assert len(html.encode()) <= 90_000
    text = Page(html).text
    shown = text.count("SSH \N{MIDDLE DOT} tcp/22")
    assert f"And {2000 - shown:,} more findings in the CSV." in text


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_html_shows_the_texts_of_an_account_as_text(text: str) -> None:
    """A text of the account adds no tag, and each link leads to AWS's console."""
    page = Page(render("html", hostile_report(text)))
    tags = {tag for tag in page.tags if "/" not in tag}
    assert tags <= {
        *("html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "p", "b", "br", "a"),
        *("table", "tr", "td", "span", "pre"),
    }
    links = [tag for tag in page.tags if "/" in tag]
    assert all(link.startswith("https://eu-west-1.console.aws.amazon.com/") for link in links)
    assert plain(text).strip()[:60] in page.text
