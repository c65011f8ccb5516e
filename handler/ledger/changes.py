"""What has changed since the last run besides findings: targets, exceptions and settings."""

from collections.abc import Iterator, Sequence

from handler.ledger.reconcile import Reconciled
from handler.ledger.state import LedgerState
from handler.model.audit_report import Changes
from handler.model.network import ALL_REGIONS
from handler.model.policy_exception import ExceptionReview, PolicyException
from handler.model.run import Coverage, CoverageStatus


def find_changes(
    previous: LedgerState | None,
    reconciled: Reconciled,
    coverage: Sequence[Coverage],
    exceptions: ExceptionReview,
    *,
    is_full: bool,
) -> Changes | None:
    """Which targets were lost or regained, which exceptions end, and what new settings changed.

    None without an earlier state.
    """
    if previous is None:
        return None
    was_read = {t: state.status is CoverageStatus.OK for t, state in previous.targets.items()}
    is_read = {c.target: c.is_complete for c in coverage}
    lists_all_regions = all(c.target.region != ALL_REGIONS for c in coverage)
    gone = set(was_read) - set(is_read) if is_full and lists_all_regions else set()
    # If the list of regions could not be read before, naming regions shows that it can be again.
    is_read |= {t: True for t in gone if t.region == ALL_REGIONS}
    return Changes(
        first=is_full and previous.last_full_digest_at is None,
        lost=tuple(t for t, read in is_read.items() if not read and was_read.get(t, True)),
        regained=tuple(t for t, read in is_read.items() if read and not was_read.get(t, True)),
        left_out=tuple(sorted(gone - set(is_read))),
        ending=unannounced(exceptions, previous),
        unlisted=reconciled.unlisted,
        # A partial run does not show which findings are listed for the first time.
        has_new_settings=reconciled.has_new_settings and (is_full or reconciled.dropped > 0),
        dropped=reconciled.dropped,
    )


def unannounced(exceptions: ExceptionReview, previous: LedgerState) -> tuple[PolicyException, ...]:
    """The exceptions that have expired or soon will, without the ones that a mail has named."""
    return tuple(
        exception
        for announcement, exception in _ending(exceptions)
        if announcement not in previous.announced
    )


def announcements_of(exceptions: ExceptionReview) -> frozenset[str]:
    """The announcement keys of the exceptions that have expired or soon will."""
    return frozenset(announcement for announcement, _ in _ending(exceptions))


def _ending(exceptions: ExceptionReview) -> Iterator[tuple[str, PolicyException]]:
    """The exceptions that have expired or soon will, each with its announcement key."""
    for word, ending in (("expired", exceptions.expired), ("expiring", exceptions.expiring)):
        for exception in ending:
            yield f"{word}|{exception.key}", exception
