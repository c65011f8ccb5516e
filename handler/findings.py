"""Exposures to findings: what the report says about a target, and how severe it is."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from handler.address import Internets
from handler.exposure import opened
from handler.fix import revoke
from handler.model import (
    ICMP,
    Exposure,
    Family,
    Finding,
    Holder,
    Interface,
    Kind,
    Malformed,
    PrefixList,
    Reach,
    Reading,
    Rule,
    SecurityGroup,
    Severity,
    Traffic,
)
from handler.services import name
from handler.severity import attachment, judge
from handler.together import joints

# Of an interface, so that what it belongs to leaves room for how it is reached.
_LONGEST_HOLDER = 80
_MOST_ADDRESSES = 3
_MOST_RULES = 3


def findings(reading: Reading, internets: Internets) -> Iterator[Finding]:
    """All that the report says about a target, in no particular order."""
    attached = _attached(reading.interfaces or ())
    for each in reading.open_groups:
        group = each.group
        place = _Place(reading, (group,), tuple(attached[group.id]))
        named = {id(rule) for exposure in each.exposures for rule in exposure.rules}
        for exposure in each.exposures:
            beside = _beside(exposure, group.rules, reading.lists, internets)
            # Those that another finding names are closed with that.
            left = [rule for _, rule in beside if id(rule) not in named]
            yield replace(
                place.exposed(Kind.EXPOSURE, exposure),
                beside=tuple(dict.fromkeys((traffic, rule.source) for traffic, rule in beside)),
                detail=_remaining(left, reading.rule_ids),
            )
        for rule in group.rules:
            error = reading.lists[rule.source].error if rule.is_prefix_list else None
            if error is not None:
                yield place.unreadable(rule, error)
        for malformed in group.malformed:
            yield place.malformed(malformed)
    for joint in joints(reading, internets):
        place = _Place(reading, joint.groups, joint.interfaces)
        yield place.exposed(Kind.INTERFACE, joint.exposure)


def _beside(
    exposure: Exposure,
    rules: Sequence[Rule],
    lists: Mapping[str, PrefixList],
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
        if (traffic := rule.traffic.meet(exposure.traffic))
        and any(family is exposure.family for family, _ in opened(rule, lists, internets))
    ]


def _remaining(rules: Sequence[Rule], ids: Mapping[Rule, str]) -> str | None:
    """What is still open when the rules that an exposure names are gone."""
    named = ", ".join(
        f"{rule.traffic.text} from {rule.source}{f' ({ids[rule]})' if rule in ids else ''}"
        for rule in rules[:_MOST_RULES]
    )
    more = f" and {len(rules) - _MOST_RULES} more" if len(rules) > _MOST_RULES else ""
    return f"other rules open it too, or a part of it: {named}{more}" if rules else None


def _attached(interfaces: Iterable[Interface]) -> Mapping[str, list[Interface]]:
    """The interfaces of each group, by the group's id."""
    attached: defaultdict[str, list[Interface]] = defaultdict(list)
    for interface in interfaces:
        for group_id in interface.group_ids:
            attached[group_id].append(interface)
    return attached


@dataclass(frozen=True, slots=True)
class _Place:
    """Where findings are: one group, or several on the same interfaces."""

    reading: Reading
    groups: Sequence[SecurityGroup]
    interfaces: Sequence[Interface]

    def exposed(self, kind: Kind, exposure: Exposure) -> Finding:
        """What is open to whom, and how to close it or to let fewer in."""
        rules, known = exposure.rules, self.reading.rule_ids
        return replace(
            self._finding(
                kind,
                exposure.traffic,
                exposure.reach,
                [rule.source for rule in rules],
                exposure.family,
            ),
            addresses=exposure.addresses,
            share=exposure.share,
            rule_ids=tuple(filter(None, map(known.get, rules))),
            fix=revoke(self.reading.target.region, rules, known),
        )

    def unreadable(self, rule: Rule, error: str) -> Finding:
        """What a prefix list opens that could not be read; it may hold the whole internet."""
        known = self.reading.rule_ids
        return replace(
            self._finding(Kind.UNREADABLE, rule.traffic, Reach.UNKNOWN, [rule.source]),
            rule_ids=(known[rule],) if rule in known else (),
            fix=revoke(self.reading.target.region, [rule], known),
            detail=f"prefix list {rule.source} could not be read: {error}",
        )

    def malformed(self, malformed: Malformed) -> Finding:
        """A rule that makes no sense, and why."""
        protocol, reason = malformed.protocol, malformed.reason
        ports = () if protocol in ICMP else (malformed.from_port, malformed.to_port)
        traffic = Traffic(protocol, *ports)
        return replace(
            self._finding(Kind.MALFORMED, traffic, Reach.UNKNOWN, malformed.sources),
            # The same rule may make no sense in several ways.
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
    ) -> Finding:
        """All that findings of every kind have; without a way to close it."""
        first = self.groups[0]
        unique = tuple(dict.fromkeys(sources))
        lists = tuple(source for source in unique if source in self.reading.lists)
        together = kind is Kind.INTERFACE
        interfaces = None if self.reading.interfaces is None else self.interfaces
        severity, why = judge(traffic, reach, interfaces)
        return Finding(
            id=self._fingerprint(kind, family, traffic, unique),
            kind=kind,
            severity=severity,
            why=why,
            target=self.reading.target,
            group_id=first.id,
            group_name=first.name,
            vpc_id=first.vpc_id,
            owner=", ".join(dict.fromkeys(group.owner for group in self.groups if group.owner))
            or None,
            family=family,
            group_ids=tuple(group.id for group in self.groups) if together else (),
            group_names=tuple(group.name for group in self.groups) if together else (),
            traffic=traffic,
            service=name(traffic),
            reach=reach,
            sources=tuple(source for source in unique if source not in lists) if lists else unique,
            prefix_lists=lists,
            attachment=attachment(interfaces),
            interfaces=tuple(interface.id for interface in self.interfaces),
            # What can be reached comes first: reports name the first few.
            attached=tuple(
                map(_described, sorted(self.interfaces, key=lambda each: not each.public_addresses))
            ),
        )

    def _fingerprint(
        self, kind: Kind, family: Family | None, traffic: Traffic, sources: Iterable[str]
    ) -> str:
        """Names a finding by what it means: the same rules anew keep it, wider ones do not."""
        target = self.reading.target
        place = (kind, target.account, target.region, *(group.id for group in self.groups))
        what = (family or "", *map(str, traffic.sort_key), *sorted(sources))
        # A saved file may hold what is no Unicode.
        meaning = "\n".join((*place, *what)).encode(errors="surrogatepass")
        return hashlib.sha256(meaning).hexdigest()[:16]


def _described(interface: Interface) -> str:
    """What an interface belongs to, and its public addresses."""
    holder = interface.name if interface.holder is Holder.OTHER else interface.holder
    if interface.holder in {Holder.INSTANCE, Holder.LOAD_BALANCER}:
        holder += f" {interface.name}"
    addresses, most = interface.public_addresses, _MOST_ADDRESSES
    more = f"and {len(addresses) - most} more" if len(addresses) > most else ""
    shown = holder[:_LONGEST_HOLDER] or interface.id
    return ", ".join(filter(None, (shown, *addresses[:most], more)))
