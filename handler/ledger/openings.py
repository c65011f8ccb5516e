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
from handler.model.traffic import ALL_PROTOCOLS, Traffic


class OpenTraffic(Protocol):
    """Traffic, and the addresses that may send it: a finding, or a part of an announcement."""

    @property
    def traffic(self) -> Traffic:
        """The traffic."""

    @property
    def address_set(self) -> AddressSet:
        """The addresses that may send it."""


_Item = TypeVar("_Item", bound=OpenTraffic)


class Openings(Generic[_Item]):
    """Openings of one address family, without the addresses that are trusted today.

    Which addresses a hashed set holds is unknown: it covers only itself, and may overlap any other.
    """

    def __init__(self, internet: Internet, openings: Iterable[_Item]) -> None:
        self._internet = internet
        spans: defaultdict[str, list[tuple[int, int, _Item]]] = defaultdict(list)
        for opening in openings:
            spans[opening.traffic.protocol].append((*opening.traffic.span, opening))
        self._by_protocol = {
            protocol: sorted(ordered, key=itemgetter(0)) for protocol, ordered in spans.items()
        }
        # The highest end up to each index: no earlier opening reaches further.
        self._ends = {
            protocol: list(accumulate((end for _, end, _ in ordered), max))
            for protocol, ordered in self._by_protocol.items()
        }

    def cover(self, opening: OpenTraffic) -> bool:
        """Whether these openings certainly cover all of another one."""
        low, high = opening.traffic.span
        of_all = [other.address_set for _, _, other in self._by_protocol.get(ALL_PROTOCOLS, ())]
        spans = []
        if opening.traffic.protocol != ALL_PROTOCOLS:
            spans = list(self._overlapping(opening.traffic.protocol, low, high))
        ends = {low, *(end for start, last, _ in spans for end in (start, last))}
        return all(
            self._hold(
                [*of_all, *(o.address_set for first, last, o in spans if first <= start < last)],
                opening.address_set,
            )
            for start in sorted(ends)
            if low <= start < high
        )

    def overlapping(self, opening: OpenTraffic) -> Iterator[_Item]:
        """The openings that may overlap another one."""
        traffic, addresses = opening.traffic, opening.address_set
        is_all = traffic.protocol == ALL_PROTOCOLS
        protocols = list(self._by_protocol) if is_all else [traffic.protocol, ALL_PROTOCOLS]
        for protocol in protocols:
            for _, _, other in self._overlapping(protocol, *traffic.span):
                if self._may_overlap(other.address_set, addresses):
                    yield other

    def has_untrusted_addresses(self, opening: OpenTraffic) -> bool:
        """Whether an opening lets in any address that is not trusted today."""
        addresses = opening.address_set
        return not addresses.cidrs or bool(
            _list_of(addresses) or positions_of(addresses, self._internet)
        )

    def _overlapping(self, protocol: str, low: int, high: int) -> Iterator[tuple[int, int, _Item]]:
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
