"""Compares the findings of a run with the state: what is new, resolved or different."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from handler import clock
from handler.ledger import flips
from handler.ledger.finding_history import History
from handler.ledger.openings import Openings
from handler.ledger.places import Scope, by_place, place_of, related
from handler.ledger.records import has_other_settings, was_announced_resolved
from handler.ledger.state import OLD_SETTINGS, LedgerState, Record
from handler.ledger.transitions import Fate, Place, PlaceComparison, compare
from handler.model.finding import Finding, Kind, Status, is_listed
from handler.model.internet import Internets
from handler.model.run import Coverage
from handler.model.traffic import cover
from handler.policy.policy import Policy
from handler.report.phrases import join_first

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

    Without a state, None, findings keep their status, and ``now`` is their date. With one, findings
    that are not listed have no dates, because they are not stored. ``now`` is UTC in ISO 8601.
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
        self._now = now
        self._minimum = policy.minimum_severity
        self._authorized_ports = policy.authorized_ports
        self._internets = Internets(policy.trusted_cidrs)
        self._has_new_settings = has_other_settings(previous, policy)
        self._scope = Scope(findings, coverage)
        self._history = History(
            previous, self._internets, now, has_new_settings=self._has_new_settings
        )
        self._read_at = {c.target: c.read_at for c in coverage}
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
            gone_ids = {f.id for f in known[key]} - {f.id for f in found[key]}
            candidates = by_target[key.target, key.family] if gone_ids else ()
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
                    related=related(candidates, key.group_ids),
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
            yield self._seen(finding, PlaceComparison(origins=origins)) if is_shown else finding
        for finding in self._known:
            if finding.family is not None or finding.id in found:
                continue
            if finding in self._scope:
                was_unreadable = finding.kind is Kind.UNREADABLE
                yield self._history.resolved(finding, "readable again" if was_unreadable else None)
            else:
                yield finding._replace(status=Status.UNVERIFIED)

    def _seen(self, finding: Finding, comparison: PlaceComparison) -> Finding:
        origins = comparison.origins.get(finding.id, ())
        self._severity_changed |= any(
            record.finding.severity is not finding.severity for record in origins
        )
        return self._history.seen(finding, comparison)

    def _gone(self, comparison: PlaceComparison) -> Iterator[Finding]:
        """The known findings of a place that have no listed finding with the same id."""
        for record in comparison.unverified:
            yield record.finding._replace(status=Status.UNVERIFIED)
        for record, fate in comparison.gone:
            remaining = comparison.remaining.get(record.finding.id, ())
            if fate is Fate.RESOLVED:
                yield self._history.resolved(record.finding, _still_open(record.finding, remaining))
            elif fate is Fate.DROPPED or (fate is Fate.UNLISTED and self._has_new_settings):
                self._dropped += 1
            elif fate is Fate.UNLISTED:
                self._unlisted.append(self._history.below_minimum(record.finding, remaining[0]))

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
                read_at = clock.second_of(self._read_at[finding.target])
                if clock.second_of(finding.last_seen or "") > read_at > "":
                    continue
                if not self._is_open(finding, found[place_of(finding)]):
                    yield self._history.resolved(finding, f"run {run} may have announced it")

    def _is_open(self, finding: Finding, others: Sequence[Finding]) -> bool:
        if finding.family is None:
            return any(other.id == finding.id for other in others)
        openings = Openings(self._internets[finding.family], others)
        return any(True for _ in openings.overlapping(finding))


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
    return ", ".join(cidrs) or f"{finding.address_set.size:,} addresses"
