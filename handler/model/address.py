"""Parses and compares addresses and CIDRs.

Only ``ec2/group_xml.py`` recognises private CIDRs by itself, in bytes: parsing each takes longer.
"""

import socket
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_interface, summarize_address_range
from typing import Any

Interval = tuple[int, int]
"""Start and end; the end is not included."""

# Groups repeat a few CIDRs thousands of times; caching all the others would cost memory.
CACHED_CIDRS = 4096


class Family(StrEnum):
    """An address family."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"

    @property
    def text(self) -> str:
        """Its usual spelling, for example IPv4."""
        return f"IPv{self[-1]}"


ADDRESS_BITS = {Family.IPV4: 32, Family.IPV6: 128}
_SOCKET_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_ADDRESS_TYPES: dict[Family, Any] = {Family.IPV4: IPv4Address, Family.IPV6: IPv6Address}


def family_of(text: str) -> Family:
    """The family of a valid address or CIDR."""
    return Family.IPV6 if ":" in text else Family.IPV4


@lru_cache(CACHED_CIDRS)
def parse_cidr(text: str) -> tuple[Family, Interval]:
    """The family of a CIDR and the addresses it covers, as integers.

    Host bits may be set (1.0.0.0/0 is 0.0.0.0/0), and a single address is a network of one.
    Raises ``ValueError`` for anything else.
    """
    address, slash, length = text.partition("/")
    family = family_of(address)
    bits = ADDRESS_BITS[family]
    try:
        number = int.from_bytes(socket.inet_pton(_SOCKET_FAMILIES[family], address))
    except (OSError, ValueError):
        number = -1
    decimal = length.isascii() and length.isdecimal() and len(length) <= len("128")
    prefix = int(length) if decimal else -1 if slash else bits
    if number < 0 or not 0 <= prefix <= bits:
        raise ValueError(f"{text[:64]!r} is not a CIDR, for example 192.0.2.0/24 or 2001:db8::/32.")
    size = 1 << (bits - prefix)
    start = number & -size
    return family, (start, start + size)


def prefix_length(cidr: str) -> int:
    """The prefix length of a valid CIDR; 128 for a single address."""
    return int(cidr.partition("/")[2] or ADDRESS_BITS[Family.IPV6])


def canonical_form(cidr: str) -> str | None:
    """The two possible meanings of a CIDR with host bits, as a phrase; None without host bits."""
    address = ip_interface(cidr)
    if address.ip == address.network.network_address:
        return None
    return f"{address.network} or {address.ip}"


def cidrs_between(family: Family, interval: Interval) -> list[str]:
    """The fewest CIDRs that together are the interval."""
    first, last = interval[0], interval[1] - 1
    return list(map(str, summarize_address_range(*map(_ADDRESS_TYPES[family], (first, last)))))


def is_prefix_list(source: str) -> bool:
    """Whether a rule's source is a managed prefix list rather than a CIDR."""
    return source.startswith("pl-")


def contains(outer: str, inner: str) -> bool:
    """Whether the outer source contains all addresses of the inner one.

    A prefix list contains only itself, because its entries are unknown here.
    """
    if outer == inner:
        return True
    if is_prefix_list(outer) or is_prefix_list(inner):
        return False
    (family, (start, end)), (other_family, (other_start, other_end)) = map(
        parse_cidr, (outer, inner)
    )
    return family is other_family and start <= other_start and other_end <= end


# A group's findings share sources.
@lru_cache(maxsize=2**14)
def overlap(one: str, other: str) -> bool:
    """Whether two sources have addresses in common."""
    return contains(one, other) or contains(other, one)


def is_global_ipv6(text: str) -> bool:
    """Whether an IPv6 address or prefix is in 2000::/3; a VPC may also use unique local ones."""
    _, (start, _) = parse_cidr(text)
    return start >> 125 == 1


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals, which are sorted by start, with adjacent and overlapping ones merged."""
    merged: list[Interval] = []
    for start, end in intervals:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def subtract(intervals: Sequence[Interval], holes: Sequence[Interval]) -> list[Interval]:
    """The parts of the intervals outside the holes, which are sorted and may overlap."""
    parts = []
    for interval in intervals:
        start, end = interval
        for hole_start, hole_end in holes:
            if hole_start >= end:
                break
            if hole_start > start:
                parts.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            parts.append((start, end))
    return parts
