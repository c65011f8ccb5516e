"""Whether traffic contains other traffic."""

import pytest

from handler.model.traffic import Traffic


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
def test_traffic_contains_narrower_traffic(wide: Traffic, narrow: Traffic) -> None:
    """Traffic contains itself, and any range of ports, type or code within its own."""
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
def test_traffic_does_not_contain_wider_traffic(one: Traffic, other: Traffic) -> None:
    """One port, type, code or protocol more is not contained."""
    assert not one.contains(other)
