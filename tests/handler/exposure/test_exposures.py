"""The exposures of one group's rules: ports, reach and the rules that open them."""

import json
from pathlib import Path
from typing import Any

import pytest

from handler.ec2.parse import parse_security_group
from handler.exposure.exposures import exposures
from handler.model.internet import Internets
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
    return [brief(exposure) for exposure in exposures(group(*permissions).rules, {}, internets)]


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


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["id"]) for vector in VECTORS])
def test_vectors(vector: dict[str, Any]) -> None:
    """The exposures of each vector are exactly the expected ones."""
    snapshot = vector["snapshot"]
    lists = {
        prefix_list["PrefixListId"]: PrefixList(
            prefix_list["PrefixListId"], tuple(entry["Cidr"] for entry in prefix_list["Entries"])
        )
        for prefix_list in snapshot["PrefixLists"]
    } | {"pl-denied": PrefixList("pl-denied", error="denied")}
    rules = parse_security_group(snapshot["SecurityGroups"][0]).rules
    found = [as_vector(exposure) for exposure in exposures(rules, lists, INTERNETS)]
    assert found == [finding for finding in vector["expected"] if "kind" not in finding]


def test_a_rule_with_a_private_source_is_not_listed() -> None:
    """A private source beside a public one is not among the exposure's rules."""
    assert exposed(permission("tcp", 22, 22, "10.0.0.0/8", "0.0.0.0/0")) == [
        ("tcp/22/22", "world", "0.0.0.0/0")
    ]


def test_a_rule_within_another_is_not_listed() -> None:
    """A source within another one adds no address and does not split the range of ports."""
    permissions = permission("tcp", 20, 30, "0.0.0.0/0"), permission("tcp", 22, 22, "8.8.8.8/32")
    assert exposed(*permissions) == [("tcp/20/30", "world", "0.0.0.0/0")]


def test_of_equal_sources_the_wider_ports_are_listed() -> None:
    """One source in two rules is one exposure of the longer range, in either order of rules."""
    narrow, wide = permission("tcp", 22, 22, "0.0.0.0/0"), permission("tcp", 20, 30, "0.0.0.0/0")
    (found,) = exposures(group(narrow, wide).rules, {}, INTERNETS)
    assert found.rules[0].traffic.from_port == 20
    assert exposures(group(wide, narrow).rules, {}, INTERNETS) == (found,)


def test_adjacent_ports_of_two_rules_are_two_exposures() -> None:
    """Ranges next to each other stay apart when different rules open them."""
    permissions = permission("tcp", 20, 21, "0.0.0.0/0"), permission("tcp", 22, 22, "0.0.0.0/0")
    assert [line[0] for line in exposed(*permissions)] == ["tcp/20/21", "tcp/22/22"]


def test_all_traffic_counts_towards_every_port() -> None:
    """Half of the internet on all traffic and the rest on a port is all of it on that port."""
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
    """A source with all traffic is one exposure, without one more for each port."""
    permissions = permission("-1", None, None, "0.0.0.0/0"), permission("udp", 53, 53, "0.0.0.0/0")
    assert exposed(*permissions) == [("all", "world", "0.0.0.0/0")]


def test_wider_icmp_counts_towards_narrower() -> None:
    """All ICMP counts towards each type, and a type towards each of its codes."""
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
    """Half of the internet on tcp and the other half on udp is all of it on neither."""
    permissions = permission("tcp", 22, 22, "0.0.0.0/1"), permission("udp", 22, 22, "128.0.0.0/1")
    assert [line[:2] for line in exposed(*permissions)] == [
        ("tcp/22/22", "wide"),
        ("udp/22/22", "wide"),
    ]


def test_families_do_not_mix() -> None:
    """IPv4 and IPv6 are separate exposures, IPv4 first."""
    found = exposures(group(permission("tcp", 22, 22, "::/0", "0.0.0.0/0")).rules, {}, INTERNETS)
    assert [exposure.family for exposure in found] == ["ipv4", "ipv6"]


def test_trusted_ranges_are_left_out() -> None:
    """A trusted source opens nothing, and 0.0.0.0/0 still reaches "world"."""
    assert exposed(permission("tcp", 22, 22, "8.8.8.0/24"), trusted=("8.0.0.0/8",)) == []
    assert exposed(permission("tcp", 22, 22, "0.0.0.0/0"), trusted=("8.0.0.0/8",)) == [
        ("tcp/22/22", "world", "0.0.0.0/0")
    ]


def test_a_prefix_list_counts_as_its_entries() -> None:
    """The entries of a prefix list add up with each other and with the CIDRs of other rules."""
    lists = {"pl-1": PrefixList("pl-1", ("0.0.0.0/2", "64.0.0.0/2", "10.0.0.0/8"))}
    rules = group(permission("tcp", 22, 22, "pl-1", "128.0.0.0/1")).rules
    assert [brief(exposure) for exposure in exposures(rules, lists, INTERNETS)] == [
        ("tcp/22/22", "world", "pl-1", "128.0.0.0/1")
    ]


def test_ports_0_and_65535_are_part_of_a_range() -> None:
    """A range that begins at 0 or ends at 65535 keeps its ends."""
    assert [line[0] for line in exposed(permission("tcp", 0, 0, "0.0.0.0/0"))] == ["tcp/0/0"]
    last = permission("udp", 65535, 65535, "0.0.0.0/0")
    assert [line[0] for line in exposed(last)] == ["udp/65535/65535"]
