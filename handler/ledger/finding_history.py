"""The history that the state adds to a finding: status, change, dates and flips."""

from collections.abc import Sequence
from operator import attrgetter

from handler.ledger import flips
from handler.ledger.openings import Openings
from handler.ledger.records import (
    REMEMBERED,
    flips_of,
    path_became_unknown,
    records_of,
    was_announced_resolved,
)
from handler.ledger.state import LedgerState, Record
from handler.ledger.transitions import PlaceComparison
from handler.model.finding import Change, Finding, Previous, Severity, Status
from handler.model.internet import Internets
from handler.model.opened_by import NotAttributed, OpenedBy

_MAX_ORIGINS = 50
_NAMED_PREVIOUS = 5


class History:
    """Adds the history to the findings of one run."""

    def __init__(
        self, previous: LedgerState, internets: Internets, now: str, *, has_new_settings: bool
    ) -> None:
        self._previous = previous
        self._internets = internets
        self._now = now
        self._has_new_settings = has_new_settings

    def seen(self, finding: Finding, comparison: PlaceComparison) -> Finding:
        """A listed finding of this run."""
        if finding.target.account in self._previous.unknown:
            return finding._replace(first_seen=self._now, last_seen=self._now)
        records = comparison.origins.get(finding.id, ())
        before = [record.finding for record in records]
        if finding.id in comparison.perhaps_unchanged:
            return before[0]._replace(status=Status.UNVERIFIED)
        compared = comparison.changes.get(finding.id)
        status = self._status(finding, records)
        change: Change | None = None
        former: tuple[Previous, ...] = ()
        if status is Status.OPEN:
            change, former = self._change(finding, records, compared)
        found = finding._replace(
            status=status,
            change=change,
            origins=tuple(f.id for f in before[:_MAX_ORIGINS]),
            previously=former,
            previously_count=len(before) if change else 0,
            first_seen=self._first_seen(finding, before),
            last_seen=self._now,
            changed_at=max((f.changed_at or "" for f in before), default="") or self._now,
            opened_by=_opened_by(compared, before),
        )
        if found.is_change:
            found = found._replace(changed_at=self._now)
        return self._with_flips(found)

    def below_minimum(self, before: Finding, now: Finding) -> Finding:
        """A finding that is now below the minimum severity, under its former id."""
        return self._with_flips(
            now._replace(
                id=before.id,
                origins=(before.id,),
                previously=_previously([before]),
                previously_count=1,
                first_seen=before.first_seen,
                last_seen=self._now,
            )
        )

    def resolved(self, finding: Finding, detail: str | None) -> Finding:
        """A finding that this run has resolved, with what is still open in ``detail``."""
        gone = finding._replace(
            status=Status.RESOLVED,
            resolved_at=self._now,
            origins=(finding.id,),
            detail=detail,
        )
        return self._with_flips(gone)

    def _status(self, finding: Finding, records: Sequence[Record]) -> Status:
        if finding.status is Status.EXCEPTED:
            return Status.EXCEPTED
        if not records:
            gone = self._previous.resolved.get(finding.id)
            is_back = gone and flips.is_within(gone.resolved_at, self._now, REMEMBERED)
            return Status.REOPENED if is_back else Status.NEW
        first = records[0]
        if first.finding.id != finding.id:
            return Status.OPEN
        was_accepted = first.finding.status is Status.EXCEPTED
        return Status.REOPENED if was_accepted or was_announced_resolved(first) else Status.OPEN

    def _change(
        self, finding: Finding, records: Sequence[Record], compared: Change | None
    ) -> tuple[Change | None, tuple[Previous, ...]]:
        """How an open finding has changed, and what it was before."""
        before = [record.finding for record in records]
        if compared is None and (announced := self._milder_announcement(finding, records)):
            return Change.WORSENED, _previously(before, announced)
        if self._has_new_settings and compared is Change.NARROWED and before[0].address_set.digest:
            # The addresses that are gone are not known; they may be those that are trusted now.
            compared = None
        if compared:
            return compared, _previously(before)
        return self._unannounced_change(finding, records)

    def _milder_announcement(self, finding: Finding, records: Sequence[Record]) -> Severity | None:
        """The announced severity if the finding is worse; None if only its path is unknown now."""
        if self._has_new_settings or any(path_became_unknown(finding, r.finding) for r in records):
            return None
        severities = ((record.announced or record.finding).severity for record in records)
        announced = min(severities, key=attrgetter("rank"), default=finding.severity)
        return announced if finding.severity.rank < announced.rank else None

    def _unannounced_change(
        self, finding: Finding, records: Sequence[Record]
    ) -> tuple[Change | None, tuple[Previous, ...]]:
        """How a finding that became stable again differs from what the last mail said of it."""
        histories = [record.flips for record in records]
        if finding.family is None or not any(map(flips.is_unstable, histories)):
            return None, ()
        # The first opening of an announcement is what the last mail said.
        announced = [record.announced.opened[0] for record in records if record.announced]
        if flips.current(histories, self._now) is not None or not announced:
            return None, ()
        internet = self._internets[finding.family]
        change: Change | None = None
        if not Openings(internet, announced).cover(finding):
            change = Change.WIDENED
        elif not all(Openings(internet, [finding]).cover(opened) for opened in announced):
            change = Change.NARROWED
        if change is None:
            return None, ()
        first = records[0].finding
        former = [
            first._replace(traffic=traffic, addresses=addresses.size, address_set=addresses)
            for traffic, addresses in announced
        ]
        return change, _previously(former)

    def _first_seen(self, finding: Finding, before: Sequence[Finding]) -> str:
        gone = self._previous.resolved.get(finding.id)
        earlier = [f.first_seen for f in before if f.first_seen]
        return min((*earlier, gone.first_seen) if gone else earlier, default=self._now)

    def _with_flips(self, finding: Finding) -> Finding:
        """The finding with the number of its flips, if there are many."""
        history = flips_of(
            self._previous, finding, self._now, has_new_settings=self._has_new_settings
        )
        if history is None or not flips.is_unstable(history):
            return finding
        records = records_of(self._previous, finding)
        announced = flips.merged(record.announced for record in records)
        is_beyond = flips.is_beyond(finding, announced, self._internets, self._now)
        is_gone = finding.status is Status.RESOLVED
        was_accepted = any(record.finding.status is Status.EXCEPTED for record in records)
        return finding._replace(
            flips=history.count,
            flipping_since=history.since,
            is_damped=is_gone
            or (finding.status is not Status.NEW and not is_beyond and not was_accepted),
        )


def _opened_by(change: Change | None, before: Sequence[Finding]) -> OpenedBy | NotAttributed | None:
    """Who opened the former findings, accepted or not; None if more has been opened since."""
    if change is Change.WIDENED:
        return None
    return next((finding.opened_by for finding in before), None)


def _previously(
    before: Sequence[Finding], announced: Severity | None = None
) -> tuple[Previous, ...]:
    """The first of the former findings, with the announced severity if it is given."""
    return tuple(
        Previous(
            finding.id,
            finding.traffic,
            finding.reach,
            announced or finding.severity,
            finding.addresses,
            finding.address_set.cidrs,
        )
        for finding in before[:_NAMED_PREVIOUS]
    )
