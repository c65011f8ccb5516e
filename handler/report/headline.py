"""A report in one line: the digest's headline, and the mail's subject."""

from collections import Counter
from collections.abc import Iterator

from handler.model.finding import Severity, Status, as_openings
from handler.model.run import Report
from handler.report import phrases
from handler.sanitize import cut

_LONGEST_SUBJECT = 89
_LONGEST_STACKS = (24, 16)


def headline(report: Report) -> str:
    """One sentence: the worst and where, what was not read, and the change."""
    sentence = _open(report) + _unread(report) + _difference(report)
    return f"{sentence[0].upper()}{sentence[1:]}."


def subject(report: Report) -> str:
    """The longest form of the headline that fits: the worst and the change are in all of them."""
    stack = report.run.stack
    names = [f"{cut(stack, length)}: " for length in _LONGEST_STACKS] if stack else [""]
    for name in names:
        # Each form counts anew, and mostly the first one fits.
        for form in _forms(report):
            line = f"[security groups] {name}{form}"
            if len(line) <= _LONGEST_SUBJECT:
                return line
    return cut(line, _LONGEST_SUBJECT)


def _forms(report: Report) -> Iterator[str]:
    """The headline, shorter and shorter."""
    unread, difference = _unread(report), _difference(report)
    brief = _unread(report, brief=True), _difference(report, brief=True)
    for rest in (unread + difference, brief[0] + difference, "".join(brief)):
        for severities in range(len(Severity), 0, -1):
            yield _open(report, severities) + rest
    yield _open(report, 1, brief=True) + "".join(brief)


def _open(report: Report, severities: int = len(Severity), *, brief: bool = False) -> str:
    """The counts of the worst severities and where, or that nothing is open."""
    numbers = Counter(opening.finding.severity for opening in as_openings(report.open))
    counts = [
        f"{numbers[severity]:,} {severity}"
        for severity in Severity
        if severity is not Severity.INFO and numbers[severity]
    ]
    if counts:
        regions = {f.target for f in report.open if f.severity is not Severity.INFO}
        where = "" if brief else f" in {phrases.count(len(regions), 'region')}"
        return f"{', '.join(counts[:severities])}{where}"
    if _is_blind(report):
        return f"nothing could be read in {phrases.count(len(report.unread), 'region')}"
    # What is accepted, and what is information, is open all the same.
    is_accepted = report.authorized or report.with_status(Status.EXCEPTED)
    nothing = "nothing above info" if report.open else "nothing"
    if brief:
        return f"{nothing} open"
    but = " but what is accepted" if is_accepted else ""
    read = len(report.coverage) - len(report.unread)
    return f"{nothing} found open{but} in {phrases.count(read, 'region')}"


def _unread(report: Report, *, brief: bool = False) -> str:
    """How much was not read."""
    if _is_blind(report):
        return ""
    if brief:
        number = len(report.unread) + len(report.unreadable)
        return f", {number:,} not read" if number else ""
    unread = {"region": len(report.unread), "source": len(report.unreadable)}
    return "".join(f", {phrases.count(n, noun)} not read" for noun, n in unread.items() if n)


def _is_blind(report: Report) -> bool:
    """Whether no target was read in full, and nothing found in what was read of them."""
    return not report.open and 0 < len(report.unread) == len(report.coverage)


def _difference(report: Report, *, brief: bool = False) -> str:
    """How that differs from the last run, in brackets."""
    if report.changes is None or report.changes.first:
        return ""
    ending = len(report.changes.ending)
    numbers = {
        "new": len(as_openings(report.with_status(Status.NEW))),
        "back": len(as_openings(report.with_status(Status.REOPENED))),
        "worse": len(as_openings(f for f in report.open if f.worsened_from is not None)),
        "resolved": len(as_openings(report.with_status(Status.RESOLVED))),
        "read again": len(report.changes.regained),
        "left out": len(report.changes.left_out),
        "exception ending" if ending == 1 else "exceptions ending": ending,
    }
    if brief and any(numbers.values()):
        return f" ({phrases.count(sum(numbers.values()), 'change')})"
    phrase = ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)
    return f" ({phrase})" if phrase else ""
