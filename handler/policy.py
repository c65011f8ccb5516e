"""What counts: what the digest lists, whose addresses are ours, and what may stay open."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NoReturn

from handler.address import Internets, parse_cidr
from handler.model import ALL, ICMP, PORTED, Accepted, Severity, Traffic, is_prefix_list
from handler.parse import protocol, shown, traffic

KEYS = ("minimumSeverity", "trustedCidrs", "authorizedPorts", "exceptions")
"""What policy.json may hold; the stack config's keys of the same names."""

_REQUIRED = ("group", "ports", "reason", "owner", "until")
_OPTIONAL = ("source", "account", "region")
_LONGEST = 255
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T00:00:00Z)?")
_PORTS = "tcp/443, tcp/8000-8010, udp/53, icmp/8, a protocol's number or all"
_OLDEST = timedelta(days=366)


class PolicyError(ValueError):
    """A policy that makes no sense; the message is a sentence that names key and value."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts. ``minimum_severity`` is the lowest one that the digest lists.

    ``authorized_ports`` are open on purpose, in every group.
    """

    minimum_severity: Severity = Severity.LOW
    trusted_cidrs: tuple[str, ...] = ()
    authorized_ports: tuple[Traffic, ...] = ()
    exceptions: tuple[Accepted, ...] = ()

    @classmethod
    def parse(cls, document: object, today: date | None = None) -> "Policy":
        """The policy in a JSON object with the stack config's keys; what is missing is default.

        With ``today``, an exception that ran out more than a year ago is refused: whoever writes
        a policy should clean it up, but a function that runs should not fail one day because of it.
        Raises ``PolicyError`` with one sentence that names key, value and expectation.
        """
        policy = _object("a policy", document, KEYS)
        default = cls()
        return cls(
            minimum_severity=_severity(policy.get("minimumSeverity", default.minimum_severity)),
            trusted_cidrs=_cidrs("trustedCidrs", policy.get("trustedCidrs", [])),
            authorized_ports=_authorized(policy.get("authorizedPorts", [])),
            exceptions=tuple(
                _accepted(f"exceptions[{index}]", value, today)
                for index, value in enumerate(_list("exceptions", policy.get("exceptions", [])))
            ),
        )

    def lists(self, severity: Severity) -> bool:
        """Whether the digest lists findings of that severity, rather than count them."""
        return severity.rank <= self.minimum_severity.rank


def _severity(value: object) -> Severity:
    if value not in list(map(str, Severity)):
        _refuse("minimumSeverity", f"one of {', '.join(Severity)}", value)
    return Severity(str(value))


def _cidrs(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(cidr, str) for cidr in value):
        _refuse(key, "a list of CIDRs", value)
    try:
        Internets(value)
    except ValueError as error:
        message = f"{key} must be a list of CIDRs: {error}"
        raise PolicyError(message) from error
    return tuple(value)


def _authorized(value: object) -> tuple[Traffic, ...]:
    ports = [_ports("authorizedPorts", each) for each in _list("authorizedPorts", value)]
    if any(each.protocol == ALL for each in ports):
        _refuse("authorizedPorts", "protocols and ports rather than everything", ALL)
    return tuple(ports)


def _accepted(key: str, value: object, today: date | None) -> Accepted:
    fields = _object(key, value, _REQUIRED + _OPTIONAL)
    missing = [name for name in _REQUIRED if fields.get(name) in (None, "")]
    if missing:
        message = f"{key} must say {', '.join(_REQUIRED)}, it lacks {' and '.join(missing)}."
        raise PolicyError(message)
    until = _date(f"{key}.until", fields["until"])
    if today and until < today - _OLDEST:
        _refuse(f"{key}.until", "a date that is not past by more than a year", until.isoformat())
    return Accepted(
        group=_text(f"{key}.group", fields["group"]),
        ports=str(fields["ports"]),
        traffic=_ports(f"{key}.ports", fields["ports"]),
        reason=_text(f"{key}.reason", fields["reason"]),
        owner=_text(f"{key}.owner", fields["owner"]),
        until=until,
        source=_optional(_source, f"{key}.source", fields.get("source")),
        account=_optional(_account, f"{key}.account", fields.get("account")),
        region=_optional(_region, f"{key}.region", fields.get("region")),
    )


def _ports(key: str, value: object) -> Traffic:
    """Traffic written as tcp/443, tcp/8000-8010, udp, icmp/3/4, 50 or all."""
    name, slash, rest = str(value).partition("/")
    between = "/" if name.lower() in ICMP else "-"
    numbers = rest.split(between) if slash else []
    try:
        return _traffic(protocol(name), [_number(number) for number in numbers])
    except ValueError as error:
        message = f"{key} must be ports as in {_PORTS}, got {shown(value)}."
        raise PolicyError(message) from error


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
    found = _DATE.fullmatch(str(value))
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError:
        _refuse(key, "a date as in 2027-12-31", str(value))


def _source(key: str, value: object) -> str:
    source = _text(key, value)
    if not is_prefix_list(source):
        try:
            parse_cidr(source)
        except ValueError:
            _refuse(key, "a CIDR or the id of a prefix list", source)
    return source


def _account(key: str, value: object) -> str:
    # YAML takes a number that begins with 0 for another one, which has fewer digits.
    account = str(value) if isinstance(value, int) else value
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        _refuse(key, "an account id of 12 digits, in quotes", value)
    return account


def _region(key: str, value: object) -> str:
    region = _text(key, value)
    if not _REGION.fullmatch(region):
        _refuse(key, "a region as in eu-west-1", region)
    return region


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        _refuse(key, f"a text of 1 to {_LONGEST} characters", value)
    return value.strip()


def _optional(read: Callable[[str, object], str], key: str, value: object) -> str | None:
    return None if value is None else read(key, value)


def _object(key: str, value: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse(key, "an object", value)
    unknown = sorted(map(str, value.keys() - known))
    if unknown:
        message = f"{key} must have no keys but {', '.join(known)}, got {unknown[0]!r}."
        raise PolicyError(message)
    return value


def _list(key: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        _refuse(key, "a list", value)
    return value


def _refuse(key: str, expectation: str, value: object) -> NoReturn:
    message = f"{key} must be {expectation}, got {shown(value)}."
    raise PolicyError(message)
