"""Checks whether a subnet's network ACL denies all of an exposure.

https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
"""

from collections.abc import Sequence
from typing import NamedTuple

from handler.model.address import Family, Interval
from handler.model.internet import Internets
from handler.model.network import NetworkAcl
from handler.model.traffic import Traffic

# Beyond these, an exact answer costs more than it is worth.
_MAX_SOURCES = 64
_MAX_PIECES = 1024


class _Piece(NamedTuple):
    """A part of an exposure: an interval of addresses, and one of ports or ICMP types and codes."""

    addresses: Interval
    span: Interval


def denies_all(
    acl: NetworkAcl,
    family: Family,
    traffic: Traffic,
    sources: Sequence[Interval],
    internets: Internets,
) -> bool:
    """Whether the inbound entries deny all of the traffic from all sources.

    ``sources`` are positions in the family's internet, so that entries for private addresses do not
    matter. Entries apply by number, and the first match decides. False if only a part is denied,
    or a part matches no entry.
    """
    if not sources:
        return False
    if len(sources) > _MAX_SOURCES:
        sources = [(min(start for start, _ in sources), max(end for _, end in sources))]
    remaining = [_Piece(addresses, traffic.span) for addresses in sources]
    for entry in sorted(acl.entries, key=lambda entry: entry.number):
        entry_family, addresses = internets.locate(entry.cidr)
        common = entry.traffic.intersection(traffic)
        is_empty = addresses[0] == addresses[1]
        if entry_family is not family or is_empty or common is None:
            continue
        matched = _Piece(addresses, common.span)
        if entry.is_allow:
            if any(_overlap(piece, matched) for piece in remaining):
                return False
        # One protocol is only a part of all traffic.
        elif common.protocol == traffic.protocol:
            remaining = [part for piece in remaining for part in _subtract(piece, matched)]
            if len(remaining) > _MAX_PIECES:
                return False
    return not remaining


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
        _Piece((start, inner[0]), piece.span),
        _Piece((inner[1], end), piece.span),
        _Piece(inner, (low, min(high, hole_low))),
        _Piece(inner, (max(low, hole_high), high)),
    ]
    return [part for part in parts if all(first < last for first, last in part)]
