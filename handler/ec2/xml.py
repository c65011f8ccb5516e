"""Reads the XML of DescribeSecurityGroups, and of it only what the audit needs.

boto3 makes a tree of it and objects of the tree, descriptions and outbound rules included,
which is most of an audit's work. The result here has the same shape with less in it.
"""

from typing import Any, NoReturn
from xml.parsers import expat

_OK = 200
_ROOT = "DescribeSecurityGroupsResponse"
_LISTS = {
    "securityGroupInfo": "SecurityGroups",
    "ipPermissions": "IpPermissions",
    "ipRanges": "IpRanges",
    "ipv6Ranges": "Ipv6Ranges",
    "prefixListIds": "PrefixListIds",
    "tagSet": "Tags",
}
_ITEM = "item"
_TEXTS = {
    "groupId": "GroupId",
    "groupName": "GroupName",
    "vpcId": "VpcId",
    "ownerId": "OwnerId",
    "ipProtocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrIp": "CidrIp",
    "cidrIpv6": "CidrIpv6",
    "prefixListId": "PrefixListId",
    "key": "Key",
    "value": "Value",
    "nextToken": "NextToken",
}
_NUMBERS = frozenset({"fromPort", "toPort"})


class _UnexpectedFormError(Exception):
    """An answer of a form that EC2 does not give."""


def read_security_groups(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Handler of botocore's before-parse event: reads the answer, leaves botocore an empty one.

    An answer that is not in EC2's usual form is left to botocore, with its errors.
    """
    if response_dict["status_code"] != _OK:
        return
    try:
        customized_response_dict |= _ResponseParser().read(response_dict["body"])
    except (expat.ExpatError, _UnexpectedFormError):
        return
    response_dict["body"] = b"<empty/>"


class _ResponseParser:
    """Fills objects and lists while their elements are open; skips elements it does not know."""

    def __init__(self) -> None:
        self._answer: dict[str, Any] = {}
        # Objects, lists, and the empty text while one is read.
        self._open: list[Any] = [self._answer]
        self._text: list[str] = []
        self._skipped = 0
        # Botocore takes every answer for UTF-8, whatever it declares.
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.buffer_text = True

    def read(self, body: bytes) -> dict[str, Any]:
        """The answer. Raises ``ExpatError`` for what is not XML, and ``_UnexpectedFormError``."""
        self._parser.StartDoctypeDeclHandler = _unexpected
        self._parser.StartElementHandler = self._start_answer
        try:
            self._parser.Parse(body, True)  # noqa: FBT003 - it is all there
        finally:
            # The two refer to each other, and the audit pauses the collection of cycles.
            del self._parser
        return self._answer

    def _start_answer(self, name: str, _attributes: object) -> None:
        if name != _ROOT:
            _unexpected()
        self._follow()

    def _follow(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _start(self, name: str, _attributes: object) -> None:
        owner = self._open[-1]
        if name == _ITEM and owner.__class__ is list:
            item: dict[str, Any] = {}
            owner.append(item)
            self._open.append(item)
        elif owner.__class__ is not dict:
            _unexpected()
        elif name in _TEXTS:
            if _TEXTS[name] in owner:
                _unexpected()
            self._open.append("")
            self._text.clear()
            self._parser.CharacterDataHandler = self._text.append
        elif name in _LISTS:
            if _LISTS[name] in owner:
                _unexpected()
            items: list[Any] = []
            owner[_LISTS[name]] = items
            self._open.append(items)
        else:
            # A name with a namespace prefix may be one of those above.
            if ":" in name:
                _unexpected()
            self._skipped = 1
            self._parser.StartElementHandler = self._skip
            self._parser.EndElementHandler = self._end_skipped

    def _end(self, name: str) -> None:
        self._open.pop()
        if name in _TEXTS:
            self._parser.CharacterDataHandler = None
            text = "".join(self._text)
            self._open[-1][_TEXTS[name]] = _number(text) if name in _NUMBERS else text

    def _skip(self, _name: str, _attributes: object) -> None:
        self._skipped += 1

    def _end_skipped(self, _name: str) -> None:
        self._skipped -= 1
        if not self._skipped:
            self._follow()


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        _unexpected()


def _unexpected(*_: object) -> NoReturn:
    raise _UnexpectedFormError
