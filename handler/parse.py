"""EC2's answers to the model; what makes no sense becomes ``Malformed``, never nothing.

The shapes are those of DescribeSecurityGroups, the same from boto3 and from the AWS CLI:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
"""

import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handler.address import parse_cidr
from handler.model import (
    ALL,
    ICMP,
    LAST_PORT,
    PORTED,
    UNKNOWN,
    Malformed,
    PrefixList,
    Rule,
    SecurityGroup,
    Traffic,
    is_prefix_list,
)

_PROTOCOLS = {"-1": ALL, "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_NAMES = frozenset(_PROTOCOLS.values())
_LAST_PROTOCOL = 255
_LAST_ICMP = 255
_CIDRS = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"))
_LISTS = ("PrefixListIds", "PrefixListId")
# The owner of the lists of AWS itself.
_AWS = "AWS"
_REPR = reprlib.Repr()
_REPR.maxstring = 80
_REPR.maxlevel = 2


def security_group(answer: object) -> SecurityGroup:
    """One group as DescribeSecurityGroups tells it; whatever it lacks is ``Malformed``."""
    group = answer if isinstance(answer, Mapping) else {}
    group_id = text(group.get("GroupId")) or UNKNOWN
    rules: list[Rule] = []
    malformed: list[Malformed] = []
    if group_id == UNKNOWN:
        reason = f"a security group must have a GroupId, got {shown(answer)}."
        malformed.append(_malformed({}, reason))
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
        name=text(group.get("GroupName")) or "",
        vpc_id=text(group.get("VpcId")),
        rules=tuple(rules),
        malformed=tuple(malformed),
        owner=_owner(group),
    )


def rule_ids(answers: Iterable[object]) -> Iterator[tuple[Rule, str]]:
    """The inbound rules that DescribeSecurityGroupRules tells, each with its id.

    Those of references to other groups are not among them. Raises ``ValueError`` with a sentence
    for an answer that makes no sense.
    """
    for answer in answers:
        told = fields(answer, "security group rule", "SecurityGroupRuleId")
        cidr = told.get("CidrIpv4") or told.get("CidrIpv6") or told.get("PrefixListId")
        group_id, source = text(told.get("GroupId")), text(cidr)
        if group_id and source and not told.get("IsEgress"):
            rule = Rule(group_id, _traffic(told), source)
            yield rule, str(text(told["SecurityGroupRuleId"]))


def prefix_list(list_id: str, owner: object, entries: Iterable[object]) -> PrefixList:
    """A managed prefix list; one whose entries make no sense says so as its error.

    AWS's own lists (CloudFront, S3, ...) hold its services' addresses, not the internet.
    """
    if owner == _AWS:
        return PrefixList(list_id)
    cidrs = []
    try:
        for entry in entries:
            cidr = str(fields(entry, "prefix list's entry", "Cidr")["Cidr"])
            parse_cidr(cidr)
            cidrs.append(cidr)
    except ValueError as error:
        return PrefixList(list_id, error=str(error))
    return PrefixList(list_id, tuple(cidrs))


def protocol(value: object) -> str:
    """A protocol's one name, from AWS's names and numbers in any case.

    Raises ``ValueError`` with a sentence.
    """
    given = str(value).strip().lower() if isinstance(value, str | int) else ""
    name = _PROTOCOLS.get(given, given)
    if name in _NAMES:
        return name
    if given.isascii() and given.isdecimal() and len(given) <= len("255"):
        number = int(given)
        if number <= _LAST_PROTOCOL:
            return _PROTOCOLS.get(str(number), str(number))
    message = f"a protocol must be a name or 0 to {_LAST_PROTOCOL}, got {shown(value)}."
    raise ValueError(message)


def traffic(name: str, low: int | None, high: int | None) -> Traffic:
    """Traffic of a protocol between two ports, or with an icmp type and code; None means all.

    Raises ``ValueError`` with a sentence.
    """
    if name in PORTED:
        if low is None and high is None:
            low, high = 0, LAST_PORT
        if low is None or high is None or not 0 <= low <= high <= LAST_PORT:
            message = f"{name} ports must be 0 to {LAST_PORT} in order, got {_from_to(low, high)}."
            raise ValueError(message)
        return Traffic(name, low, high)
    if name in ICMP:
        within = all(number is None or 0 <= number <= _LAST_ICMP for number in (low, high))
        if not within or (low is None and high is not None):
            message = f"{name} type and code must be 0 to {_LAST_ICMP}, got {_from_to(low, high)}."
            raise ValueError(message)
        return Traffic(name, icmp_type=low, icmp_code=high)
    return Traffic(name)


def shown(value: object) -> str:
    """A value from outside as it appears in a sentence, cut to a readable length."""
    most = 160
    shortened = _REPR.repr(value)
    return shortened if len(shortened) <= most else f"{shortened[:most]}..."


def fields(answer: object, what: str, key: str) -> Mapping[str, Any]:
    """An answer as an object with at least a text under that key; else a ``ValueError``."""
    if not isinstance(answer, Mapping) or not text(answer.get(key)):
        message = f"a {what} must have a {key}, got {shown(answer)}."
        raise ValueError(message)
    return answer


def _traffic(permission: Mapping[str, Any]) -> Traffic:
    low, high = (_number(permission, name) for name in ("FromPort", "ToPort"))
    return traffic(protocol(permission.get("IpProtocol")), low, high)


def _owner(group: Mapping[str, Any]) -> str | None:
    """What the group's Owner tag says, however the tag's name is spelt."""
    tags = {text(tag.get("Key")): text(tag.get("Value")) for tag in objects(group, "Tags")}
    owners = (value for key, value in tags.items() if key and key.lower() == "owner")
    return next((owner for owner in owners if owner and owner.strip()), None)


def _from_to(low: int | None, high: int | None) -> str:
    return f"{shown(low)} to {shown(high)}"


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
    source = str(text(fields(entry, "source", name)[name]))
    if name != _LISTS[1]:
        parse_cidr(source)
    elif not is_prefix_list(source):
        message = f"a prefix list's id must begin with pl-, got {shown(source)}."
        raise ValueError(message)
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
        text(entry.get(name))
        for key, name in (*_CIDRS, _LISTS)
        for entry in objects(permission, key)
    }
    low, high = (permission.get(name) for name in ("FromPort", "ToPort"))
    return Malformed(
        protocol=text(permission.get("IpProtocol")) or "unknown",
        from_port=_report_port(low),
        to_port=_report_port(high),
        sources=tuple(sorted(source for source in sources if source)),
        reason=reason,
    )


def _report_port(value: object) -> int | None:
    """A port that makes no sense, as far as a report can carry it."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        return None
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def objects(owner: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects in a list of an answer; nothing else that is there."""
    return [entry for entry in _list(owner.get(key)) if isinstance(entry, Mapping)]


def text(value: object) -> str | None:
    """A text from outside that every report can carry: of some length, and encodable."""
    most = 255
    if not isinstance(value, str):
        return None
    return value[:most].encode(errors="replace").decode()
