"""What people write in a policy: ports, ranges, dates and exceptions, read strictly.

Whatever may be meant in two ways is refused: a policy that is misunderstood hides what is open.
"""

import re
from collections.abc import Mapping
from datetime import date
from ipaddress import ip_interface
from typing import Any, NoReturn

from handler.address import parse_cidr
from handler.model import ICMP, PORTED, Accepted, Traffic, is_prefix_list
from handler.parse import protocol, shown, traffic

_REQUIRED = ("group", "ports", "reason", "owner", "until")
_OPTIONAL = ("source", "account", "region")
_LONGEST = 255
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+", re.ASCII)
# A date without quotes reaches the program as Pulumi's engine prints a time.
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T00:00:00Z| 00:00:00 \+0000 UTC)?", re.ASCII)
_PORTS = "tcp/443, tcp/8000-8010, udp, icmp/8, protocol/50 or all"
_PROTOCOL = "protocol"
# https://www.iana.org/assignments/ipv4-address-space
# https://www.iana.org/assignments/ipv6-unicast-address-assignments
_WIDEST = {4: 8, 6: 12}


class PolicyError(ValueError):
    """A policy that makes no sense; the message is a sentence that names key and value."""


def accepted(key: str, value: object, today: date | None) -> Accepted:
    """One exception; with ``today``, none that ran out more than a year before. Or PolicyError."""
    fields = an_object(key, value, _REQUIRED + _OPTIONAL)
    missing = [name for name in _REQUIRED if fields.get(name) in (None, "")]
    if missing:
        message = f"{key} must say {', '.join(_REQUIRED)}, it lacks {' and '.join(missing)}."
        raise PolicyError(message)
    until = _date(f"{key}.until", fields["until"])
    allowed = ports(f"{key}.ports", fields["ports"])
    if today and (until.year + 1, until.month, until.day) < (today.year, today.month, today.day):
        refuse(f"{key}.until", "a date that is not past by more than a year", until.isoformat())
    return Accepted(
        group=_text(f"{key}.group", fields["group"]),
        ports=str(fields["ports"]),
        traffic=allowed,
        reason=_line(f"{key}.reason", fields["reason"]),
        owner=_line(f"{key}.owner", fields["owner"]),
        until=until,
        # Left out is everywhere; left empty is a mistake that would be everywhere, too.
        source=_source(f"{key}.source", fields["source"]) if "source" in fields else None,
        account=_account(f"{key}.account", fields["account"]) if "account" in fields else None,
        region=_region(f"{key}.region", fields["region"]) if "region" in fields else None,
    )


def ports(key: str, value: object) -> Traffic:
    """Traffic written as tcp/443, tcp/8000-8010, udp, icmp/3/4, protocol/50 or all."""
    # A number alone may be a port as well as a protocol.
    if not isinstance(value, str) or value.strip().isdecimal():
        refuse(key, f"ports as in {_PORTS}", value)
    name, slash, rest = value.partition("/")
    between = "/" if name.lower() in ICMP else "-"
    numbers = rest.split(between) if slash else []
    try:
        if name == _PROTOCOL:
            return _traffic(protocol(rest if rest.isdecimal() else ""), [])
        return _traffic(protocol(name), [_number(number) for number in numbers])
    except ValueError as error:
        message = f"{key} must be ports as in {_PORTS}, got {shown(value)}."
        raise PolicyError(message) from error


def own_range(key: str, value: object) -> str:
    """A range that may be somebody's own: IANA gives whole registries no larger ones."""
    cidr = _cidr(key, "a CIDR", value)
    network = ip_interface(cidr).network
    widest = _WIDEST[network.version]
    if network.prefixlen < widest:
        refuse(key, f"your own ranges, /{widest} at the widest", cidr)
    return cidr


def an_object(key: str, value: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    """The value as an object without unknown keys."""
    if not isinstance(value, Mapping):
        refuse(key, "an object", value)
    unknown = sorted(map(str, value.keys() - known))
    if unknown:
        message = f"{key} must have no keys but {', '.join(known)}, got {unknown[0]!r}."
        raise PolicyError(message)
    return value


def a_list(key: str, value: object, of: str = "a list") -> list[Any]:
    """The value as a list."""
    if not isinstance(value, list):
        refuse(key, of, value)
    return value


def refuse(key: str, expectation: str, value: object) -> NoReturn:
    """Raise a PolicyError that names the key, what was expected and the value."""
    message = f"{key} must be {expectation}, got {shown(value)}."
    raise PolicyError(message)


def _traffic(name: str, numbers: list[int]) -> Traffic:
    if len(numbers) > len(("low", "high")) or (numbers and name not in PORTED | ICMP):
        message = "too many numbers"
        raise ValueError(message)
    low, high = [*numbers, None, None][:2]
    return traffic(name, low, low if name in PORTED and high is None else high)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len("65535")):
        message = "no number of a port"
        raise ValueError(message)
    return int(text)


def _date(key: str, value: object) -> date:
    # Anything else may be too large to be made a text.
    found = _DATE.fullmatch(str(value)) if isinstance(value, (str, date)) else None
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError:
        refuse(key, "a date as in 2027-12-31", value)


def _source(key: str, value: object) -> str:
    if isinstance(value, str) and is_prefix_list(value):
        return _text(key, value)
    return _cidr(key, "a CIDR or the id of a prefix list", value)


def _cidr(key: str, expectation: str, value: object) -> str:
    """A CIDR that says what it means: 1.2.3.4/8 may be one address or 16 million."""
    cidr = _text(key, value)
    try:
        parse_cidr(cidr)
    except ValueError:
        refuse(key, f"{expectation}, for example 192.0.2.0/24 or 2001:db8::/32", cidr)
    written = ip_interface(cidr)
    if written.ip != written.network.network_address:
        refuse(key, f"a CIDR without host bits, {written.network} or {written.ip}", cidr)
    return cidr


def _account(key: str, value: object) -> str:
    # YAML takes a number that begins with 0 for another one, which has fewer digits.
    account = str(value) if isinstance(value, int) else value
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        refuse(key, "an account id of 12 digits, in quotes", value)
    return account


def _region(key: str, value: object) -> str:
    region = _text(key, value)
    if not _REGION.fullmatch(region):
        refuse(key, "a region as in eu-west-1", region)
    return region


def _line(key: str, value: object) -> str:
    """A text on one line."""
    return " ".join(_text(key, value).split())


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        refuse(key, f"a text of 1 to {_LONGEST} characters", value)
    return value.strip()
