"""Bursts of changes: which events need no run, and how long the next mail waits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from handler import clock
from handler.ledger.head import FollowUp, Head
from handler.ledger.state import LedgerState
from handler.model.run import CoverageStatus

# After a mail about a change the next one waits, so that a burst of changes gives few mails.
INTERVAL = timedelta(seconds=60)
"""The shortest time from one mail about a change to the next."""
# CloudTrail may deliver an event before EC2 shows the change everywhere.
_SETTLING = timedelta(seconds=10)


def needs_no_run(
    head: Head, state: LedgerState, run: str, changed_at: str, regions: Sequence[str]
) -> bool:
    """Whether other runs have read the regions since the change, or are waiting to do so."""
    visible_at = datetime.fromisoformat(changed_at) + _SETTLING
    waiting = [head.follow_ups.get(region) for region in regions]
    if all(w and w.run != run and visible_at <= _ends_at(w) for w in waiting):
        # A waiting run reads all of them again, unless it was stopped.
        return all(w and is_waiting(w) for w in waiting)
    read_at = {
        target.region: datetime.fromisoformat(reading.read_at)
        for target, reading in state.targets.items()
        if reading.status is CoverageStatus.OK
    }
    # A time in the future comes from a wrong clock, and proves nothing.
    return all(
        region in read_at and visible_at <= read_at[region] <= clock.now() for region in regions
    )


def time_to_wait(head: Head) -> timedelta:
    """How long the next mail about a change must wait, at most the whole interval."""
    if head.last_change_mail_at is None:
        return timedelta()
    rest = INTERVAL - (clock.now() - datetime.fromisoformat(head.last_change_mail_at))
    return min(max(rest, timedelta()), INTERVAL)


def is_waiting(follow_up: FollowUp) -> bool:
    """Whether a run may still be waiting, which takes one interval at most."""
    return timedelta() < _ends_at(follow_up) - clock.now() <= INTERVAL


def _ends_at(follow_up: FollowUp) -> datetime:
    return datetime.fromisoformat(follow_up.until)
