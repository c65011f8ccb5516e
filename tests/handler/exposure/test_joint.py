"""What the groups on one network interface open only in combination."""

from typing import Any

import pytest

from handler.model.finding import Finding, Kind
from tests.support import reports
from tests.support.security_groups import answer, permission

LOWER, UPPER, WORLD = "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0"


def interface(*group_ids: str, interface_id: str = "eni-1") -> dict[str, Any]:
    """A network interface with a public address as DescribeNetworkInterfaces answers it."""
    return {
        "NetworkInterfaceId": interface_id,
        "Groups": [{"GroupId": group_id} for group_id in group_ids],
        "Association": {"PublicIp": "52.0.0.1"},
    }


def opened(groups: list[dict[str, Any]], *interfaces: dict[str, Any]) -> list[Finding]:
    """What is open on interfaces only."""
    found = reports.read(*groups, NetworkInterfaces=list(interfaces)).findings
    return [finding for finding in found if finding.kind is Kind.JOINT]


def group(group_id: str, *permissions: dict[str, Any]) -> dict[str, Any]:
    """A group with permissions."""
    return answer(*permissions, group_id=group_id, name=f"name of {group_id}")


HALVES = [
    group("sg-a", permission("tcp", 22, 22, LOWER)),
    group("sg-b", permission("tcp", 20, 30, UPPER)),
]


def test_two_halves_on_an_interface_are_the_world() -> None:
    """The finding has the interface, both groups and all their rules."""
    (found,) = opened(HALVES, interface("sg-b", "sg-a", "sg-other"))
    assert (found.traffic.from_port, found.traffic.to_port) == (22, 22)
    assert (found.reach, found.severity, found.addresses) == ("world", "critical", 3702258432)
    assert (found.group_id, found.group_ids) == ("sg-a", ("sg-a", "sg-b"))
    assert (found.interfaces, found.attachment) == (("eni-1",), "internet-facing")
    assert found.sources == (LOWER, UPPER)
    assert found.fix is not None
    assert found.fix.count("revoke-security-group-ingress") == 2


def test_groups_on_different_interfaces_open_nothing_jointly() -> None:
    """The same groups on different interfaces, or on none, give no joint finding."""
    apart = interface("sg-a"), interface("sg-b", interface_id="eni-2")
    assert opened(HALVES, *apart) == []
    assert opened(HALVES) == []


def test_many_interfaces_are_one_finding() -> None:
    """Interfaces with the same groups are listed in one finding; further groups do not matter."""
    (found,) = opened(
        HALVES,
        interface("sg-a", "sg-b", interface_id="eni-2"),
        interface("sg-b", "sg-a", interface_id="eni-1"),
        interface("sg-a", "sg-b", "sg-c", interface_id="eni-3"),
    )
    assert found.interfaces == ("eni-1", "eni-2", "eni-3")


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param(
            [
                group("sg-a", permission("tcp", 22, 22, WORLD)),
                group("sg-b", permission("tcp", 22, 22, UPPER)),
            ],
            id="one-is-the-world",
        ),
        pytest.param(
            [
                group("sg-a", permission("-1", None, None, WORLD)),
                group("sg-b", permission("tcp", 22, 22, UPPER)),
            ],
            id="one-is-all-traffic",
        ),
        pytest.param(
            [
                group("sg-a", permission("tcp", 22, 22, "8.8.8.8/32")),
                group("sg-b", permission("tcp", 22, 22, "9.9.9.9/32")),
            ],
            id="both-stay-public",
        ),
        pytest.param(
            [
                group("sg-a", permission("tcp", 22, 22, LOWER)),
                group("sg-b", permission("udp", 22, 22, UPPER)),
            ],
            id="different-protocols",
        ),
        pytest.param(
            [
                group("sg-a", permission("icmp", -1, -1, WORLD)),
                group("sg-b", permission("icmp", 8, -1, UPPER)),
            ],
            id="one-is-all-icmp",
        ),
    ],
)
def test_what_one_group_opens_is_not_a_joint_finding(groups: list[dict[str, Any]]) -> None:
    """A reach that one of the groups has alone gives no joint finding."""
    assert opened(groups, interface("sg-a", "sg-b")) == []


def test_all_traffic_of_one_group_adds_to_a_port_of_another() -> None:
    """Half of the internet on all traffic and half on a port is all of it on that port."""
    groups = [
        group("sg-a", permission("-1", None, None, LOWER)),
        group("sg-b", permission("tcp", 443, 443, UPPER)),
    ]
    (found,) = opened(groups, interface("sg-a", "sg-b"))
    assert (found.traffic.from_port, found.reach, found.severity) == (443, "world", "low")


def test_a_joint_finding_may_need_three_groups() -> None:
    """Three groups that open a part of the internet each have one finding of all three."""
    groups = [
        group("sg-a", permission("tcp", 22, 22, LOWER)),
        group("sg-b", permission("tcp", 22, 22, "128.0.0.0/2")),
        group("sg-c", permission("tcp", 22, 22, "192.0.0.0/2")),
    ]
    (found,) = opened(groups, interface("sg-a", "sg-b", "sg-c"))
    assert found.group_ids == ("sg-a", "sg-b", "sg-c")
