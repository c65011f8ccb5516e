"""Validates the values of a policy: severities, ports, CIDRs, dates and exceptions.

A value with two possible meanings is refused, because a misread policy would hide what is open.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn, TypeVar

from handler.model.address import Family, canonical_form, is_prefix_list, parse_cidr, prefix_length
from handler.model.finding import Severity
from handler.model.network import ACCOUNT_ID, REGION_NAME
from handler.model.policy_exception import PolicyException
from handler.model.traffic import ALL_PROTOCOLS, Traffic, traffic_from_text
from handler.sanitize import expected

_Item = TypeVar("_Item")
_REQUIRED = ("group", "ports", "reason", "owner", "until")
_OPTIONAL = ("source", "account", "region")
_LONGEST_TEXT = 255
# Pulumi's engine turns a date without quotes into a time in either form.
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T00:00:00Z| 00:00:00 \+0000 UTC)?", re.ASCII)
_PORTS = "of the form tcp/443, tcp/8000-8010, udp, icmp/8, protocol/50 or all"
# IANA allocates no larger blocks to one registry:
# https://www.iana.org/assignments/ipv4-address-space
# https://www.iana.org/assignments/ipv6-unicast-address-assignments
_SHORTEST_PREFIX = {Family.IPV4: 8, Family.IPV6: 12}


class PolicyError(ValueError):
    """A value in the policy is not allowed; the message names key and value."""


def severity(key: str, value: object) -> Severity:
    """A severity by its name."""
    if value not in list(map(str, Severity)):
        refuse(key, f"one of {', '.join(Severity)}", value)
    return Severity(str(value))


def trusted_cidr(key: str, value: object) -> str:
    """A CIDR that an organization may own: at most an IPv4 /8 or IPv6 /12."""
    cidr = _cidr(key, value, "a CIDR")
    shortest = _SHORTEST_PREFIX[parse_cidr(cidr)[0]]
    if prefix_length(cidr) < shortest:
        refuse(key, f"a range of your own, /{shortest} at the widest", cidr)
    return cidr


def authorized_port(key: str, value: object) -> Traffic:
    """Protocol and ports, but not all traffic."""
    traffic = ports(key, value)
    if traffic.protocol == ALL_PROTOCOLS:
        refuse(key, "narrower than all traffic", value)
    return traffic


def exception(key: str, value: object, today: date | None) -> PolicyException:
    """An exception; with ``today``, one that expired more than a year ago is refused."""
    fields = require_object(key, value, _REQUIRED + _OPTIONAL)
    missing = [name for name in _REQUIRED if fields.get(name) in (None, "")]
    if missing:
        raise PolicyError(f"{key} must have {', '.join(missing)}.")
    until = _date(f"{key}.until", fields["until"])
    traffic = ports(f"{key}.ports", fields["ports"])
    if today and (until.year + 1, until.month, until.day) < (today.year, today.month, today.day):
        refuse(f"{key}.until", "a date within the last year or later", until.isoformat())
    # A missing optional key means everywhere; an empty value is refused as a mistake.
    texts = {
        name: read(f"{key}.{name}", fields[name])
        for name, read in _TEXT_READERS.items()
        if name in fields
    }
    return PolicyException(**texts, ports=str(fields["ports"]), traffic=traffic, until=until)


def ports(key: str, value: object) -> Traffic:
    """Traffic written as tcp/443, tcp/8000-8010, udp, icmp/3/4, protocol/50 or all."""
    # A number alone could be a port or a protocol.
    if not isinstance(value, str) or value.strip().isdecimal():
        refuse(key, _PORTS, value)
    try:
        return traffic_from_text(value)
    except ValueError as error:
        raise PolicyError(expected(key, _PORTS, value)) from error


def require_object(key: str, value: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    """The value as an object without unknown keys."""
    keys = ", ".join(known)
    if not isinstance(value, Mapping):
        refuse(key, f"an object with {keys}", value)
    if unknown := sorted(map(str, value.keys() - known)):
        refuse(f"a key of {key}", f"one of {keys}", unknown[0])
    return value


def list_at(
    key: str,
    fields: Mapping[str, Any],
    read: Callable[[str, object], _Item],
    expectation: str = "a list",
) -> tuple[_Item, ...]:
    """The list under the key, with each item read; empty if it is missing."""
    value = fields.get(key, [])
    if not isinstance(value, list):
        refuse(key, expectation, value)
    return tuple(read(f"{key}[{i}]", item) for i, item in enumerate(value))


def refuse(key: str, expectation: str, value: object) -> NoReturn:
    """Raise a ``PolicyError`` that names the key, what was expected and the value."""
    raise PolicyError(expected(key, expectation, value))


def _date(key: str, value: object) -> date:
    # Not str() of any value, which may be very long.
    match = _DATE.fullmatch(str(value)) if isinstance(value, (str, date)) else None
    try:
        return date.fromisoformat(match[1] if match else "")
    except ValueError:
        refuse(key, "a date like 2027-12-31", value)


def _source(key: str, value: object) -> str:
    if isinstance(value, str) and is_prefix_list(value):
        return _text(key, value)
    return _cidr(key, value, "a prefix list ID or a CIDR")


def _cidr(key: str, value: object, expectation: str) -> str:
    """A CIDR without host bits: 1.2.3.4/8 could mean one address or 16 million."""
    cidr = _text(key, value)
    try:
        parse_cidr(cidr)
    except ValueError:
        refuse(key, f"{expectation} like 192.0.2.0/24 or 2001:db8::/32", cidr)
    if meanings := canonical_form(cidr):
        refuse(key, f"a CIDR without host bits (use {meanings})", cidr)
    return cidr


def _account(key: str, value: object) -> str:
    # YAML reads a number that begins with 0 as octal: it has too few digits and is refused.
    account = str(value) if isinstance(value, int) else value
    if not isinstance(account, str) or not ACCOUNT_ID.fullmatch(account):
        refuse(key, "an account ID of 12 digits in quotes", value)
    return account


def _region(key: str, value: object) -> str:
    region = _text(key, value)
    if not REGION_NAME.fullmatch(region):
        refuse(key, "a region like eu-west-1", region)
    return region


def _line(key: str, value: object) -> str:
    """A text, with its lines joined into one."""
    return " ".join(_text(key, value).split())


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        refuse(key, f"a text of 1 to {_LONGEST_TEXT} characters", value)
    return value.strip()


_TEXT_READERS: Mapping[str, Callable[[str, object], str]] = {
    "group": _text,
    "reason": _line,
    "owner": _line,
    "source": _source,
    "account": _account,
    "region": _region,
}
