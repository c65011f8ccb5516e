"""Keeps the digest within the size that mail programs show completely."""

from bisect import bisect_right

from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.report.digest import Digest, build_digest
from handler.report.html import render_html

# Gmail hides everything after about 102 KB of HTML behind a link.
MAX_HTML_BYTES = 90_000
# For notices, targets, changes and exceptions, which may take half of the page.
_MAX_LINES = (200, 40, 8, 4)
# A finding takes at least 300 bytes of HTML.
_MAX_FINDINGS = MAX_HTML_BYTES // 300


def fit_digest(report: Report, kind: DigestKind = DigestKind.FULL) -> Digest:
    """The digest with as many findings as fit into its HTML part."""

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
    """The size of the page in a mail, where lines end with CRLF, in bytes."""
    return len(page.encode()) + page.count("\n")
