"""A plain model of exposures for comparison: sets of address blocks, slow and obvious.

It is written from the promise and shares no arithmetic with the handler. The address space is cut
into cells once; a CIDR is the set of the cells in it, a union is a union of sets, and what is not
public about a cell is counted from IANA's registries.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from handler.model.address import Family
from handler.model.network import PrefixList, Rule
from handler.model.traffic import Traffic

Network = IPv4Network | IPv6Network
Cells = frozenset[str]
"""Cells by their CIDRs: texts are compared and hashed faster than networks."""

_FAMILIES = {4: Family.IPV4, 6: Family.IPV6}
ROOTS: dict[Family, Network] = {
    Family.IPV4: ip_network("0.0.0.0/0"),
    Family.IPV6: ip_network("::/0"),
}
_INTERNET: dict[Family, Network] = {
    Family.IPV4: ip_network("0.0.0.0/0"),
    Family.IPV6: ip_network("2000::/3"),
}
_SPECIAL = (
    ip_network("0.0.0.0/8"),
    ip_network("10.0.0.0/8"),
    ip_network("100.64.0.0/10"),
    ip_network("127.0.0.0/8"),
    ip_network("169.254.0.0/16"),
    ip_network("172.16.0.0/12"),
    ip_network("192.0.0.0/24"),
    ip_network("192.0.2.0/24"),
    ip_network("192.88.99.0/24"),
    ip_network("192.168.0.0/16"),
    ip_network("198.18.0.0/15"),
    ip_network("198.51.100.0/24"),
    ip_network("203.0.113.0/24"),
    ip_network("224.0.0.0/3"),
    ip_network("2001:db8::/32"),
    ip_network("3fff::/20"),
)
# Cells end here: within special blocks, at their borders, and at one lone address.
_SPOTS = (
    ip_network("10.0.0.0/9"),
    ip_network("100.64.0.0/11"),
    ip_network("172.16.0.0/13"),
    ip_network("192.0.2.0/25"),
    ip_network("192.168.0.0/17"),
    ip_network("203.0.113.255/32"),
    ip_network("224.0.0.0/4"),
    ip_network("8.8.8.8/32"),
    ip_network("2001:db8::/33"),
    ip_network("3fff::/21"),
    ip_network("2600:1f00::/24"),
    ip_network("fc00::/8"),
    ip_network("64:ff9b::/96"),
    ip_network("::ffff:0:0/96"),
    *ip_network("0.0.0.0/0").subnets(new_prefix=4),
    *ip_network("::/0").subnets(new_prefix=5),
)


def halves(of: Network) -> list[Network]:
    """Both halves of a network; none for a lone address."""
    return list(of.subnets()) if of.num_addresses > 1 else []


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _blocks(block: Network) -> Iterator[Network]:
    """The block, its halves, their halves and so on, for as long as a spot lies within."""
    yield block
    if any(spot != block and _within(spot, block) for spot in _SPOTS):
        for half in halves(block):
            yield from _blocks(half)


BLOCKS = {family: tuple(_blocks(root)) for family, root in ROOTS.items()}
"""The networks that the model can reason about, the largest first in every branch."""


def _public(cell: Network) -> int:
    """How many public addresses a cell has."""
    internet = _INTERNET[_FAMILIES[cell.version]]
    left = _common(cell, internet)
    return left - sum(_common(cell, special) for special in _SPECIAL) if left else 0


def _common(one: Network, other: Network) -> int:
    """How many addresses two networks share; one of them lies in the other or they share none."""
    if _within(one, other) or _within(other, one):
        return min(one.num_addresses, other.num_addresses)
    return 0


_CELLS = {
    str(cell): _public(cell)
    for blocks in BLOCKS.values()
    for cell in blocks
    if not any(half in blocks for half in halves(cell))
}


@cache
def cells(cidr: str) -> Cells:
    """The cells with public addresses in a CIDR, which must be one of ``BLOCKS``."""
    network = ip_network(cidr, strict=False)
    if network not in BLOCKS[_FAMILIES[network.version]]:
        raise ValueError(f"the model knows no block {cidr}.")
    return frozenset(
        cell for cell, public in _CELLS.items() if public and _within(ip_network(cell), network)
    )


def union(cidrs: Iterable[str]) -> Cells:
    """The cells with public addresses in any of the CIDRs."""
    return frozenset().union(*map(cells, cidrs))


def addresses(of: Cells) -> int:
    """How many public addresses the cells have together."""
    return sum(_CELLS[cell] for cell in of)


@cache
def strangers(family: Family, trusted: tuple[str, ...]) -> Cells:
    """Everybody on the internet of a family but the trusted."""
    return cells(str(ROOTS[family])) - union(trusted)


def lets_in(opened: Traffic, packet: Traffic) -> bool:
    """Whether what is opened includes the packet: traffic of one port, or one type and code."""
    if opened.protocol == "all":
        return True
    if opened.protocol != packet.protocol:
        return False
    if opened.from_port is not None and opened.to_port is not None:
        return packet.from_port in range(opened.from_port, opened.to_port + 1)
    return opened.icmp_type in {None, packet.icmp_type} and opened.icmp_code in {
        None,
        packet.icmp_code,
    }


def breadth(traffic: Traffic) -> tuple[int, int]:
    """How much traffic it is, to compare traffic that has a packet in common."""
    if traffic.protocol == "all":
        return 1, 0
    if traffic.from_port is not None and traffic.to_port is not None:
        return 0, len(range(traffic.from_port, traffic.to_port))
    return 0, [traffic.icmp_type, traffic.icmp_code].count(None)


def reached(
    family: Family,
    packet: Traffic,
    rules: Iterable[Rule],
    lists: Mapping[str, PrefixList],
    trusted: tuple[str, ...],
) -> Cells:
    """The part of the internet, less the trusted, whose packets of that kind get in."""
    sources = [
        cidr
        for rule in rules
        if lets_in(rule.traffic, packet)
        for cidr in (lists[rule.source].cidrs if rule.is_prefix_list else (rule.source,))
    ]
    return union(sources) & strangers(family, trusted)
