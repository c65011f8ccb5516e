"""A report in one line: the mail's subject and preheader, and the digest's headline."""

from collections.abc import Iterable, Iterator
from itertools import product

from handler.model.audit_report import Changes, Report
from handler.model.finding import Finding, Opening, Severity, Status
from handler.model.network import ALL_ACCOUNTS
from handler.model.totals import News
from handler.report import phrases
from handler.report.coverage import coverage_line
from handler.report.entries import change_label
from handler.sanitize import cut

_LONGEST_SUBJECT = 78
_LONGEST_STACK = 16
# Fits into 50 characters with the stack's name, the severity and a short service.
_SHORT_GROUP = 24
_LONGEST_GROUPS = (80, _SHORT_GROUP)
_LONGEST_SERVICE = 40


def subject(report: Report) -> str:
    """The first form of the news that fits, after what was not read."""
    stack = cut(report.run.stack or "security groups", _LONGEST_STACK)
    unread = unread_phrase(report)
    forms = (
        f"[{stack}] {_with_unread(unread, form)}" for form in _forms(report, brief=bool(unread))
    )
    line = ""
    for line in forms:
        if len(line) <= _LONGEST_SUBJECT:
            return line
    return cut(line, _LONGEST_SUBJECT)


def headline(report: Report) -> str:
    """What was not read, and the news or what is open, in a sentence."""
    return _with_unread(unread_phrase(report), _sentence(report))


def preheader(report: Report) -> str:
    """What the subject does not say: the number of open findings, and how much was read."""
    counts = phrases.severities(report.openings.counts)
    return f"{f'Open: {counts}. ' if counts else ''}{coverage_line(report)}"


def unread_phrase(report: Report) -> str:
    """How much was not read, for example 2 regions not read; empty if everything was."""
    totals = report.totals
    if any(coverage.target.account == ALL_ACCOUNTS for coverage in report.coverage):
        return "the accounts could not be listed"
    if totals.regions and totals.unread == totals.regions and not totals.findings:
        number = _accounts_or_regions(report, totals.accounts, totals.unread)
        return f"nothing could be read in {number}"
    numbers = {
        "account": totals.unread_accounts,
        "region": totals.unread - totals.unread_account_regions,
        "source": totals.unreadable,
    }
    parts = [phrases.count(number, noun) for noun, number in numbers.items() if number]
    return f"{' and '.join(parts)} not read" if parts else ""


def _with_unread(unread: str, form: str) -> str:
    """What was not read, then the form, with a capital first letter."""
    line = "; ".join(filter(None, (unread, form)))
    return f"{line[0].upper()}{line[1:]}"


def _forms(report: Report, *, brief: bool) -> Iterator[str]:
    """The news in fewer and fewer words, without a capital first letter."""
    news = report.news
    if changes := report.known_changes:
        if news.opened:
            counts = _other_changes(news)
            endings = [f" ({counts})", f" (+{len(news.opened) - 1})", ""] if counts else [""]
            for start, ending in product(_opening_forms(worst_of(news.opened)), endings):
                yield start + ending
            return
        if quiet := _quiet_changes(news, changes):
            counts = phrases.severities(news.still_open.counts)
            still = f"{len(news.still_open):,} still open" if news.still_open else ""
            if not still and is_clean(report):
                still = "nothing open"
            yield "; ".join(filter(None, (quiet, f"{still} ({counts})" if counts else still)))
            yield "; ".join(filter(None, (quiet, still)))
            return
    yield from _standing(report, brief=brief)


def _opening_forms(opening: Opening) -> Iterator[str]:
    """What has opened or got worse, where and how bad, in fewer and fewer words."""
    finding = opening.finding
    start = f"{change_label(finding).lower()} {finding.severity}: {_service(finding)}"
    yield from _open_on(finding, start)
    yield start


def _open_on(finding: Finding, start: str) -> Iterator[str]:
    """The start, who gets in and the groups, in fewer and fewer words."""
    for length in _LONGEST_GROUPS:
        group = phrases.group_names(finding, length)
        # The reason may be that nothing gets through: then it is not open.
        if not phrases.reason(finding):
            yield f"{start} open to {phrases.audience(finding)} on {group}"
        yield f"{start} on {group}"


def _other_changes(news: News) -> str:
    """What has changed besides the worst opening."""
    worst = worst_of(news.opened)
    groups = {"new": news.new, "worse": news.worse, "reopened": news.reopened}
    numbers = {
        **{f"more {word}": len(o) - (worst in o) for word, o in groups.items()},
        "resolved": len(news.resolved),
        "narrowed": len(news.narrowed),
    }
    return phrases.counts(numbers)


def _quiet_changes(news: News, changes: Changes) -> str:
    """What has changed if nothing has opened or got worse."""
    groups = {
        "resolved": news.resolved,
        "narrowed": news.narrowed,
        "no longer listed": news.unlisted,
    }
    changed = {word: openings for word, openings in groups.items() if openings}
    numbers = {
        "left out": (len(changes.departed), "account"),
        "audited again": (len(changes.returned), "account"),
        "can be read again": (len(changes.regained), "region"),
        "no longer audited": (len(changes.left_out), "region"),
        "expired or expiring": (len(changes.ending), "exception"),
    }
    rest = [f"{phrases.count(*number)} {word}" for word, number in numbers.items() if number[0]]
    if not rest and len(changed) == 1:
        ((word, openings),) = changed.items()
        if len(openings) == 1:
            finding = openings.first[0].finding
            return f"{word}: {_service(finding)} on {phrases.group_names(finding, _SHORT_GROUP)}"
    return ", ".join([*(f"{len(o):,} {word}" for word, o in changed.items()), *rest])


def _standing(report: Report, *, brief: bool) -> Iterator[str]:
    """What is open, or that nothing is, in fewer and fewer words."""
    if not report.openings:
        yield _nothing_open(report)
        return
    finding = worst_of(report.openings).finding
    severity, service = finding.severity, _service(finding)
    number = report.openings.counts[severity]
    total = phrases.count(number, f"{severity} {_noun(report.openings, severity)}")
    if number == 1 and not brief:
        yield from _open_on(finding, f"{severity}: {service}")
    elif not brief:
        for length in _LONGEST_GROUPS:
            start = f"{total}: start with {phrases.group_names(finding, length)}"
            yield from (f"{start}, {service}", start)
    yield from (total, f"{number:,} {severity}")


def _sentence(report: Report) -> str:
    changes, news = report.known_changes, report.news
    if changes and news.opened:
        worst, more = worst_of(news.opened), phrases.and_more(len(news.opened) - 1)
        ending = more and f", {more}"
        return f"{change_label(worst.finding).lower()}: {_open_sentence(worst)}{ending}"
    if changes and (quiet := _quiet_changes(news, changes)):
        return quiet
    if not report.openings:
        return _nothing_open(report)
    worst = worst_of(report.openings)
    severity = worst.finding.severity
    number = report.openings.counts[severity]
    is_critical = severity is Severity.CRITICAL
    if not is_critical or _noun(report.openings, severity) == "finding":
        ending = "" if is_critical or not report.is_complete else ", nothing worse"
        return f"{phrases.count(number, f'{severity} finding')}{ending}"
    if number == 1:
        return _open_sentence(worst)
    return f"{number:,} critical exposures to the internet"


def _open_sentence(opening: Opening) -> str:
    finding = opening.finding
    service, audience = phrases.service(finding), phrases.audience(finding)
    groups, reason = phrases.group_names(finding), phrases.reason_of_path(finding)
    if reason:
        return f"the rules of {groups} allow {service} from {audience}, but {reason}"
    return f"{service} on {groups} {phrases.are_or_is(service)} open to {audience}"


def _service(finding: Finding) -> str:
    return cut(phrases.service(finding), _LONGEST_SERVICE)


def _noun(openings: Iterable[Opening], severity: Severity) -> str:
    """What the openings of this severity are."""
    worst = (o.finding for o in openings if o.finding.severity is severity)
    return "exposure" if all(finding.kind.is_exposure for finding in worst) else "finding"


def is_clean(report: Report) -> bool:
    """Whether everything was read and no finding, listed or not, is open or unverified."""
    totals = report.totals
    known = totals.findings + totals.statuses.get(Status.UNVERIFIED, 0)
    return report.run.is_full and report.is_complete and totals.regions > 0 and not known


def _nothing_open(report: Report) -> str:
    """Says that nothing is open, or nothing that is listed; empty if nothing was read."""
    totals = report.totals
    read = totals.regions - totals.unread
    if totals.regions and not read:
        return ""
    place = f"in {_accounts_or_regions(report, totals.accounts - totals.unread_accounts, read)}"
    if totals.findings:
        return f"nothing of {report.minimum_severity} severity or higher open {place}"
    if totals.authorized or totals.statuses.get(Status.EXCEPTED):
        return f"nothing open to the internet but what is accepted {place}"
    return f"nothing open to the internet {place}"


def _accounts_or_regions(report: Report, accounts: int, regions: int) -> str:
    """The number of accounts if there are many, otherwise of regions."""
    if report.spans_accounts:
        return phrases.count(accounts, "account")
    return phrases.count(regions, "region")


def worst_of(openings: Iterable[Opening]) -> Opening:
    """The first of the most severe openings; exposures come before what could not be evaluated."""
    return min(openings, key=lambda o: (o.finding.severity.rank, not o.finding.kind.is_exposure))
