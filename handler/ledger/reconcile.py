"""Compares the findings of a run with the state: what is new, resolved or different."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from handler.ledger import flips
from handler.ledger.openings import Openings
from handler.ledger.places import Scope, by_place, place_of, related
from handler.ledger.records import (
    REMEMBERED,
    flips_of,
    has_other_settings,
    path_became_unknown,
    records_of,
    was_announced_resolved,
)
from handler.ledger.state import OLD_SETTINGS, LedgerState, Record
from handler.ledger.transitions import Comparison, Fate, Place, compare
from handler.model.finding import Change, Finding, Kind, Previous, Severity, Status, is_listed
from handler.model.internet import Internets
from handler.model.opened_by import NotAttributed, OpenedBy
from handler.model.run import Coverage
from handler.model.traffic import cover
from handler.policy.policy import Policy
from handler.report.phrases import join_first

_MAX_ORIGINS = 50
_NAMED_PREVIOUS = 5
_NAMED_REMAINING = 3


class Reconciled(NamedTuple):
    """The findings of a run, with status and dates, and what became of known findings.

    ``unlisted`` are below the minimum severity now, ``dropped`` is how many are no longer listed
    because the settings, or how severities are decided, have changed.
    """

    findings: tuple[Finding, ...]
    unlisted: tuple[Finding, ...] = ()
    dropped: int = 0
    has_new_settings: bool = False


def reconcile(
    previous: LedgerState | None,
    findings: Sequence[Finding],
    authorized: Sequence[Finding],
    coverage: Sequence[Coverage],
    policy: Policy,
    now: str,
) -> Reconciled:
    """Compare the findings of a run with the state.

    Without a state, None, findings keep their status. Findings that are not listed have no dates,
    because they are not stored. ``now`` is UTC in ISO 8601.
    """
    if previous is None:
        return Reconciled(tuple(f._replace(first_seen=now, last_seen=now) for f in findings))
    return _Reconciling(previous, findings, authorized, coverage, policy, now).reconcile()


class _Reconciling:
    """Compares one run with the state."""

    def __init__(
        self,
        previous: LedgerState,
        findings: Sequence[Finding],
        authorized: Sequence[Finding],
        coverage: Sequence[Coverage],
        policy: Policy,
        now: str,
    ) -> None:
        self._previous = previous
        self._findings = findings
        self._authorized = authorized
        self._minimum = policy.minimum_severity
        self._authorized_ports = policy.authorized_ports
        self._internets = Internets(policy.trusted_cidrs)
        self._now = now
        self._has_new_settings = has_other_settings(previous, policy)
        self._scope = Scope(findings, coverage)
        self._read_at = {target.target: target.read_at for target in coverage}
        self._known = [record.finding for record in previous.records.values()]
        self._unlisted: list[Finding] = []
        self._dropped = 0
        self._severity_changed = False

    def reconcile(self) -> Reconciled:
        """All findings of the run, and what became of the known ones."""
        findings = [
            *self._openings(),
            *self._rules(),
            *self._resolved_unannounced(),
            *self._possibly_mailed(),
        ]
        has_new_findings = any(finding.status is Status.NEW for finding in findings)
        # Version 1 did not store its settings: they are mostly the same, and new findings are just
        # new.
        has_new_findings = has_new_findings and self._previous.settings != OLD_SETTINGS
        shows_new_settings = self._has_new_settings and (self._severity_changed or has_new_findings)
        # Only new settings drop open findings, even if they changed while a run was under way.
        return Reconciled(
            tuple(findings),
            tuple(self._unlisted),
            self._dropped,
            has_new_settings=shows_new_settings or self._dropped > 0,
        )

    def _openings(self) -> Iterator[Finding]:
        """The exposures that are or were open, place by place."""
        known, found = by_place(self._known), by_place(self._findings)
        authorized = by_place(self._authorized)
        by_target: defaultdict[object, list[Finding]] = defaultdict(list)
        for finding in (*self._findings, *self._authorized):
            by_target[finding.target, finding.family].append(finding)
        for key in dict.fromkeys((*found, *known, *authorized)):
            if key.family is None:
                continue
            listed = {f.id for f in found[key] if is_listed(f, self._minimum)}
            if not listed and not known[key]:
                yield from found[key]
                continue
            # Related groups matter only to findings that are gone: they may still open them.
            is_gone = {f.id for f in known[key]} - {f.id for f in found[key]}
            beside = by_target[key.target, key.family] if is_gone else ()
            comparison = compare(
                Place(
                    internet=self._internets[key.family],
                    known=[self._previous.records[finding.id] for finding in known[key]],
                    found=[*found[key], *authorized[key]],
                    listed=listed,
                    authorized={
                        *(finding.id for finding in authorized[key]),
                        *(f.id for f in known[key] if cover(self._authorized_ports, f.traffic)),
                    },
                    verifiable={finding.id for finding in known[key] if finding in self._scope},
                    related=related(beside, key.group_ids),
                )
            )
            for finding in found[key]:
                yield self._seen(finding, comparison) if finding.id in listed else finding
            yield from self._gone(comparison)

    def _rules(self) -> Iterator[Finding]:
        """Rules that could not be evaluated, compared by their ids."""
        found = {finding.id: finding for finding in self._findings if finding.family is None}
        for finding in found.values():
            record = self._previous.records.get(finding.id)
            origins: dict[str, tuple[Record, ...]] = {finding.id: (record,)} if record else {}
            is_shown = is_listed(finding, self._minimum)
            yield self._seen(finding, Comparison(origins=origins)) if is_shown else finding
        for finding in self._known:
            if finding.family is not None or finding.id in found:
                continue
            if finding in self._scope:
                is_list = finding.kind is Kind.UNREADABLE
                yield self._resolved(finding, "readable again" if is_list else None)
            else:
                yield finding._replace(status=Status.UNVERIFIED)

    def _seen(self, finding: Finding, comparison: Comparison) -> Finding:
        """A listed finding of this run, with status, change and dates."""
        if finding.target.account in self._previous.unknown:
            return finding._replace(first_seen=self._now, last_seen=self._now)
        records = comparison.origins.get(finding.id, ())
        before = [record.finding for record in records]
        if finding.id in comparison.kept:
            return before[0]._replace(status=Status.UNVERIFIED)
        status = self._status(finding, records)
        severities = ((record.announced or record.finding).severity for record in records)
        announced = min(severities, key=attrgetter("rank"), default=None)
        change = comparison.changes.get(finding.id) if status is Status.OPEN else None
        if (
            status is Status.OPEN
            and change is None
            and self._has_worsened(finding, before, announced)
        ):
            change = Change.WORSENED
        if self._has_new_settings and change is Change.NARROWED and before[0].address_set.digest:
            # The addresses that are gone are not known; they may be those that are trusted now.
            change = None
        unannounced: tuple[Previous, ...] = ()
        if status is Status.OPEN and change is None:
            change, unannounced = self._unannounced_change(finding, records)
        self._severity_changed |= any(f.severity is not finding.severity for f in before)
        found = finding._replace(
            status=status,
            change=change,
            origins=tuple(f.id for f in before[:_MAX_ORIGINS]),
            previously=unannounced
            or _previously(before, announced if change is Change.WORSENED else None)
            if change
            else (),
            previously_count=len(before) if change else 0,
            first_seen=self._first_seen(finding, before),
            last_seen=self._now,
            changed_at=max((f.changed_at or "" for f in before), default="") or self._now,
            opened_by=_opened_by(comparison.changes.get(finding.id), before),
        )
        if found.is_change:
            found = found._replace(changed_at=self._now)
        return self._with_flips(found)

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

    def _has_worsened(
        self, finding: Finding, before: Sequence[Finding], announced: Severity | None
    ) -> bool:
        """Whether it is worse than announced, and not only because its path was not read."""
        if announced is None or self._has_new_settings or finding.severity.rank >= announced.rank:
            return False
        return not any(path_became_unknown(finding, earlier) for earlier in before)

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
        before = records[0].finding
        former = [
            before._replace(traffic=traffic, addresses=addresses.count, address_set=addresses)
            for traffic, addresses in announced
        ]
        return change, _previously(former, None)

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

    def _gone(self, comparison: Comparison) -> Iterator[Finding]:
        """The known findings of a place that have no listed finding with the same id."""
        for record in comparison.unverified:
            yield record.finding._replace(status=Status.UNVERIFIED)
        for record, fate in comparison.gone:
            remaining = comparison.remaining.get(record.finding.id, ())
            if fate is Fate.RESOLVED:
                yield self._resolved(record.finding, _still_open(record.finding, remaining))
            elif fate is Fate.DROPPED or (fate is Fate.UNLISTED and self._has_new_settings):
                self._dropped += 1
            elif fate is Fate.UNLISTED:
                self._unlisted.append(self._below_minimum(record.finding, remaining[0]))

    def _below_minimum(self, before: Finding, now: Finding) -> Finding:
        """A finding that is now below the minimum severity, under its former id."""
        return self._with_flips(
            now._replace(
                id=before.id,
                origins=(before.id,),
                previously=_previously([before], None),
                previously_count=1,
                first_seen=before.first_seen,
                last_seen=self._now,
            )
        )

    def _resolved(self, finding: Finding, detail: str | None) -> Finding:
        gone = finding._replace(
            status=Status.RESOLVED,
            resolved_at=self._now,
            origins=(finding.id,),
            detail=detail,
        )
        return self._with_flips(gone)

    def _resolved_unannounced(self) -> Iterator[Finding]:
        """Resolved findings that no mail has reported as such, because they kept coming back."""
        found = by_place((*self._findings, *self._authorized))
        for gone in self._previous.resolved.values():
            record = gone.record
            if (
                record is None
                or was_announced_resolved(record)
                or record.finding not in self._scope
            ):
                continue
            # What other rules have opened again is reported with their findings.
            if not self._is_open(record.finding, found[place_of(record.finding)]):
                is_damped = flips.current([record.flips], self._now) is not None
                yield record.finding._replace(is_damped=is_damped)

    def _possibly_mailed(self) -> Iterator[Finding]:
        """Findings that an abandoned run may have mailed and that are closed now."""
        found = by_place((*self._findings, *self._authorized))
        for run, findings in self._previous.possibly_mailed.items():
            for finding in findings:
                if finding.id in self._previous.records or finding not in self._scope:
                    continue
                # To the second: last_seen is the start of a run, which has no milliseconds.
                if (finding.last_seen or "")[:19] > self._read_at[finding.target][:19] > "":
                    continue
                if not self._is_open(finding, found[place_of(finding)]):
                    yield self._resolved(finding, f"run {run} may have announced it")

    def _is_open(self, finding: Finding, others: Sequence[Finding]) -> bool:
        if finding.family is None:
            return any(other.id == finding.id for other in others)
        openings = Openings(self._internets[finding.family], others)
        return any(True for _ in openings.overlapping(finding))


def _opened_by(change: Change | None, before: Sequence[Finding]) -> OpenedBy | NotAttributed | None:
    """Who opened the former findings, accepted or not; None if more has been opened since."""
    if change is Change.WIDENED:
        return None
    return next((finding.opened_by for finding in before), None)


def _previously(before: Sequence[Finding], announced: Severity | None) -> tuple[Previous, ...]:
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


def _still_open(finding: Finding, remaining: Sequence[Finding]) -> str | None:
    """What is still open of a resolved finding, in words; None if nothing is."""
    if remaining:
        texts = [f"{other.traffic.text} from {_addresses(other)}" for other in remaining]
        return f"still open as before: {join_first(texts, _NAMED_REMAINING)}"
    if finding.kind is Kind.JOINT:
        return "no interface carries them together; what each opens alone is listed"
    return None


def _addresses(finding: Finding) -> str:
    cidrs = finding.address_set.cidrs
    return ", ".join(cidrs) or f"{finding.address_set.count:,} addresses"
