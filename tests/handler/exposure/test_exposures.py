"""Which part of the internet reaches which ports, whatever the rules look like."""

import json
from pathlib import Path
from typing import Any

import pytest

from handler.ec2.parse import parse_security_group
from handler.exposure.exposures import exposures
from handler.exposure.internet import Internets
from handler.model.network import Exposure, PrefixList
from tests.support.security_groups import group, permission

INTERNETS = Internets()
VECTORS = json.loads((Path(__file__).parents[2] / "support" / "exposures.json").read_text("utf-8"))


def brief(exposure: Exposure) -> tuple[str, ...]:
    """An exposure in a line: traffic, reach and sources."""
    traffic = exposure.traffic
    what = [traffic.protocol, traffic.from_port, traffic.to_port]
    what += [traffic.icmp_type, traffic.icmp_code]
    named = "/".join(str(part) for part in what if part is not None)
    return named, str(exposure.reach), *(rule.source for rule in exposure.rules)


def exposed(*permissions: dict[str, Any], trusted: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """What a group with these permissions exposes, in lines."""
    internets = Internets(trusted) if trusted else INTERNETS
    return [brief(each) for each in exposures(group(*permissions).rules, {}, internets)]


def as_vector(exposure: Exposure) -> dict[str, Any]:
    """An exposure as the vectors write it."""
    traffic = exposure.traffic
    shown = {
        "family": exposure.family,
        "protocol": traffic.protocol,
        "fromPort": traffic.from_port,
        "toPort": traffic.to_port,
        "reach": exposure.reach,
        "addresses": exposure.addresses,
    }
    if traffic.protocol == "icmp":
        shown |= {"icmpType": traffic.icmp_type, "icmpCode": traffic.icmp_code}
    return shown


@pytest.mark.parametrize("vector", [pytest.param(each, id=each["id"]) for each in VECTORS])
def test_vectors(vector: dict[str, Any]) -> None:
    """Every vector's exposures are found, and no others."""
    snapshot = vector["snapshot"]
    lists = {
        each["PrefixListId"]: PrefixList(
            each["PrefixListId"], tuple(entry["Cidr"] for entry in each["Entries"])
        )
        for each in snapshot["PrefixLists"]
    } | {"pl-denied": PrefixList("pl-denied", error="denied")}
    rules = parse_security_group(snapshot["SecurityGroups"][0]).rules
    found = [as_vector(each) for each in exposures(rules, lists, INTERNETS)]
    assert found == [each for each in vector["expected"] if "kind" not in each]


def test_an_unused_rule_is_not_named() -> None:
    """A private source next to an open one is none of the exposure's rules."""
    assert exposed(permission("tcp", 22, 22, "10.0.0.0/8", "0.0.0.0/0")) == [
        ("tcp/22/22", "world", "0.0.0.0/0")
    ]


def test_a_superfluous_rule_is_not_named() -> None:
    """A source within another one adds no address and splits no range of ports."""
    permissions = permission("tcp", 20, 30, "0.0.0.0/0"), permission("tcp", 22, 22, "8.8.8.8/32")
    assert exposed(*permissions) == [("tcp/20/30", "world", "0.0.0.0/0")]


def test_of_equal_sources_the_wider_ports_are_named() -> None:
    """The same source twice is one exposure of the longer range, whichever rule comes first."""
    narrow, wide = permission("tcp", 22, 22, "0.0.0.0/0"), permission("tcp", 20, 30, "0.0.0.0/0")
    (found,) = exposures(group(narrow, wide).rules, {}, INTERNETS)
    assert found.rules[0].traffic.from_port == 20
    assert exposures(group(wide, narrow).rules, {}, INTERNETS) == (found,)


def test_adjacent_ports_of_one_source_are_one_exposure_each_rule() -> None:
    """Ports next to each other stay apart when different rules open them."""
    permissions = permission("tcp", 20, 21, "0.0.0.0/0"), permission("tcp", 22, 22, "0.0.0.0/0")
    assert [line[0] for line in exposed(*permissions)] == ["tcp/20/21", "tcp/22/22"]


def test_all_traffic_counts_towards_every_port() -> None:
    """Half the world on all traffic and the other half on a port is the world on that port."""
    permissions = (
        permission("-1", None, None, "0.0.0.0/1"),
        permission("tcp", 22, 22, "128.0.0.0/1"),
        permission("50", None, None, "128.0.0.0/1"),
        permission("icmp", 8, -1, "128.0.0.0/1"),
    )
    assert exposed(*permissions) == [
        ("50", "world", "0.0.0.0/1", "128.0.0.0/1"),
        ("all", "wide", "0.0.0.0/1"),
        ("icmp/8", "world", "0.0.0.0/1", "128.0.0.0/1"),
        ("tcp/22/22", "world", "0.0.0.0/1", "128.0.0.0/1"),
    ]


def test_all_traffic_makes_narrower_rules_superfluous() -> None:
    """What is open altogether is one exposure, not one more for each port."""
    permissions = permission("-1", None, None, "0.0.0.0/0"), permission("udp", 53, 53, "0.0.0.0/0")
    assert exposed(*permissions) == [("all", "world", "0.0.0.0/0")]


def test_wider_icmp_counts_towards_narrower() -> None:
    """All icmp counts towards a type, and a type towards each of its codes."""
    permissions = (
        permission("icmp", -1, -1, "0.0.0.0/2"),
        permission("icmp", 3, -1, "64.0.0.0/2"),
        permission("icmp", 3, 4, "128.0.0.0/1"),
        permission("icmp", 8, -1, "64.0.0.0/2"),
    )
    assert [line[:2] for line in exposed(*permissions)] == [
        ("icmp", "wide"),
        ("icmp/3", "wide"),
        ("icmp/3/4", "world"),
        ("icmp/8", "wide"),
    ]


def test_protocols_do_not_mix() -> None:
    """Half the world on tcp and the other half on udp is the world on neither."""
    permissions = permission("tcp", 22, 22, "0.0.0.0/1"), permission("udp", 22, 22, "128.0.0.0/1")
    assert [line[:2] for line in exposed(*permissions)] == [
        ("tcp/22/22", "wide"),
        ("udp/22/22", "wide"),
    ]


def test_families_do_not_mix() -> None:
    """IPv4 and IPv6 are exposures of their own, IPv4 first."""
    found = exposures(group(permission("tcp", 22, 22, "::/0", "0.0.0.0/0")).rules, {}, INTERNETS)
    assert [each.family for each in found] == ["ipv4", "ipv6"]


def test_trusted_ranges_are_left_out() -> None:
    """A trusted source opens nothing, and the whole internet stays the world."""
    assert exposed(permission("tcp", 22, 22, "8.8.8.0/24"), trusted=("8.0.0.0/8",)) == []
    assert exposed(permission("tcp", 22, 22, "0.0.0.0/0"), trusted=("8.0.0.0/8",)) == [
        ("tcp/22/22", "world", "0.0.0.0/0")
    ]


def test_a_list_is_its_entries() -> None:
    """The entries of a prefix list count together, and with the CIDRs of other rules."""
    lists = {"pl-1": PrefixList("pl-1", ("0.0.0.0/2", "64.0.0.0/2", "10.0.0.0/8"))}
    rules = group(permission("tcp", 22, 22, "pl-1", "128.0.0.0/1")).rules
    assert [brief(each) for each in exposures(rules, lists, INTERNETS)] == [
        ("tcp/22/22", "world", "pl-1", "128.0.0.0/1")
    ]


def test_the_first_and_the_last_port_are_ports() -> None:
    """Ranges that touch the ends of the port space keep their ends."""
    assert [line[0] for line in exposed(permission("tcp", 0, 0, "0.0.0.0/0"))] == ["tcp/0/0"]
    last = permission("udp", 65535, 65535, "0.0.0.0/0")
    assert [line[0] for line in exposed(last)] == ["udp/65535/65535"]
