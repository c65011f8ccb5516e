"""The content of the digest, shared by its text and HTML parts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from typing import NamedTuple

from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Opening, Severity, Status
from handler.model.totals import OpeningList
from handler.report import phrases
from handler.report.advice import advice
from handler.report.coverage import (
    UNREAD_TITLE,
    coverage_changes,
    coverage_line,
    notices,
    origin,
    place_and_time,
    unread_lines,
)
from handler.report.entries import Entry, change_label, closed_entry, open_entry
from handler.report.exception_review import exceptions_to_review, ways_to_accept
from handler.report.phrases import first_lines
from handler.report.subject import headline, preheader, subject, worst_of
from handler.sanitize import cut

_NAMED_ACCOUNTS = 20


class Section(NamedTuple):
    """A heading, and entries or lines.

    ``severity`` decides the colour: the worst of the entries, None if they are no longer open.
    """

    title: str
    severity: Severity | None
    entries: tuple[Entry, ...] = ()
    lines: tuple[str, ...] = ()


class Digest(NamedTuple):
    """The digest's content in reading order; texts are plain, but not escaped.

    ``preheader`` is what mail programs show beside the subject. ``advice`` says where to start.
    ``summary`` has counts, place and time. ``in_csv`` says what only the mail's CSV has. ``notes``
    count what is not listed. ``purpose`` says how to accept what is open on purpose.
    """

    subject: str
    preheader: str
    headline: str
    advice: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    in_csv: tuple[str, ...]
    notes: tuple[str, ...]
    purpose: tuple[str, ...]
    coverage: str
    origin: str


def build_digest(
    report: Report,
    kind: DigestKind = DigestKind.FULL,
    *,
    max_findings: int | None = None,
    max_lines: int | None = None,
) -> Digest:
    """The digest of a report, with at most ``max_findings`` open findings.

    A digest of changes only counts what was open before. Notices, targets, exceptions and findings
    that are no longer open have at most ``max_lines`` lines each.
    """
    is_full = kind is DigestKind.FULL
    selected = report.openings if is_full else report.news.opened
    displayed = selected.first[:max_findings]
    sections = (
        _list("Notes", first_lines(notices(report), max_lines, "notice"), Severity.CRITICAL),
        _list(UNREAD_TITLE, unread_lines(report, max_lines), Severity.CRITICAL),
        _list("Worst accounts", _worst_accounts(report) if is_full else ()),
        *(_by_severity if is_full else _by_change)(report, displayed),
        *_closed(report, max_lines, is_full=is_full),
        _list("Coverage", first_lines(coverage_changes(report), max_lines, "target")),
        _list("Exceptions", exceptions_to_review(report, max_lines)),
    )
    return Digest(
        subject=subject(report),
        preheader=preheader(report),
        headline=cut(headline(report), phrases.LONGEST_LINE),
        advice=advice(report, selected, is_full=is_full),
        summary=(*_counts(report, is_full=is_full), *place_and_time(report)),
        sections=tuple(section for section in sections if section.entries or section.lines),
        in_csv=tuple(_in_csv(report, displayed, len(selected), is_full=is_full)),
        notes=tuple(_notes(report)),
        purpose=tuple(ways_to_accept(report, displayed)),
        coverage=coverage_line(report),
        origin=origin(report),
    )


def _list(title: str, lines: Iterable[str], severity: Severity = Severity.INFO) -> Section:
    return Section(title, severity, lines=tuple(lines))


def _counts(report: Report, *, is_full: bool) -> Iterator[str]:
    """How many findings are open, or have changed; nothing if none."""
    news = report.news
    changes = {
        "new": len(news.new),
        "worse or wider": len(news.worse),
        "reopened": len(news.reopened),
        "resolved": len(news.resolved),
        "narrowed": len(news.narrowed),
        f"still open{_region_suffix(report)}": len(news.still_open) - len(news.narrowed),
    }
    if counts := phrases.severities(report.openings.counts) if is_full else phrases.counts(changes):
        yield counts


def _worst_accounts(report: Report) -> Iterator[str]:
    """The accounts with the worst findings, and the number of other accounts."""
    open_in = [account for account in report.accounts if any(account.openings.values())]
    if len(report.accounts) == 1 or not open_in:
        return
    open_in.sort(key=lambda account: [-account.openings.get(s, 0) for s in Severity])
    for account in open_in[:_NAMED_ACCOUNTS]:
        title = phrases.account(account.id, report.names)
        yield f"{title}: {phrases.severities(account.openings)}"
    if more := phrases.and_more(len(open_in) - _NAMED_ACCOUNTS, "account"):
        yield f"{more} with findings."
    if clean := sum(a.is_complete and not any(a.openings.values()) for a in report.accounts):
        yield f"{phrases.count(clean, 'account')} without findings."


def _by_severity(report: Report, displayed: Sequence[Opening]) -> Iterator[Section]:
    label = change_label if report.known_changes else lambda _: ""
    for severity, openings in groupby(displayed, key=lambda opening: opening.finding.severity):
        build = partial(open_entry, with_commands=severity is Severity.CRITICAL)
        yield Section(
            f"{severity.capitalize()} ({report.openings.counts[severity]:,})",
            severity,
            tuple(build(o, label(o.finding), _place(report, o)) for o in openings),
        )


def _by_change(report: Report, displayed: Sequence[Opening]) -> Iterator[Section]:
    news, remaining = report.news, iter(displayed)
    build = partial(open_entry, with_commands=True)
    groups = {"New": news.new, "Worse or wider": news.worse, "Reopened": news.reopened}
    for title, openings in groups.items():
        if group := tuple(islice(remaining, len(openings.first))):
            yield Section(
                f"{title} ({len(openings):,})",
                worst_of(group).finding.severity,
                tuple(build(o, o.finding.severity.capitalize(), _place(report, o)) for o in group),
            )


def _closed(report: Report, max_lines: int | None, *, is_full: bool) -> Iterator[Section]:
    """What is resolved, narrowed or no longer listed.

    Narrowed findings are left out of a full digest, which lists them as open.
    """

    def narrowed(opening: Opening, place: str) -> Entry:
        label = opening.finding.severity.capitalize()
        return open_entry(opening, label, place, with_commands=False)

    news = report.news
    groups: tuple[tuple[str, OpeningList, Callable[[Opening, str], Entry]], ...] = (
        ("Resolved", news.resolved, closed_entry),
        ("Narrowed", OpeningList() if is_full else news.narrowed, narrowed),
        ("No longer listed", news.unlisted, closed_entry),
    )
    for title, openings, build in groups:
        displayed = openings.first[:max_lines]
        more = phrases.and_more(len(openings) - len(displayed), "finding")
        lines = (f"{more} in the CSV.",) if more else ()
        entries = tuple(build(opening, _place(report, opening)) for opening in displayed)
        yield Section(f"{title} ({len(openings):,})", None, entries, lines)


def _place(report: Report, opening: Opening) -> str:
    return phrases.region(opening.finding.target, report.names_shown)


def _region_suffix(report: Report) -> str:
    """A suffix to the number of open findings: a partial run knows only its own regions."""
    return "" if report.run.is_full else " in the regions of this run"


def _in_csv(
    report: Report, displayed: Sequence[Opening], number: int, *, is_full: bool
) -> Iterator[str]:
    """What only the mail's CSV has, of the ``number`` selected findings and of all others."""
    still_open = report.news.still_open
    if more := phrases.and_more(number - len(displayed), "finding"):
        yield f"{more.capitalize()} in the CSV."
    not_critical = (o.finding for o in displayed if o.finding.severity is not Severity.CRITICAL)
    if is_full and any(finding.fix for finding in not_critical):
        yield "Other commands are in the CSV."
    if still_open and not is_full:
        counts = phrases.severities(still_open.counts)
        yield f"Still open{_region_suffix(report)}: {len(still_open):,} ({counts}), in the CSV."


def _notes(report: Report) -> Iterator[str]:
    """How many findings are not listed."""
    totals = report.totals
    if unlisted := totals.unlisted:
        is_default = report.minimum_severity is Severity.LOW
        noun = "informational finding" if is_default else "finding"
        below = "" if is_default else f" below {report.minimum_severity}"
        yield f"{phrases.count(unlisted, noun)}{below} not shown."
    if unverified := totals.statuses.get(Status.UNVERIFIED):
        yield f"{phrases.count(unverified, 'earlier finding')} not verified by this run."
    if excepted := totals.statuses.get(Status.EXCEPTED):
        yield f"{phrases.count(excepted, 'finding')} accepted by exceptions."
    if totals.authorized:
        openings = phrases.count(totals.authorized, "opening")
        groups = phrases.count(totals.authorized_groups, "group")
        yield f"{openings} on authorized ports in {groups}."
