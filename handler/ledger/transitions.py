"""What becomes of the openings of one place from one run to the next.

A place is one group, or several on one interface, in one address family. Openings are compared by
traffic and addresses, not by rule: rules that are only written differently are no change.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import NamedTuple

from handler.ledger.openings import Openings
from handler.ledger.state import Record
from handler.model.address_set import NOT_STORED
from handler.model.finding import Change, Finding, Status
from handler.model.internet import Internet


class Fate(Enum):
    """What became of a known finding that is no longer listed under its id.

    A replaced one is open through others, an unlisted one is open below the minimum severity, and a
    dropped one is no exposure with today's settings.
    """

    RESOLVED = auto()
    REPLACED = auto()
    UNLISTED = auto()
    DROPPED = auto()


class Place(NamedTuple):
    """The known and the found openings of one place.

    ``found`` are all openings, ``listed`` the ids of those that are listed, and ``authorized`` the
    ids of those on authorized ports. ``related`` are the openings of the same groups with more or
    fewer others. ``verifiable`` are the ids of known findings whose groups and interfaces were all
    read.
    """

    internet: Internet
    known: Sequence[Record]
    found: Sequence[Finding]
    listed: AbstractSet[str]
    authorized: AbstractSet[str]
    verifiable: AbstractSet[str]
    related: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class PlaceComparison:
    """What became of the openings of a place.

    ``origins`` has, by the id of a listed finding, the records that it developed from; a finding
    without any was not known. ``changes`` says how it differs from them. ``gone`` says what became
    of records without a listed finding of the same id; ``remaining`` has, by their ids, what is
    still open of the resolved ones, and what the unlisted ones are now. ``unverified`` are neither
    found nor gone; ``perhaps_unchanged`` were found narrower, but not everything was read.
    """

    origins: dict[str, tuple[Record, ...]] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    gone: list[tuple[Record, Fate]] = field(default_factory=list)
    remaining: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    unverified: list[Record] = field(default_factory=list)
    perhaps_unchanged: set[str] = field(default_factory=set)


def compare(place: Place) -> PlaceComparison:
    """What became of the openings of the place."""
    return _Comparing(place).compare()


class _Comparing:
    """The comparison of one place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._result = PlaceComparison()
        self._before = [record.finding for record in place.known]
        self._records = {record.finding.id: record for record in place.known}
        self._found_by_id = {finding.id: finding for finding in place.found}
        self._unchanged_ids = {
            finding.id
            for finding in place.found
            if (record := self._records.get(finding.id))
            and record.finding.address_set == finding.address_set
        }

    @cached_property
    def _known(self) -> Openings[Finding]:
        return self._openings(self._before)

    @cached_property
    def _changed(self) -> Openings[Finding]:
        """The known openings whose id or addresses were not found again."""
        return self._openings(f for f in self._before if f.id not in self._unchanged_ids)

    @cached_property
    def _not_accepted(self) -> Openings[Finding]:
        """The known openings that no exception accepted."""
        return self._openings(f for f in self._before if f.status is not Status.EXCEPTED)

    @cached_property
    def _found(self) -> Openings[Finding]:
        return self._openings(self._place.found)

    def compare(self) -> PlaceComparison:
        """What became of the openings of the place."""
        for finding in self._place.found:
            if finding.id not in self._place.listed:
                continue
            if finding.id in self._records:
                self._compare_same(self._records[finding.id], finding)
            else:
                self._compare_new(finding)
        for finding_id, record in self._records.items():
            if finding_id not in self._place.listed:
                self._compare_gone(record)
        return self._result

    def _compare_same(self, record: Record, finding: Finding) -> None:
        """Compare a finding with the known one of the same id."""
        result = self._result
        result.origins[finding.id] = (record,)
        if finding.id in self._unchanged_ids:
            return
        gained, lost = self._difference(record.finding, finding)
        if gained:
            result.changes[finding.id] = Change.WIDENED
        elif lost and finding.id in self._place.verifiable:
            result.changes[finding.id] = Change.NARROWED
        elif lost:
            result.perhaps_unchanged.add(finding.id)

    def _compare_new(self, finding: Finding) -> None:
        """Compare a finding whose id is not known."""
        result = self._result
        has_gained = not self._not_accepted.cover(finding)
        overlapping = list(self._changed.overlapping(finding))
        lost = [
            before
            for before in overlapping
            if before.id in self._place.verifiable and not self._found.cover(before)
        ]
        if has_gained and not overlapping:
            return
        if has_gained:
            origins, change = overlapping, Change.WIDENED
        elif lost:
            origins, change = lost, Change.NARROWED
        else:
            origins, change = list(self._known.overlapping(finding)), None
        result.origins[finding.id] = tuple(self._records[before.id] for before in origins)
        if change:
            result.changes[finding.id] = change

    def _difference(self, before: Finding, now: Finding) -> tuple[bool, bool]:
        """Whether addresses were gained, and whether some were lost, with the same traffic."""
        gained = not self._openings([before]).cover(now)
        lost = not self._openings([now]).cover(before)
        if gained and lost and (before.address_set.digest or now.address_set.digest):
            # Only the number of addresses is known.
            more = now.address_set.size - before.address_set.size
            is_same = before.address_set.digest == NOT_STORED
            return (more > 0, more < 0) if is_same else (more >= 0, more <= 0)
        return gained, lost

    def _compare_gone(self, record: Record) -> None:
        """Decide what became of a known finding that is not listed."""
        finding, result = record.finding, self._result
        if finding.id in self._place.authorized or not self._found.has_untrusted_addresses(finding):
            result.gone.append((record, Fate.DROPPED))
        elif finding.id in self._found_by_id:
            result.gone.append((record, Fate.UNLISTED))
            result.remaining[finding.id] = (self._found_by_id[finding.id],)
        elif finding.id in self._place.verifiable:
            result.gone.append((record, self._fate(finding)))
        else:
            result.unverified.append(record)

    def _fate(self, finding: Finding) -> Fate:
        """What became of a finding that was not found again although everything was read."""
        overlapping = list(self._found.overlapping(finding))
        # Openings on authorized ports were authorized before too, and are open on purpose.
        place = self._place
        not_listed = [o for o in overlapping if o.id not in place.listed]
        unlisted = [other for other in not_listed if other.id not in place.authorized]
        is_covered = self._found.cover(finding) or any(
            self._openings([other]).cover(finding) for other in self._place.related
        )
        is_replaced = any(
            other.id in self._result.origins and other.id not in self._unchanged_ids
            for other in overlapping
        )
        if is_replaced or (is_covered and len(not_listed) < len(overlapping)):
            return Fate.REPLACED
        if is_covered and not not_listed:
            return Fate.REPLACED
        self._result.remaining[finding.id] = tuple(unlisted or overlapping)
        return Fate.UNLISTED if unlisted else Fate.RESOLVED

    def _openings(self, findings: Iterable[Finding]) -> Openings[Finding]:
        return Openings(self._place.internet, findings)
