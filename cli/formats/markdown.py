"""The report as Markdown, for a comment on a pull request or the summary of a job.

All that comes from the account stands in code spans: GitHub finds no link, mention, image or
mark-up in them.
"""

import re
from collections.abc import Iterable, Iterator

from cli.formats.finding_text import attached, displayed_openings, status
from handler.model.finding import Opening
from handler.model.run import Report
from handler.report import phrases
from handler.report.digest import build_digest
from handler.report.size_limit import first_lines
from handler.sanitize import cut

# GitHub refuses a comment of more than 65,536 characters. The rest is bounded by the digest.
_MAX_TABLE_BYTES = 48_000
_MAX_LINES = 8
_MAX_ROWS = 40
_LONGEST_TEXT = 240


def render_markdown(report: Report) -> str:
    """Headline, what was not read, the worst findings as far as there is room, coverage."""
    return "\n".join(_lines(report)) + "\n"


def code_span(text: str) -> str:
    """A text that is shown as it is."""
    text = cut(text, _LONGEST_TEXT)
    # The fence must be longer than any run of backticks in the text.
    longest_run = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest_run + 1), " " if longest_run or text.strip() != text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _lines(report: Report) -> Iterator[str]:
    digest = build_digest(report, max_lines=_MAX_LINES)
    yield f"## {digest.headline}"
    if digest.unread:
        yield from ("", "### Not read: what is open there is not known", "")
        yield from (f"- {code_span(line)}" for line in digest.unread)
    yield from _findings(report)
    for note in digest.notes:
        yield from ("", note)
    if digest.exceptions:
        yield from ("", "### Exceptions", "")
        yield from (f"- {code_span(line)}" for line in digest.exceptions)
    yield from ("", "### What was read", "")
    yield from _table("region / account", "status", "groups", "rules")
    for coverage in report.coverage[:_MAX_ROWS]:
        numbers = (f"{coverage.groups:,}", f"{coverage.rules:,}")
        yield _row(code_span(phrases.place(coverage.target)), coverage.status, *numbers)
    yield from ("", digest.coverage, "", code_span(digest.origin))


def _findings(report: Report) -> Iterator[str]:
    openings = displayed_openings(report)
    if not openings:
        return
    yield ""
    yield from _table("severity", "region / account", "group", "open", "attached", "status", "why")
    lines = (f"{_cells(opening)}\n" for opening in openings)
    rows, left_out = first_lines(lines, _MAX_TABLE_BYTES)
    yield rows.decode().removesuffix("\n")
    if left_out:
        more = phrases.count(left_out, "more finding")
        yield from ("", f"and {more}; `--format json` has all of them.")


def _cells(opening: Opening) -> str:
    finding = opening.finding
    cells = (
        phrases.place(finding.target),
        phrases.groups(finding),
        phrases.opening_with_detail(finding, opening.twin),
        attached(finding),
        status(finding),
        finding.why,
    )
    return _row(f"**{finding.severity}**", *map(code_span, cells))


def _table(*names: str) -> Iterable[str]:
    return _row(*names), _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    # A pipe ends a cell of a table even within a code span.
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
