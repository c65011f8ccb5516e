"""Whether the openings of a place cover another one, by traffic and addresses."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Generic, Protocol, TypeVar

from handler.model.address import Interval, is_prefix_list, merge, subtract
from handler.model.address_set import AddressSet, positions_of
from handler.model.internet import Internet
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, PORT_PROTOCOLS, Traffic


class Opening(Protocol):
    """Traffic, and the addresses that may send it: a finding, or a part of an announcement."""

    @property
    def traffic(self) -> Traffic:
        """The traffic."""

    @property
    def address_set(self) -> AddressSet:
        """The addresses that may send it."""


_Opening = TypeVar("_Opening", bound=Opening)
_CODES = 256
_ANY = (0, _CODES * _CODES)


class Openings(Generic[_Opening]):
    """Openings of one address family, without the addresses that are trusted today.

    Which addresses a hashed set holds is unknown: it covers only itself, and may overlap any other.
    """

    def __init__(self, internet: Internet, openings: Iterable[_Opening]) -> None:
        self._internet = internet
        spans: defaultdict[str, list[tuple[int, int, _Opening]]] = defaultdict(list)
        for opened in openings:
            spans[opened.traffic.protocol].append((*_span(opened.traffic), opened))
        self._by_protocol = {
            protocol: sorted(ordered, key=itemgetter(0)) for protocol, ordered in spans.items()
        }
        # The highest end up to each index: no earlier opening reaches further.
        self._ends = {
            protocol: list(accumulate((end for _, end, _ in ordered), max))
            for protocol, ordered in self._by_protocol.items()
        }

    def cover(self, opened: Opening) -> bool:
        """Whether these openings certainly cover all of another one."""
        low, high = _span(opened.traffic)
        of_all = [other.address_set for _, _, other in self._by_protocol.get(ALL_PROTOCOLS, ())]
        spans = []
        if opened.traffic.protocol != ALL_PROTOCOLS:
            spans = list(self._within(opened.traffic.protocol, low, high))
        ends = {low, *(end for start, last, _ in spans for end in (start, last))}
        return all(
            self._hold(
                [*of_all, *(o.address_set for first, last, o in spans if first <= start < last)],
                opened.address_set,
            )
            for start in sorted(ends)
            if low <= start < high
        )

    def overlapping(self, opened: Opening) -> Iterator[_Opening]:
        """The openings that may overlap another one."""
        protocol = opened.traffic.protocol
        is_all = protocol == ALL_PROTOCOLS
        protocols = list(self._by_protocol) if is_all else [protocol, ALL_PROTOCOLS]
        low, high = _span(opened.traffic)
        for name in protocols:
            bounds = (low, high) if name == protocol else _ANY
            for _, _, other in self._within(name, *bounds):
                if self._may_overlap(other.address_set, opened.address_set):
                    yield other

    def has_untrusted_addresses(self, opened: Opening) -> bool:
        """Whether an opening lets in any address that is not trusted today."""
        return not opened.address_set.cidrs or bool(
            _list_of(opened.address_set) or positions_of(opened.address_set, self._internet)
        )

    def _within(self, protocol: str, low: int, high: int) -> Iterator[tuple[int, int, _Opening]]:
        """The openings of a protocol that overlap the numbers from ``low`` to before ``high``."""
        ordered, ends = self._by_protocol.get(protocol, []), self._ends.get(protocol, [])
        for index in range(bisect_left(ordered, high, key=itemgetter(0)) - 1, -1, -1):
            if ends[index] <= low:
                return
            if ordered[index][1] > low:
                yield ordered[index]

    def _hold(self, sets: Sequence[AddressSet], addresses: AddressSet) -> bool:
        """Whether the sets together certainly hold all of the addresses."""
        if _is_stored(addresses):
            return not subtract(positions_of(addresses, self._internet), self._union(sets))
        if addresses.digest and self._union(sets) == [(0, self._internet.size)]:
            return True
        return addresses in sets

    def _union(self, sets: Iterable[AddressSet]) -> list[Interval]:
        stored = filter(_is_stored, sets)
        return merge(sorted(p for s in stored for p in positions_of(s, self._internet)))

    def _may_overlap(self, one: AddressSet, other: AddressSet) -> bool:
        if _list_of(one) or _list_of(other):
            return one == other
        if not (_is_stored(one) and _is_stored(other)):
            return True
        positions = positions_of(one, self._internet)
        return subtract(positions, positions_of(other, self._internet)) != positions


def _is_stored(addresses: AddressSet) -> bool:
    """Whether the set lists its addresses: it is neither a hash nor a prefix list."""
    return bool(addresses.cidrs) and not _list_of(addresses)


def _list_of(addresses: AddressSet) -> str | None:
    """The id of the AWS-managed prefix list that the set stands for; None if it is no list."""
    return next(filter(is_prefix_list, addresses.cidrs), None)


def _span(traffic: Traffic) -> Interval:
    """Ports, or ICMP types and codes, as an interval; one number for other protocols."""
    if traffic.protocol in PORT_PROTOCOLS:
        low, high = traffic.ports
        return low, high + 1
    if traffic.protocol in ICMP_PROTOCOLS:
        if traffic.icmp_type is None:
            return _ANY
        start = traffic.icmp_type * _CODES
        if traffic.icmp_code is None:
            return start, start + _CODES
        return start + traffic.icmp_code, start + traffic.icmp_code + 1
    return 0, 1
