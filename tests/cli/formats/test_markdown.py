"""The Markdown, read by a parser of Markdown as GitHub does."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cli.formats.markdown import code_span
from cli.formats.short_text import displayed_openings, facts, service_and_ports
from handler.model.audit_report import Report
from handler.model.finding import Severity
from handler.model.network import ALL_REGIONS, Target
from handler.model.policy_exception import ExceptionReview, PolicyException
from handler.model.run import Coverage, CoverageStatus, Scan
from handler.report import phrases
from handler.sanitize import plain
from tests.cli.sample_reports import HOSTILE_TEXTS, REPORTS, hostile_report, longest_report, render
from tests.support.reports import of, read
from tests.support.security_groups import answer, permission

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
                cell if len(cell) <= 240 else f"{cell[:237].rstrip()}..."
                for cell in (
                    service_and_ports(opening),
                    phrases.groups(opening.finding),
                    opening.finding.target.region,
                    "; ".join(facts(opening)),
                )
            ),
        ]
        for opening in displayed_openings(report)
    ]


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "many"])
def test_table_has_a_row_for_each_finding(name: str) -> None:
    """Five columns, whose cells are read back as they were, also with pipes and backticks."""
    rows = [row for table in tables(render("markdown", REPORTS[name])) for row in table]
    header = [["severity", "open", "group", "region", "details"]] if rows else []
    assert rows == header + expected_rows(REPORTS[name])


def test_finding_is_a_row_of_plain_text_and_code() -> None:
    """What the account cannot have named is no code; a group's name and the reason are."""
    assert render("markdown", REPORTS["joint"]).splitlines()[4] == (
        "| **critical** | SSH tcp/22 | `low (sg-1) together with high (sg-2)` | eu-west-1 "
        "| `public 52.208.10.14; sg-1 +1` |"
    )


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_texts_of_an_account_are_no_markup(text: str) -> None:
    """A text of the account adds no link, image, HTML, heading or mention."""
    parsed = list(tokens(render("markdown", hostile_report(text))))
    assert {token.type for token in parsed} <= TOKEN_TYPES
    outside_code = " ".join(token.content for token in parsed if token.type == "text")
    assert not [markup for markup in ("@", "evil", "#1", "<") if markup in outside_code]
    assert sum(token.type == "heading_open" for token in parsed) == 2


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_code_span_is_read_back_as_it_was(text: str) -> None:
    """A parser reads the text of a code span, with control characters replaced."""
    (span,) = [token for token in tokens(code_span(text)) if token.type == "code_inline"]
    expected = plain(text) if len(text) <= 240 else f"{text[:237]}..."
    assert span.content.strip() == expected.strip()


def test_a_group_with_long_texts_has_its_id() -> None:
    """A name of 255 characters and an owner of 255 do not push the group's id out of the row."""
    (table,) = tables(render("markdown", longest_report()))
    assert table[1:]
    assert all("sg-0123456789abcdef0" in row[2] for row in table[1:])


def test_sentences_in_a_row_lose_their_full_stop() -> None:
    """Details are joined with semicolons, also those that are a sentence."""
    malformed = answer(permission("tcp", 22, None, "0.0.0.0/0"), group_id="sg-1")
    text = render("markdown", of(read(malformed)))
    assert "got 22 to -1; sg-1" in text


def test_an_error_that_was_cut_keeps_its_three_dots() -> None:
    """They show that there is more of it."""
    (finding,) = REPORTS["unreadable-list"].findings
    report = replace(REPORTS["unreadable-list"], findings=(finding._replace(detail="cut..."),))
    assert "cut...; " in render("markdown", report)


def test_names_keep_their_full_stop() -> None:
    """An owner's name is shown as it is."""
    group = answer(permission("tcp", 22, 22, "0.0.0.0/0"))
    text = render(
        "markdown", of(read(group | {"Tags": [{"Key": "Owner", "Value": "Example Inc."}]}))
    )
    assert "owner: Example Inc.; sg-1" in text


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
    assert "\n1 of 2 regions read: 0 groups, 0 rules.\n" in text


def test_reason_why_something_was_not_read_is_whole() -> None:
    """AWS's reason of 400 characters is shown to its end."""
    coverage = Coverage(Target("111122223333", ALL_REGIONS), CoverageStatus.DENIED, error=399 * "x")
    assert f"{399 * 'x'}`\n" in render("markdown", of(Scan(coverage)))


def test_report_of_2000_findings_fits_into_a_comment() -> None:
    """GitHub accepts 65,536 characters: the worst findings are listed, the others counted."""
    text = render("markdown", REPORTS["many"])
    shown = len(tables(text)[0]) - 1
    assert 200 < shown < 2000
    assert len(text.encode()) < 65_536
    assert f"and {2000 - shown:,} more findings; `--format json` has all of them.\n" in text


def endless(text: str) -> Report:
    """2,000 findings, 2,000 unread regions and 2,000 expired exceptions with the text in each."""
    error = Coverage(Target(text, text), CoverageStatus.FAILED, error=text)
    (finding,) = REPORTS["one"].findings
    finding = finding._replace(group_name=text, owner=text, managed_by=text, target=error.target)
    expired = PolicyException(
        group=text,
        ports="tcp/22",
        traffic=finding.traffic,
        reason=text,
        owner=text,
        until=date(2026, 1, 1),
    )
    return replace(
        REPORTS["one"],
        coverage=(error,) * 2000,
        findings=(finding, *(finding._replace(id=f"{number}") for number in range(1999))),
        exceptions=ExceptionReview(expired=(expired,) * 2000),
    )


@pytest.mark.parametrize("text", ["`" * 255, "|" * 255, "`|" * 127, "\U0001f600" * 255, "x" * 255])
def test_report_with_everything_fits_into_a_comment(text: str) -> None:
    """Of each kind some are listed and the others counted, in less than 65,536 bytes."""
    markdown = render("markdown", endless(text))
    assert len(markdown.encode()) < 65_536
    assert len(re.findall(r"and [\d,]+ more (region|finding|exception)s; ", markdown)) == 3
    assert markdown.count("**critical**") > 5


def test_findings_below_the_minimum_severity_are_counted() -> None:
    """Below a minimum severity of critical there is one finding: not listed, but counted."""
    text = render("markdown", replace(REPORTS["icmp"], minimum_severity=Severity.CRITICAL))
    assert tables(text) == []
    assert "1 finding below critical not shown.\n" in text
