"""What a report comes to in a line: the digest's headline, and the mail's subject."""

from collections import Counter
from collections.abc import Iterator

from handler.model import Report, Severity, Status
from handler.report import words

_LONGEST_SUBJECT = 89
_LONGEST_STACKS = (24, 16)


def headline(report: Report) -> str:
    """One sentence: the worst and where, what was not read, and the change."""
    said = _open(report) + _unknown(report) + _difference(report)
    return f"{said[0].upper()}{said[1:]}."


def subject(report: Report) -> str:
    """The longest form of the headline that fits: the worst and the change are in all of them."""
    stack = report.run.stack
    names = [f"{words.cut(stack, most)}: " for most in _LONGEST_STACKS] if stack else [""]
    for name in names:
        # Each form counts anew, and mostly the first one fits.
        for form in _forms(report):
            said = f"[security groups] {name}{form}"
            if len(said) <= _LONGEST_SUBJECT:
                return said
    return words.cut(said, _LONGEST_SUBJECT)


def _forms(report: Report) -> Iterator[str]:
    """The headline, shorter and shorter."""
    unknown, difference = _unknown(report), _difference(report)
    brief = _unknown(report, brief=True), _difference(report, brief=True)
    for rest in (unknown + difference, brief[0] + difference, "".join(brief)):
        for most in range(len(Severity), 0, -1):
            yield _open(report, most) + rest
    yield _open(report, 1, brief=True) + "".join(brief)


def _open(report: Report, most: int = len(Severity), *, brief: bool = False) -> str:
    """The worst and where, or that nothing is open; at most that many severities are counted."""
    numbers = Counter(finding.severity for finding in report.open)
    counts = [
        f"{numbers[severity]:,} {severity}"
        for severity in Severity
        if severity is not Severity.INFO and numbers[severity]
    ]
    if counts:
        regions = {f.target for f in report.open if f.severity is not Severity.INFO}
        where = "" if brief else f" in {words.count(len(regions), 'region')}"
        return f"{', '.join(counts[:most])}{where}"
    if _is_blind(report):
        return f"nothing could be read in {words.count(len(report.unread), 'region')}"
    # What is accepted, and what is information, is open all the same.
    is_accepted = report.authorized or report.of(Status.EXCEPTED)
    nothing = "nothing above info" if report.open else "nothing"
    if brief:
        return f"{nothing} open"
    but = " but what is accepted" if is_accepted else ""
    read = len(report.coverage) - len(report.unread)
    return f"{nothing} found open{but} in {words.count(read, 'region')}"


def _unknown(report: Report, *, brief: bool = False) -> str:
    """How much was not read."""
    if _is_blind(report):
        return ""
    if brief:
        number = len(report.unread) + len(report.unreadable)
        return f", {number:,} not read" if number else ""
    unread = {"region": len(report.unread), "source": len(report.unreadable)}
    return "".join(f", {words.count(n, noun)} not read" for noun, n in unread.items() if n)


def _is_blind(report: Report) -> bool:
    """Whether no target was read in full, and nothing found in what was read of them."""
    return not report.open and 0 < len(report.unread) == len(report.coverage)


def _difference(report: Report, *, brief: bool = False) -> str:
    """How that differs from the last run, in brackets."""
    if report.changes is None or report.changes.first:
        return ""
    ending = len(report.changes.ending)
    numbers = {
        "new": len(report.of(Status.NEW)),
        "back": len(report.of(Status.REOPENED)),
        "worse": sum(finding.worsened_from is not None for finding in report.open),
        "resolved": len(report.of(Status.RESOLVED)),
        "read again": len(report.changes.regained),
        "left out": len(report.changes.left_out),
        "exception ending" if ending == 1 else "exceptions ending": ending,
    }
    if brief and any(numbers.values()):
        return f" ({words.count(sum(numbers.values()), 'change')})"
    said = ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)
    return f" ({said})" if said else ""
