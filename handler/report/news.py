"""What is different from the last run, in the order in which people read it."""

from collections.abc import Iterable
from typing import NamedTuple

from handler.model.finding import Change, Opening, Status, as_openings
from handler.model.run import Changes, Report

_NO_CHANGES = Changes()


class News(NamedTuple):
    """The openings that have changed, by how, and those that are still open.

    ``worse`` are wider or more severe. ``narrowed`` ones are still open, too.
    """

    new: tuple[Opening, ...]
    worse: tuple[Opening, ...]
    reopened: tuple[Opening, ...]
    resolved: tuple[Opening, ...]
    narrowed: tuple[Opening, ...]
    unlisted: tuple[Opening, ...]
    still_open: tuple[Opening, ...]

    @property
    def opened(self) -> tuple[Opening, ...]:
        """What got worse in any way, in the order of the change mail."""
        return (*self.new, *self.worse, *self.reopened)


def news_of(report: Report) -> News:
    """The report's findings by how they have changed."""
    openings = report.openings
    new = _with_status(openings, Status.NEW)
    reopened = _with_status(openings, Status.REOPENED)
    known = _with_status(openings, Status.OPEN)
    worse = tuple(o for o in known if o.finding.is_change)
    still_open = tuple(o for o in known if not o.finding.is_change)
    return News(
        new=new,
        worse=worse,
        reopened=reopened,
        resolved=report.resolved,
        narrowed=tuple(o for o in still_open if o.finding.change is Change.NARROWED),
        unlisted=as_openings((report.changes or _NO_CHANGES).unlisted),
        still_open=still_open,
    )


def _with_status(openings: Iterable[Opening], status: Status) -> tuple[Opening, ...]:
    return tuple(opening for opening in openings if opening.finding.status is status)
