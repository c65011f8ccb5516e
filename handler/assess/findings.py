"""Turns the exposures of a target into findings."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from handler.assess.finding_builder import FindingBuilder
from handler.assess.paths import PathFinder
from handler.assess.service_lookup import is_known_range
from handler.exposure.aws_lists import aws_exposures
from handler.exposure.exposures import exposures, open_cidrs
from handler.exposure.joint import joint_exposures
from handler.model.finding import Finding, Kind
from handler.model.internet import Internets
from handler.model.network import (
    Exposure,
    NetworkInterface,
    OpenGroup,
    RegionData,
    Rule,
    SecurityGroup,
)


def assess(region: RegionData, internets: Internets) -> Iterator[Finding]:
    """All findings of a target with unique ids, in no particular order."""
    earlier: Counter[str] = Counter()
    for finding in _assess(region, internets):
        # A snapshot may contain a group more than once.
        number = earlier[finding.id]
        earlier[finding.id] += 1
        yield finding._replace(id=f"{finding.id}-{number}") if number else finding


def _assess(region: RegionData, internets: Internets) -> Iterator[Finding]:
    finder = PathFinder(region, internets)
    interfaces_of: defaultdict[str, list[NetworkInterface]] = defaultdict(list)
    for interface in region.interfaces or ():
        for group_id in interface.group_ids:
            interfaces_of[group_id].append(interface)
    alone: dict[str, list[tuple[Finding, Exposure]]] = {}
    for open_group in region.open_groups:
        group = open_group.group
        builder = FindingBuilder(region, finder, (group,), tuple(interfaces_of[group.id]))
        # A snapshot may contain a group more than once.
        alone.setdefault(group.id, []).extend(_exposure_findings(builder, open_group, internets))
        yield from _other_findings(builder, group)
    for joint in joint_exposures(region, internets):
        builder = FindingBuilder(region, finder, joint.groups, joint.interfaces)
        finding = builder.from_exposure(Kind.JOINT, joint.exposure)
        for group_id in finding.group_ids:
            alone[group_id] = [
                (_as_part(single, exposure, finding, joint.exposure), exposure)
                for single, exposure in alone[group_id]
            ]
        yield finding
    for pairs in alone.values():
        yield from (finding for finding, _ in pairs)


def _exposure_findings(
    builder: FindingBuilder, open_group: OpenGroup, internets: Internets
) -> Iterator[tuple[Finding, Exposure]]:
    """The findings about what one group opens by itself, with their exposures."""
    region, rules = builder.region, open_group.group.rules
    for exposure in open_group.exposures:
        redundant = _redundant_rules(exposure, rules, region, internets)
        finding = builder.from_exposure(Kind.EXPOSURE, exposure, redundant_rules=redundant)
        if is_known_range(exposure.traffic):
            # A rule for one service in the range is as severe as it would be without the range.
            for part in exposures(redundant, region.prefix_lists, internets):
                verdict = builder.verdict(part)
                if part.family is exposure.family and verdict.severity.rank < finding.severity.rank:
                    finding = finding._replace(severity=verdict.severity, why=verdict.why)
        yield finding, exposure


def _other_findings(builder: FindingBuilder, group: SecurityGroup) -> Iterator[Finding]:
    """The findings about AWS-managed prefix lists and rules that could not be evaluated."""
    for rule in group.rules:
        prefix_list = builder.region.prefix_lists[rule.source] if rule.is_prefix_list else None
        if prefix_list and prefix_list.error is not None:
            yield builder.from_unreadable(rule, prefix_list.error)
        for opening in aws_exposures(rule, prefix_list):
            is_public = any(i.public(opening.family) for i in builder.in_use)
            if is_public or builder.why_unknown():
                yield builder.from_aws_exposure(rule, opening)
    for malformed in group.malformed:
        yield builder.from_malformed(malformed)


def _as_part(
    single: Finding, exposure: Exposure, joint: Finding, joint_exposure: Exposure
) -> Finding:
    """The finding of a single group, marked as a part of the joint finding if it is one.

    All rules of a part are rules of the joint finding, so that closing that one closes both.
    """
    is_part = (
        single.part_of is None
        and {*map(id, exposure.rules)} <= {*map(id, joint_exposure.rules)}
        and joint.traffic.contains(single.traffic)
        and joint.severity.is_at_least(single.severity)
    )
    return single._replace(part_of=joint.id) if is_part else single


def _redundant_rules(
    exposure: Exposure, rules: Sequence[Rule], region: RegionData, internets: Internets
) -> tuple[Rule, ...]:
    """The group's other rules that open a part of the exposure."""
    if len(rules) == len(exposure.rules):
        return ()
    named, lists = set(map(id, exposure.rules)), region.prefix_lists
    return tuple(
        rule
        for rule in rules
        if id(rule) not in named
        and rule.traffic.intersection(exposure.traffic)
        and any(c.family is exposure.family for c in open_cidrs(rule, lists, internets))
    )
