"""The report as Markdown, for a comment on a pull request or the summary of a job.

Texts of the account stand in code spans: GitHub finds no link, mention, image or mark-up in them.
"""

import re
from collections.abc import Iterable, Iterator

from cli.formats.finding_text import unread_targets
from cli.formats.short_text import displayed_openings, facts, region, service_and_ports
from handler.model.audit_report import Report
from handler.model.finding import Opening
from handler.report import phrases
from handler.report.coverage import UNREAD_TITLE
from handler.report.digest import build_digest
from handler.report.exception_review import exceptions_to_review
from handler.sanitize import cut

# GitHub refuses a comment of more than 65,536 characters: these bytes and the lines between them.
_MAX_FINDINGS_BYTES = 44_000
_MAX_LIST_BYTES = 8_000
_LONGEST_TEXT = 240
# Nothing in it is mark-up, and nothing is cut.
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ,/+-]{0,58}[A-Za-z0-9])?")


def render_markdown(report: Report) -> str:
    """Headline, what was not read, the worst findings as far as there is room, coverage."""
    return "\n".join(_lines(report)) + "\n"


def code_span(text: str, length: int = _LONGEST_TEXT) -> str:
    """A text that is shown as it is."""
    text = cut(text, length)
    # The fence must be longer than any run of backticks in the text.
    longest_run = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest_run + 1), " " if longest_run or text.strip() != text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _lines(report: Report) -> Iterator[str]:
    digest = build_digest(report)
    yield f"## {digest.headline}"
    if report.unread:
        yield from ("", f"### {UNREAD_TITLE}", "")
        lines = (
            f"- {code_span(unread.text, phrases.LONGEST_UNREAD)}"
            for unread in unread_targets(report)
        )
        yield from _first(lines, _MAX_LIST_BYTES, "region")
    if openings := displayed_openings(report):
        yield from ("", _row("severity", "open", "group", "region", "details"), _row(*["---"] * 5))
        rows = (_cells(opening, report) for opening in openings)
        yield from _first(rows, _MAX_FINDINGS_BYTES, "finding")
    if exceptions := [f"- {code_span(line)}" for line in exceptions_to_review(report)]:
        yield from ("", "### Exceptions", "")
        yield from _first(exceptions, _MAX_LIST_BYTES, "exception")
    for note in (*digest.notes, digest.coverage):
        yield from ("", note)
    yield from ("", code_span(digest.origin))


def _first(lines: Iterable[str], max_bytes: int, noun: str) -> Iterator[str]:
    """The lines that fit, and how many more there are."""
    size = left_out = 0
    for line in lines:
        size += len(f"{line}\n".encode())
        if size > max_bytes:
            left_out += 1
        else:
            yield line
    if more := phrases.and_more(left_out, noun):
        yield from ("", f"{more}; `--format json` has all of them.")


def _cells(opening: Opening, report: Report) -> str:
    finding = opening.finding
    texts = (
        service_and_ports(opening),
        phrases.groups(finding),
        region(finding.target, report),
        "; ".join(facts(opening)),
    )
    cells = (text if _PLAIN.fullmatch(text) else code_span(text) for text in texts)
    return _row(f"**{finding.severity}**", *cells)


def _row(*cells: str) -> str:
    # A pipe ends a cell of a table even within a code span.
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
