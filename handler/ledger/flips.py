"""Findings that keep changing: how often, and whether another change is worth a mail."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handler.ledger.openings import Openings
from handler.ledger.state import Announcement, Flips
from handler.model.finding import Finding
from handler.model.internet import Internets

PERIOD = timedelta(days=7)
"""Three flips within it make a finding unstable, until as much time passes without a flip."""
_MANY = 3
# The most openings that an announcement keeps.
_MAX_OPENED = 4


def is_within(at: str | None, now: str, span: timedelta) -> bool:
    """Whether a time is no longer ago than the span; both times are in ISO 8601."""
    return at is not None and datetime.fromisoformat(now) - datetime.fromisoformat(at) <= span


def current(histories: Iterable[Flips | None], now: str) -> Flips | None:
    """The history with the most flips among those still active; None if there is none."""
    active = (flips for flips in histories if flips and is_within(flips.times[-1], now, PERIOD))
    return max(active, key=lambda flips: flips.count, default=None)


def with_flip(flips: Flips | None, now: str) -> Flips:
    """The history with another flip at ``now``."""
    if flips is None:
        return Flips(1, now, (now,))
    if is_unstable(flips):
        return Flips(flips.count + 1, flips.since, (*flips.times, now)[-_MANY:])
    times = (*(at for at in flips.times if is_within(at, now, PERIOD)), now)
    return Flips(len(times), times[0], times)


def is_unstable(flips: Flips | None) -> bool:
    """Whether an active history has so many flips that the finding is unstable."""
    return flips is not None and flips.count >= _MANY


def is_beyond(
    finding: Finding, announced: Announcement | None, internets: Internets, now: str
) -> bool:
    """Whether a finding is worse or wider than anything that mails said of it within the period."""
    if announced is None or not is_within(announced.at, now, PERIOD):
        return True
    if finding.severity.rank < announced.severity.rank:
        return True
    if finding.family is None:
        return False
    return not Openings(internets[finding.family], announced.opened).cover(finding)


def merged(announcements: Iterable[Announcement | None]) -> Announcement | None:
    """The worst and widest of several announcements, as of the latest; None if there are none."""
    known = [announced for announced in announcements if announced]
    if not known:
        return None
    opened = dict.fromkeys(o for announced in known for o in announced.opened)
    return Announcement(
        min((announced.severity for announced in known), key=lambda severity: severity.rank),
        tuple(opened)[:_MAX_OPENED],
        max(announced.at for announced in known),
        is_open=any(announced.is_open for announced in known),
    )
