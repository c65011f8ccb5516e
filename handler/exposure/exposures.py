"""Works out exactly which part of the internet reaches which ports.

The arithmetic rests on two facts. CIDRs are nested or disjoint, never partly overlapping, so the
size of a union is the sum of the outermost CIDRs. And a rule opens all traffic within its own, so
it is enough to look at the traffic that rules name and, for ports, at the stretches between the
ports at which rules begin or end.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from handler.model.address import Family, prefix_length
from handler.model.address_set import address_set
from handler.model.internet import Internets
from handler.model.network import Exposure, PrefixList, Rule
from handler.model.traffic import ALL_PROTOCOLS, PORT_PROTOCOLS, Traffic


class OpenCidr(NamedTuple):
    """A CIDR that a rule lets in, with its positions in the family's internet; never empty."""

    start: int
    end: int
    rule: Rule
    text: str
    family: Family


def exposures(
    rules: Iterable[Rule], prefix_lists: Mapping[str, PrefixList], internets: Internets
) -> tuple[Exposure, ...]:
    """What the rules together open to the internet, sorted; empty if they open nothing.

    There is one exposure for each family, protocol and longest run of ports with the same rules,
    without CIDRs that add no addresses. A wider rule counts towards all narrower traffic (all
    traffic towards every port, all ICMP towards every type), and is an exposure of its own. Prefix
    lists that could not be read add nothing.
    """
    found: dict[Family, dict[Traffic, list[OpenCidr]]] = {}
    for rule in rules:
        for cidr in open_cidrs(rule, prefix_lists, internets):
            of_family = found.setdefault(cidr.family, {})
            of_family.setdefault(rule.traffic, []).append(cidr)
    return tuple(
        exposure
        for family in sorted(found)
        for exposure in _of_family(family, internets, found[family])
    )


def open_cidrs(
    rule: Rule, prefix_lists: Mapping[str, PrefixList], internets: Internets
) -> Iterator[OpenCidr]:
    """The CIDRs that a rule lets in; private ones are left out."""
    prefix_list = prefix_lists.get(rule.source)
    for text in (rule.source,) if prefix_list is None else prefix_list.cidrs:
        family, (start, end) = internets.locate(text)
        if start < end:
            yield OpenCidr(start, end, rule, text, family)


def _of_family(
    family: Family, internets: Internets, cidrs: Mapping[Traffic, Sequence[OpenCidr]]
) -> list[Exposure]:
    unions = [
        (traffic, _union(_cidrs_covering(traffic, cidrs)))
        for traffic in cidrs
        if traffic.protocol not in PORT_PROTOCOLS
    ]
    for protocol in {traffic.protocol for traffic in cidrs} & PORT_PROTOCOLS:
        unions += _sweep(protocol, cidrs)
    found = [
        _exposure(family, internets, traffic, union)
        for traffic, union in unions
        # If only wider rules open it, it is part of their exposures.
        if any(_is_own(cidr.rule.traffic, traffic) for cidr in union)
    ]
    return sorted(found, key=lambda exposure: exposure.traffic.sort_key)


def _cidrs_covering(
    traffic: Traffic, cidrs: Mapping[Traffic, Sequence[OpenCidr]]
) -> list[OpenCidr]:
    """The CIDRs that cover the traffic, which has no ports, in order."""
    wider = {
        Traffic(ALL_PROTOCOLS),
        Traffic(traffic.protocol),
        Traffic(traffic.protocol, icmp_type=traffic.icmp_type),
        traffic,
    }
    return sorted((cidr for other in wider for cidr in cidrs.get(other, ())), key=_order)


def _sweep(
    protocol: str, cidrs: Mapping[Traffic, Sequence[OpenCidr]]
) -> Iterator[tuple[Traffic, list[OpenCidr]]]:
    """The longest runs of ports with the same union, including empty unions."""
    ordered = sorted(
        (
            cidr
            for traffic, covering in cidrs.items()
            if traffic.protocol in {protocol, ALL_PROTOCOLS}
            for cidr in covering
        ),
        key=_order,
    )
    for _, stretches in groupby(_stretches(ordered), key=itemgetter(2)):
        run = list(stretches)
        yield Traffic(protocol, run[0][0], run[-1][1]), run[0][2]


def _stretches(ordered: Sequence[OpenCidr]) -> Iterator[tuple[int, int, list[OpenCidr]]]:
    """First port, last port and union of each stretch in which no rule begins or ends."""
    changes: defaultdict[int, list[int]] = defaultdict(list)
    for index, cidr in enumerate(ordered):
        for port in cidr.rule.traffic.span:
            changes[port].append(index)
    active: list[int] = []
    for low, after in pairwise(sorted(changes)):
        for index in changes[low]:
            place = bisect_left(active, index)
            # A CIDR occurs twice: where it begins, and where it ends.
            if active[place : place + 1] == [index]:
                del active[place]
            else:
                active.insert(place, index)
        yield low, after - 1, _union(ordered[index] for index in active)


def _union(ordered: Iterable[OpenCidr]) -> list[OpenCidr]:
    """The outermost CIDRs, which are disjoint and contain all the others."""
    union = []
    covered = 0
    for cidr in ordered:
        if cidr.end > covered:
            union.append(cidr)
            covered = cidr.end
    return union


def _order(cidr: OpenCidr) -> tuple[object, ...]:
    """Orders outer before inner CIDRs, and of equal ones the rule with more traffic first."""
    start, end, rule, *_ = cidr
    # Prefer a CIDR, because the entries of a prefix list may change.
    is_list = rule.is_prefix_list
    # ::/0 and 2000::/3 open the same addresses: prefer the shorter prefix.
    length = 0 if is_list else prefix_length(rule.source)
    return start, -end, -rule.traffic.breadth, is_list, length, rule.sort_key


def _is_own(of_rule: Traffic, traffic: Traffic) -> bool:
    """Whether a rule is for the traffic itself, not for wider traffic."""
    if traffic.protocol in PORT_PROTOCOLS:
        return of_rule.protocol == traffic.protocol
    return of_rule == traffic


def _exposure(
    family: Family, internets: Internets, traffic: Traffic, union: Sequence[OpenCidr]
) -> Exposure:
    internet, routable = internets[family], internets.routable
    addresses = sum(cidr.end - cidr.start for cidr in union)
    located = (routable.locate(cidr.text)[1] for cidr in union)
    return Exposure(
        family=family,
        traffic=traffic,
        reach=internet.reach(addresses),
        breadth=internet.breadth(addresses),
        addresses=addresses,
        share=addresses / internet.size,
        address_set=address_set(routable[family], located),
        # A rule occurs once for each CIDR of its list; hashing rules would take longer than ids.
        rules=tuple({id(cidr.rule): cidr.rule for cidr in union}.values()),
    )
