"""The routable addresses of the internet, numbered without gaps."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, product

from handler.model.address import ADDRESS_BITS, CACHED_CIDRS, Family, Interval, parse_cidr, subtract
from handler.model.reach import Breadth, Reach

# Not Python's ipaddress: its is_global differs between 3.10, 3.11.7 and 3.13.
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
# At least this many public addresses are wide: a /16, an IPv6 /32.
_WIDE = {Family.IPV4: 2**16, Family.IPV6: 2**96}
# At most this many are a single network: a /24, an IPv6 /48.
_FEW = {Family.IPV4: 2**8, Family.IPV6: 2**80}
# The IPv6 addresses of one regional registry, a /12, count as the whole internet.
_REGISTRY_BLOCK = 2**116


class Internet:
    """The routable addresses of one family, less the trusted ones, counted without gaps.

    The position of an address is the number of public addresses below it. As positions, a CIDR is
    one interval of its public addresses: private and trusted CIDRs are empty, and the whole
    internet is 0 to ``size``. CIDRs that are nested or disjoint remain so as positions.
    """

    def __init__(self, family: Family, trusted: Iterable[str] = ()) -> None:
        """``trusted`` are CIDRs; those of the other family are ignored."""
        self.family = family
        networks = map(parse_cidr, (*_NOT_ROUTED[family], *trusted))
        gaps = [interval for gap_family, interval in networks if gap_family is family]
        _, allocated = parse_cidr(_ALLOCATED[family])
        routable = subtract([allocated], sorted(gaps))
        self._starts = [start for start, _ in routable]
        self._ends = [end for _, end in routable]
        lengths = (end - start for start, end in routable)
        self._below = list(accumulate(lengths, initial=0))
        self.size = self._below[-1]

    def position(self, address: int) -> int:
        """The number of public addresses below ``address``."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return 0
        return self._below[index] + min(address, self._ends[index]) - self._starts[index]

    def positions(self, interval: Interval) -> Interval:
        """The positions of the public addresses in the interval; empty if there are none."""
        start, end = interval
        return self.position(start), self.position(end)

    def address_runs(self, positions: Interval) -> Iterator[Interval]:
        """All intervals of addresses whose public addresses have these positions.

        They differ in how many non-public addresses they include at their ends.
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
        """The reach of this number of public addresses."""
        if addresses == 0:
            return Reach.NONE
        if addresses == self.size:
            return Reach.WORLD
        return Reach.WIDE if addresses >= _WIDE[self.family] else Reach.PUBLIC

    def breadth(self, addresses: int) -> Breadth:
        """The breadth of this number of public addresses."""
        is_registry_block = self.family is Family.IPV6 and addresses >= _REGISTRY_BLOCK
        if is_registry_block or 2 * addresses >= self.size:
            return Breadth.MOST
        if addresses >= _WIDE[self.family]:
            return Breadth.WIDE
        return Breadth.NARROW if addresses > _FEW[self.family] else Breadth.FEW


class Internets:
    """The internets of both families, less the same trusted CIDRs."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """Raises ``ValueError`` for an invalid CIDR."""
        trusted = tuple(trusted)
        self._of = {family: Internet(family, trusted) for family in Family}
        self.locate = lru_cache(CACHED_CIDRS)(self._locate)
        self.routable = Internets() if trusted else self
        """The same internets including the trusted CIDRs."""

    def __getitem__(self, family: Family) -> Internet:
        return self._of[family]

    def is_routable(self, cidr: str) -> bool:
        """Whether a CIDR contains public addresses."""
        _, (start, end) = self.locate(cidr)
        return start < end

    def _locate(self, cidr: str) -> tuple[Family, Interval]:
        family, interval = parse_cidr(cidr)
        return family, self._of[family].positions(interval)
