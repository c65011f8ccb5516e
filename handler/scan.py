"""Reads one target and judges what it opens."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from handler import aws
from handler.address import Internets
from handler.exposure import exposures
from handler.findings import findings
from handler.model import (
    Coverage,
    CoverageStatus,
    Exposure,
    PrefixList,
    Rule,
    Scan,
    SecurityGroup,
    Target,
)
from handler.policy import Policy

_DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
_DISABLED = frozenset({"AuthFailure", "OptInRequired"})


class Source(Protocol):
    """Where the groups of a target are read from."""

    def security_groups(self) -> Iterator[SecurityGroup]:
        """All groups."""

    def prefix_lists(self, ids: Sequence[str]) -> Mapping[str, PrefixList]:
        """Every one of the lists, by id."""

    def rule_ids(self, group_ids: Sequence[str]) -> Mapping[Rule, str]:
        """The sgr- ids of the groups' inbound rules, as far as they are known."""


def scan(target: Target, source: Source, policy: Policy) -> Scan:
    """What the target opens to the internet, and how much of it could be read.

    A failure on the way ends the reading; what was read until then is judged all the same.
    """
    internets = Internets(policy.trusted_cidrs)
    lists: dict[str, PrefixList] = {}
    rule_ids: Mapping[Rule, str] = {}
    # Only groups that the report speaks of are kept: an account may have tens of thousands.
    open_groups: list[tuple[SecurityGroup, tuple[Exposure, ...]]] = []
    groups = rules = 0
    failure: Exception | None = None
    try:
        for group in source.security_groups():
            named = {rule.source for rule in group.rules if rule.is_prefix_list}
            lists |= source.prefix_lists(sorted(named - lists.keys()))
            groups += 1
            rules += len(group.rules)
            exposed = exposures(group.rules, lists, internets)
            if exposed or group.malformed or any(lists[list_id].error for list_id in named):
                open_groups.append((group, exposed))
        rule_ids = source.rule_ids([group.id for group, _ in open_groups])
    except (*aws.FAILURES, ValueError) as error:
        failure = error
    read = coverage(target, failure, groups, rules)
    found = (
        finding
        for group, exposed in open_groups
        for finding in findings(target, group, exposed, lists, rule_ids, policy)
    )
    return Scan(read, tuple(found))


def coverage(
    target: Target, failure: Exception | None, groups: int = 0, rules: int = 0
) -> Coverage:
    """How much of the target was read until the failure, if there was one."""
    if failure is None:
        return Coverage(target, CoverageStatus.OK, groups, rules)
    code = aws.code(failure)
    if code in _DENIED:
        status = CoverageStatus.DENIED
    else:
        status = CoverageStatus.DISABLED if code in _DISABLED else CoverageStatus.FAILED
    return Coverage(target, status, groups, rules, aws.sentence(failure))
