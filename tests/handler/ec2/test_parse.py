"""What EC2's answers mean, and that nonsense is never taken for nothing."""

from typing import Any

import pytest

from handler.ec2.parse import parse_prefix_list, parse_rule_ids, parse_security_group
from handler.model.network import Rule
from handler.model.traffic import Traffic
from tests.support.security_groups import answer, group, permission

WORLD = "0.0.0.0/0"


@pytest.mark.parametrize(
    ("given", "traffic"),
    [
        pytest.param(("tcp", 22, 22), Traffic("tcp", 22, 22), id="name"),
        pytest.param(("TCP", 22, 22), Traffic("tcp", 22, 22), id="upper-case"),
        pytest.param(("6", 22, 22), Traffic("tcp", 22, 22), id="tcp-number"),
        pytest.param(("17", 53, 53), Traffic("udp", 53, 53), id="udp-number"),
        pytest.param(("1", 8, -1), Traffic("icmp", icmp_type=8), id="icmp-number"),
        pytest.param(("58", None, None), Traffic("icmpv6"), id="icmpv6-number"),
        pytest.param(("006", 22, 22), Traffic("tcp", 22, 22), id="leading-zeros"),
        pytest.param(("-1", None, None), Traffic("all"), id="all"),
        pytest.param(("-1", -1, -1), Traffic("all"), id="all-as-rules-say-it"),
        pytest.param(("-1", 0, 0), Traffic("all"), id="all-as-templates-say-it"),
        pytest.param(("all", None, None), Traffic("all"), id="all-by-name"),
        pytest.param(("tcp", None, None), Traffic("tcp", 0, 65535), id="tcp-without-ports"),
        pytest.param(("udp", -1, -1), Traffic("udp", 0, 65535), id="udp-minus-one"),
        pytest.param(("tcp", 0, 0), Traffic("tcp", 0, 0), id="port-zero"),
        pytest.param(("tcp", 0, 65535), Traffic("tcp", 0, 65535), id="every-port"),
        pytest.param(("icmp", -1, -1), Traffic("icmp"), id="icmp-all"),
        pytest.param(("icmp", 9, -1), Traffic("icmp", icmp_type=9), id="icmp-any-code"),
        pytest.param(
            ("icmp", 20, 25), Traffic("icmp", icmp_type=20, icmp_code=25), id="icmp-is-no-port"
        ),
        pytest.param(("50", 0, 65535), Traffic("50"), id="numbers-have-no-ports"),
        pytest.param(("255", None, None), Traffic("255"), id="last-protocol"),
    ],
)
def test_traffic_has_one_form(given: tuple[str, int | None, int | None], traffic: Traffic) -> None:
    """Every way to write the same traffic becomes the same traffic."""
    assert [each.traffic for each in group(permission(*given, WORLD)).rules] == [traffic]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(
            ("tcp", 30, 20), "tcp ports must be 0 to 65535 in order, got 30 to 20.", id="reversed"
        ),
        pytest.param(
            ("tcp", 22, 65536),
            "tcp ports must be 0 to 65535 in order, got 22 to 65536.",
            id="beyond-the-last",
        ),
        pytest.param(
            ("udp", -2, 22), "udp ports must be 0 to 65535 in order, got -2 to 22.", id="negative"
        ),
        pytest.param(
            ("tcp", 22, -1), "tcp ports must be 0 to 65535 in order, got 22 to -1.", id="half"
        ),
        pytest.param(
            ("tcp", "22", 22), "FromPort must be a whole number, got '22'.", id="text-port"
        ),
        pytest.param(
            ("tcp", True, 22), "FromPort must be a whole number, got true.", id="boolean-port"
        ),
        pytest.param(
            ("icmp", 256, -1),
            "icmp type and code must be 0 to 255, and a code needs a type, "
            "got type 256 and code -1.",
            id="type",
        ),
        pytest.param(
            ("icmp", -1, 4),
            "icmp type and code must be 0 to 255, and a code needs a type, got type -1 and code 4.",
            id="code-of-every-type",
        ),
        pytest.param(
            ("256", None, None), "a protocol must be a name or 0 to 255, got '256'.", id="256"
        ),
        pytest.param(
            ("sctp!", None, None), "a protocol must be a name or 0 to 255, got 'sctp!'.", id="sctp"
        ),
        pytest.param(
            (None, None, None), "a protocol must be a name or 0 to 255, got null.", id="missing"
        ),
    ],
)
def test_nonsense_is_malformed(given: tuple[Any, Any, Any], reason: str) -> None:
    """Traffic that makes no sense is reported with its sources and what is wrong with it."""
    read = group(permission(*given, WORLD))
    assert read.rules == ()
    assert [each.reason for each in read.malformed] == [reason]
    assert read.malformed[0].sources == (WORLD,)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param(
            {"IpRanges": [{"CidrIp": "0.0.0.0/40"}]},
            "'0.0.0.0/40' is not a CIDR, for example 192.0.2.0/24 or 2001:db8::/32.",
            id="cidr",
        ),
        pytest.param(
            {"IpRanges": [{"CidrIp": None}]},
            "a source must have a CidrIp, got {'CidrIp': null}.",
            id="null-cidr",
        ),
        pytest.param({"IpRanges": "x"}, "IpRanges must be a list, got 'x'.", id="no-list"),
        pytest.param({"Ipv6Ranges": [1]}, "Ipv6Ranges must hold objects, got 1.", id="no-object"),
        pytest.param(
            {"PrefixListIds": [{}]}, "a source must have a PrefixListId, got {}.", id="no-list-id"
        ),
        pytest.param(
            {"PrefixListIds": [{"PrefixListId": "0.0.0.0/0"}]},
            "a prefix list's id must begin with pl-, got '0.0.0.0/0'.",
            id="odd-list-id",
        ),
    ],
)
def test_a_malformed_source_leaves_the_others(changed: dict[str, Any], reason: str) -> None:
    """One source that makes no sense is reported, and the rest of the group is read."""
    read = group(permission("tcp", 22, 22) | changed, permission("tcp", 80, 80, WORLD))
    assert [each.reason for each in read.malformed] == [reason]
    assert [each.source for each in read.rules] == [WORLD]


def test_permissions_that_are_no_list_are_malformed() -> None:
    """A group whose permissions cannot be read is not a group without permissions."""
    read = parse_security_group({"GroupId": "sg-1", "IpPermissions": {"IpProtocol": "-1"}})
    assert "IpPermissions must be a list" in read.malformed[0].reason


def test_group_references_are_no_sources() -> None:
    """Another group, even a deleted one without owner and name, is not the internet."""
    reference = {"GroupId": "sg-gone", "PeeringStatus": "deleted"}
    read = group(permission("-1", None, None) | {"UserIdGroupPairs": [reference]})
    assert (read.rules, read.malformed) == ((), ())


@pytest.mark.parametrize("value", [None, [], "sg-1", {}, {"GroupId": None}, {"GroupId": 7}])
def test_a_group_without_an_id_is_malformed(value: object) -> None:
    """What is no group is reported, not left out."""
    read = parse_security_group(value)
    assert read.id == "unknown"
    assert read.malformed[0].reason.startswith("a security group must have a GroupId, got ")


def test_a_group_without_an_id_has_its_rules() -> None:
    """What can be read of a group without an id is read."""
    read = parse_security_group({"IpPermissions": [permission("tcp", 22, 22, WORLD)]})
    assert [(each.group_id, each.source) for each in read.rules] == [("unknown", WORLD)]


def test_bare_groups_are_groups() -> None:
    """A group with nothing but an id is one without rules."""
    read = parse_security_group({"GroupId": "sg-1"})
    assert (read.name, read.vpc_id, read.rules) == ("", None, ())


def test_texts_are_cut_and_encodable() -> None:
    """No text of the account can break a report: half a character and endless names included."""
    read = parse_security_group(answer(name="\ud800" + "x" * 100_000))
    assert read.name == "?" + "x" * 254


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": WORLD},
            Rule("sg-1", Traffic("tcp", 22, 22), WORLD),
            id="ipv4",
        ),
        pytest.param(
            {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv6": "::/0"},
            Rule("sg-1", Traffic("all"), "::/0"),
            id="all-ipv6",
        ),
        pytest.param(
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "PrefixListId": "pl-1"},
            Rule("sg-1", Traffic("tcp", 1, 2), "pl-1"),
            id="list",
        ),
        pytest.param(
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "ReferencedGroupInfo": {}},
            None,
            id="reference",
        ),
    ],
)
def test_rules_match_permissions(fields: dict[str, Any], expected: Rule | None) -> None:
    """An entry of DescribeSecurityGroupRules is the rule that the permission gave."""
    entry = {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", **fields}
    assert dict(parse_rule_ids([entry])) == ({} if expected is None else {expected: "sgr-1"})


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([{"Cidr": "any"}], "'any' is not a CIDR, for example 192.0.2.0/24 or 2001:db8::/32."),
        ([{}], "a prefix list's entry must have a Cidr, got {}."),
        (["0.0.0.0/0"], "a prefix list's entry must have a Cidr, got '0.0.0.0/0'."),
    ],
)
def test_a_list_with_nonsense_cannot_be_read(entries: list[object], error: str) -> None:
    """One entry that makes no sense makes the list unreadable, not shorter."""
    description = {"OwnerId": "123456789012"}
    prefix_list = parse_prefix_list("pl-1", description, [{"Cidr": WORLD}, *entries])
    assert prefix_list.error == error
