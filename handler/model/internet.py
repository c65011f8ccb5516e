"""The routable addresses of the internet, numbered without gaps."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, product

from handler.model.address import ADDRESS_BITS, CACHED_CIDRS, Family, Interval, parse_cidr, subtract
from handler.model.reach import Breadth, Reach

# Python's own ipaddress is no help: its is_global changed between 3.10, 3.11.7 and 3.13.
# https://www.iana.org/assignments/iana-ipv4-special-registry
# https://www.iana.org/assignments/iana-ipv6-special-registry
_ALLOCATED = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "2000::/3"}
_NOT_ROUTED = {
    Family.IPV4: (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    ),
    Family.IPV6: ("2001:db8::/32", "3fff::/20"),
}
# From this many public addresses on, a part of the internet is wide: a /16, an IPv6 /32.
_WIDE = {Family.IPV4: 2**16, Family.IPV6: 2**96}
# Up to this many it is a single network: a /24, an IPv6 /48.
_FEW = {Family.IPV4: 2**8, Family.IPV6: 2**80}
# The IPv6 addresses of one registry, a /12, count as the whole internet.
_REGISTRY_BLOCK = 2**116


class Internet:
    """The routable addresses of one family, less the trusted ones, counted without gaps.

    Every address has a position: how many public addresses lie below it. In positions a CIDR is
    one interval that holds its public addresses and nothing else, so what is private or trusted
    has no length, and the whole internet is 0 to ``size``. Order is kept: CIDRs that are nested
    or disjoint as addresses are so as positions too.
    """

    def __init__(self, family: Family, trusted: Iterable[str] = ()) -> None:
        """``trusted`` are CIDRs of either family; those of the other one are ignored."""
        self.family = family
        networks = map(parse_cidr, (*_NOT_ROUTED[family], *trusted))
        gaps = [interval for gap_family, interval in networks if gap_family is family]
        _, whole = parse_cidr(_ALLOCATED[family])
        routable = subtract([whole], sorted(gaps))
        self._starts = [start for start, _ in routable]
        self._ends = [end for _, end in routable]
        lengths = (end - start for start, end in routable)
        self._below = list(accumulate(lengths, initial=0))
        self.size = self._below[-1]

    def position(self, address: int) -> int:
        """How many public addresses are lower than ``address``."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return 0
        return self._below[index] + min(address, self._ends[index]) - self._starts[index]

    def positions(self, interval: Interval) -> Interval:
        """The public addresses among ``interval``, as positions; empty when there are none."""
        start, end = interval
        return self.position(start), self.position(end)

    def address_runs(self, positions: Interval) -> Iterator[Interval]:
        """The runs of addresses whose public ones have these positions; none are empty.

        They differ in what they hold, at their ends, of addresses that are not public.
        """
        start, end = positions
        first = bisect_right(self._below, start) - 1
        last = bisect_left(self._below, end) - 1
        lows = {self._starts[first] + start - self._below[first]}
        highs = {self._starts[last] + end - self._below[last]}
        if self._starts[first] in lows:
            lows.add(self._ends[first - 1] if first else 0)
        if self._ends[last] in highs:
            is_last = last + 1 == len(self._starts)
            highs.add(1 << ADDRESS_BITS[self.family] if is_last else self._starts[last + 1])
        yield from product(sorted(lows, reverse=True), sorted(highs))

    def reach(self, addresses: int) -> Reach:
        """The reach of that many different public addresses."""
        if addresses == 0:
            return Reach.NONE
        if addresses == self.size:
            return Reach.WORLD
        return Reach.WIDE if addresses >= _WIDE[self.family] else Reach.PUBLIC

    def breadth(self, addresses: int) -> Breadth:
        """How much of the internet that many different public addresses are."""
        is_registry_block = self.family is Family.IPV6 and addresses >= _REGISTRY_BLOCK
        if is_registry_block or 2 * addresses >= self.size:
            return Breadth.MOST
        if addresses >= _WIDE[self.family]:
            return Breadth.WIDE
        return Breadth.NARROW if addresses > _FEW[self.family] else Breadth.FEW


class Internets:
    """The internet of both families, with the same trusted CIDRs taken out."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """Raises ``ValueError`` for a trusted CIDR that is not one."""
        trusted = tuple(trusted)
        self._of = {family: Internet(family, trusted) for family in Family}
        self.locate = lru_cache(CACHED_CIDRS)(self._locate)
        self.routable = Internets() if trusted else self
        """The same with nothing trusted."""

    def __getitem__(self, family: Family) -> Internet:
        return self._of[family]

    def _locate(self, cidr: str) -> tuple[Family, Interval]:
        family, interval = parse_cidr(cidr)
        return family, self._of[family].positions(interval)
