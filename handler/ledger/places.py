"""Places, where openings are compared, and whether a run has read all of a place."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from handler.model.address import Family
from handler.model.finding import Finding, Kind
from handler.model.network import UNKNOWN, Target
from handler.model.run import Coverage


class PlaceKey(NamedTuple):
    """One group, or several on one interface, in one address family of a target."""

    target: Target
    group_ids: tuple[str, ...]
    family: Family | None


def by_place(findings: Iterable[Finding]) -> defaultdict[PlaceKey, list[Finding]]:
    """The findings by place."""
    places: defaultdict[PlaceKey, list[Finding]] = defaultdict(list)
    for finding in findings:
        places[place_of(finding)].append(finding)
    return places


def place_of(finding: Finding) -> PlaceKey:
    """The place of a finding."""
    return PlaceKey(finding.target, group_ids_of(finding), finding.family)


def group_ids_of(finding: Finding) -> tuple[str, ...]:
    """The ids of the groups that open the finding."""
    return finding.group_ids or (finding.group_id,)


def related(findings: Iterable[Finding], group_ids: tuple[str, ...]) -> list[Finding]:
    """The findings whose groups are a proper subset or superset of these; none for one group."""
    if len(group_ids) == 1:
        return []
    groups = set(group_ids)
    return [
        finding
        for finding in findings
        if (finding_groups := set(group_ids_of(finding))) < groups or groups < finding_groups
    ]


class Scope:
    """The findings that a run would have seen if they still existed."""

    def __init__(self, found: Iterable[Finding], coverage: Iterable[Coverage]) -> None:
        self._read = {c.target for c in coverage if c.is_complete}
        # A rule that could not be evaluated may still open what it opened before.
        self._not_evaluated: defaultdict[tuple[Target, str], list[Finding]] = defaultdict(list)
        for finding in found:
            if not finding.kind.is_exposure:
                self._not_evaluated[finding.target, finding.group_id].append(finding)

    def __contains__(self, finding: Finding) -> bool:
        if finding.target not in self._read:
            return False
        if not finding.kind.is_exposure:
            return True
        # A group without an id may be any group.
        return not any(
            rule.kind is Kind.MALFORMED or rule.traffic.intersection(finding.traffic)
            for group_id in (*group_ids_of(finding), UNKNOWN)
            for rule in self._not_evaluated.get((finding.target, group_id), ())
        )
