"""The addresses that an exposure lets in, in a form of bounded size that runs can compare."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from handler.model.address import Family, Interval, cidrs_between, merge, parse_cidr
from handler.model.internet import Internet

WORLD = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}
"""The whole internet of a family."""
MAX_CIDRS = 8
"""A set of more CIDRs is kept as a hash."""


class AddressSet(NamedTuple):
    """The public addresses of one family that an exposure lets in.

    ``cidrs`` are merged, sorted and at most ``MAX_CIDRS``, or the id of an AWS-managed prefix list.
    A set of more CIDRs has a hash, ``digest``, instead. ``size`` is the number of addresses.
    The set is empty if the addresses are unknown.
    """

    cidrs: tuple[str, ...] = ()
    digest: str | None = None
    size: int = 0


NOT_STORED = "not stored"
"""The ``digest`` of a set that was stored as a number of addresses only."""
UNKNOWN_ADDRESSES = AddressSet()
"""The set if it is unknown which addresses get in."""


def address_set(internet: Internet, positions: Iterable[Interval]) -> AddressSet:
    """The set of these positions, which are sorted by start.

    ``internet`` includes trusted CIDRs, so that a set stays the same when other CIDRs are trusted.
    """
    merged = merge(positions)
    size = sum(end - start for start, end in merged)
    if len(merged) <= MAX_CIDRS:
        cidrs = [cidr for interval in merged for cidr in _cidrs(internet, interval)]
        if len(cidrs) <= MAX_CIDRS:
            return AddressSet(tuple(cidrs), None, size)
    digest = hashlib.sha256(repr(merged).encode()).hexdigest()[:16]
    return AddressSet((), digest, size)


def positions_of(addresses: AddressSet, internet: Internet) -> list[Interval]:
    """The positions of the set's CIDRs in an internet, without its trusted CIDRs."""
    intervals = (internet.positions(parse_cidr(cidr)[1]) for cidr in addresses.cidrs)
    return merge(sorted((start, end) for start, end in intervals if start < end))


def _cidrs(internet: Internet, positions: Interval) -> list[str]:
    """The fewest CIDRs that contain the public addresses at these positions and no others."""
    if positions == (0, internet.size):
        return [WORLD[internet.family]]
    runs = internet.address_runs(positions)
    return min((cidrs_between(internet.family, run) for run in runs), key=len)
