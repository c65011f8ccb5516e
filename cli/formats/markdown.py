"""The report as Markdown, for a comment on a pull request or the summary of a job.

All that comes from the account stands in code spans: GitHub finds no link, mention, image or
mark-up in them.
"""

import re
from collections.abc import Iterable, Iterator

from cli.formats import facts
from handler.model import Finding, Report
from handler.policy import Policy
from handler.report import words
from handler.report.digest import digest
from handler.report.fit import within

# GitHub refuses a comment of more than 65,536 characters. The rest is bounded by the digest.
_MOST_BYTES = 48_000
_MOST_LINES = 8
_LONGEST_TEXT = 240


def markdown(report: Report, policy: Policy) -> str:
    """Headline, what was not read, the worst findings as far as there is room, what was read."""
    return "\n".join(_lines(report, policy)) + "\n"


def code(text: str) -> str:
    """A text that is shown as it is."""
    text = words.cut(text, _LONGEST_TEXT)
    # A fence is longer than any run of ticks within.
    ticks = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (ticks + 1), " " if ticks or text.strip() != text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _lines(report: Report, policy: Policy) -> Iterator[str]:
    said = digest(report, policy, most_lines=_MOST_LINES)
    yield f"## {said.headline}"
    if said.unread:
        yield from ("", "### Not read: what is open there is not known", "")
        yield from (f"- {code(line)}" for line in said.unread)
    yield from _findings(report, policy)
    for note in said.notes:
        yield from ("", note)
    if said.exceptions:
        yield from ("", "### Exceptions", "")
        yield from (f"- {code(line)}" for line in said.exceptions)
    yield from ("", "### What was read", "")
    yield from _table("region / account", "status", "groups", "rules")
    for row in said.coverage:
        yield _row(code(row.place), row.status, f"{row.groups:,}", f"{row.rules:,}")
    yield from ("", code(said.origin))


def _findings(report: Report, policy: Policy) -> Iterator[str]:
    findings = facts.listed(report, policy)
    if not findings:
        return
    yield ""
    yield from _table("severity", "region / account", "group", "open", "attached", "status", "why")
    rows, left = within((f"{_finding(each)}\n" for each in findings), _MOST_BYTES)
    yield rows.decode().removesuffix("\n")
    if left:
        more = words.count(left, "more finding")
        yield from ("", f"and {more}; `--format json` has all of them.")


def _finding(finding: Finding) -> str:
    told = (facts.place(finding.target), facts.group(finding), facts.opening(finding))
    rest = (facts.attached(finding), facts.status(finding), facts.why(finding))
    return _row(f"**{finding.severity}**", *map(code, (*told, *rest)))


def _table(*names: str) -> Iterable[str]:
    return _row(*names), _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    # A table takes a pipe for the end of a cell even within a code span.
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
