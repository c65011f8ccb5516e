"""Keeps a mail within the sizes that mail programs show whole and SES accepts."""

from bisect import bisect_right

from handler.model.run import Report
from handler.report.digest import Digest, DigestKind, build_digest
from handler.report.html import render_html

# Gmail hides what comes after some 102 KB of HTML behind a link.
MAX_HTML_BYTES = 90_000
# Of notices, targets, changes and exceptions, as far as half the page has room for them.
_MAX_LINES = (200, 40, 8, 4)
# No finding takes less than 300 bytes of HTML.
_MAX_FINDINGS = MAX_HTML_BYTES // 300


def fit_digest(report: Report, kind: DigestKind = DigestKind.FULL) -> Digest:
    """The digest with as many of the worst findings as its HTML form has room for."""

    def build(max_findings: int, max_lines: int) -> Digest:
        return build_digest(report, kind, max_findings=max_findings, max_lines=max_lines)

    def size(max_findings: int, max_lines: int) -> int:
        return _mail_bytes(render_html(build(max_findings, max_lines)))

    fitting = (lines for lines in _MAX_LINES if size(0, lines) <= MAX_HTML_BYTES // 2)
    max_lines = next(fitting, _MAX_LINES[-1])
    if size(_MAX_FINDINGS, max_lines) <= MAX_HTML_BYTES:
        return build(_MAX_FINDINGS, max_lines)
    max_findings = bisect_right(
        range(1, _MAX_FINDINGS + 1), MAX_HTML_BYTES, key=lambda number: size(number, max_lines)
    )
    return build(max_findings, max_lines)


def _mail_bytes(page: str) -> int:
    """The bytes of a page in a mail, where lines end with CR and LF."""
    return len(page.encode()) + page.count("\n")
