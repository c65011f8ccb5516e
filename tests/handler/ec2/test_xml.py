"""The fast reading of DescribeSecurityGroups compared with boto3's."""

from typing import Any

import boto3
import pytest
from botocore.parsers import create_parser

from handler.ec2 import parse
from handler.ec2.xml import read_security_groups

PAGE = b"""<?xml version="1.0" encoding="UTF-8"?>
<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <securityGroupInfo>
        <item>
            <ownerId>123456789012</ownerId>
            <groupId>sg-1</groupId>
            <groupName>R&amp;D &lt;west&gt; \xc3\xa9t\xc3\xa9</groupName>
            <groupDescription>from <item>another</item> time</groupDescription>
            <vpcId>vpc-1</vpcId>
            <ipPermissions>
                <item>
                    <ipProtocol>tcp</ipProtocol>
                    <fromPort>22</fromPort>
                    <toPort>22</toPort>
                    <groups><item><userId>1</userId><groupId>sg-2</groupId></item></groups>
                    <ipRanges>
                        <item><cidrIp>0.0.0.0/0</cidrIp><description>all</description></item>
                        <item><cidrIp>198.51.100.0/24</cidrIp></item>
                    </ipRanges>
                    <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>
                    <prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds>
                </item>
                <item><ipProtocol>-1</ipProtocol><groups/><ipRanges/><ipv6Ranges/></item>
            </ipPermissions>
            <ipPermissionsEgress>
                <item><ipProtocol>-1</ipProtocol>
                    <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>
            </ipPermissionsEgress>
            <tagSet><item><key>groupId</key><value>sg-3</value></item></tagSet>
        </item>
        <item><groupId>sg-4</groupId><groupName></groupName><ipPermissions/></item>
    </securityGroupInfo>
    <nextToken>more</nextToken>
</DescribeSecurityGroupsResponse>"""
NOTHING = b"<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>"


def boto3s(body: bytes) -> dict[str, Any]:
    """What boto3 makes of an answer."""
    model = boto3.client("ec2", region_name="eu-west-1").meta.service_model
    shape = model.operation_model("DescribeSecurityGroups").output_shape
    return dict(
        create_parser("ec2").parse({"body": body, "status_code": 200, "headers": {}}, shape)
    )


def ours(body: bytes, status: int = 200) -> tuple[dict[str, Any], bytes]:
    """What the audit makes of it, and what it leaves to boto3."""
    response: dict[str, Any] = {"status_code": status, "body": body}
    read: dict[str, Any] = {}
    read_security_groups(response_dict=response, customized_response_dict=read)
    return read, response["body"]


@pytest.mark.parametrize("body", [PAGE, NOTHING], ids=["page", "nothing"])
def test_groups_are_those_that_boto3_reads(body: bytes) -> None:
    """Groups and the next page's token are equal to boto3's."""
    read, left = ours(body)
    groups = [parse.parse_security_group(group) for group in read["SecurityGroups"]]
    assert groups == [parse.parse_security_group(group) for group in boto3s(body)["SecurityGroups"]]
    assert read.get("NextToken") == boto3s(body).get("NextToken")
    assert left == b"<empty/>"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(PAGE[:900], 200, id="cut"),
        pytest.param(b"<Response><Errors/></Response>", 400, id="refusal"),
    ],
)
def test_broken_and_error_responses_are_left_to_boto3(body: bytes, status: int) -> None:
    """Nothing is read, and the body is unchanged."""
    assert ours(body, status) == ({}, body)


def test_a_port_that_is_not_a_number_is_an_error() -> None:
    """The body is left to boto3, which raises a ValueError."""
    with pytest.raises(ValueError, match="ssh"):
        boto3s(ours(PAGE.replace(b"<fromPort>22<", b"<fromPort>ssh<"))[1])


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        pytest.param(b"<groupId>sg-1<", b"<groupId>sg-0</groupId><groupId>sg-1<", id="two-texts"),
        pytest.param(
            b"<securityGroupInfo>",
            b"<securityGroupInfo><item/></securityGroupInfo><securityGroupInfo>",
            id="two-lists",
        ),
        pytest.param(
            b"<ipRanges>", b"<ipRanges><rule><cidrIp>::/0</cidrIp></rule>", id="no-item-in-a-list"
        ),
        pytest.param(b"<ipRanges>", b"<ipRanges><cidrIp>::/0</cidrIp>", id="text-in-a-list"),
        pytest.param(b"<cidrIp>0.", b"<cidrIp><item/>0.", id="element-in-a-text"),
        pytest.param(b"<vpcId>", b"<x:vpcId xmlns:x='urn:x'/><vpcId>", id="prefix"),
        pytest.param(b"<fromPort>22<", b"<fromPort>ssh<", id="no-number"),
        pytest.param(b"?>", b"?><!DOCTYPE r>", id="document-type"),
        pytest.param(b"DescribeSecurityGroupsResponse", b"Response", id="another-answer"),
    ],
)
def test_an_unusual_answer_is_left_to_boto3(usual: bytes, odd: bytes) -> None:
    """Elements where EC2 puts none leave the body to boto3, so that no rule is lost."""
    body = PAGE.replace(usual, odd)
    assert body != PAGE
    assert ours(body) == ({}, body)


def test_every_answer_is_read_as_utf_8() -> None:
    """The declared encoding is ignored, as boto3 ignores it."""
    body = PAGE.replace(b"UTF-8", b"ISO-8859-1")
    assert ours(body)[0] == ours(PAGE)[0]
    assert boto3s(body)["SecurityGroups"] == boto3s(PAGE)["SecurityGroups"]
