"""The assessment of a snapshot: what is open to how many, and what peers say about the same."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from handler.model.finding import Severity
from tests.support.network import (
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    PUBLIC_TABLE,
    WORLD,
    WORLD_V6,
    finding_on,
    interface,
    route_table,
    snapshot,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
PUBLIC = interface(public=PUBLIC_IPV4, ipv6=PUBLIC_IPV6)
# Exactly half of the 3,702,258,432 routable IPv4 addresses.
HALF = (
    "16.0.0.0/5",
    "24.0.0.0/6",
    "28.0.0.0/7",
    "30.0.0.0/10",
    "30.64.0.0/12",
    "30.80.0.0/14",
    "30.84.0.0/16",
    "30.85.0.0/17",
    "30.85.128.0/18",
    "30.85.192.0/19",
    "30.85.224.0/20",
    "30.85.240.0/21",
    "30.85.248.0/22",
    "30.85.252.0/24",
    "30.85.253.0/25",
    "32.0.0.0/3",
    "64.0.0.0/3",
    "128.0.0.0/3",
)


def all_but(block: str, excluded: str) -> list[str]:
    """The CIDRs of a block without some of its addresses."""
    return [str(part) for part in IPv4Network(block).address_exclude(IPv4Network(excluded))]


@pytest.mark.parametrize(
    ("opened", "severity", "name"),
    [
        pytest.param(("tcp", 443, 443), "low", "HTTPS", id="https"),
        pytest.param(("udp", 443, 443), "low", "HTTPS", id="http-3"),
        pytest.param(("udp", 443, 444), "high", "HTTPS", id="http-3-and-another-port"),
        pytest.param(("udp", 444, 444), "high", "udp/444", id="udp-port-without-a-name"),
        pytest.param(("udp", 500, 500), "low", "IPsec", id="ipsec-ike"),
        pytest.param(("udp", 4500, 4500), "low", "IPsec", id="ipsec-nat-traversal"),
        pytest.param(("50", None, None), "low", "IPsec ESP", id="ipsec-esp"),
        pytest.param(("51", None, None), "low", "IPsec AH", id="ipsec-ah"),
        pytest.param(("udp", 1194, 1194), "low", "OpenVPN", id="openvpn"),
        pytest.param(("udp", 51820, 51820), "low", "WireGuard", id="wireguard"),
        pytest.param(("udp", 501, 501), "high", "", id="next-to-ipsec"),
        pytest.param(("tcp", 500, 500), "high", "", id="ipsec-port-over-tcp"),
        pytest.param(("tcp", 1194, 1194), "high", "", id="openvpn-port-over-tcp"),
        pytest.param(("udp", 1701, 1701), "high", "", id="l2tp"),
        pytest.param(("tcp", 1723, 1723), "high", "", id="pptp"),
        pytest.param(("4", None, None), "high", "IP in IP", id="ip-in-ip"),
        pytest.param(("41", None, None), "high", "IPv6 in IPv4", id="ipv6-in-ipv4"),
        pytest.param(("47", None, None), "high", "GRE", id="gre"),
        pytest.param(("132", None, None), "high", "SCTP", id="sctp"),
        pytest.param(("88", None, None), "high", "", id="eigrp"),
        pytest.param(("tcp", 7505, 7505), "high", "", id="openvpn-management"),
        pytest.param(("udp", 33434, 33534), "info", "raceroute", id="traceroute"),
        pytest.param(("udp", 33500, 33500), "info", "raceroute", id="within-traceroute"),
        pytest.param(("udp", 33434, 33535), "high", "", id="traceroute-and-another-port"),
        pytest.param(("udp", 33433, 33433), "high", "", id="next-to-traceroute"),
        pytest.param(("tcp", 33434, 33534), "high", "", id="traceroute-ports-over-tcp"),
        pytest.param(("icmp", 8, -1), "info", "cho request", id="echo-request"),
        pytest.param(("icmp", 3, 4), "info", "ragmentation needed", id="fragmentation"),
        pytest.param(("icmp", 3, -1), "info", "nreachable", id="unreachable"),
        pytest.param(("icmp", 3, 1), "info", "nreachable", id="host-unreachable"),
        pytest.param(("icmp", 11, -1), "info", "ime exceeded", id="time-exceeded"),
        pytest.param(("icmp", 5, -1), "medium", "", id="redirect"),
        pytest.param(("icmp", 12, -1), "medium", "", id="icmp-of-no-row"),
        pytest.param(("icmp", -1, -1), "medium", "", id="all-icmp"),
        pytest.param(("tcp", 30000, 32767), "high", "Kubernetes NodePorts", id="node-ports"),
        pytest.param(("udp", 30000, 32767), "high", "Kubernetes NodePorts", id="udp-node-ports"),
        pytest.param(("tcp", 31000, 31100), "high", "Kubernetes NodePorts", id="some-node-ports"),
        pytest.param(("tcp", 30013, 30013), "critical", "SAP HANA", id="named-port-within"),
        pytest.param(("tcp", 22, 22), "critical", "SSH", id="ssh"),
        pytest.param(("tcp", 20, 23), "critical", "SSH", id="narrow-range"),
        pytest.param(("-1", None, None), "critical", "ll traffic", id="all-traffic"),
    ],
)
def test_what_is_open(opened: tuple[str, int | None, int | None], severity: str, name: str) -> None:
    """The worst service on the ports decides, and is named."""
    finding = finding_on(snapshot(PUBLIC, groups=(answer(permission(*opened, WORLD)),)))
    assert finding.severity == severity
    assert name in finding.why


@pytest.mark.parametrize(
    ("icmp_type", "severity"),
    [
        *(
            pytest.param(number, "info", id=name)
            for number, name in {
                1: "unreachable",
                2: "too-big",
                3: "time-exceeded",
                128: "echo-request",
                129: "echo-reply",
                134: "router-advertisement",
                135: "neighbor-solicitation",
                136: "neighbor-advertisement",
            }.items()
        ),
        pytest.param(133, "medium", id="router-solicitation"),
        pytest.param(137, "medium", id="redirect"),
        pytest.param(-1, "medium", id="all"),
    ],
)
def test_icmpv6(icmp_type: int, severity: str) -> None:
    """What IPv6 needs and what diagnoses is info."""
    opened = permission("icmpv6", icmp_type, -1, WORLD_V6)
    assert finding_on(snapshot(PUBLIC, groups=(answer(opened),))).severity == severity


@pytest.mark.parametrize(
    ("low", "high", "phrases"),
    [
        pytest.param(0, 65535, ("SSH", "RDP", "65,536 ports"), id="every-port"),
        pytest.param(0, 1023, ("SSH", "1,024 ports"), id="well-known-ports"),
        pytest.param(1024, 65535, ("RDP", "64,512 ports"), id="all-others"),
    ],
)
def test_wide_ranges(low: int, high: int, phrases: tuple[str, ...]) -> None:
    """A range that contains many services names the worst two or three and how many ports."""
    opened = permission("tcp", low, high, WORLD)
    finding = finding_on(snapshot(PUBLIC, groups=(answer(opened),)))
    assert finding.severity == "critical"
    assert all(phrase in finding.why for phrase in phrases)


@pytest.mark.parametrize(
    ("sources", "severity", "reach"),
    [
        pytest.param([WORLD], "critical", "world", id="world"),
        pytest.param(all_but(WORLD, "52.0.0.7/32"), "critical", "wide", id="all-but-one-address"),
        pytest.param(all_but(WORLD, "10.0.0.0/8"), "critical", "world", id="all-but-private"),
        pytest.param(HALF, "critical", "wide", id="half"),
        pytest.param(HALF[:14] + HALF[15:], "high", "wide", id="just-under-half"),
        pytest.param(["128.0.0.0/1"], "high", "wide", id="44-percent"),
        pytest.param(["52.0.0.0/8"], "high", "wide", id="slash-8"),
        pytest.param(["52.1.0.0/16"], "high", "wide", id="slash-16"),
        pytest.param(["52.0.0.0/13"], "high", "wide", id="524288-addresses"),
        pytest.param(
            [f"52.{number}.0.0/16" for number in range(0, 30, 2)], "high", "wide", id="15-slash-16"
        ),
        pytest.param(
            all_but("52.1.0.0/16", "52.1.0.7/32"), "medium", "public", id="65535-addresses"
        ),
        pytest.param(["52.1.0.0/20"], "medium", "public", id="slash-20"),
        pytest.param(["52.1.0.0/24", "52.2.0.0/32"], "medium", "public", id="257-addresses"),
        pytest.param(["52.1.0.0/24"], "info", "public", id="slash-24"),
        pytest.param(["52.1.0.7/32"], "info", "public", id="one-address"),
        pytest.param(["10.0.0.0/8", "52.1.0.0/24"], "info", "public", id="private-do-not-count"),
        pytest.param([WORLD_V6], "critical", "world", id="ipv6-world"),
        pytest.param(["2600::/12"], "critical", "wide", id="ipv6-slash-12"),
        pytest.param(["2600::/13"], "high", "wide", id="ipv6-slash-13"),
        pytest.param(["2600::/32"], "high", "wide", id="ipv6-slash-32"),
        pytest.param(["2600::/33"], "medium", "public", id="ipv6-slash-33"),
        pytest.param(["2600::/47"], "medium", "public", id="ipv6-slash-47"),
        pytest.param(["2600::/48", "2601::/128"], "medium", "public", id="ipv6-slash-48-and-one"),
        pytest.param(["2600::/48"], "info", "public", id="ipv6-slash-48"),
        pytest.param(["2600::1/128"], "info", "public", id="ipv6-one-address"),
    ],
)
def test_how_many_get_in(sources: list[str], severity: str, reach: str) -> None:
    """SSH is critical for half of the internet, and lower for fewer addresses."""
    opened = permission("tcp", 22, 22, *sources)
    finding = finding_on(snapshot(PUBLIC, groups=(answer(opened),)))
    assert (finding.severity, finding.reach) == (severity, reach)
    # One address may stand for thousands of people.
    assert ("thousands of people" in finding.why) == (severity == "info")


def test_all_traffic_from_a_slash_13() -> None:
    """All traffic from 524,288 addresses to a public instance is high."""
    opened = permission("-1", None, None, "52.0.0.0/13")
    assert finding_on(snapshot(PUBLIC, groups=(answer(opened),))).severity == "high"


def test_why_gives_each_reason() -> None:
    """Both steps are in one sentence: how many get in, and the id of what proves the rest."""
    groups = (answer(permission("tcp", 22, 22, "52.0.0.0/8")),)
    finding = finding_on(snapshot(PUBLIC, groups=groups, RouteTables=[route_table()]))
    assert finding.severity == "low"
    assert finding.why.startswith("Low: SSH would be critical")
    assert "0.45% of the IPv4 internet" in finding.why
    assert "rtb-1" in finding.why


@pytest.mark.parametrize(
    ("network", "peers", "severity"),
    [
        pytest.param(
            snapshot(PUBLIC, RouteTables=[PUBLIC_TABLE]),
            {"prowler": "critical"},
            "critical",
            id="public-address-with-gateway-route",
        ),
        pytest.param(
            snapshot(PUBLIC, RouteTables=[route_table()]),
            {"prowler": "high"},
            "medium",
            id="public-address-without-gateway-route",
        ),
        pytest.param(
            snapshot(interface(), RouteTables=[route_table()]),
            {"prowler": "medium"},
            "medium",
            id="no-public-address",
        ),
    ],
)
def test_peers_verdicts(network: Answer, peers: dict[str, str], severity: str) -> None:
    """SSH open to the world is rated as the peers do it, or lower where a proof says so."""
    finding = finding_on(network)
    assert finding.severity == severity
    assert all(Severity(verdict).is_at_least(finding.severity) for verdict in peers.values())
