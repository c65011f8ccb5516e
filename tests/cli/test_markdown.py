"""The Markdown, read by a parser of Markdown as GitHub does."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cli.formats.finding_text import attached, displayed_openings, status
from cli.formats.markdown import code_span
from handler.model.finding import Severity
from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Report, Scan
from handler.report import phrases
from handler.sanitize import plain
from tests.cli.sample_reports import HOSTILE_TEXTS, REPORTS, hostile_report, render
from tests.support.reports import ACCOUNT, of

# The report's own markup; a text of the account is inline code.
BLOCKS = ["heading", "paragraph", "strong", "bullet_list", "list_item"]
BLOCKS += ["table", "thead", "tbody", "tr", "th", "td"]
TOKEN_TYPES = {f"{block}_{end}" for block in BLOCKS for end in ("open", "close")}
TOKEN_TYPES |= {"inline", "text", "code_inline"}


def tokens(text: str) -> Iterator[Token]:
    """The tokens of Markdown with tables, raw HTML and strikethrough."""
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        yield token
        yield from token.children or ()


def tables(text: str) -> list[list[list[str]]]:
    """The text of the cells of each table, by row."""
    cells: list[list[list[str]]] = []
    is_cell = False
    for token in tokens(text):
        if token.type == "table_open":
            cells.append([])
        elif token.type == "tr_open":
            cells[-1].append([])
        elif token.type in {"td_open", "th_open"}:
            is_cell = True
            cells[-1][-1].append("")
        elif token.type in {"td_close", "th_close"}:
            is_cell = False
        elif is_cell and token.type in {"text", "code_inline"}:
            cells[-1][-1][-1] += token.content
    return cells


def expected_rows(report: Report) -> list[list[str]]:
    """The rows that the table of findings must have; a cell is cut at 240 characters."""
    return [
        [
            opening.finding.severity,
            *(
                cell if len(cell) <= 240 else f"{cell[:237]}..."
                for cell in (
                    phrases.place(opening.finding.target),
                    phrases.groups(opening.finding),
                    phrases.opening_with_detail(opening.finding, opening.twin),
                    attached(opening.finding),
                    status(opening.finding),
                    opening.finding.why,
                )
            ),
        ]
        for opening in displayed_openings(report)
    ]


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "many"])
def test_table_has_a_row_for_each_finding(name: str) -> None:
    """Cells are read back as they were, also with pipes and backticks in them."""
    *findings, coverage = tables(render("markdown", REPORTS[name]))
    assert [row for table in findings for row in table[1:]] == expected_rows(REPORTS[name])
    assert coverage[0] == ["region / account", "status", "groups", "rules"]
    assert [row[0] for row in coverage[1:]] == [
        phrases.place(coverage.target) for coverage in REPORTS[name].coverage
    ]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_texts_of_an_account_are_no_markup(text: str) -> None:
    """A text of the account adds no link, image, HTML, heading or mention."""
    parsed = list(tokens(render("markdown", hostile_report(text))))
    assert {token.type for token in parsed} <= TOKEN_TYPES
    outside_code = " ".join(token.content for token in parsed if token.type == "text")
    assert not [markup for markup in ("@", "evil", "#1", "<") if markup in outside_code]
    assert sum(token.type == "heading_open" for token in parsed) == 3


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_code_span_is_read_back_as_it_was(text: str) -> None:
    """A parser reads the text of a code span, with control characters replaced."""
    (span,) = [token for token in tokens(code_span(text)) if token.type == "code_inline"]
    expected = plain(text) if len(text) <= 240 else f"{text[:237]}..."
    assert span.content.strip() == expected.strip()


def test_unread_regions_come_first() -> None:
    """An unread region and its error stand before the first table."""
    text = render("markdown", REPORTS["region-failed"])
    assert text.startswith(
        "## 1 region not read; nothing open to the internet in 1 region\n"
        "\n"
        "### Not read: what is open there is not known\n"
        "\n"
        "- `eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.`\n"
    )
    assert ["eu-central-1 / 123456789012", "denied", "0", "0"] in tables(text)[0]


def test_report_of_2000_findings_fits_into_a_comment() -> None:
    """GitHub accepts 65,536 characters: the worst findings are listed, the others counted."""
    text = render("markdown", REPORTS["many"])
    shown = len(tables(text)[0]) - 1
    assert 200 < shown < 2000
    assert len(text.encode()) < 65_536
    assert f"and {2000 - shown:,} more findings; `--format json` has all of them.\n" in text


def test_report_of_500_unread_regions_fits_into_a_comment() -> None:
    """The first unread regions are listed, the others counted, also in the table of coverage."""
    error = "x|" * 200
    unread = [
        Scan(Coverage(Target(ACCOUNT, f"r-{number}"), CoverageStatus.FAILED, error=error))
        for number in range(500)
    ]
    text = render("markdown", of(*unread, *map(Scan, REPORTS["many"].coverage)))
    assert len(text.encode()) < 65_536
    assert "and 492 more targets." in text
    assert "500 regions not read" in text


def test_report_with_everything_fits_into_a_comment() -> None:
    """2,000 findings and 500 unread regions together have less than 65,536 bytes."""
    unread = [
        Scan(Coverage(Target(ACCOUNT, f"r-{number}{'|' * 99}"), CoverageStatus.FAILED))
        for number in range(500)
    ]
    report = of(Scan(REPORTS["many"].coverage[0], REPORTS["many"].findings), *unread)
    assert len(render("markdown", report).encode()) < 65_536


def test_findings_below_the_minimum_severity_are_counted() -> None:
    """Below a minimum severity of critical there is one finding: not listed, but counted."""
    text = render("markdown", replace(REPORTS["icmp"], minimum_severity=Severity.CRITICAL))
    assert len(tables(text)) == 1
    assert "1 finding below critical not shown.\n" in text
