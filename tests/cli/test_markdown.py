"""The Markdown, read by a parser of Markdown as GitHub would read it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cli.formats.finding_text import displayed_findings, status
from cli.formats.markdown import code_span
from handler.model.finding import Severity
from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus, Report, Scan
from handler.report import phrases
from handler.sanitize import plain
from tests.cli.forms import HOSTILE, REPORTS, hostile, written
from tests.support.reports import ACCOUNT, of

# What the product says itself; whatever an account says is code.
OWN = {"heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text"}
OWN |= {"strong_open", "strong_close", "code_inline"}
OWN |= {f"{each}_{end}" for each in ("bullet_list", "list_item") for end in ("open", "close")}
OWN |= {
    f"{each}_{end}"
    for each in ("table", "thead", "tbody", "tr", "th", "td")
    for end in ("open", "close")
}


def tokens(text: str) -> Iterator[Token]:
    """All that a parser makes of Markdown with tables, raw HTML and strikethrough."""
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        yield token
        yield from token.children or ()


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table by row, without the mark-up."""
    found: list[list[list[str]]] = []
    inside = False
    for token in tokens(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in {"td_open", "th_open"}:
            inside = True
            found[-1][-1].append("")
        elif token.type in {"td_close", "th_close"}:
            inside = False
        elif inside and token.type in {"text", "code_inline"}:
            found[-1][-1][-1] += token.content
    return found


def expected(report: Report) -> list[list[str]]:
    """The rows that the table of findings must have, as far as cells have room."""
    return [
        [
            each.severity,
            *(
                cell if len(cell) <= 240 else f"{cell[:237]}..."
                for cell in (
                    phrases.place(each.target),
                    phrases.groups(each),
                    phrases.opening_with_detail(each),
                    phrases.attached(each),
                    status(each),
                    each.why,
                )
            ),
        ]
        for each in displayed_findings(report)
    ]


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "many"])
def test_the_table_holds_the_findings(name: str) -> None:
    """Cell by cell, whatever pipes and ticks are in them; a clean report has no such table."""
    *findings, coverage = tables(written("markdown", REPORTS[name]))
    assert [row for table in findings for row in table[1:]] == expected(REPORTS[name])
    assert coverage[0] == ["region / account", "status", "groups", "rules"]
    assert [row[0] for row in coverage[1:]] == [
        phrases.place(each.target) for each in REPORTS[name].coverage
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_in_an_account_is_markup(text: str) -> None:
    """No link, image, HTML or heading, and no text outside of code that could be a mention."""
    said = list(tokens(written("markdown", hostile(text))))
    assert {token.type for token in said} <= OWN
    assert not [
        token.content
        for token in said
        if token.type == "text" and any(each in token.content for each in ("@", "evil", "#1", "<"))
    ]
    assert sum(token.type == "heading_open" for token in said) == 3


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_code_shows_the_text_as_it_is(text: str) -> None:
    """A parser reads it back, but for characters that nothing may obey."""
    (span,) = [token for token in tokens(code_span(text)) if token.type == "code_inline"]
    shown = plain(text) if len(text) <= 240 else f"{text[:237]}..."
    assert span.content.strip() == shown.strip()


def test_what_was_not_read_comes_first() -> None:
    """Before any table, with the error as it is."""
    text = written("markdown", REPORTS["region-failed"])
    assert text.startswith(
        "## Nothing found open in 1 region, 1 region not read.\n"
        "\n"
        "### Not read: what is open there is not known\n"
        "\n"
        "- `eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.`\n"
    )
    assert ["eu-central-1 / 123456789012", "denied", "0", "0"] in tables(text)[0]


def test_a_comment_has_room_for_it() -> None:
    """GitHub takes 65,536 characters; the worst findings stay and the others are counted."""
    text = written("markdown", REPORTS["many"])
    shown = len(tables(text)[0]) - 1
    assert 200 < shown < 2000
    assert len(text.encode()) < 65_536
    assert f"and {2000 - shown:,} more findings; `--format json` has all of them.\n" in text


def test_a_comment_has_room_for_many_regions_that_failed() -> None:
    """The first ones are named, the others counted, here and in the table of coverage."""
    error = "x|" * 200
    lost = [
        Scan(Coverage(Target(ACCOUNT, f"r-{number}"), CoverageStatus.FAILED, error=error))
        for number in range(500)
    ]
    text = written("markdown", of(*lost, *[Scan(each) for each in REPORTS["many"].coverage]))
    assert len(text.encode()) < 65_536
    assert "and 492 more targets." in text
    assert "500 regions not read" in text


def test_the_largest_report_fits() -> None:
    """Findings, regions that failed, exceptions and coverage at once."""
    many = [
        Scan(Coverage(Target(ACCOUNT, f"r-{number}{'|' * 99}"), CoverageStatus.FAILED))
        for number in range(500)
    ]
    report = of(Scan(REPORTS["many"].coverage[0], REPORTS["many"].findings), *many)
    assert len(written("markdown", report).encode()) < 65_536


def test_what_the_policy_does_not_list_is_counted() -> None:
    """As in the mail."""
    text = written("markdown", replace(REPORTS["icmp"], minimum_severity=Severity.CRITICAL))
    assert len(tables(text)) == 1
    assert "Below critical and therefore not listed: 1 finding.\n" in text
