"""What the audit and what boto3 read of an answer of DescribeSecurityGroups."""

from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from handler.aws import small_session
from handler.ec2.parse import parse_security_group
from handler.ec2.region import Ec2Region
from handler.model.internet import Internets
from handler.model.network import UNKNOWN, PrivateGroup, Rule, SecurityGroup

_INTERNETS = Internets()
_REFUSALS = (ResponseParserError, BotoCoreError, ValueError, TypeError, AttributeError)
_LAST = b"<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>"
Essence = tuple[object, ...]


class _Body:
    """A body that comes at once."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> list[bytes]:
        return [self._body]


class Ec2:
    """A client of EC2 that is answered with one page and then with an empty one."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self.requests: list[object] = []
        config = Config(retries={"total_max_attempts": 1})
        self.client = small_session().create_client(
            "ec2",
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 -- no secret
            config=config,
        )
        self.client.meta.events.register("before-send.ec2", self._answer)

    def begin(self, body: bytes) -> None:
        """Answer the next request with this body."""
        self._bodies = [_LAST, body]
        self.requests = []

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        self.requests.append(request.body)
        body = self._bodies.pop() if self._bodies else _LAST
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(body))


def _essences(groups: Iterator[SecurityGroup | PrivateGroup]) -> object:
    """What the audit makes of an answer's groups, or that it is refused."""
    try:
        return list(map(_essence, groups))
    except _REFUSALS:
        return "refused"


def _essence(group: SecurityGroup | PrivateGroup) -> Essence:
    """What findings and counts are made of; a complaint quotes fields that only boto3 reads."""
    if isinstance(group, PrivateGroup):
        return ("private", group.rules)
    public = tuple(filter(_is_public, group.rules))
    number = len(group.rules) + group.private_rules
    if not public and not group.malformed and group.id != UNKNOWN:
        return ("private", number)
    malformed = tuple(rule._replace(reason="") for rule in group.malformed)
    portless = frozenset(filter(_is_public, group.portless))
    kept = group._replace(
        rules=public, malformed=malformed, portless=portless, private_rules=number
    )
    return (kept,)


def _is_public(rule: Rule) -> bool:
    if rule.is_prefix_list:
        return True
    _, (start, end) = _INTERNETS.locate(rule.source)
    return start < end


_OURS, _BOTO3S = Ec2(), Ec2()
_REGION = Ec2Region(_OURS.client)


def ours(body: bytes) -> tuple[object, object]:
    """What the audit reads, and the pages that it asks for."""
    _OURS.begin(body)
    return _essences(_REGION.security_groups()), _OURS.requests


def boto3s(body: bytes) -> tuple[object, object]:
    """What boto3 reads, and the pages that it asks for."""
    _BOTO3S.begin(body)
    return _essences(_read_by_boto3()), _BOTO3S.requests


def _read_by_boto3() -> Iterator[SecurityGroup | PrivateGroup]:
    paginator = _BOTO3S.client.get_paginator("describe_security_groups")
    for page in paginator.paginate(PaginationConfig={"PageSize": 500}):
        if "SecurityGroups" not in page:
            raise ValueError
        yield from map(parse_security_group, page["SecurityGroups"])
