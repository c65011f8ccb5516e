"""Which addresses an opening lets in, in a form of bounded size that runs can compare."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from typing import Any

from handler.model.address import Family, Interval, parse_cidr
from handler.model.internet import Internet

WORLD = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}
"""The whole internet of a family."""
MAX_CIDRS = 8
"""A set of more CIDRs than these is kept as a hash."""
_ADDRESS_TYPES: dict[Family, Any] = {Family.IPV4: IPv4Address, Family.IPV6: IPv6Address}


@dataclass(frozen=True, slots=True)
class AddressSet:
    """The public addresses of one family that an opening lets in, less what is not routed.

    ``cidrs`` are merged, in order and at most ``MAX_CIDRS``; or the one id of a prefix list of
    AWS's own. A set of more has a ``digest`` and no CIDRs. ``count`` is the number of addresses.
    The set is empty where it is not known what gets in.
    """

    cidrs: tuple[str, ...] = ()
    digest: str | None = None
    count: int = 0


NOT_STORED = "not stored"
"""The digest of a set that was stored by its number of addresses alone."""
UNKNOWN_ADDRESSES = AddressSet()
"""Where it is not known what gets in."""


def address_set(internet: Internet, positions: Iterable[Interval]) -> AddressSet:
    """The set of these positions, which are in order of their start.

    ``internet`` has nothing trusted taken out, so that a set stays the same when what is trusted
    changes.
    """
    merged = merge(positions)
    count = sum(end - start for start, end in merged)
    if len(merged) <= MAX_CIDRS:
        cidrs = [cidr for interval in merged for cidr in _cidrs(internet, interval)]
        if len(cidrs) <= MAX_CIDRS:
            return AddressSet(tuple(cidrs), None, count)
    digest = hashlib.sha256(repr(merged).encode()).hexdigest()[:16]
    return AddressSet((), digest, count)


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals, in order of their start, with those that touch or overlap as one."""
    merged: list[Interval] = []
    for start, end in intervals:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def positions_of(addresses: AddressSet, internet: Internet) -> list[Interval]:
    """The set's CIDRs as positions in an internet; less what is trusted there."""
    intervals = (internet.positions(parse_cidr(cidr)[1]) for cidr in addresses.cidrs)
    return merge(sorted((start, end) for start, end in intervals if start < end))


def _cidrs(internet: Internet, positions: Interval) -> list[str]:
    """The fewest CIDRs that hold the public addresses of these positions and no others."""
    if positions == (0, internet.size):
        return [WORLD[internet.family]]
    make = _ADDRESS_TYPES[internet.family]
    runs: Iterable[list[str]] = (
        list(map(str, summarize_address_range(make(start), make(end - 1))))
        for start, end in internet.address_runs(positions)
    )
    return min(runs, key=len)
