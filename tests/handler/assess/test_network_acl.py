"""Whether a subnet's network ACL denies all of an opening.

SSH open to the world is critical on a public address; medium where the ACL proves that it is
denied.
"""

from typing import Any

import pytest

from tests.support.network import (
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    PUBLIC_TABLE,
    SSH,
    SSH_V6,
    WORLD,
    WORLD_V6,
    acl_entry,
    finding_on,
    interface,
    network_acl,
    snapshot,
    tcp,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
PUBLIC = interface(public=PUBLIC_IPV4, ipv6=PUBLIC_IPV6)
ALLOW = acl_entry(100, "allow")
DENY = acl_entry(32767, "deny")
DENY_V6 = acl_entry(32768, "deny", WORLD_V6)


def severity(*acls: Answer, group: Answer = SSH, **fields: Any) -> str:
    """The severity of the only finding on the public interface."""
    network = snapshot(PUBLIC, groups=(group,), NetworkAcls=list(acls), **fields)
    return finding_on(network).severity


def icmp(icmp_type: int, code: int, protocol: str = "1") -> Answer:
    """The fields of an ACL's entry for ICMP; -1 is every type or code."""
    return {"Protocol": protocol, "IcmpTypeCode": {"Type": icmp_type, "Code": code}}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([ALLOW, DENY], "critical", id="aws-default"),
        pytest.param([DENY], "medium", id="nothing-allowed"),
        pytest.param([acl_entry(1, "deny"), ALLOW, DENY], "medium", id="deny-before-allow"),
        pytest.param([ALLOW, acl_entry(101, "deny"), DENY], "critical", id="deny-after-allow"),
        pytest.param([DENY, ALLOW, acl_entry(1, "deny")], "medium", id="numbers-give-the-order"),
        pytest.param([], "critical", id="no-entry"),
        pytest.param([DENY | {"Egress": True}], "critical", id="outbound-only"),
        pytest.param([ALLOW | {"Egress": True}, DENY], "medium", id="only-outbound-allowed"),
        pytest.param([DENY_V6], "critical", id="other-family"),
        pytest.param([acl_entry(1, "deny", "0.0.0.0/1"), ALLOW], "critical", id="half-denied"),
        pytest.param([acl_entry(1, "deny", "0.0.0.0/1")], "critical", id="half-without-an-entry"),
        pytest.param(
            [acl_entry(1, "deny", "0.0.0.0/1"), acl_entry(2, "deny", "128.0.0.0/1")],
            "medium",
            id="denied-in-halves",
        ),
        pytest.param(
            [acl_entry(1, "allow", "52.9.9.9/32"), DENY], "critical", id="one-address-allowed"
        ),
        pytest.param(
            [acl_entry(1, "allow", "10.0.0.0/8"), DENY],
            "medium",
            id="private-addresses-allowed",
        ),
    ],
)
def test_entries(entries: list[Answer], expected: str) -> None:
    """The lowest number comes first and the first match decides; a partial denial is no proof."""
    assert severity(network_acl(*entries)) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(acl_entry(1, "deny", **tcp(22, 22)), "medium", id="the-port"),
        pytest.param(acl_entry(1, "deny", **tcp(0, 1023)), "medium", id="a-range-around-it"),
        pytest.param(acl_entry(1, "deny", **tcp(23, 65535)), "critical", id="above-it"),
        pytest.param(acl_entry(1, "deny", **tcp(0, 21)), "critical", id="below-it"),
        pytest.param(acl_entry(1, "deny", Protocol="6"), "medium", id="tcp-without-ports"),
        pytest.param(acl_entry(1, "deny", Protocol="17"), "critical", id="udp"),
        pytest.param(acl_entry(1, "deny", **icmp(-1, -1)), "critical", id="icmp"),
        pytest.param(
            acl_entry(1, "deny", Protocol="-1", PortRange={"From": 80, "To": 80}),
            "medium",
            id="ports-do-not-count-for-all-protocols",
        ),
    ],
)
def test_protocol_and_ports(entry: Answer, expected: str) -> None:
    """An entry matches by the protocol's number, -1 for all, and by ports for TCP and UDP."""
    assert severity(network_acl(entry, ALLOW, DENY)) == expected


@pytest.mark.parametrize(
    ("opening", "entries", "open_severity", "denied"),
    [
        pytest.param(
            permission("tcp", 20, 30, WORLD),
            [acl_entry(1, "deny", **tcp(20, 25)), acl_entry(2, "deny", **tcp(26, 30))],
            "critical",
            "medium",
            id="a-range-in-two-parts",
        ),
        pytest.param(
            permission("tcp", 20, 30, WORLD),
            [acl_entry(1, "deny", **tcp(20, 25)), acl_entry(2, "deny", **tcp(27, 30))],
            "critical",
            "critical",
            id="a-range-but-one-port",
        ),
        pytest.param(
            permission("-1", None, None, WORLD),
            [acl_entry(1, "deny", Protocol="6"), acl_entry(2, "deny", Protocol="17")],
            "critical",
            "critical",
            id="all-traffic-but-two-protocols",
        ),
        pytest.param(
            permission("-1", None, None, WORLD),
            [acl_entry(1, "deny")],
            "critical",
            "medium",
            id="all-traffic",
        ),
        pytest.param(
            permission("udp", 161, 161, WORLD),
            [acl_entry(1, "deny", Protocol="17", PortRange={"From": 161, "To": 161})],
            "critical",
            "medium",
            id="udp-by-two-steps",
        ),
        pytest.param(
            permission("47", None, None, WORLD),
            [acl_entry(1, "deny", Protocol="47")],
            "high",
            "low",
            id="gre",
        ),
        pytest.param(
            permission("icmp", 5, -1, WORLD),
            [acl_entry(1, "deny", **icmp(5, -1))],
            "medium",
            "info",
            id="icmp-type",
        ),
        pytest.param(
            permission("icmp", 5, -1, WORLD),
            [acl_entry(1, "deny", **icmp(5, 0))],
            "medium",
            "medium",
            id="icmp-type-but-one-code-only",
        ),
        pytest.param(
            permission("icmp", 5, 0, WORLD),
            [acl_entry(1, "allow", **icmp(5, 1)), acl_entry(2, "deny", **icmp(5, -1))],
            "medium",
            "info",
            id="icmp-code-but-another-one-is-allowed",
        ),
        pytest.param(
            permission("icmp", -1, -1, WORLD),
            [acl_entry(1, "deny", **icmp(5, -1))],
            "medium",
            "medium",
            id="all-icmp-but-one-type-only",
        ),
        pytest.param(
            permission("tcp", 22, 22, "52.0.0.0/8"),
            [acl_entry(1, "deny", "52.0.0.0/8")],
            "high",
            "low",
            id="only-what-is-let-in",
        ),
        pytest.param(
            permission("tcp", 22, 22, "52.0.0.0/8"),
            [acl_entry(1, "deny", "52.0.0.0/9")],
            "high",
            "high",
            id="half-of-what-is-let-in",
        ),
    ],
)
def test_openings(opening: Answer, entries: list[Answer], open_severity: str, denied: str) -> None:
    """All of an opening must be denied: its protocol, ports or types, and addresses."""
    group = answer(opening)
    assert severity(network_acl(ALLOW), group=group) == open_severity
    assert severity(network_acl(*entries, ALLOW), group=group) == denied


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([DENY_V6], "medium", id="ipv6"),
        pytest.param([DENY], "critical", id="ipv4-only"),
        pytest.param([acl_entry(1, "allow", WORLD_V6), DENY_V6], "critical", id="ipv6-allowed"),
        pytest.param([ALLOW, DENY_V6], "medium", id="only-ipv4-allowed"),
    ],
)
def test_ipv6(entries: list[Answer], expected: str) -> None:
    """Entries count for their own family."""
    assert severity(network_acl(*entries), group=SSH_V6) == expected


@pytest.mark.parametrize(
    ("acls", "expected"),
    [
        pytest.param([network_acl(DENY)], "medium", id="its-subnets"),
        pytest.param([network_acl(DENY, subnets=("subnet-2",))], "critical", id="anothers"),
        pytest.param([network_acl(DENY), network_acl(ALLOW)], "critical", id="two"),
        pytest.param([{"NetworkAclId": "acl-1"}], "critical", id="not-in-ec2s-form"),
        pytest.param(
            [network_acl(DENY | {"RuleAction": "?"})], "critical", id="an-action-nobody-knows"
        ),
    ],
)
def test_acl_of_the_subnet(acls: list[Answer], expected: str) -> None:
    """The ACL associated with the subnet counts; what cannot be read proves nothing."""
    assert severity(*acls) == expected


def test_why_names_the_acl() -> None:
    """The sentence names the ACL that denies the traffic, also where a route would prove more."""
    network = snapshot(PUBLIC, NetworkAcls=[network_acl(DENY)], RouteTables=[PUBLIC_TABLE])
    finding = finding_on(network)
    assert finding.attachment == "internal"
    assert "network ACL" in finding.why
    assert "acl-1" in finding.why


def test_many_sources() -> None:
    """More sources than are worth an exact answer are denied only together with all between."""
    sources = [f"52.{number}.0.0/16" for number in range(0, 200, 2)]
    group = answer(permission("tcp", 22, 22, *sources))
    denials = [acl_entry(number + 1, "deny", cidr) for number, cidr in enumerate(sources)]
    assert severity(network_acl(DENY), group=group) == "low"
    assert severity(network_acl(*denials, acl_entry(900, "allow")), group=group) == "high"
