"""Every answer of EC2 is parsed as boto3 parses it, or left to boto3."""

import os
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
import pytest
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError, create_parser

from handler.aws import small_session
from handler.ec2.response_xml import parse_response
from tools.service_models import OPERATIONS

_REFUSALS = (ResponseParserError, ValueError, TypeError, AttributeError)
_TEXTS = {
    "string": ("sg-1", "R&D <west>", "", " \n", "0.0.0.0/0", "\N{SNOWMAN}"),
    "integer": ("22", "-1", " 8 ", "65535", *["0"] * 40, "ssh"),
    "boolean": ("true", "false", "TRUE", ""),
    "timestamp": ("2026-11-26T00:00:00Z",),
}


def models() -> tuple[ServiceModel, ServiceModel]:
    """EC2's cut and whole model."""
    small, whole = (
        session.get_service_model("ec2")
        for session in (small_session(), botocore.session.get_session())
    )
    return small, whole


SMALL, WHOLE = models()


def written(shape: Any, chance: Random, *, is_odd: bool) -> str:
    """The content of an element of that shape; an odd one has elements twice, and others."""
    if shape.type_name == "list":
        items = (written(shape.member, chance, is_odd=is_odd) for _ in range(chance.randrange(4)))
        return "\n".join(f"<item>{item}</item>" for item in items)
    if shape.type_name != "structure":
        return escape(chance.choice(_TEXTS.get(shape.type_name, _TEXTS["string"])))
    names = [name for name in shape.members if chance.random() < 0.8]
    chance.shuffle(names)
    names += chance.sample(names, min(len(names), 1)) if is_odd and chance.random() < 0.1 else []
    content = ""
    for name in names:
        member = shape.members[name]
        element = member.serialization.get("name", name)
        inner = written(member, chance, is_odd=is_odd)
        odd = is_odd and chance.random() < 0.1
        prefix = chance.choice(("", "x:")) if odd else ""
        attribute = chance.choice((" a='1'", " xmlns='urn:y'")) if odd else ""
        inner += chance.choice(("<!-- -->", "<![CDATA[x]]>", "<stray/>")) if odd else ""
        content += f"<{prefix}{element}{attribute}>{inner}</{prefix}{element}>\n"
    return content


def boto3s(body: bytes, shape: Any) -> object:
    """What boto3 makes of an answer."""
    response = {"body": body, "status_code": 200, "headers": {}}
    try:
        parsed = create_parser("ec2").parse(response, shape)
    except _REFUSALS:
        return "refused"
    del parsed["ResponseMetadata"]
    return parsed


@pytest.mark.parametrize("operation", OPERATIONS["ec2"])
@pytest.mark.parametrize("is_odd", [False, True], ids=["usual", "odd"])
def test_answers_are_parsed_as_boto3_parses_them(operation: str, *, is_odd: bool) -> None:
    """Answers with all members of EC2's model or some, and in odd ones what EC2 never sends."""
    model = SMALL.operation_model(operation)
    shape = WHOLE.operation_model(operation).output_shape
    chance = Random(operation)  # noqa: S311 -- no secret
    number, taken = 200 if os.environ.get("CI") else 20, 0
    for _ in range(number):
        content = written(shape, chance, is_odd=is_odd)
        root = f"<{operation}Response xmlns='urn:ec2' xmlns:x='urn:x'>{content}"
        body = f"{root}</{operation}Response>".encode()
        if is_odd and chance.random() < 0.1:
            body = body[: chance.randrange(len(body))]
        response: dict[str, Any] = {"status_code": 200, "body": body}
        parsed: dict[str, Any] = {}
        parse_response(response, parsed, model)
        if response["body"] != body:
            taken += 1
            assert parsed == boto3s(body, model.output_shape)
    assert taken > number / 3


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(400, b"<Response/>", id="error"),
        pytest.param(200, b"<R><requestId/><requestId/></R>", id="two-request-ids"),
    ],
)
def test_an_answer_of_another_form_is_left_to_boto3(status: int, body: bytes) -> None:
    """An error is not parsed, and neither is what boto3 refuses."""
    response: dict[str, Any] = {"status_code": status, "body": body}
    parsed: dict[str, Any] = {}
    parse_response(response, parsed, SMALL.operation_model("DescribeRegions"))
    assert (response["body"], parsed) == (body, {})


def test_a_namespace_that_boto3_does_not_know() -> None:
    """boto3 ends a namespace at the line, and takes what follows for the element's name."""
    body = b"<R><regionInfo xmlns='a&#10;b'><item/></regionInfo></R>"
    response: dict[str, Any] = {"status_code": 200, "body": body}
    parsed: dict[str, Any] = {}
    parse_response(response, parsed, SMALL.operation_model("DescribeRegions"))
    assert parsed == {}


@pytest.mark.parametrize("first", [SMALL, WHOLE], ids=["cut", "whole"])
def test_each_model_has_its_own_members(first: ServiceModel) -> None:
    """An answer has the members of the client's model, whichever model was used before."""
    body = (
        b"<DescribeSecurityGroupRulesResponse><securityGroupRuleSet><item><groupId>sg-1</groupId>"
        b"<groupOwnerId>1</groupOwnerId></item></securityGroupRuleSet>"
        b"</DescribeSecurityGroupRulesResponse>"
    )
    expected = {"GroupId": "sg-1"}, {"GroupId": "sg-1", "GroupOwnerId": "1"}
    for model, rule in sorted(
        zip((SMALL, WHOLE), expected, strict=True), key=lambda p: p[0] is not first
    ):
        parsed: dict[str, Any] = {}
        operation = model.operation_model("DescribeSecurityGroupRules")
        parse_response({"status_code": 200, "body": body}, parsed, operation)
        assert parsed == {"SecurityGroupRules": [rule]}
