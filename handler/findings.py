"""Exposures to findings: what the report says about a group, and how severe it is."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from handler.fix import revoke
from handler.model import (
    Exposure,
    Finding,
    Kind,
    Malformed,
    PrefixList,
    Reach,
    Rule,
    SecurityGroup,
    Severity,
    Target,
    Traffic,
)
from handler.policy import Policy
from handler.services import name, severity_for_world


def findings(
    target: Target,
    group: SecurityGroup,
    exposures: Iterable[Exposure],
    lists: Mapping[str, PrefixList],
    rule_ids: Mapping[Rule, str],
    policy: Policy,
) -> Iterator[Finding]:
    """All that the report says about one group of a target; ``rule_ids`` may lack rules."""
    for exposure in exposures:
        yield _exposure(target, group, exposure, rule_ids, policy)
    for rule in group.rules:
        error = lists[rule.source].error if rule.source in lists else None
        if error is not None:
            yield _unreadable(target, group, rule, error, rule_ids)
    for malformed in group.malformed:
        yield _malformed(target, group, malformed)


def _exposure(
    target: Target,
    group: SecurityGroup,
    exposure: Exposure,
    rule_ids: Mapping[Rule, str],
    policy: Policy,
) -> Finding:
    family, traffic, rules = exposure.family, exposure.traffic, exposure.rules
    return Finding(
        id=_fingerprint(
            Kind.EXPOSURE, target, group, family, traffic, (rule.source for rule in rules)
        ),
        kind=Kind.EXPOSURE,
        severity=policy.severity(traffic, exposure.reach),
        target=target,
        group_id=group.id,
        group_name=group.name,
        vpc_id=group.vpc_id,
        traffic=traffic,
        service=name(traffic),
        reach=exposure.reach,
        family=family,
        addresses=exposure.addresses,
        share=exposure.share,
        # In the order of their addresses, as the exposure has its rules.
        sources=_unique(rule.source for rule in rules if not rule.is_prefix_list),
        prefix_lists=_unique(rule.source for rule in rules if rule.is_prefix_list),
        rule_ids=_unique(rule_ids[rule] for rule in rules if rule in rule_ids),
        fix=revoke(target.region, rules, rule_ids),
    )


def _unreadable(
    target: Target,
    group: SecurityGroup,
    rule: Rule,
    error: str,
    rule_ids: Mapping[Rule, str],
) -> Finding:
    return Finding(
        id=_fingerprint(Kind.UNREADABLE, target, group, "", rule.traffic, [rule.source]),
        kind=Kind.UNREADABLE,
        # It may hold the whole internet.
        severity=severity_for_world(rule.traffic),
        target=target,
        group_id=group.id,
        group_name=group.name,
        vpc_id=group.vpc_id,
        traffic=rule.traffic,
        service=name(rule.traffic),
        reach=Reach.UNKNOWN,
        prefix_lists=(rule.source,),
        rule_ids=(rule_ids[rule],) if rule in rule_ids else (),
        detail=f"prefix list {rule.source} could not be read: {error}",
    )


def _malformed(target: Target, group: SecurityGroup, malformed: Malformed) -> Finding:
    traffic = Traffic(malformed.protocol, malformed.from_port, malformed.to_port)
    return Finding(
        id=_fingerprint(Kind.MALFORMED, target, group, "", traffic, malformed.sources),
        kind=Kind.MALFORMED,
        severity=Severity.HIGH,
        target=target,
        group_id=group.id,
        group_name=group.name,
        vpc_id=group.vpc_id,
        traffic=traffic,
        service=None,
        reach=Reach.UNKNOWN,
        sources=malformed.sources,
        detail=malformed.reason,
    )


def _fingerprint(
    kind: Kind,
    target: Target,
    group: SecurityGroup,
    family: str,
    traffic: Traffic,
    sources: Iterable[str],
) -> str:
    """Names a finding by what it means: the same rules written anew keep it, wider ones do not."""
    place = (kind, target.account, target.region, group.id, family)
    what = (*map(str, traffic.sort_key), *sorted(sources))
    return hashlib.sha256("\n".join((*place, *what)).encode()).hexdigest()[:16]


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
