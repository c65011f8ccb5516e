"""Prefix lists of AWS's own: which of them let in strangers, on which ports, and how severe it is.

https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
"""

from typing import Any

import pytest

from tests.support.network import (
    CLOUDFRONT,
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    finding_on,
    interface,
    load_balancer,
    route_table,
    scan_snapshot,
    snapshot,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
CLOUDFRONT_V6 = "com.amazonaws.global.ipv6.cloudfront.origin-facing"
HEALTH_CHECKS = "com.amazonaws.eu-west-1.route53-healthchecks"
HEALTH_CHECKS_V6 = "com.amazonaws.eu-west-1.ipv6.route53-healthchecks"
PUBLIC = interface(public=PUBLIC_IPV4)
PUBLIC_V6 = interface(ipv6=PUBLIC_IPV6)
HTTPS = permission("tcp", 443, 443, "pl-1")


def network(
    name: str, opened: Answer, *interfaces: Answer, owner: str = "AWS", **fields: object
) -> Answer:
    """A network with one group that lets the prefix list in; AWS shows no entries of its own."""
    prefix_list = {"PrefixListId": "pl-1", "PrefixListName": name, "OwnerId": owner}
    return snapshot(*interfaces, groups=(answer(opened),), PrefixLists=[prefix_list], **fields)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(443, 443, [("info", 443, 443)], id="https"),
        pytest.param(80, 80, [("info", 80, 80)], id="http"),
        pytest.param(8080, 8080, [("high", 8080, 8080)], id="http-proxy"),
        pytest.param(9999, 9999, [("medium", 9999, 9999)], id="other-port"),
        pytest.param(22, 22, [], id="ssh"),
        pytest.param(1023, 1023, [], id="below-1024"),
        pytest.param(1000, 1024, [("medium", 1024, 1024)], id="around-1024"),
        pytest.param(
            0,
            65535,
            [("high", 1024, 65535), ("info", 80, 80), ("info", 443, 443)],
            id="every-port",
        ),
    ],
)
def test_cloudfront(low: int, high: int, expected: list[tuple[str, int, int]]) -> None:
    """Any distribution gets in to the ports that CloudFront connects to: one step lower."""
    opened = permission("tcp", low, high, "pl-1")
    findings = scan_snapshot(network(CLOUDFRONT, opened, PUBLIC))
    assert [(f.severity, f.traffic.from_port, f.traffic.to_port) for f in findings] == expected
    assert all(
        "only CloudFront gets in, for any customer" in f"{f.why}{f.detail}" for f in findings
    )


def test_cloudfront_connects_over_tcp_only() -> None:
    """A rule for UDP lets in nobody, one for all traffic only what is TCP."""
    udp = permission("udp", 443, 443, "pl-1")
    assert scan_snapshot(network(CLOUDFRONT, udp, PUBLIC)) == ()
    findings = scan_snapshot(network(CLOUDFRONT, permission("-1", None, None, "pl-1"), PUBLIC))
    assert {finding.traffic.protocol for finding in findings} == {"tcp"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(CLOUDFRONT_V6, "high", id="cloudfront"),
        pytest.param(HEALTH_CHECKS_V6, "info", id="health-checks"),
    ],
)
def test_ipv6_lists(name: str, expected: str) -> None:
    """The lists for IPv6 let in to IPv6 addresses only."""
    opened = permission("tcp", 8080, 8080, "pl-1")
    assert finding_on(network(name, opened, PUBLIC_V6)).severity == expected
    assert finding_on(network(name, opened, PUBLIC_V6)).family == "ipv6"
    assert scan_snapshot(network(name, opened, PUBLIC)) == ()


@pytest.mark.parametrize(
    "interfaces",
    [
        pytest.param([], id="no-interface"),
        pytest.param([interface()], id="private"),
        pytest.param([PUBLIC | {"Status": "available"}], id="not-in-use"),
        pytest.param([PUBLIC_V6], id="address-of-the-other-family"),
        pytest.param([interface(), load_balancer()], id="behind-a-load-balancer"),
    ],
)
def test_nothing_without_a_public_address(interfaces: list[Answer]) -> None:
    """CloudFront gets only to public addresses this way."""
    opened = permission("tcp", 8080, 8080, "pl-1")
    assert scan_snapshot(network(CLOUDFRONT, opened, *interfaces)) == ()


def test_a_proof_holds_for_cloudfront_too() -> None:
    """Without a route to an internet gateway nobody's distribution gets an answer either."""
    opened = permission("tcp", 8080, 8080, "pl-1")
    finding = finding_on(network(CLOUDFRONT, opened, PUBLIC, RouteTables=[route_table()]))
    assert (finding.severity, finding.attachment) == ("low", "internal")


def test_interfaces_not_read() -> None:
    """It is not known that there is no public address."""
    opened = permission("tcp", 8080, 8080, "pl-1")
    content = network(CLOUDFRONT, opened, NetworkInterfaces=None)
    assert (finding_on(content).severity, finding_on(content).attachment) == ("high", "unknown")


def test_health_checks() -> None:
    """Health checkers send what any customer configures, from few addresses: info."""
    opened = permission("tcp", 22, 22, "pl-1")
    finding = finding_on(network(HEALTH_CHECKS, opened, PUBLIC))
    assert finding.severity == "info"
    assert "Route 53 health checkers" in f"{finding.why}{finding.detail}"


@pytest.mark.parametrize(
    "name",
    [
        "com.amazonaws.eu-west-1.s3",
        "com.amazonaws.eu-west-1.s3express",
        "com.amazonaws.eu-west-1.dynamodb",
        "com.amazonaws.eu-west-1.ec2-instance-connect",
        "com.amazonaws.eu-west-1.ipv6.ec2-instance-connect",
        "com.amazonaws.global.groundstation",
        "com.amazonaws.eu-west-1.vpc-lattice",
        "com.amazonaws.eu-west-1.ipv6.vpc-lattice",
    ],
)
def test_other_services(name: str) -> None:
    """The lists of other services open nothing, and without their entries are not unreadable."""
    assert scan_snapshot(network(name, HTTPS, PUBLIC, PUBLIC_V6)) == ()


@pytest.mark.parametrize("name", ["com.amazonaws.global.new-service", ""])
def test_an_unknown_service_is_its_entries(name: str) -> None:
    """AWS adds services: until one is known, its list counts as a customer's."""
    content = network(name, HTTPS, PUBLIC)
    assert finding_on(content).kind == "unreadable"
    (prefix_list,) = content["PrefixLists"]
    prefix_list["Entries"] = [{"Cidr": "0.0.0.0/0"}]
    assert (finding_on(content).kind, finding_on(content).reach) == ("exposure", "world")


def test_a_customers_list_is_its_entries() -> None:
    """A list of the account's own with CloudFront's name, and without entries, is unreadable."""
    finding = finding_on(network(CLOUDFRONT, HTTPS, PUBLIC, owner="123456789012"))
    assert finding.kind == "unreadable"
