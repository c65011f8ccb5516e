"""The digest as large as mail programs show it whole, and the list of findings beside it."""

from bisect import bisect_right
from collections.abc import Iterable

from handler.model import Report
from handler.policy import Policy
from handler.report.digest import Digest, digest
from handler.report.html import html

# Gmail hides what comes after some 102 KB of HTML behind a link.
MOST_HTML_BYTES = 90_000
# SES takes messages of 40 MB; base64 makes a third more of a file:
# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MOST_LIST_BYTES = 20_000_000
# Of notices, targets, changes and exceptions, as far as half the page has room for them.
_MOST_LINES = (200, 40, 8)
# No finding takes less than 300 bytes of HTML.
_MOST_FINDINGS = MOST_HTML_BYTES // 300


def fitting(report: Report, policy: Policy, *, changed_only: bool = False) -> Digest:
    """The digest with as many of the worst findings as its HTML form has room for."""

    def made(most: int, most_lines: int) -> Digest:
        return digest(report, policy, most, most_lines=most_lines, changed_only=changed_only)

    def size(most: int, most_lines: int) -> int:
        return _size(html(made(most, most_lines)))

    roomy = (most for most in _MOST_LINES if size(0, most) <= MOST_HTML_BYTES // 2)
    most_lines = next(roomy, _MOST_LINES[-1])
    fits = bisect_right(
        range(1, _MOST_FINDINGS + 1), MOST_HTML_BYTES, key=lambda most: size(most, most_lines)
    )
    return made(fits, most_lines)


def _size(page: str) -> int:
    """The bytes of a page in a mail, where lines end with CR and LF."""
    return len(page.encode()) + page.count("\n")


def within(lines: Iterable[str], most: int) -> tuple[bytes, int]:
    """The first lines that make no more than that many bytes, and how many are left out."""
    kept: list[bytes] = []
    size = left = 0
    for line in lines:
        encoded = line.encode("utf-8")
        size += len(encoded)
        if left or size > most:
            left += 1
        else:
            kept.append(encoded)
    return b"".join(kept), left
