"""Reads one target and judges what it opens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from handler import aws
from handler.address import Internets
from handler.exposure import exposures, opened
from handler.findings import findings
from handler.model import (
    Coverage,
    CoverageStatus,
    Interface,
    OpenGroup,
    PrefixList,
    Reading,
    Rule,
    Scan,
    SecurityGroup,
    Target,
)
from handler.policy import Policy

_DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
_DISABLED = frozenset({"AuthFailure", "OptInRequired"})


class Source(Protocol):
    """Where the groups of a target are read from.

    Every method raises one of ``aws.FAILURES``, or ``ValueError`` for an answer without sense.
    """

    def security_groups(self) -> Iterator[SecurityGroup]:
        """All groups."""

    def prefix_lists(self, ids: Sequence[str]) -> Mapping[str, PrefixList]:
        """Every one of the lists, by id; one that cannot be read says why."""

    def rule_ids(self, group_ids: Sequence[str]) -> Iterator[tuple[Rule, str]]:
        """The groups' inbound rules with their sgr- ids, as far as they are known; others too."""

    def interfaces(self, group_ids: Sequence[str]) -> Sequence[Interface] | None:
        """The network interfaces that have any of the groups; None where nobody knows."""


def scan(target: Target, source: Source, policy: Policy) -> Scan:
    """What the target opens to the internet, and how much of it could be read.

    Whatever fails on the way is said in the coverage; what was read is judged all the same.
    """
    internets = Internets(policy.trusted_cidrs)
    reader = _Reader(source, internets)
    reader.read()
    found = findings(reader.reading(target), internets)
    read = coverage(target, reader.failures, reader.groups, reader.rules)
    return Scan(read, tuple(found))


def coverage(
    target: Target, failures: Sequence[Exception], groups: int = 0, rules: int = 0
) -> Coverage:
    """How much of the target was read, and what failed on the way."""
    if not failures:
        return Coverage(target, CoverageStatus.OK, groups, rules)
    codes = {aws.code(failure) for failure in failures}
    status = CoverageStatus.FAILED
    if codes <= _DENIED:
        status = CoverageStatus.DENIED
    elif codes <= _DISABLED:
        status = CoverageStatus.DISABLED
    sentences = dict.fromkeys(aws.sentence(failure) for failure in failures)
    return Coverage(target, status, groups, rules, " ".join(sentences))


class _Reader:
    """Reads a source step by step, as far as each step goes."""

    def __init__(self, source: Source, internets: Internets) -> None:
        self._source = source
        self._internets = internets
        # Only groups that the report speaks of are kept, and of these what it speaks of: an account
        # may have tens of thousands.
        self._open: list[OpenGroup] = []
        self._lists: dict[str, PrefixList] = {}
        self._rule_ids: Mapping[Rule, str] = {}
        self._interfaces: Sequence[Interface] | None = None
        self.groups = 0
        self.rules = 0
        self.failures: list[Exception] = []

    def read(self) -> None:
        for step in (self._read_groups, self._read_rule_ids, self._read_interfaces):
            try:
                step()
            except (*aws.FAILURES, ValueError) as error:
                self.failures.append(error)

    def reading(self, target: Target) -> Reading:
        interfaces = None if self._interfaces is None else tuple(self._interfaces)
        return Reading(target, tuple(self._open), self._lists, self._rule_ids, interfaces)

    def _read_groups(self) -> None:
        for group in self._source.security_groups():
            self.groups += 1
            self.rules += len(group.rules)
            named = {rule.source for rule in group.rules if rule.is_prefix_list}
            if unread := named - self._lists.keys():
                self._lists |= self._source.prefix_lists(sorted(unread))
            exposed = exposures(group.rules, self._lists, self._internets)
            if exposed or group.malformed or any(self._lists[each].error for each in named):
                # What is private opens nothing, together with other groups neither.
                public = tuple(rule for rule in group.rules if self._is_public(rule))
                self._open.append(OpenGroup(replace(group, rules=public), exposed))

    def _read_rule_ids(self) -> None:
        named = {rule for each in self._open for rule in each.group.rules}
        found = self._source.rule_ids(self._open_ids)
        self._rule_ids = {rule: rule_id for rule, rule_id in found if rule in named}

    def _is_public(self, rule: Rule) -> bool:
        return rule.is_prefix_list or any(opened(rule, self._lists, self._internets))

    def _read_interfaces(self) -> None:
        self._interfaces = self._source.interfaces(self._open_ids)

    @property
    def _open_ids(self) -> list[str]:
        return [each.group.id for each in self._open]
