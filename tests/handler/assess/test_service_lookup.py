"""The table of services: what the world reaches, by which name, and how bad that is."""

from itertools import pairwise

import pytest

from handler.assess import service_lookup
from handler.assess.port_table import SERVICES
from handler.model.finding import Severity
from handler.model.traffic import Traffic


@pytest.mark.parametrize(
    ("traffic", "severity"),
    [
        pytest.param(Traffic("all"), Severity.CRITICAL, id="all"),
        pytest.param(Traffic("tcp", 0, 65535), Severity.CRITICAL, id="every-port"),
        pytest.param(Traffic("tcp", 22, 22), Severity.CRITICAL, id="ssh"),
        pytest.param(Traffic("tcp", 20, 25), Severity.CRITICAL, id="ssh-in-a-range"),
        pytest.param(Traffic("tcp", 27018, 27018), Severity.CRITICAL, id="inside-a-service"),
        pytest.param(Traffic("tcp", 2379, 2379), Severity.CRITICAL, id="control-plane"),
        pytest.param(Traffic("tcp", 5439, 5439), Severity.CRITICAL, id="database"),
        pytest.param(Traffic("tcp", 8500, 8500), Severity.CRITICAL, id="service-discovery"),
        pytest.param(Traffic("tcp", 6063, 6063), Severity.CRITICAL, id="last-display"),
        pytest.param(Traffic("udp", 623, 623), Severity.CRITICAL, id="ipmi"),
        pytest.param(Traffic("tcp", 24, 24), Severity.HIGH, id="next-to-a-service"),
        pytest.param(Traffic("tcp", 80, 80), Severity.LOW, id="http"),
        pytest.param(Traffic("tcp", 443, 443), Severity.LOW, id="https"),
        pytest.param(Traffic("tcp", 443, 444), Severity.HIGH, id="https-and-one-more"),
        pytest.param(Traffic("tcp", 80, 443), Severity.CRITICAL, id="364-ports"),
        pytest.param(Traffic("udp", 443, 443), Severity.LOW, id="udp-443"),
        pytest.param(Traffic("udp", 53, 53), Severity.HIGH, id="dns"),
        pytest.param(Traffic("50"), Severity.LOW, id="esp"),
        pytest.param(Traffic("icmp"), Severity.MEDIUM, id="all-icmp"),
        pytest.param(Traffic("icmp", icmp_type=5), Severity.MEDIUM, id="redirects"),
        pytest.param(Traffic("icmp", icmp_type=8), Severity.INFO, id="echo"),
        pytest.param(Traffic("icmp", icmp_type=0), Severity.INFO, id="echo-reply"),
        pytest.param(Traffic("icmpv6", icmp_type=129), Severity.INFO, id="echo-reply-of-ipv6"),
        pytest.param(Traffic("icmp", icmp_type=3, icmp_code=4), Severity.INFO, id="fragmentation"),
        pytest.param(Traffic("icmp", icmp_type=3), Severity.INFO, id="unreachable"),
        pytest.param(Traffic("icmpv6", icmp_type=2, icmp_code=0), Severity.INFO, id="too-big"),
    ],
)
def test_severity_when_the_world_gets_in(traffic: Traffic, severity: Severity) -> None:
    """The worst port decides, and a port without a name is high."""
    assert service_lookup.worst_service(traffic)[0] is severity


@pytest.mark.parametrize(
    ("traffic", "name"),
    [
        pytest.param(Traffic("tcp", 22, 22), "SSH", id="one"),
        pytest.param(Traffic("tcp", 20, 22), "FTP, SSH", id="three"),
        pytest.param(Traffic("tcp", 24, 24), None, id="none"),
        pytest.param(Traffic("tcp", 4505, 4506), "Salt", id="once"),
        pytest.param(Traffic("icmp", icmp_type=8), "echo request", id="echo"),
        pytest.param(Traffic("all"), None, id="all"),
        pytest.param(Traffic("tcp", 20, 88), "SSH, FTP and 5 more on 69 ports", id="many"),
    ],
)
def test_traffic_has_the_services_name(traffic: Traffic, name: str | None) -> None:
    """People read names rather than numbers."""
    assert service_lookup.service_name(traffic) == name


def test_sources_of_a_wide_range() -> None:
    """The sources of the named services are in the order of the ports, not of the names."""
    severity, name, source = service_lookup.worst_service(Traffic("tcp", 1024, 65535))
    assert (severity, name) == (Severity.CRITICAL, "RDP, Java RMI and 69 more on 64,512 ports")
    assert source == "IANA, EC2.19, CIS"


def test_services_are_in_order_and_apart() -> None:
    """The table is sorted, so that a port stands in one row of its protocol."""
    for protocol in ("tcp", "udp"):
        traffic = [row.traffic for row in SERVICES if row.traffic.protocol == protocol]
        ports = [row.ports for row in traffic]
        assert all(high < low for (_, high), (low, _) in pairwise(ports))
