"""Checks whether a subnet's network ACL denies all of an exposure.

https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
"""

from collections.abc import Sequence
from typing import NamedTuple

from handler.model.address import Family, Interval
from handler.model.internet import Internets
from handler.model.network import NetworkAcl
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, PORT_PROTOCOLS, Traffic

# Beyond these, an exact answer costs more than it is worth.
_MAX_SOURCES = 64
_MAX_PIECES = 1024


class _Piece(NamedTuple):
    """A part of an exposure: an interval of addresses, and one of ports or ICMP types."""

    addresses: Interval
    ports: Interval


def denies_all(
    acl: NetworkAcl,
    family: Family,
    traffic: Traffic,
    sources: Sequence[Interval],
    internets: Internets,
) -> bool:
    """Whether the inbound entries deny all of the traffic from all sources.

    ``sources`` are positions in the family's internet, so that entries for private addresses do not
    matter. Entries apply by number, and the first match decides. False if a part is denied only, or
    matches no entry.
    """
    if not sources:
        return False
    if len(sources) > _MAX_SOURCES:
        sources = [(min(start for start, _ in sources), max(end for _, end in sources))]
    remaining = [_Piece(addresses, _ports(traffic)) for addresses in sources]
    for entry in sorted(acl.entries, key=lambda entry: entry.number):
        entry_family, addresses = internets.locate(entry.cidr)
        is_empty = addresses[0] == addresses[1]
        if entry_family is not family or is_empty or not _may_match(entry.traffic, traffic):
            continue
        matched = _Piece(addresses, _ports(entry.traffic))
        if entry.is_allow:
            if any(_overlap(piece, matched) for piece in remaining):
                return False
        elif _covers_protocol(entry.traffic, traffic):
            remaining = [part for piece in remaining for part in _subtract(piece, matched)]
            if len(remaining) > _MAX_PIECES:
                return False
    return not remaining


def _ports(traffic: Traffic) -> Interval:
    """The ports or the ICMP type as an interval; the widest one for traffic without either."""
    if traffic.protocol in PORT_PROTOCOLS:
        low, high = traffic.ports
        return low, high + 1
    if traffic.protocol in ICMP_PROTOCOLS and traffic.icmp_type is not None:
        return traffic.icmp_type, traffic.icmp_type + 1
    return 0, 1 << 16


def _may_match(one: Traffic, other: Traffic) -> bool:
    return one.protocol == other.protocol or ALL_PROTOCOLS in {one.protocol, other.protocol}


def _covers_protocol(denied: Traffic, traffic: Traffic) -> bool:
    """Whether the denied traffic includes the protocol and, for ICMP, the code."""
    return denied.protocol == ALL_PROTOCOLS or (
        denied.protocol == traffic.protocol and denied.icmp_code in {None, traffic.icmp_code}
    )


def _overlap(one: _Piece, other: _Piece) -> bool:
    return all(a[0] < b[1] and b[0] < a[1] for a, b in zip(one, other, strict=True))


def _subtract(piece: _Piece, hole: _Piece) -> list[_Piece]:
    """The parts of the piece outside the hole."""
    if not _overlap(piece, hole):
        return [piece]
    (start, end), (low, high) = piece
    (hole_start, hole_end), (hole_low, hole_high) = hole
    inner = max(start, hole_start), min(end, hole_end)
    parts = [
        _Piece((start, inner[0]), piece.ports),
        _Piece((inner[1], end), piece.ports),
        _Piece(inner, (low, min(high, hole_low))),
        _Piece(inner, (max(low, hole_high), high)),
    ]
    return [part for part in parts if all(first < last for first, last in part)]
