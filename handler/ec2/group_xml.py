"""Reads the XML of DescribeSecurityGroups without building objects for private groups.

boto3 builds a tree of each response, and objects from the tree: nearly all of an audit's work. Here
one regular expression reads a whole group. Groups that let in private addresses only, which are
most groups of an account, are just counted. A group in unusual XML stays in the response for boto3.
"""

import html
import re
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from handler.ec2.parse import PRIVATE_RULES, SOURCES, parse_permission_traffic
from handler.model.network import PrivateGroup

GROUPS = "Groups"
"""The key of a page's groups in order; None stands for the next group that boto3 has parsed."""
_S = rb"\s*+"
_TEXT = rb"[^<>\x00-\x1f]*+"
# Entities that XML does not predefine, and characters that it does not allow.
_ODD_TEXT = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)|\xef\xbf[\xbe\xbf]")
_NUMBER = rb"-?\d{1,6}+"


def _element(name: str, content: bytes) -> bytes:
    return b"<%b>%b</%b>" % (name.encode(), content, name.encode())


def _list(name: str, item: bytes) -> bytes:
    """Matches a list of such items, or the empty element."""
    items = rb"(?:%b<item>%b%b%b</item>)*+%b" % (_S, _S, item, _S, _S)
    return rb"%b|<%b/>" % (_element(name, items), name.encode())


def _optional(*elements: bytes) -> bytes:
    """Matches these elements in this order, each of which may be missing."""
    return b"".join(rb"(?:(?:%b)%b)?+" % (element, _S) for element in elements)


def _sources(name: str, source: str) -> bytes:
    item = _element(source, _TEXT) + _S + _optional(_element("description", _TEXT))
    return _list(name, item)


_PAIR = (
    "userId", "groupId", "groupName", "description", "vpcId", "vpcPeeringConnectionId",
    "peeringStatus",
)  # fmt: skip
_PERMISSION = (
    _element("ipProtocol", _TEXT)
    + _S
    + _optional(
        _element("fromPort", _NUMBER),
        _element("toPort", _NUMBER),
        _list("groups", rb"(?:(?:%b)%b)*+" % (b"|".join(_element(n, _TEXT) for n in _PAIR), _S)),
        _sources("ipRanges", "cidrIp"),
        _sources("ipv6Ranges", "cidrIpv6"),
        _sources("prefixListIds", "prefixListId"),
    )
)
_TAG = rb"%b%b(?:%b|<value/>)" % (_element("key", _TEXT), _S, _element("value", _TEXT))
_TEXTS = {
    "GroupId": "groupId",
    "GroupName": "groupName",
    "VpcId": "vpcId",
    "OwnerId": "ownerId",
    "Description": "groupDescription",
}
_MEMBERS = (
    *(
        _element(element, b"(?P<%b>%b)" % (name.encode(), _TEXT))
        for name, element in _TEXTS.items()
    ),
    b"(?P<inbound>%b)" % _list("ipPermissions", _PERMISSION),
    b"(%b)" % _list("ipPermissionsEgress", _PERMISSION),
    b"(?P<tags>%b)" % _list("tagSet", _TAG),
    b"(%b)" % _element("securityGroupArn", _TEXT),
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
# These find the parts of a regular group.
_TAGS = re.compile(rb"<key>([^<]*+)</key>%b<value(?:/|>([^<]*+)<)" % _S)
_PROTOCOL = b"<ipProtocol>"
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
_PUBLIC_SOURCE = re.compile(rb"<prefixListId>|<cidrIp(?:v6)?>(?!(?:%b)<)" % _PRIVATE)
_SOURCE = b"<cidrIp"
_SOURCES = re.compile(
    rb"<(cidrIp|cidrIpv6|prefixListId)>([^<]*+)</[^>]++>%b(?:<description>([^<]*+)<)?+" % _S
)
_KEYS = {name[:1].lower() + name[1:]: (key, name) for key, name in SOURCES}


def read_security_groups(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Handles botocore's before-parse event: reads regular groups, leaves botocore the others.

    ``GROUPS`` has both in order. A response that as a whole is not in EC2's usual format is left
    unchanged.
    """
    body = response_dict["body"]
    start = _START.match(body)
    if response_dict["status_code"] != HTTPStatus.OK or start is None:
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
    for part in (group["inbound"] or b"").split(_PROTOCOL)[1:]:
        permission = _PROTOCOL + part
        # The description of any rule may name the controller that manages the group.
        if _is_private(permission) and b"kubernetes" not in permission:
            private_rules += permission.count(_SOURCE)
        else:
            permissions.append(_described_permission(permission))
    return {
        **texts,
        "IpPermissions": permissions,
        PRIVATE_RULES: private_rules,
        "Tags": [{"Key": _text(key), "Value": _text(value)} for key, value in tags],
    }


def _described_permission(permission: bytes) -> dict[str, Any]:
    (traffic,) = _TRAFFIC.findall(permission)
    fields = _traffic(*traffic)
    for element, source, description in _SOURCES.findall(permission):
        key, name = _KEYS[element.decode()]
        entry = {name: _text(source), "Description": _text(description)}
        fields.setdefault(key, []).append(entry)
    return fields


def _traffic(protocol: bytes, low: bytes, high: bytes) -> dict[str, Any]:
    ports = {"FromPort": low, "ToPort": high}
    numbers = {name: int(number) for name, number in ports.items() if number}
    return {"IpProtocol": _text(protocol), **numbers}


def _text(value: bytes) -> str:
    text = value.decode()
    return html.unescape(text) if "&" in text else text
