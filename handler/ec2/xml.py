"""Reads the XML of DescribeSecurityGroups without building objects for private groups.

boto3 builds a tree of each response, and objects from the tree: nearly all of an audit's work. Here
one regular expression reads a whole group. Groups that let in private addresses only, which are
most groups of an account, are just counted. A group in unusual XML stays in the response for boto3.
"""

import html
import re
from functools import lru_cache
from typing import Any

from handler.ec2.parse import PRIVATE_RULES, parse_permission_traffic
from handler.model.network import PrivateGroup

GROUPS = "Groups"
"""The key of a page's groups in order; None stands for the next group that boto3 has parsed."""
_OK = 200
_S = rb"\s*+"
_TEXT = rb"[^<>\x00-\x1f]*+"
# Entities that XML does not predefine, and characters that it does not allow.
_ODD_TEXT = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)|\xef\xbf[\xbe\xbf]")
_NUMBER = rb"-?\d{1,6}+"


def _element(name: str, content: bytes, group: str = "") -> bytes:
    """Matches an element with this content, which is captured as ``group``."""
    return b"<%b>%b</%b>" % (name.encode(), _captured(content, group), name.encode())


def _list(name: str, item: bytes, group: str = "") -> bytes:
    """Matches a list of such items, or the empty element; captured as ``group``."""
    items = rb"(?:%b<item>%b%b%b</item>)*+%b" % (_S, _S, item, _S, _S)
    return _captured(rb"%b|<%b/>" % (_element(name, items), name.encode()), group)


def _captured(content: bytes, group: str) -> bytes:
    return b"(%b%b)" % (b"?P<%b>" % group.encode() if group else b"?:", content)


def _optional(*elements: bytes) -> bytes:
    """Matches these elements in this order, each of which may be missing."""
    return b"".join(rb"(?:%b%b)?+" % (element, _S) for element in elements)


def _sources(name: str, source: str, group: str) -> bytes:
    item = _element(source, _TEXT) + _S + _optional(_element("description", _TEXT))
    return _list(name, item, group)


def _permission(*groups: str) -> bytes:
    """Matches an item of a group's permissions; captures its parts under these names, if any."""
    protocol, low, high, ipv4, ipv6, lists = groups or ("",) * 6
    pair = (
        "userId", "groupId", "groupName", "description", "vpcId", "vpcPeeringConnectionId",
        "peeringStatus",
    )  # fmt: skip
    members = b"|".join(_element(name, _TEXT) for name in pair)
    return (
        _element("ipProtocol", _TEXT, protocol)
        + _S
        + _optional(
            _element("fromPort", _NUMBER, low),
            _element("toPort", _NUMBER, high),
            _list("groups", rb"(?:(?:%b)%b)*+" % (members, _S)),
            _sources("ipRanges", "cidrIp", ipv4),
            _sources("ipv6Ranges", "cidrIpv6", ipv6),
            _sources("prefixListIds", "prefixListId", lists),
        )
    )


_TEXTS = {
    "GroupId": "groupId",
    "GroupName": "groupName",
    "VpcId": "vpcId",
    "OwnerId": "ownerId",
    "Description": "groupDescription",
}
_TAG = _element("key", _TEXT, "key") + _S + rb"(?:%b|<value/>)" % _element("value", _TEXT, "value")
_UNNAMED_TAG = re.sub(rb"\?P<\w+>", b"?:", _TAG)
_MEMBERS = (
    *(_element(element, _TEXT, name) for name, element in _TEXTS.items()),
    _list("ipPermissions", _permission(), "inbound"),
    _list("ipPermissionsEgress", _permission(), "outbound"),
    _list("tagSet", _UNNAMED_TAG, "tags"),
    _element("securityGroupArn", _TEXT, "arn"),
)
# In any order, each at most once. Capture groups count from 2, because the first is the whole item.
_MEMBER = b"|".join(
    rb"(?(%d)(?!))%b" % (number, member) for number, member in enumerate(_MEMBERS, start=2)
)
_REGULAR = rb"<item>%b(?:(?:%b)%b)*+</item>" % (_S, _MEMBER, _S)
# Any item, with items nested two levels deep, but without comments and the like.
_ODD = rb"<item>(?:[^<]++|<(?!/?item[ \t\r\n/>]|[!?]))*+</item>"
for _ in range(2):
    _ODD = rb"<item>(?:[^<]++|<(?!/?item[ \t\r\n/>]|[!?])|%b)*+</item>" % _ODD

_START = re.compile(
    rb'(?:<\?xml version="1\.0" encoding="UTF-8"\?>)?+%b'
    rb'<DescribeSecurityGroupsResponse(?: xmlns="[^"<&]*+")?+>%b%b<securityGroupInfo>'
    % (_S, _S, _optional(_element("requestId", _TEXT)))
)
_GROUP = re.compile(rb"%b(?:(?P<regular>%b)|%b)" % (_S, _REGULAR, _ODD))
_END = re.compile(
    rb"%b</securityGroupInfo>%b%b</DescribeSecurityGroupsResponse>%b"
    % (_S, _S, _optional(_element("nextToken", _TEXT)), _S)
)
_PERMISSIONS = re.compile(_permission("protocol", "low", "high", "ipv4", "ipv6", "lists"))
_TAGS = re.compile(_TAG)
_TRAFFIC = re.compile(
    rb"<ipProtocol>([^<]*+)</ipProtocol>%b(?:<fromPort>([^<]*+)</fromPort>%b)?+"
    rb"(?:<toPort>([^<]*+)</toPort>)?+" % (_S, _S)
)
_OCTET = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PRIVATE = rb"|".join(
    (
        rb"10\.O\.O\.O/(?:[89]|[12]\d|3[0-2])",
        rb"172\.(?:1[6-9]|2\d|3[01])\.O\.O/(?:1[2-9]|2\d|3[0-2])",
        rb"192\.168\.O\.O/(?:1[6-9]|2\d|3[0-2])",
        rb"100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.O\.O/(?:[12]\d|3[0-2])",
        rb"f[cd][0-9a-f]{2}(?::[0-9a-f]{1,4}){0,6}::/(?:[7-9]|[1-9]\d|1[01]\d|12[0-8])",
    )
).replace(b"O", _OCTET)
_PUBLIC_SOURCE = re.compile(rb"<(?:prefixListId|cidrIp(?:v6)?)>(?!(?:%b)<)" % _PRIVATE)
_SOURCE = b"<cidrIp"
_SOURCES = re.compile(
    rb"<(?:cidrIp|cidrIpv6|prefixListId)>([^<]*+)</[^>]++>%b(?:<description>([^<]*+)<)?+" % _S
)


def read_security_groups(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Handles botocore's before-parse event: reads regular groups, leaves botocore the others.

    ``GROUPS`` has both in order. A response that as a whole is not in EC2's usual format is left
    unchanged.
    """
    body = response_dict["body"]
    start = _START.match(body)
    if response_dict["status_code"] != _OK or start is None:
        return
    offset = start.end()
    groups: list[dict[str, Any] | PrivateGroup | None] = []
    remainder = [start[0]]
    while group := _GROUP.match(body, offset):
        offset = group.end()
        inbound: bytes = group["inbound"] or b""
        if group["regular"] is None or not _is_plain(group[0]):
            groups.append(None)
            remainder.append(group[0])
        # A group without an id is reported as malformed.
        elif group["GroupId"] and _is_private(inbound):
            groups.append(PrivateGroup(inbound.count(_SOURCE)))
        else:
            groups.append(_described_group(group))
    if end := _END.fullmatch(body, offset):
        customized_response_dict[GROUPS] = groups
        response_dict["body"] = b"".join((*remainder, end[0]))


def _is_plain(item: bytes) -> bool:
    """Whether the text is UTF-8 with only XML's predefined entities, characters and white space."""
    if b"\v" in item or b"\f" in item:
        return False
    if item.isascii() and b"&" not in item:
        return True
    try:
        item.decode()
    except UnicodeDecodeError:
        return False
    return not _ODD_TEXT.search(item)


def _is_private(inbound: bytes) -> bool:
    """Whether all sources are private and AWS allows all of the traffic."""
    return not _PUBLIC_SOURCE.search(inbound) and all(
        map(_is_allowed, set(_TRAFFIC.findall(inbound)))
    )


@lru_cache(1024)
def _is_allowed(traffic: tuple[bytes, bytes, bytes]) -> bool:
    try:
        parse_permission_traffic(_traffic(*traffic))
    except ValueError:
        return False
    return True


def _described_group(group: re.Match[bytes]) -> dict[str, Any]:
    """The group as boto3 returns it, except that private rules are only counted."""
    texts = {name: _text(value) for name in _TEXTS if (value := group[name]) is not None}
    tags = _TAGS.findall(group["tags"] or b"")
    permissions, private_rules = [], 0
    for permission in _PERMISSIONS.finditer(group["inbound"] or b""):
        # The description of any rule may name the controller that manages the group.
        if _is_private(permission[0]) and b"kubernetes" not in permission[0]:
            private_rules += permission[0].count(_SOURCE)
            continue
        permissions.append(
            {
                **_traffic(permission["protocol"], permission["low"], permission["high"]),
                "IpRanges": _entries("CidrIp", permission["ipv4"]),
                "Ipv6Ranges": _entries("CidrIpv6", permission["ipv6"]),
                "PrefixListIds": _entries("PrefixListId", permission["lists"]),
            }
        )
    return {
        **texts,
        "IpPermissions": permissions,
        PRIVATE_RULES: private_rules,
        "Tags": [{"Key": _text(key), "Value": _text(value)} for key, value in tags],
    }


def _traffic(protocol: bytes, low: bytes | None, high: bytes | None) -> dict[str, Any]:
    ports = {"FromPort": low, "ToPort": high}
    numbers = {name: int(number) for name, number in ports.items() if number}
    return {"IpProtocol": _text(protocol), **numbers}


def _entries(name: str, items: bytes | None) -> list[dict[str, str]]:
    return [
        {name: _text(source), "Description": _text(description)}
        for source, description in _SOURCES.findall(items or b"")
    ]


def _text(value: bytes) -> str:
    text = value.decode()
    return html.unescape(text) if "&" in text else text
