"""EC2's answers to the model; what makes no sense becomes ``Malformed``, never nothing.

The shapes are those of DescribeSecurityGroups, the same from boto3 and from the AWS CLI:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
"""

import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

from handler.address import parse_cidr
from handler.model import (
    ALL,
    ICMP,
    LAST_PORT,
    PORTED,
    Malformed,
    Rule,
    SecurityGroup,
    Traffic,
)

_PROTOCOLS = {"-1": ALL, "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_NAMES = frozenset(_PROTOCOLS.values())
_LAST_PROTOCOL = 255
_LAST_ICMP = 255
_CIDRS = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"))
_LISTS = ("PrefixListIds", "PrefixListId")
_REPR = reprlib.Repr()
_REPR.maxstring = 80


def security_group(answer: object) -> SecurityGroup:
    """One group as DescribeSecurityGroups tells it.

    Raises ``ValueError`` with a sentence when it is no group at all.
    """
    group = answer if isinstance(answer, Mapping) else {}
    group_id = _text(group.get("GroupId"))
    if not group_id:
        message = f"a security group must have a GroupId, got {shown(answer)}."
        raise ValueError(message)
    rules: list[Rule] = []
    malformed: list[Malformed] = []
    for permission in _entries(group, "IpPermissions", malformed):
        try:
            traffic = _traffic(permission)
        except ValueError as error:
            malformed.append(_malformed(permission, str(error)))
            continue
        for key, name in (*_CIDRS, _LISTS):
            for entry in _entries(permission, key, malformed):
                try:
                    rules.append(Rule(group_id, traffic, _source(entry, name)))
                except ValueError as error:
                    malformed.append(_malformed(permission, str(error)))
    return SecurityGroup(
        id=group_id,
        name=_text(group.get("GroupName")) or "",
        vpc_id=_text(group.get("VpcId")),
        rules=tuple(rules),
        malformed=tuple(malformed),
    )


def rule(answer: Mapping[str, Any]) -> Rule | None:
    """The rule that an entry of DescribeSecurityGroupRules is about; None for a group reference.

    Raises ``ValueError`` with a sentence when it makes no sense.
    """
    source = answer.get("CidrIpv4") or answer.get("CidrIpv6") or answer.get("PrefixListId")
    group_id = _text(answer.get("GroupId"))
    if group_id is None or not isinstance(source, str):
        return None
    return Rule(group_id, _traffic(answer), source)


def shown(value: object) -> str:
    """A value from outside as it appears in a sentence, cut to a readable length."""
    return _REPR.repr(value)


def _traffic(permission: Mapping[str, Any]) -> Traffic:
    protocol = _protocol(permission.get("IpProtocol"))
    low, high = (_number(permission, name) for name in ("FromPort", "ToPort"))
    if protocol in PORTED:
        if low is None and high is None:
            low, high = 0, LAST_PORT
        if low is None or high is None or not 0 <= low <= high <= LAST_PORT:
            message = f"{protocol} ports must be 0 to {LAST_PORT} in order, got {low} to {high}."
            raise ValueError(message)
        return Traffic(protocol, low, high)
    if protocol in ICMP:
        within = all(number is None or 0 <= number <= _LAST_ICMP for number in (low, high))
        if not within or (low is None and high is not None):
            message = f"{protocol} type and code must be 0 to {_LAST_ICMP}, got {low} and {high}."
            raise ValueError(message)
        return Traffic(protocol, icmp_type=low, icmp_code=high)
    return Traffic(protocol)


def _protocol(value: object) -> str:
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    name = _PROTOCOLS.get(text, text)
    if name in _NAMES:
        return name
    if text.isascii() and text.isdecimal() and len(text) <= len("255"):
        number = int(text)
        if number <= _LAST_PROTOCOL:
            return _PROTOCOLS.get(str(number), str(number))
    message = f"a protocol must be a name or 0 to {_LAST_PROTOCOL}, got {shown(value)}."
    raise ValueError(message)


def _number(permission: Mapping[str, Any], name: str) -> int | None:
    """A port, type or code; None when it is missing or -1, which both mean all of them."""
    value = permission.get(name)
    if value is None or value == -1:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        message = f"{name} must be a whole number, got {shown(value)}."
        raise ValueError(message)
    return value


def _source(entry: Mapping[str, Any], name: str) -> str:
    source = _text(entry.get(name))
    if not source:
        message = f"a source must have a {name}, got {shown(entry)}."
        raise ValueError(message)
    if name != "PrefixListId":
        parse_cidr(source)
    return source


def _entries(
    owner: Mapping[str, Any], key: str, malformed: list[Malformed]
) -> Iterator[Mapping[str, Any]]:
    """The objects in a list of an answer; whatever else is there goes to ``malformed``."""
    value = owner.get(key)
    if value is not None and not isinstance(value, list):
        malformed.append(_malformed(owner, f"{key} must be a list, got {shown(value)}."))
    for entry in _list(value):
        if isinstance(entry, Mapping):
            yield entry
        else:
            malformed.append(_malformed(owner, f"{key} must hold objects, got {shown(entry)}."))


def _malformed(permission: Mapping[str, Any], reason: str) -> Malformed:
    sources = {
        _text(entry.get(name))
        for key, name in (*_CIDRS, _LISTS)
        for entry in _list(permission.get(key))
        if isinstance(entry, Mapping)
    }
    low, high = (permission.get(name) for name in ("FromPort", "ToPort"))
    return Malformed(
        protocol=_text(permission.get("IpProtocol")) or "unknown",
        from_port=low if isinstance(low, int) else None,
        to_port=high if isinstance(high, int) else None,
        sources=tuple(sorted(source for source in sources if source)),
        reason=reason,
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    """A text from outside that every report can carry: of some length, and encodable."""
    most = 255
    if not isinstance(value, str):
        return None
    return value[:most].encode(errors="replace").decode()
