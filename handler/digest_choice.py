"""Decides whether a run mails a digest, and which one: of changes, or of all that is open."""

from datetime import date, timedelta

from handler import clock
from handler.model.audit_report import Changes, Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Severity
from handler.settings import Notify

# After this time, a full run mails all again while anything is high or above, or not read.
_REMINDER_INTERVAL = timedelta(days=7)


def choose_digest(
    notify: Notify, report: Report, last_full_digest_at: str | None
) -> DigestKind | None:
    """Which digest the run mails; None for none.

    Without an earlier state, everything that is open is mailed, with the reason.
    """
    changes = report.changes
    # It is not known what an abandoned run mailed, and its findings may be closed by now.
    has_problem = bool(report.notices) and (report.run.is_full or changes is None)
    if notify is Notify.ALWAYS or has_problem or (changes and changes.first):
        return DigestKind.FULL
    if notify is Notify.FINDINGS or changes is None:
        is_due = report.openings or not report.is_complete
        return DigestKind.FULL if is_due else None
    # Frequent changes must not delay the digest that repeats everything that is open.
    if changes.has_new_settings or _is_reminder_due(report, last_full_digest_at):
        return DigestKind.FULL
    return DigestKind.CHANGES if _has_changed(report, changes) else None


def _has_changed(report: Report, changes: Changes) -> bool:
    targets = changes.lost or changes.regained or changes.left_out
    accounts = changes.departed or changes.returned
    return bool(targets or accounts or changes.ending) or report.has_news


def _is_reminder_due(report: Report, last_full_digest_at: str | None) -> bool:
    is_urgent = any(s.is_at_least(Severity.HIGH) for s, n in report.openings.counts.items() if n)
    if not report.run.is_full or (report.is_complete and not is_urgent):
        return False
    return is_reminder_day(report.run.day, last_full_digest_at)


def is_reminder_day(day: date, last_full_digest_at: str | None) -> bool:
    """Whether a reminder is due: no full digest is known from the last seven days."""
    if last_full_digest_at is None:
        return True
    last_day = date.fromisoformat(clock.day_of(last_full_digest_at))
    # Of two runs around midnight the earlier one may end last; a later day comes from a wrong
    # clock.
    return not -timedelta(days=1) <= day - last_day < _REMINDER_INTERVAL
