"""Parses and compares protocols and ports.

Only ``exposure/exposures.py`` compares those of many rules by itself, in one pass over their ports.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from handler.model.address import Interval
from handler.sanitize import describe

ALL_PROTOCOLS = "all"
"""Stands for all protocols, which AWS writes as -1."""
PORT_PROTOCOLS = frozenset({"tcp", "udp"})
"""The protocols with ports."""
ICMP_PROTOCOLS = frozenset({"icmp", "icmpv6"})
"""The protocols with a type and a code."""
LAST_PORT = 65_535
_LAST_ICMP = 255
_CODES = _LAST_ICMP + 1
_LAST_PROTOCOL = 255
# https://www.iana.org/assignments/protocol-numbers
_NAMES_BY_NUMBER = {"-1": ALL_PROTOCOLS, "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_NAMES = frozenset(_NAMES_BY_NUMBER.values())


class Traffic(NamedTuple):
    """A protocol with its ports, or its ICMP type and code.

    ``protocol`` is tcp, udp, icmp, icmpv6, ``ALL_PROTOCOLS`` or an IP protocol number as text.
    Only tcp and udp have ports, 0 to 65535 and inclusive. Only icmp and icmpv6 have a type and a
    code; None means all.
    """

    protocol: str
    from_port: int | None = None
    to_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None

    def contains(self, other: "Traffic") -> bool:
        """Whether all of the other traffic lies within this traffic."""
        if self.protocol != other.protocol:
            return self.protocol == ALL_PROTOCOLS
        (start, end), (other_start, other_end) = self.span, other.span
        return start <= other_start and other_end <= end

    def contains_part(self, other: "Traffic") -> bool:
        """Whether all of the other traffic, or some of its ports, lies within this traffic."""
        is_same = self.protocol == other.protocol and self.protocol in PORT_PROTOCOLS
        return self.intersection(other) is not None if is_same else self.contains(other)

    def intersection(self, other: "Traffic") -> "Traffic | None":
        """The traffic that lies within both; None if there is none."""
        if self.protocol == other.protocol and self.protocol in PORT_PROTOCOLS:
            (low, high), (other_low, other_high) = self.ports, other.ports
            first, last = max(low, other_low), min(high, other_high)
            return Traffic(self.protocol, first, last) if first <= last else None
        if self.contains(other):
            return other
        return self if other.contains(self) else None

    @property
    def ports(self) -> tuple[int, int]:
        """The first and the last port; all ports for traffic without any."""
        if self.from_port is None or self.to_port is None:
            return 0, LAST_PORT
        return self.from_port, self.to_port

    @property
    def span(self) -> Interval:
        """The ports, or ICMP types with their codes, as an interval; the widest without any."""
        if self.from_port is not None and self.to_port is not None:
            return self.from_port, self.to_port + 1
        if self.icmp_type is None:
            return 0, LAST_PORT + 1
        start = self.icmp_type * _CODES
        if self.icmp_code is None:
            return start, start + _CODES
        return start + self.icmp_code, start + self.icmp_code + 1

    @property
    def breadth(self) -> int:
        """How much traffic it is, for comparison only."""
        start, end = self.span
        return LAST_PORT + 2 if self.protocol == ALL_PROTOCOLS else end - start

    @property
    def text(self) -> str:
        """Protocol and ports, or type and code, in readable form, for example tcp/22."""
        if self.protocol == ALL_PROTOCOLS:
            return "all traffic"
        if self.protocol in ICMP_PROTOCOLS:
            icmp_type = "" if self.icmp_type is None else f" type {self.icmp_type}"
            icmp_code = "" if self.icmp_code is None else f" code {self.icmp_code}"
            return f"{self.protocol}{icmp_type}{icmp_code}"
        if self.from_port is None:
            return f"protocol {self.protocol}"
        if self.from_port == self.to_port:
            return f"{self.protocol}/{self.from_port}"
        if (self.from_port, self.to_port) == (0, LAST_PORT):
            return f"{self.protocol}, all ports"
        return f"{self.protocol}/{self.from_port}-{self.to_port}"

    @property
    def sort_key(self) -> tuple[str | int, ...]:
        """The order by protocol, ports, type and code; missing ones come first."""
        return tuple([-1 if field is None else field for field in self])


def cover(parts: Iterable[Traffic], traffic: Traffic) -> bool:
    """Whether the parts together contain all of the traffic."""
    parts = list(parts)
    if any(part.contains(traffic) for part in parts):
        return True
    if traffic.protocol not in PORT_PROTOCOLS:
        return False
    needed, last = traffic.ports
    for low, high in sorted(part.ports for part in parts if part.protocol == traffic.protocol):
        if low <= needed <= high:
            needed = high + 1
    return needed > last


def traffic_from_text(text: str) -> Traffic:
    """The traffic written as tcp/443, tcp/8000-8010, udp, icmp/3/4, protocol/50 or all.

    Raises ``ValueError`` for anything else.
    """
    name, slash, rest = text.partition("/")
    separator = "/" if name.lower() in ICMP_PROTOCOLS else "-"
    numbers = list(map(_number, rest.split(separator))) if slash else []
    if name == "protocol":
        name, numbers = rest if rest.isdecimal() else "", []
    protocol = parse_protocol(name)
    if numbers[2:] or (numbers and protocol not in PORT_PROTOCOLS | ICMP_PROTOCOLS):
        raise ValueError(f"{protocol} must not have {len(numbers)} numbers.")
    low, high = [*numbers, None, None][:2]
    is_one_port = protocol in PORT_PROTOCOLS and high is None
    return parse_traffic(protocol, low, low if is_one_port else high)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len("65535")):
        raise ValueError(f"a port must be a whole number, got {describe(text)}.")
    return int(text)


def parse_protocol(value: object) -> str:
    """The canonical name of a protocol, from a name or number in upper or lower case.

    Raises ``ValueError`` for anything else.
    """
    given = str(value).strip().lower() if isinstance(value, str | int) else ""
    name = _NAMES_BY_NUMBER.get(given, given)
    if name in _NAMES:
        return name
    if given.isascii() and given.isdecimal() and len(given) <= len("255"):
        number = int(given)
        if number <= _LAST_PROTOCOL:
            return _NAMES_BY_NUMBER.get(str(number), str(number))
    raise ValueError(f"a protocol must be a name or 0 to {_LAST_PROTOCOL}, got {describe(value)}.")


def read_traffic(fields: Mapping[str, Any], protocol: str, low: str, high: str) -> Traffic:
    """The traffic in these fields of an object. Raises ``ValueError`` if AWS does not allow it."""
    bounds = [_bound(name, fields.get(name)) for name in (low, high)]
    return parse_traffic(parse_protocol(fields.get(protocol)), *bounds)


def _bound(name: str, value: object) -> int | None:
    """A port, type or code; None, which means all, if it is missing or -1."""
    if value is None or value == -1:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number, got {describe(value)}.")
    return value


def parse_traffic(protocol: str, low: int | None, high: int | None) -> Traffic:
    """Traffic of a protocol between two ports, or with an ICMP type and code; None means all.

    Raises ``ValueError`` if AWS does not allow the numbers.
    """
    if protocol in PORT_PROTOCOLS:
        if low is None and high is None:
            low, high = 0, LAST_PORT
        if low is not None and high is not None and 0 <= low <= high <= LAST_PORT:
            return Traffic(protocol, low, high)
        expectation = (
            f"ports must be 0 to {LAST_PORT} in order, got {_written(low)} to {_written(high)}"
        )
    elif protocol in ICMP_PROTOCOLS:
        in_range = all(number is None or 0 <= number <= _LAST_ICMP for number in (low, high))
        if in_range and (low is not None or high is None):
            return Traffic(protocol, icmp_type=low, icmp_code=high)
        expectation = (
            f"type and code must be 0 to {_LAST_ICMP}, and a code needs a type, "
            f"got type {_written(low)} and code {_written(high)}"
        )
    else:
        return Traffic(protocol)
    raise ValueError(f"{protocol} {expectation}.")


def _written(number: int | None) -> str:
    """The port, type or code as AWS writes it, with -1 for None."""
    return describe(-1 if number is None else number)
