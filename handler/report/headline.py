"""A report in one line: the subject of the mail, its preheader and the digest's headline."""

from collections.abc import Iterator, Sequence
from itertools import product

from handler.model.finding import Opening, Severity, Status, as_openings
from handler.model.run import Changes, Report
from handler.report import phrases
from handler.report.coverage import coverage_line
from handler.report.entries import change_label
from handler.report.news import News, news_of
from handler.sanitize import cut

_LONGEST_SUBJECT = 78
_LONGEST_STACK = 16
# With the stack's name, the severity and a short service it fits into 50 characters.
_LONGEST_GROUPS = (80, 24)
_LONGEST_SERVICE = 40


def subject(report: Report) -> str:
    """The longest form of the news that fits: what was not read and the worst are in all forms."""
    stack = cut(report.run.stack or "security groups", _LONGEST_STACK)
    unread = unread_phrase(report)
    forms = (f"[{stack}] {_after(unread, form)}" for form in _forms(report, brief=bool(unread)))
    line = ""
    for line in forms:
        if len(line) <= _LONGEST_SUBJECT:
            return line
    return cut(line, _LONGEST_SUBJECT)


def headline(report: Report) -> str:
    """The news, or what is open, in a sentence, after what was not read."""
    sentence = _after(unread_phrase(report), _sentence(report))
    return f"{sentence[0].upper()}{sentence[1:]}"


def preheader(report: Report) -> str:
    """What the subject does not say: how many are open, and how much was read."""
    counts = phrases.counts(as_openings(report.listed(report.open)))
    return f"{f'Open: {counts}. ' if counts else ''}{coverage_line(report)}"


def known_changes(report: Report) -> Changes | None:
    """What is different from the last run; None where that is not known, or was the first one."""
    return None if report.changes is None or report.changes.first else report.changes


def unread_phrase(report: Report) -> str:
    """How much was not read, for example 2 regions not read; empty where all was."""
    if report.coverage and len(report.unread) == len(report.coverage) and not report.open:
        return f"Nothing could be read in {phrases.count(len(report.unread), 'region')}"
    numbers = {"region": len(report.unread), "source": len(report.unreadable)}
    parts = [phrases.count(number, noun) for noun, number in numbers.items() if number]
    return f"{' and '.join(parts)} not read" if parts else ""


def _after(unread: str, form: str) -> str:
    """What was not read comes first."""
    if not unread or not form:
        return unread or form
    is_name = form[:2].isupper()
    return f"{unread}; {form if is_name else form[0].lower() + form[1:]}"


def _forms(report: Report, *, brief: bool) -> Iterator[str]:
    """The news in ever fewer words."""
    news = news_of(report)
    if changes := known_changes(report):
        if news.opened:
            others = _others(news)
            endings = [f" ({others})", f" (+{len(news.opened) - 1})", ""] if others else [""]
            for start, ending in product(_openings(worst_of(news.opened)), endings):
                yield start + ending
            return
        if quiet := _quiet_changes(news, changes):
            counts = phrases.counts(news.still_open)
            still = f"{len(news.still_open):,} still open" if news.still_open else "nothing open"
            yield f"{quiet}; {still}{f' ({counts})' if counts else ''}"
            yield f"{quiet}; {still}"
            return
    yield from _standing(report, news, brief=brief)


def _openings(opening: Opening) -> Iterator[str]:
    """What has opened or got worse, where and how bad."""
    finding = opening.finding
    what = cut(phrases.service(finding), _LONGEST_SERVICE)
    start = f"{change_label(finding)} {finding.severity}: {what}"
    for length in _LONGEST_GROUPS:
        group = cut(phrases.group_names(finding), length)
        yield f"{start} open to {phrases.audience(finding)} on {group}"
        yield f"{start} on {group}"
    yield start


def _others(news: News) -> str:
    """What else has changed, beside the worst."""
    first = worst_of(news.opened)
    numbers = {
        "more new": sum(o is not first for o in news.new),
        "more worse": sum(o is not first for o in news.worse),
        "more reopened": sum(o is not first for o in news.reopened),
        "resolved": len(news.resolved),
        "narrowed": len(news.narrowed),
    }
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)


def _quiet_changes(news: News, changes: Changes) -> str:
    """What has changed where nothing has opened or got worse."""
    groups = {
        "resolved": news.resolved,
        "narrowed": news.narrowed,
        "no longer listed": news.unlisted,
    }
    changed = {word: openings for word, openings in groups.items() if openings}
    others = {
        "read again": phrases.count(len(changes.regained), "region") if changes.regained else "",
        "no longer audited": phrases.count(len(changes.left_out), "region")
        if changes.left_out
        else "",
        "ending": phrases.count(len(changes.ending), "exception") if changes.ending else "",
    }
    rest = [f"{number} {word}" for word, number in others.items() if number]
    if not rest and len(changed) == 1:
        ((word, openings),) = changed.items()
        if len(openings) == 1:
            finding = openings[0].finding
            group = cut(phrases.group_names(finding), _LONGEST_GROUPS[-1])
            what = cut(phrases.service(finding), _LONGEST_SERVICE)
            return f"{word.capitalize()}: {what} on {group}"
    return ", ".join([*(f"{len(o):,} {word}" for word, o in changed.items()), *rest])


def _standing(report: Report, news: News, *, brief: bool) -> Iterator[str]:
    """What is open, or that nothing is."""
    listed = (*news.opened, *news.still_open)
    if not listed:
        yield _clean(report)
        return
    worst = worst_of(listed)
    severity = worst.finding.severity
    number = sum(o.finding.severity is severity for o in listed)
    if number == 1 and not brief:
        finding, what = worst.finding, cut(phrases.service(worst.finding), _LONGEST_SERVICE)
        for length in _LONGEST_GROUPS:
            group = cut(phrases.group_names(finding), length)
            yield f"{severity.capitalize()}: {what} open to {phrases.audience(finding)} on {group}"
            yield f"{severity.capitalize()}: {what} on {group}"
    elif not brief:
        what = cut(phrases.service(worst.finding), _LONGEST_SERVICE)
        exposures = f"{number:,} {severity} {_noun(listed, severity)}s"
        for length in _LONGEST_GROUPS:
            group = cut(phrases.group_names(worst.finding), length)
            yield f"{exposures}: start with {group}, {what}"
            yield f"{exposures}: start with {group}"
    yield f"{number:,} {severity}"


def _sentence(report: Report) -> str:
    changes, news = known_changes(report), news_of(report)
    if changes and news.opened:
        first, more = worst_of(news.opened), len(news.opened) - 1
        ending = f", and {more:,} more" if more else ""
        return f"{change_label(first.finding)}: {_is_open(first)}{ending}"
    if changes and (quiet := _quiet_changes(news, changes)):
        return quiet
    listed = (*news.opened, *news.still_open)
    if not listed:
        return _clean(report)
    worst = worst_of(listed)
    severity = worst.finding.severity
    number = sum(o.finding.severity is severity for o in listed)
    noun = _noun(listed, severity)
    if severity is Severity.CRITICAL and noun == "exposure":
        if number == 1:
            return _is_open(worst)
        return f"{number:,} services are critically exposed to the internet"
    return f"{phrases.count(number, f'{severity} finding')}, nothing worse"


def _is_open(opening: Opening) -> str:
    finding = opening.finding
    what = phrases.service(finding)
    verb = "are" if ", " in what or " and " in what else "is"
    return f"{what} on {phrases.group_names(finding)} {verb} open to {phrases.audience(finding)}"


def _noun(openings: Sequence[Opening], severity: Severity) -> str:
    kinds = (o.finding.kind for o in openings if o.finding.severity is severity)
    return "exposure" if all(kind.is_exposure for kind in kinds) else "finding"


def _clean(report: Report) -> str:
    """That nothing is open, or nothing that is listed; nothing at all where nothing was read."""
    read = sum(coverage.is_complete for coverage in report.coverage)
    if report.coverage and not read:
        return ""
    where = f"in {phrases.count(read, 'region')}"
    if report.open:
        return f"Nothing of {report.minimum_severity} severity or higher open {where}"
    if report.authorized or report.with_status(Status.EXCEPTED):
        return f"Nothing open to the internet but what is accepted {where}"
    return f"Nothing open to the internet {where}"


def worst_of(openings: Sequence[Opening]) -> Opening:
    """The first of the most severe ones, and rather what is open than what may be."""
    rank = min(opening.finding.severity.rank for opening in openings)
    most_severe = [o for o in openings if o.finding.severity.rank == rank]
    return next((o for o in most_severe if o.finding.kind.is_exposure), most_severe[0])
