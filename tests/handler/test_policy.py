"""What counts, and how severe it is."""

import pytest

from handler import services
from handler.model import Reach, Severity, Traffic
from handler.policy import Policy, PolicyError


@pytest.mark.parametrize(
    ("traffic", "severity"),
    [
        pytest.param(Traffic("all"), Severity.CRITICAL, id="all"),
        pytest.param(Traffic("tcp", 0, 65535), Severity.CRITICAL, id="every-port"),
        pytest.param(Traffic("tcp", 22, 22), Severity.CRITICAL, id="ssh"),
        pytest.param(Traffic("tcp", 20, 25), Severity.CRITICAL, id="ssh-in-a-range"),
        pytest.param(Traffic("tcp", 27018, 27018), Severity.CRITICAL, id="inside-a-service"),
        pytest.param(Traffic("tcp", 24, 24), Severity.HIGH, id="next-to-a-service"),
        pytest.param(Traffic("tcp", 80, 80), Severity.LOW, id="http"),
        pytest.param(Traffic("tcp", 443, 443), Severity.LOW, id="https"),
        pytest.param(Traffic("tcp", 443, 444), Severity.HIGH, id="https-and-one-more"),
        pytest.param(Traffic("tcp", 80, 443), Severity.CRITICAL, id="364-ports"),
        pytest.param(Traffic("udp", 443, 443), Severity.HIGH, id="udp-443"),
        pytest.param(Traffic("udp", 53, 53), Severity.HIGH, id="dns"),
        pytest.param(Traffic("50"), Severity.HIGH, id="esp"),
        pytest.param(Traffic("icmp"), Severity.MEDIUM, id="all-icmp"),
        pytest.param(Traffic("icmp", icmp_type=5), Severity.MEDIUM, id="redirects"),
        pytest.param(Traffic("icmp", icmp_type=8), Severity.INFO, id="echo"),
        pytest.param(Traffic("icmp", icmp_type=3, icmp_code=4), Severity.INFO, id="fragmentation"),
        pytest.param(Traffic("icmp", icmp_type=3), Severity.MEDIUM, id="unreachable"),
        pytest.param(Traffic("icmpv6", icmp_type=2, icmp_code=0), Severity.INFO, id="too-big"),
    ],
)
def test_severity_when_the_world_gets_in(traffic: Traffic, severity: Severity) -> None:
    """The worst port decides, and a port without a name is high."""
    assert Policy().severity(traffic, Reach.WORLD) is severity


def test_wide_is_one_step_below_world() -> None:
    """Most of the internet is nearly as bad as all of it, and info is the lowest."""
    assert Policy().severity(Traffic("tcp", 22, 22), Reach.WIDE) is Severity.HIGH
    assert Policy().severity(Traffic("icmp", icmp_type=8), Reach.WIDE) is Severity.INFO


def test_a_few_public_addresses_are_info() -> None:
    """An office address on a dangerous port is for the record."""
    assert Policy().severity(Traffic("tcp", 22, 22), Reach.PUBLIC) is Severity.INFO


@pytest.mark.parametrize(
    ("traffic", "name"),
    [
        pytest.param(Traffic("tcp", 22, 22), "SSH", id="one"),
        pytest.param(Traffic("tcp", 20, 22), "FTP data, FTP, SSH", id="three"),
        pytest.param(Traffic("tcp", 24, 24), None, id="none"),
        pytest.param(Traffic("tcp", 4505, 4506), "Salt", id="once"),
        pytest.param(Traffic("icmp", icmp_type=8), "echo request", id="echo"),
        pytest.param(Traffic("all"), None, id="all"),
        pytest.param(Traffic("tcp", 20, 88), "FTP data, FTP, SSH, Telnet and 3 more", id="many"),
    ],
)
def test_traffic_has_the_services_name(traffic: Traffic, name: str | None) -> None:
    """People read names rather than numbers."""
    assert services.name(traffic) == name


def test_services_are_in_order_and_apart() -> None:
    """The table is sorted, so that a port stands in one row of its protocol."""
    for protocol in ("tcp", "udp"):
        rows = [each for each in services.SERVICES if each.protocol == protocol]
        ends = [each.to_port for each in rows]
        assert all(end < row.from_port for end, row in zip(ends, rows[1:], strict=False))


def test_parses_every_key() -> None:
    """The keys are those of the stack's config."""
    policy = Policy.parse({"minimumSeverity": "high", "trustedCidrs": ["198.51.100.0/24"]})
    assert policy == Policy(Severity.HIGH, ("198.51.100.0/24",))


def test_nothing_is_the_default() -> None:
    """An empty policy lists everything from low on."""
    assert Policy.parse({}) == Policy(Severity.LOW, ())
    assert Policy().lists(Severity.LOW)
    assert not Policy().lists(Severity.INFO)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param([], "a policy must be an object, got [].", id="list"),
        pytest.param(
            {"minimumSeverty": "low"},
            "a policy must have no keys but minimumSeverity, trustedCidrs, got 'minimumSeverty'.",
            id="misspelt",
        ),
        pytest.param(
            {"minimumSeverity": None},
            "minimumSeverity must be one of critical, high, medium, low, info, got None.",
            id="null",
        ),
        pytest.param(
            {"trustedCidrs": "8.8.8.8/32"},
            "trustedCidrs must be a list of CIDRs, got '8.8.8.8/32'.",
            id="text",
        ),
        pytest.param(
            {"trustedCidrs": ["office"]},
            "trustedCidrs must be a list of CIDRs: 'office' is no CIDR, for example 192.0.2.0/24 "
            "or 2001:db8::/32.",
            id="no-cidr",
        ),
    ],
)
def test_a_bad_policy_is_one_sentence(document: object, sentence: str) -> None:
    """Whatever cannot be meant is named with what was expected."""
    with pytest.raises(PolicyError) as error:
        Policy.parse(document)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (Traffic("all"), Traffic("tcp", 22, 22)),
        (Traffic("tcp", 20, 25), Traffic("tcp", 20, 25)),
        (Traffic("tcp", 20, 25), Traffic("tcp", 22, 25)),
        (Traffic("icmp"), Traffic("icmp", icmp_type=3, icmp_code=4)),
        (Traffic("icmp", icmp_type=3), Traffic("icmp", icmp_type=3, icmp_code=4)),
    ],
)
def test_traffic_contains_what_lies_within(wide: Traffic, narrow: Traffic) -> None:
    """Wider traffic contains narrower, and itself."""
    assert wide.contains(narrow)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Traffic("tcp", 22, 22), Traffic("all")),
        (Traffic("tcp", 20, 25), Traffic("tcp", 20, 26)),
        (Traffic("tcp", 20, 25), Traffic("tcp", 19, 25)),
        (Traffic("tcp", 20, 25), Traffic("udp", 20, 25)),
        (Traffic("icmp", icmp_type=3), Traffic("icmp")),
        (Traffic("icmp", icmp_type=3), Traffic("icmp", icmp_type=8, icmp_code=0)),
        (Traffic("icmp", icmp_type=3, icmp_code=4), Traffic("icmp", icmp_type=3)),
        (Traffic("50"), Traffic("51")),
    ],
)
def test_traffic_does_not_contain_what_reaches_out(one: Traffic, other: Traffic) -> None:
    """One port, type or protocol more is outside."""
    assert not one.contains(other)
