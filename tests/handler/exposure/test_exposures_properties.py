"""Generated rules: their exposures compared with a plain model of the address space."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.exposure.exposures import exposures
from handler.model.address import Family
from handler.model.internet import Internets
from handler.model.network import Exposure, PrefixList, Rule
from handler.model.reach import Reach
from handler.model.traffic import Traffic
from tests.support import exposure_model as model
from tests.support.examples import examples

many = examples(30, in_ci=100)
ICMP = ("icmp", "icmpv6")
WIDE = {Family.IPV4: 2**16, Family.IPV6: 2**96}
UNREADABLE = PrefixList("pl-3", error="denied")


@dataclass(frozen=True)
class Situation:
    """Rules, the prefix lists that they may name, and the ranges that are trusted."""

    rules: tuple[Rule, ...]
    lists: dict[str, PrefixList]
    trusted: tuple[str, ...] = ()

    def exposures(self) -> tuple[Exposure, ...]:
        """What the handler says."""
        return exposures(self.rules, self.lists, Internets(self.trusted))

    def reached(self, family: Family, packet: Traffic, rules: Iterable[Rule]) -> model.Cells:
        """What the model says about some of the rules."""
        return model.reached(family, packet, rules, self.lists, self.trusted)

    def packets(self) -> list[Traffic]:
        """One packet of every kind that the rules could treat differently."""
        edges = {0, 40_000, 65_535}
        for rule in self.rules:
            for port in (rule.traffic.from_port, rule.traffic.to_port):
                edges |= set() if port is None else {port - 1, port, port + 1}
        ports = sorted(edges & set(range(65_536)))
        return [
            *(Traffic(name, port, port) for name in ("tcp", "udp") for port in ports),
            *(packet(Traffic(name, icmp_type=kind)) for name in ICMP for kind in (0, 3, 8)),
            *(Traffic(name, icmp_type=kind, icmp_code=4) for name in ICMP for kind in (0, 3, 8)),
            Traffic("50"),
            Traffic("99"),
        ]

    def counts(self, packets: Iterable[Traffic]) -> list[int]:
        """How many addresses can send each of the packets, as the handler says, both families."""
        found = self.exposures()
        return [addresses_in(found, family, packet) for packet in packets for family in Family]

    def with_each_rule(self, change: Callable[[Rule], list[Rule]]) -> "Situation":
        """The same with every rule changed."""
        return replace(self, rules=tuple(after for rule in self.rules for after in change(rule)))


def addresses_in(found: Iterable[Exposure], family: Family, packet: Traffic) -> int:
    """How many addresses the exposures say can send the packet; the one that says most counts."""
    covering = [
        exposure.addresses
        for exposure in found
        if exposure.family is family and model.lets_in(exposure.traffic, packet)
    ]
    return max(covering, default=0)


def packet(of: Traffic) -> Traffic:
    """A packet of that traffic, and of no narrower one where there is such a packet."""
    if of.protocol == "all":
        return Traffic("99")
    if of.protocol in ICMP:
        kind, code = (99 if part is None else part for part in (of.icmp_type, of.icmp_code))
        return Traffic(of.protocol, icmp_type=kind, icmp_code=code)
    return of._replace(to_port=of.from_port)


ports = st.one_of(st.sampled_from([0, 1, 21, 22, 23, 65_534, 65_535]), st.integers(0, 65_535))
traffics = st.one_of(
    st.builds(
        lambda protocol, ends: Traffic(protocol, min(ends), max(ends)),
        st.sampled_from(["tcp", "tcp", "tcp", "udp"]),
        st.tuples(ports, ports),
    ),
    st.builds(
        lambda protocol, kind: Traffic(protocol, icmp_type=kind[0], icmp_code=kind[1]),
        st.sampled_from(ICMP),
        st.sampled_from([(None, None), (3, None), (3, 4), (8, None)]),
    ),
    st.sampled_from([Traffic("all"), Traffic("50")]),
)
families = st.sampled_from(Family)
blocks = families.flatmap(lambda family: st.sampled_from(model.BLOCKS[family]))
# With and without host bits: the same block for everybody but those who compare texts.
cidrs = st.builds(lambda net, end: f"{net[end]}/{net.prefixlen}", blocks, st.sampled_from([0, -1]))
any_cidrs = st.builds(
    lambda address, part: f"{address}/{address.max_prefixlen * part // 32}",
    st.ip_addresses(),
    st.integers(0, 32),
)


@st.composite
def tilings(draw: st.DrawFn) -> list[str]:
    """The whole internet of a family, or most of it, in pieces."""
    family = draw(families)
    tiles = [model.ROOTS[family]]
    for _ in range(draw(st.integers(0, 6))):
        tile = tiles.pop(draw(st.integers(0, len(tiles) - 1)))
        tiles += [half for half in model.halves(tile) if half in model.BLOCKS[family]] or [tile]
    return [str(tile) for tile in tiles[draw(st.integers(0, 1)) :]]


@st.composite
def situations(
    draw: st.DrawFn, source_cidrs: st.SearchStrategy[str] = cidrs, *, listed: bool = True
) -> Situation:
    """Few kinds of traffic and many sources, so that they meet; ``listed`` allows prefix lists."""
    network_lists = st.one_of(tilings(), st.lists(source_cidrs, max_size=4))
    kinds = st.sampled_from(draw(st.lists(traffics, min_size=3, max_size=5, unique=True)))
    sources = [*draw(network_lists), *draw(network_lists), *draw(network_lists)]
    lists = {}
    if listed:
        entries = {"pl-1": tuple(draw(network_lists)), "pl-2": tuple(draw(network_lists))}
        lists = {key: PrefixList(key, entries[key]) for key in entries} | {"pl-3": UNREADABLE}
        sources += draw(st.lists(st.sampled_from(sorted(lists)), max_size=3))
    return Situation(
        rules=tuple(Rule("sg-1", draw(kinds), source) for source in sources),
        lists=lists,
        trusted=tuple(draw(st.lists(source_cidrs, max_size=2))),
    )


def halved(rule: Rule) -> list[Rule]:
    """The rule for both halves of its CIDR."""
    halves = [] if rule.is_prefix_list else model.halves(ip_network(rule.source, strict=False))
    return [rule._replace(source=str(half)) for half in halves] or [rule]


def cut(rule: Rule) -> list[Rule]:
    """The rule for the lower and the upper half of its ports."""
    low, high = rule.traffic.from_port, rule.traffic.to_port
    if low is None or high is None or low == high:
        return [rule]
    runs = [(low, (low + high) // 2), ((low + high) // 2 + 1, high)]
    return [rule._replace(traffic=Traffic(rule.traffic.protocol, *run)) for run in runs]


def spelled_out(rule: Rule) -> list[Rule]:
    """A rule for all traffic as one for all of tcp and one for all of udp."""
    if rule.traffic != Traffic("all"):
        return [rule]
    return [rule._replace(traffic=Traffic(name, 0, 65_535)) for name in ("tcp", "udp")]


@many
@given(situations())
def test_every_packet_is_counted_as_by_the_model(situation: Situation) -> None:
    """For every port, protocol and family, the number of addresses let in equals the model's."""
    found = situation.exposures()
    for sent in situation.packets():
        for family in Family:
            expected = model.addresses(situation.reached(family, sent, situation.rules))
            assert addresses_in(found, family, sent) == expected, (family, sent)


@many
@given(situations())
def test_listed_rules_open_the_exposure(situation: Situation) -> None:
    """The listed rules alone let in the exposure's addresses, and reach and share match them."""
    for found in situation.exposures():
        sent = packet(found.traffic)
        named = situation.reached(found.family, sent, found.rules)
        everybody = model.strangers(found.family, situation.trusted)
        assert named == situation.reached(found.family, sent, situation.rules)
        assert found.addresses == model.addresses(named) > 0
        assert found.share == found.addresses / model.addresses(everybody)
        partial = Reach.WIDE if found.addresses >= WIDE[found.family] else Reach.PUBLIC
        assert found.reach is (Reach.WORLD if named == everybody else partial)


@many
@given(situations(listed=False))
def test_no_listed_rule_is_superfluous(situation: Situation) -> None:
    """Without any one of the listed rules fewer addresses get in."""
    for found in situation.exposures():
        for rule in found.rules:
            others = [other for other in found.rules if other != rule]
            left = situation.reached(found.family, packet(found.traffic), others)
            assert model.addresses(left) < found.addresses, rule


@many
@given(situations(listed=False))
def test_an_exposure_opens_more_than_each_wider_rule(situation: Situation) -> None:
    """What one rule for more traffic lets in alone is that rule's exposure, and not repeated."""
    for found in situation.exposures():
        ported = found.traffic.protocol in {"tcp", "udp"}
        wider = [
            rule
            for rule in situation.rules
            if model.lets_in(rule.traffic, packet(found.traffic))
            and rule.traffic != found.traffic
            and (rule.traffic.protocol == "all" or not ported)
        ]
        own = [rule for rule in found.rules if rule not in wider]
        assert any(
            not any(model.cells(rule.source) <= model.cells(other.source) for other in wider)
            for rule in own
        )


@many
@given(situations(listed=False))
def test_of_equal_sources_the_rule_for_most_traffic_is_listed(situation: Situation) -> None:
    """No rule is listed where another one lets the same addresses send more traffic."""
    nobody = model.union(situation.trusted)
    for found in situation.exposures():
        sent = packet(found.traffic)
        helping = [rule for rule in situation.rules if model.lets_in(rule.traffic, sent)]
        for named in found.rules:
            same = model.cells(named.source) - nobody
            equal = [rule for rule in helping if model.cells(rule.source) - nobody == same]
            assert model.breadth(named.traffic) == max(model.breadth(r.traffic) for r in equal)


@pytest.mark.parametrize(
    ("held", "named"),
    [
        pytest.param(["8.0.0.0/7"], ["pl-1"], id="wider-list"),
        pytest.param(["8.0.0.0/8"], ["8.0.0.0/8"], id="same"),
        pytest.param(["8.1.0.0/16"], ["8.0.0.0/8"], id="narrower-list"),
        pytest.param(["8.0.0.0/8", "9.0.0.0/8"], ["8.0.0.0/8", "pl-1"], id="same-and-more"),
    ],
)
def test_a_prefix_list_is_listed_if_it_adds_addresses_to_a_cidr(
    held: list[str], named: list[str]
) -> None:
    """A CIDR is preferred to a list that opens no more, because a list may change."""
    ssh = Traffic("tcp", 22, 22)
    rules = Rule("sg-1", ssh, "8.0.0.0/8"), Rule("sg-1", ssh, "pl-1")
    (found,) = exposures(rules, {"pl-1": PrefixList("pl-1", tuple(held))}, Internets())
    assert [rule.source for rule in found.rules] == named


@many
@given(situations(st.one_of(cidrs, any_cidrs)))
def test_exposures_are_long_and_apart(situation: Situation) -> None:
    """Ports are in one exposure at most, neighbours differ in rules, and each has rules it needs.

    Its own rules, that is: what all traffic opens by itself is the exposure of all traffic.
    """
    found = situation.exposures()
    assert len({(exposure.family, exposure.traffic) for exposure in found}) == len(found)
    for exposure in found:
        own = [rule.traffic for rule in exposure.rules if rule.traffic.protocol != "all"]
        assert own or exposure.traffic == Traffic("all")
        assert exposure.traffic.from_port is not None or exposure.traffic in {*own, Traffic("all")}
    runs = [exposure for exposure in found if exposure.traffic.protocol in {"tcp", "udp"}]
    for one, other in pairwise(runs):
        if (one.family, one.traffic.protocol) == (other.family, other.traffic.protocol):
            (_, end), (start, _) = one.traffic.ports, other.traffic.ports
            assert end + 1 < start or (end < start and one.rules != other.rules)


@many
@given(situations(st.one_of(cidrs, any_cidrs)), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(situation: Situation, random: Random) -> None:
    """Rules in another order, or some of them twice, give the same exposures."""
    repeated = [*situation.rules, *situation.rules[:3]]
    random.shuffle(repeated)
    assert replace(situation, rules=tuple(repeated)).exposures() == situation.exposures()


@many
@given(situations(st.one_of(cidrs, any_cidrs)), st.sampled_from([halved, cut]))
def test_rules_in_two_parts_open_the_same(
    situation: Situation, part: Callable[[Rule], list[Rule]]
) -> None:
    """Two halves of a CIDR or of a range of ports open what the whole opens."""
    parts = situation.with_each_rule(part)
    assert parts.counts(parts.packets()) == situation.counts(parts.packets())


@many
@given(situations(st.one_of(cidrs, any_cidrs)))
def test_another_rule_opens_no_less(situation: Situation) -> None:
    """Each packet's count of addresses with one rule more is at least the count without it."""
    fewer = replace(situation, rules=situation.rules[1:]).counts(situation.packets())
    more = situation.counts(situation.packets())
    assert all(one <= other for one, other in zip(fewer, more, strict=True))


@many
@given(situations(st.one_of(cidrs, any_cidrs)))
def test_trust_adds_no_address(situation: Situation) -> None:
    """Each packet's count of addresses with trusted ranges is at most the count without them."""
    trusting = situation.counts(situation.packets())
    strict = replace(situation, trusted=()).counts(situation.packets())
    assert all(one <= other for one, other in zip(trusting, strict, strict=True))


@many
@given(situations(st.one_of(cidrs, any_cidrs)))
def test_all_traffic_is_every_port_of_every_protocol(situation: Situation) -> None:
    """On tcp and udp, all traffic opens what all ports of both open."""
    packets = [packet for packet in situation.packets() if packet.protocol in {"tcp", "udp"}]
    assert situation.with_each_rule(spelled_out).counts(packets) == situation.counts(packets)


@pytest.mark.parametrize("family", Family)
def test_trusting_everybody_leaves_no_internet(family: Family) -> None:
    """With ::/0 and 0.0.0.0/0 trusted, each family's internet has no address."""
    assert Internets(["::/0", "0.0.0.0/0"])[family].size == 0


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        pytest.param(
            (Traffic("tcp", 21, 22), Traffic("tcp", 22, 30)),
            [Traffic("tcp", 21, 21), Traffic("tcp", 22, 30)],
            id="more-ports-but-later",
        ),
        pytest.param(
            (Traffic("tcp", 60_000, 60_001), Traffic("tcp", 0, 65_535)),
            [Traffic("tcp", 0, 65_535)],
            id="high-ports",
        ),
        pytest.param(
            (Traffic("icmp", icmp_type=3, icmp_code=4), Traffic("icmp", icmp_type=3)),
            [Traffic("icmp", icmp_type=3)],
            id="one-type",
        ),
        pytest.param(
            (Traffic("icmp", icmp_type=3), Traffic("icmp")), [Traffic("icmp")], id="every-type"
        ),
        pytest.param(
            (Traffic("tcp", 0, 65_535), Traffic("50"), Traffic("icmp"), Traffic("all")),
            [Traffic("all")],
            id="every-protocol",
        ),
    ],
)
def test_one_source_is_the_exposure_of_its_widest_rule(
    opened: tuple[Traffic, ...], expected: list[Traffic]
) -> None:
    """Of several rules for one source, the one for most traffic is the exposure."""
    rules = [Rule("sg-1", traffic, "8.0.0.0/8") for traffic in opened]
    assert [found.traffic for found in exposures(rules, {}, Internets())] == expected


@pytest.mark.parametrize("source", ["1.0.0.0/32", "2000::/128", "223.255.255.255/32"])
def test_one_address_is_an_exposure(source: str) -> None:
    """A rule for the lowest or the highest public address is an exposure of one address."""
    (found,) = exposures([Rule("sg-1", Traffic("50"), source)], {}, Internets())
    assert (found.addresses, found.reach) == (1, Reach.PUBLIC)
