"""The content of the digest, shared by its text and HTML parts."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from itertools import groupby
from typing import NamedTuple

from handler.model.finding import Opening, Severity, Status
from handler.model.run import Report
from handler.model.totals import News, OpeningList
from handler.report import phrases
from handler.report.acceptance import exceptions_to_review, first_lines_of, ways_to_accept
from handler.report.advice import advice
from handler.report.coverage import (
    coverage_changes,
    coverage_line,
    names_shown,
    notices,
    origin,
    place_and_time,
    unread_lines,
)
from handler.report.entries import Entry, change_label, closed_entry, open_entry
from handler.report.headline import headline, known_changes, preheader, subject, worst_of
from handler.sanitize import cut

_LONGEST_LINE = 240
_NAMED_ACCOUNTS = 20


class DigestKind(StrEnum):
    """What a digest lists: everything open, or only changes."""

    FULL = "full"
    CHANGES = "changes"


class Section(NamedTuple):
    """The findings of one severity, or with one kind of change.

    ``severity`` is the worst severity; None for findings that are no longer open. ``more`` says how
    many entries are left out.
    """

    title: str
    severity: Severity | None
    entries: tuple[Entry, ...]
    more: str = ""


class Digest(NamedTuple):
    """The digest's content in reading order; texts are plain, but not escaped.

    ``preheader`` is what mail programs show beside the subject. ``advice`` says where to start.
    ``summary`` has counts, place and time. ``notices`` are about the ledger and the settings.
    ``accounts`` are the worst of many. ``changed`` lists targets that are read again or no longer
    audited. ``purpose`` says how to accept what is open on purpose.
    """

    subject: str
    preheader: str
    headline: str
    advice: str
    summary: tuple[str, ...]
    notices: tuple[str, ...]
    unread: tuple[str, ...]
    accounts: tuple[str, ...]
    sections: tuple[Section, ...]
    changed: tuple[str, ...]
    exceptions: tuple[str, ...]
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
    news = report.news
    listed = report.openings
    is_full = kind is DigestKind.FULL
    selected = listed if is_full else news.opened
    displayed = selected.first[:max_findings]
    sections = _by_severity if is_full else _by_change
    return Digest(
        subject=subject(report),
        preheader=preheader(report),
        headline=cut(headline(report), _LONGEST_LINE),
        advice=advice(report, selected, is_full=is_full),
        summary=_summary(report, news, listed, is_full=is_full),
        notices=first_lines_of(notices(report), "more notice", max_lines),
        unread=tuple(unread_lines(report, max_lines)),
        accounts=tuple(_worst_accounts(report)) if is_full and len(report.accounts) > 1 else (),
        sections=(
            *sections(report, selected, displayed),
            *_closed(report, news, max_lines, is_full=is_full),
        ),
        changed=first_lines_of(coverage_changes(report), "more target", max_lines),
        exceptions=tuple(exceptions_to_review(report, max_lines)),
        notes=tuple(_notes(report, displayed, len(selected), is_full=is_full)),
        purpose=tuple(ways_to_accept(report, displayed)),
        coverage=coverage_line(report),
        origin=origin(report),
    )


def _summary(report: Report, news: News, listed: OpeningList, *, is_full: bool) -> tuple[str, ...]:
    """Counts, place and time."""
    numbers = {
        "new": len(news.new),
        "worse or wider": len(news.worse),
        "reopened": len(news.reopened),
        "resolved": len(news.resolved),
        "narrowed": len(news.narrowed),
        f"still open{_where(report)}": len(news.still_open) - len(news.narrowed),
    }
    changes = ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)
    counts = phrases.counts(listed.counts) if is_full else changes
    return tuple(filter(None, [counts, *place_and_time(report)]))


def _worst_accounts(report: Report) -> Iterator[str]:
    """The accounts with the worst findings, and the number of other accounts."""
    open_in = [account for account in report.accounts if any(account.openings.values())]
    open_in.sort(key=lambda account: [-account.openings.get(s, 0) for s in Severity])
    for account in open_in[:_NAMED_ACCOUNTS]:
        title = phrases.account(account.id, report.names)
        yield f"{title}: {phrases.counts(account.openings)}"
    if (more := len(open_in) - _NAMED_ACCOUNTS) > 0:
        yield f"and {phrases.count(more, 'more account')} with findings."
    clean = sum(a.is_complete and not any(a.openings.values()) for a in report.accounts)
    if open_in and clean:
        yield f"{phrases.count(clean, 'account')} without findings."


def _by_severity(
    report: Report, selected: OpeningList, displayed: Sequence[Opening]
) -> Iterator[Section]:
    build = partial(open_entry, names=names_shown(report))
    label = change_label if known_changes(report) else lambda _: ""
    for severity, group in groupby(displayed, key=lambda opening: opening.finding.severity):
        number = selected.counts[severity]
        is_critical = severity is Severity.CRITICAL
        yield Section(
            f"{severity.capitalize()} ({number:,})",
            severity,
            tuple(build(o, label(o.finding), with_commands=is_critical) for o in group),
        )


def _by_change(
    report: Report, _selected: OpeningList, displayed: Sequence[Opening]
) -> Iterator[Section]:
    news = report.news
    numbers = {"New": news.new, "Worse or wider": news.worse, "Reopened": news.reopened}
    build = partial(open_entry, names=names_shown(report), with_commands=True)
    for title, openings in groupby(displayed, key=_change_title):
        group = tuple(openings)
        number = len(numbers[title])
        yield Section(
            f"{title} ({number:,})",
            worst_of(group).finding.severity,
            tuple(build(o, o.finding.severity.capitalize()) for o in group),
        )


def _change_title(opening: Opening) -> str:
    titles = {Status.NEW: "New", Status.REOPENED: "Reopened"}
    return titles.get(opening.finding.status, "Worse or wider")


def _closed(
    report: Report, news: News, max_lines: int | None, *, is_full: bool
) -> Iterator[Section]:
    """What is resolved, narrowed or no longer listed.

    Narrowed findings are left out of a full digest, which lists them as open.
    """
    names = names_shown(report)
    closed = partial(closed_entry, names=names)

    def narrowed(opening: Opening) -> Entry:
        label = opening.finding.severity.capitalize()
        return open_entry(opening, label, names=names, with_commands=False)

    groups: tuple[tuple[str, OpeningList, Callable[[Opening], Entry]], ...] = (
        ("Resolved", news.resolved, closed),
        ("Narrowed", OpeningList() if is_full else news.narrowed, narrowed),
        ("No longer listed", news.unlisted, closed),
    )
    for title, openings, build in groups:
        if openings:
            displayed = openings.first[:max_lines]
            more = len(openings) - len(displayed)
            yield Section(
                f"{title} ({len(openings):,})",
                None,
                tuple(map(build, displayed)),
                f"and {phrases.count(more, 'more finding')} in the CSV." if more else "",
            )


def _where(report: Report) -> str:
    """A suffix to the number of open findings: a partial run knows only its own regions."""
    return "" if report.run.is_full else " in the regions of this run"


def _notes(
    report: Report, displayed: Sequence[Opening], number: int, *, is_full: bool
) -> Iterator[str]:
    """What the digest does not list, of the ``number`` selected findings and of all others."""
    totals, still_open = report.totals, report.news.still_open
    if left_out := number - len(displayed):
        yield f"And {phrases.count(left_out, 'more finding')} in the CSV."
    others = (o.finding for o in displayed if o.finding.severity is not Severity.CRITICAL)
    if is_full and any(finding.fix for finding in others):
        yield "Other commands are in the CSV."
    if still_open and not is_full:
        counts = phrases.counts(still_open.counts)
        yield f"Still open{_where(report)}: {len(still_open):,} ({counts}), in the CSV."
    if unlisted := totals.unlisted:
        is_default = report.minimum_severity is Severity.LOW
        what = "informational finding" if is_default else "finding"
        below = "" if is_default else f" below {report.minimum_severity}"
        yield f"{phrases.count(unlisted, what)}{below} not shown."
    if unverified := totals.statuses.get(Status.UNVERIFIED):
        yield f"{phrases.count(unverified, 'earlier finding')} not verified by this run."
    if excepted := totals.statuses.get(Status.EXCEPTED):
        yield f"{phrases.count(excepted, 'finding')} accepted by exceptions."
    if totals.authorized:
        openings = phrases.count(totals.authorized, "opening")
        groups = phrases.count(totals.authorized_groups, "group")
        yield f"{openings} on authorized ports in {groups}."
