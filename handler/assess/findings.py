"""Exposures to findings: what the report says about a target, and how severe it is."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handler.assess.remediation import authorize_command, revoke_command
from handler.assess.services import service_name
from handler.assess.severity import attachment_of, severity_of
from handler.exposure.exposures import public_ranges
from handler.exposure.internet import Internets
from handler.exposure.joint import joint_exposures
from handler.model.address import Family
from handler.model.finding import Finding, Kind, Severity
from handler.model.network import (
    Exposure,
    Holder,
    MalformedRule,
    NetworkInterface,
    PrefixList,
    Reach,
    RegionData,
    Rule,
    SecurityGroup,
)
from handler.model.traffic import ICMP_PROTOCOLS, Traffic
from handler.sanitize import join_first

# Of an interface, so that its holder leaves room for its addresses.
_LONGEST_HOLDER = 80
_NAMED_ADDRESSES = 3
_NAMED_RULES = 3


def assess(region: RegionData, internets: Internets) -> Iterator[Finding]:
    """All findings of a target, in no particular order."""
    interfaces_of = _interfaces_by_group(region.interfaces or ())
    for open_group in region.open_groups:
        group = open_group.group
        builder = _FindingBuilder(region, (group,), tuple(interfaces_of[group.id]))
        named = {id(rule) for exposure in open_group.exposures for rule in exposure.rules}
        for exposure in open_group.exposures:
            redundant = _redundant_rules(exposure, group.rules, region.prefix_lists, internets)
            # Rules that another finding names are closed with that.
            remaining = [rule for _, rule in redundant if id(rule) not in named]
            openings = dict.fromkeys((traffic, rule.source) for traffic, rule in redundant)
            yield builder.from_exposure(
                Kind.EXPOSURE,
                exposure,
                redundant_rules=tuple(openings),
                detail=_remaining_rules(remaining, region.rule_ids),
            )
        for rule in group.rules:
            error = region.prefix_lists[rule.source].error if rule.is_prefix_list else None
            if error is not None:
                yield builder.from_unreadable(rule, error)
        for malformed in group.malformed:
            yield builder.from_malformed(malformed)
    for joint in joint_exposures(region, internets):
        builder = _FindingBuilder(region, joint.groups, joint.interfaces)
        yield builder.from_exposure(Kind.JOINT, joint.exposure)


def _redundant_rules(
    exposure: Exposure,
    rules: Sequence[Rule],
    prefix_lists: Mapping[str, PrefixList],
    internets: Internets,
) -> list[tuple[Traffic, Rule]]:
    """The other rules of the group that open some of the exposure, and what of its traffic."""
    if len(rules) == len(exposure.rules):
        return []
    named = set(map(id, exposure.rules))
    others = (rule for rule in rules if id(rule) not in named)
    return [
        (traffic, rule)
        for rule in others
        if (traffic := rule.traffic.intersection(exposure.traffic))
        and any(
            family is exposure.family for family, _ in public_ranges(rule, prefix_lists, internets)
        )
    ]


def _remaining_rules(rules: Sequence[Rule], ids: Mapping[Rule, str]) -> str | None:
    """What is still open when the rules that an exposure names are revoked."""

    def text(rule: Rule) -> str:
        rule_id = f" ({ids[rule]})" if rule in ids else ""
        return f"{rule.traffic.text} from {rule.source}{rule_id}"

    named = join_first(rules, _NAMED_RULES, text)
    return f"other rules open it too, or a part of it: {named}" if rules else None


def _interfaces_by_group(
    interfaces: Iterable[NetworkInterface],
) -> Mapping[str, list[NetworkInterface]]:
    by_group: defaultdict[str, list[NetworkInterface]] = defaultdict(list)
    for interface in interfaces:
        for group_id in interface.group_ids:
            by_group[group_id].append(interface)
    return by_group


@dataclass(frozen=True, slots=True)
class _FindingBuilder:
    """Builds the findings of one group, or of several on the same interfaces."""

    region: RegionData
    groups: Sequence[SecurityGroup]
    interfaces: Sequence[NetworkInterface]

    def from_exposure(self, kind: Kind, exposure: Exposure, **fields: Any) -> Finding:
        """What is open to whom, and the commands that close it or let one range in instead."""
        rules, known_ids = exposure.rules, self.region.rule_ids
        region = self.region.target.region
        group_id, family, traffic = self.groups[0].id, exposure.family, exposure.traffic
        return self._finding(
            kind,
            traffic,
            exposure.reach,
            [rule.source for rule in rules],
            family,
            addresses=exposure.addresses,
            share=exposure.share,
            rule_ids=tuple(filter(None, map(known_ids.get, rules))),
            fix=revoke_command(region, rules, known_ids),
            narrower=authorize_command(region, group_id, family, traffic),
            **fields,
        )

    def from_unreadable(self, rule: Rule, error: str) -> Finding:
        """A prefix list that could not be read; it may hold the whole internet."""
        known_ids = self.region.rule_ids
        return self._finding(
            Kind.UNREADABLE,
            rule.traffic,
            Reach.UNKNOWN,
            [rule.source],
            rule_ids=(known_ids[rule],) if rule in known_ids else (),
            fix=revoke_command(self.region.target.region, [rule], known_ids),
            detail=f"prefix list {rule.source} could not be read: {error}",
        )

    def from_malformed(self, malformed: MalformedRule) -> Finding:
        """A rule with values that AWS does not allow."""
        protocol, reason = malformed.protocol, malformed.reason
        ports = () if protocol in ICMP_PROTOCOLS else (malformed.from_port, malformed.to_port)
        traffic = Traffic(protocol, *ports)
        return replace(
            self._finding(Kind.MALFORMED, traffic, Reach.UNKNOWN, malformed.sources),
            # The same rule may be malformed in several ways.
            id=self._fingerprint(Kind.MALFORMED, None, traffic, [*malformed.sources, reason]),
            severity=Severity.HIGH,
            why="A rule that makes no sense may open anything, which is high.",
            service=None,
            detail=reason,
        )

    def _finding(
        self,
        kind: Kind,
        traffic: Traffic,
        reach: Reach,
        sources: Iterable[str],
        family: Family | None = None,
        **fields: Any,
    ) -> Finding:
        """A finding with what all kinds have, and the fields of its own kind."""
        first = self.groups[0]
        unique = tuple(dict.fromkeys(sources))
        prefix_lists = tuple(source for source in unique if source in self.region.prefix_lists)
        is_joint = kind is Kind.JOINT
        interfaces = None if self.region.interfaces is None else self.interfaces
        severity, why = severity_of(traffic, reach, interfaces)
        owners = dict.fromkeys(group.owner for group in self.groups if group.owner)
        return Finding(
            id=self._fingerprint(kind, family, traffic, unique),
            kind=kind,
            severity=severity,
            why=why,
            target=self.region.target,
            group_id=first.id,
            group_name=first.name,
            vpc_id=first.vpc_id,
            owner=", ".join(owners) or None,
            family=family,
            group_ids=tuple(group.id for group in self.groups) if is_joint else (),
            group_names=tuple(group.name for group in self.groups) if is_joint else (),
            traffic=traffic,
            service=service_name(traffic),
            reach=reach,
            sources=tuple(source for source in unique if source not in prefix_lists)
            if prefix_lists
            else unique,
            prefix_lists=prefix_lists,
            attachment=attachment_of(interfaces),
            interfaces=tuple(interface.id for interface in self.interfaces),
            # Public ones come first: reports name the first few.
            attached=tuple(
                _describe(interface)
                for interface in sorted(
                    self.interfaces, key=lambda interface: not interface.public_addresses
                )
            ),
            **fields,
        )

    def _fingerprint(
        self, kind: Kind, family: Family | None, traffic: Traffic, sources: Iterable[str]
    ) -> str:
        """An id from what the finding means: the same rules, created again, have the same id."""
        target = self.region.target
        place = (kind, target.account, target.region, *(group.id for group in self.groups))
        opening = (family or "", *map(str, traffic.sort_key), *sorted(sources))
        # A saved file may hold lone surrogates.
        meaning = "\n".join((*place, *opening)).encode(errors="surrogatepass")
        return hashlib.sha256(meaning).hexdigest()[:16]


def _describe(interface: NetworkInterface) -> str:
    """The holder of an interface, and its public addresses."""
    holder = interface.name if interface.holder is Holder.OTHER else interface.holder
    if interface.holder in {Holder.INSTANCE, Holder.LOAD_BALANCER}:
        holder += f" {interface.name}"
    addresses = join_first(interface.public_addresses, _NAMED_ADDRESSES)
    return ", ".join(filter(None, (holder[:_LONGEST_HOLDER] or interface.id, addresses)))
