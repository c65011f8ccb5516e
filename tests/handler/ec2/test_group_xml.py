"""The fast reading of DescribeSecurityGroups: which groups are counted, and what boto3 reads."""

from typing import Any

import pytest

from handler.ec2.group_xml import GROUPS, read_security_groups
from handler.model.internet import Internets
from handler.model.network import PrivateGroup
from tests.support.xml_groups import boto3s, ours

PAGE = b"""<?xml version="1.0" encoding="UTF-8"?>
<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
    <securityGroupInfo>
        <item>
            <ownerId>123456789012</ownerId>
            <groupId>sg-1</groupId>
            <groupName>R&amp;D &lt;west&gt; \xc3\xa9t\xc3\xa9</groupName>
            <groupDescription>from time to time</groupDescription>
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
START = b"<DescribeSecurityGroupsResponse><securityGroupInfo>"
END = b"</securityGroupInfo></DescribeSecurityGroupsResponse>"


def read(body: bytes, status: int = 200) -> tuple[list[Any] | None, bytes]:
    """The groups in their order, None where boto3 reads them; and what is left to boto3."""
    response: dict[str, Any] = {"status_code": status, "body": body}
    answer: dict[str, Any] = {}
    read_security_groups(response_dict=response, customized_response_dict=answer)
    return answer.get(GROUPS), response["body"]


def group(*permissions: str, outbound: str = "") -> bytes:
    """A group with these permissions, as EC2 writes it."""
    inbound = "".join(f"<item>{permission}</item>" for permission in permissions)
    return (
        "<item><ownerId>1</ownerId><groupId>sg-1</groupId><groupName>web</groupName>"
        f"<ipPermissions>{inbound}</ipPermissions><ipPermissionsEgress>{outbound}"
        "</ipPermissionsEgress><tagSet/></item>"
    ).encode()


def permission(*cidrs: str, protocol: str = "tcp", low: str = "22", high: str = "22") -> str:
    """What lets these CIDRs in."""
    ipv4 = "".join(f"<item><cidrIp>{c}</cidrIp></item>" for c in cidrs if ":" not in c)
    ipv6 = "".join(f"<item><cidrIpv6>{c}</cidrIpv6></item>" for c in cidrs if ":" in c)
    return (
        f"<ipProtocol>{protocol}</ipProtocol><fromPort>{low}</fromPort><toPort>{high}</toPort>"
        f"<groups/><ipRanges>{ipv4}</ipRanges><ipv6Ranges>{ipv6}</ipv6Ranges><prefixListIds/>"
    )


@pytest.mark.parametrize("body", [PAGE, NOTHING], ids=["page", "nothing"])
def test_groups_are_those_that_boto3_reads(body: bytes) -> None:
    """The groups are equal to boto3's, in their order, and boto3 reads none of them."""
    assert ours(body) == boto3s(body)
    groups, _ = read(body)
    assert groups is None or None not in groups


def test_private_groups_are_counted() -> None:
    """A group that only private addresses reach is a number of rules, and nothing is left of it."""
    inside = permission("10.0.0.0/8", "172.31.255.255/32", "192.168.1.0/24", "fd00::/8")
    body = START + group(inside, permission("100.64.0.0/10", high="8100")) + END
    assert read(body) == ([PrivateGroup(5)], START + END)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(permission("11.0.0.0/8"), id="public"),
        pytest.param(permission("10.0.0.0/7"), id="private-and-public"),
        pytest.param(permission("10.0.0.256/32"), id="no-octet"),
        pytest.param(permission("10.0.0.0/33"), id="no-length"),
        pytest.param(permission("010.0.0.0/8"), id="leading-zero"),
        pytest.param(permission("fd00::1::/64"), id="no-address"),
        pytest.param(permission("fc00::/6"), id="wider-than-unique-local"),
        pytest.param(permission("10.0.0.0/8", low="22", high="21"), id="ports-out-of-order"),
        pytest.param(permission("10.0.0.0/8", high="65536"), id="no-port"),
        pytest.param(permission("10.0.0.0/8", protocol="256"), id="no-protocol"),
        pytest.param(
            permission().replace(
                "<prefixListIds/>",
                "<prefixListIds><item><prefixListId>10.0.0.0/8</prefixListId></item></prefixListIds>",
            ),
            id="cidr-as-prefix-list",
        ),
    ],
)
def test_other_groups_are_described(odd: str) -> None:
    """One public or malformed rule is enough; the private ones beside it are counted."""
    body = START + group(permission("10.1.0.0/16"), odd) + END
    (described,), left = read(body)  # type: ignore[misc]
    assert (described["GroupId"], described["PrivateRules"]) == ("sg-1", 1)
    assert left == START + END
    assert ours(body) == boto3s(body)


def test_every_private_cidr_is_no_part_of_the_internet() -> None:
    """At both ends of each private range, with the shortest prefix that is still private."""
    ends = ["10.0.0.0/8", "10.255.255.255/8", "172.16.0.0/12", "172.31.255.255/12"]
    ends += ["192.168.0.0/16", "192.168.255.255/16", "100.64.0.0/10", "100.127.255.255/10"]
    ends += ["fc00::/7", "fdff:ffff:ffff::/7"]
    assert [read(START + group(permission(c)) + END)[0] for c in ends] == [[PrivateGroup(1)]] * 10
    internets = Internets()
    assert all(low == high for _, (low, high) in map(internets.locate, ends))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(PAGE[:900], 200, id="cut"),
        pytest.param(b"<Response><Errors/></Response>", 400, id="refusal"),
        pytest.param(PAGE.replace(b"?>", b"?><!DOCTYPE r>"), 200, id="document-type"),
        pytest.param(PAGE.replace(b"<item>", b"<item x='1'>"), 200, id="attributes"),
        pytest.param(PAGE.replace(b"<tagSet>", b"<!-- --><tagSet>"), 200, id="comment"),
        pytest.param(PAGE.replace(b"<cidrIp>0.", b"<cidrIp><item></item>0."), 200, id="deep"),
        pytest.param(PAGE.replace(b"securityGroupInfo", b"info"), 200, id="another-answer"),
    ],
)
def test_an_answer_of_another_form_is_left_to_boto3(body: bytes, status: int) -> None:
    """Nothing is read, and the body is unchanged."""
    assert read(body, status) == (None, body)


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        pytest.param(b"<groupId>sg-1<", b"<groupId>sg-0</groupId><groupId>sg-1<", id="two-texts"),
        pytest.param(b"<ipRanges>", b"<ipRanges><rule><cidrIp>::/0</cidrIp></rule>", id="no-item"),
        pytest.param(b"from time", b"from <item>another</item> time", id="element-in-a-text"),
        pytest.param(b"<vpcId>", b"<x:vpcId xmlns:x='urn:x'/><vpcId>", id="prefix"),
        pytest.param(b"<fromPort>22<", b"<fromPort>ssh<", id="no-number"),
        pytest.param(b"<ipPermissions>", b"<ipPermissions/><ipPermissions>", id="two-lists"),
        pytest.param(b"<groups>", b"<groups><item><cidrIp>::/0</cidrIp></item>", id="in-groups"),
        pytest.param(b"R&amp;D", b"R&#38;D", id="entity"),
        pytest.param(b"\xc3\xa9", b"\xc3", id="no-utf-8"),
        pytest.param(b"<ipPermissionsEgress>", b"<ipPermissionsEgress>\f", id="white-space"),
    ],
)
def test_an_unusual_group_is_left_to_boto3(usual: bytes, odd: bytes) -> None:
    """The group stays in the answer, and the next one is read."""
    body = PAGE.replace(usual, odd, 1)
    groups, left = read(body)
    assert groups is not None
    assert (groups[0], groups[1]) == (None, PrivateGroup(0))
    assert odd in left
    assert b"sg-4" not in left
    assert ours(body) == boto3s(body)


def test_an_odd_number_in_an_outbound_rule_is_refused() -> None:
    """boto3 refuses the answer, although the audit needs no outbound rule."""
    body = START + group(outbound="<item><fromPort>--1</fromPort></item>") + END
    assert ours(body) == boto3s(body)
    assert ours(body)[0] == "refused"
