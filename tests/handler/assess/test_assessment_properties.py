"""Opening more never lowers a severity, and neither does reading less, tried on many networks."""

import json
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from cli.snapshot_file import Snapshot
from handler.model.finding import Finding
from handler.model.network import NetworkInterface
from handler.policy.policy import Policy
from handler.scan import scan_target
from tests.support.examples import examples
from tests.support.network import (
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    WORLD,
    WORLD_V6,
    accelerator,
    acl_entry,
    block_options,
    exclusion,
    interface,
    load_balancer,
    network_acl,
    route,
    route_table,
    scan_snapshot,
    snapshot,
    tcp,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
many = examples(60, in_ci=100)

permissions = st.builds(
    lambda opened, sources: permission(*opened, *sources),
    st.sampled_from(
        [
            ("tcp", 22, 22),
            ("tcp", 20, 25),
            ("tcp", 443, 443),
            ("tcp", 440, 450),
            ("tcp", 0, 65535),
            ("udp", 443, 443),
            ("udp", 500, 4500),
            ("tcp", 30000, 32767),
            ("tcp", 31017, 31017),
            ("tcp", 32000, 40000),
            ("udp", 33434, 33534),
            ("icmp", 3, 4),
            ("icmp", -1, -1),
            ("50", None, None),
            ("-1", None, None),
        ]
    ),
    st.lists(
        st.sampled_from(
            [
                WORLD,
                "0.0.0.0/1",
                "128.0.0.0/1",
                "52.0.0.0/8",
                "52.1.0.0/24",
                "10.0.0.0/8",
                WORLD_V6,
                "2600::/12",
                "2600::/32",
                "2600::/48",
            ]
        ),
        min_size=1,
        max_size=3,
        unique=True,
    ),
)
groups = st.tuples(
    *(
        st.builds(
            lambda opened, group_id=group_id: answer(*opened, group_id=group_id),
            st.lists(permissions, min_size=1, max_size=3),
        )
        for group_id in ("sg-1", "sg-2")
    )
)
places = st.sampled_from(
    [
        {"VpcId": "vpc-1", "SubnetId": "subnet-1"},
        {"VpcId": "vpc-1", "SubnetId": "subnet-2"},
        {"VpcId": "vpc-2", "SubnetId": "subnet-20"},
    ]
)
# Most are private, and most ways in are public: that is where paths differ.
ipv4 = st.sampled_from([None, None, PUBLIC_IPV4])
ipv6 = st.sampled_from([None, None, PUBLIC_IPV6])
entry_ipv4 = st.sampled_from([PUBLIC_IPV4, PUBLIC_IPV4, None])
details = st.fixed_dictionaries(
    {},
    optional={
        "InterfaceType": st.sampled_from(["interface", "lambda", "vpc_endpoint", "trunk"]),
        "Status": st.sampled_from(["available", "in-use"]),
        "AvailabilityZone": st.sampled_from(["eu-west-1a", "us-east-1-bos-1a"]),
        "DenyAllIgwTraffic": st.booleans(),
        "RequesterId": st.sampled_from(["amazon-rds", "amazon-elasticsearch"]),
    },
)
attached = st.sampled_from([("sg-1",), ("sg-2",), ("sg-1", "sg-2")])
interfaces = st.tuples(
    *(
        st.builds(
            lambda group_ids, public, address, place, fields, interface_id=interface_id: interface(
                interface_id, groups=group_ids, public=public, ipv6=address, **place, **fields
            ),
            attached,
            ipv4,
            ipv6,
            places,
            details,
        )
        for interface_id in ("eni-1", "eni-2")
    )
)
entry_points = st.lists(
    st.one_of(
        st.builds(
            lambda group_ids, public, address, place: load_balancer(
                groups=group_ids, public=public, ipv6=address, **place
            ),
            st.sampled_from([(), (), ("sg-2",)]),
            entry_ipv4,
            ipv6,
            places,
        ),
        st.builds(lambda address, place: accelerator(ipv6=address, **place), ipv6, places),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda entry_point: entry_point["NetworkInterfaceId"],
)
routes = st.builds(
    route,
    st.sampled_from([WORLD, "10.0.0.0/8", "pl-1", WORLD_V6]),
    st.sampled_from(["igw-1", "pcx-1", "nat-1", "tgw-1", "vpce-1", "eni-9"]),
)
route_tables = st.tuples(
    *(
        st.builds(
            lambda found, place=place: route_table(*found, **place), st.lists(routes, max_size=3)
        )
        for place in (
            {"table_id": "rtb-1", "subnets": ("subnet-1",)},
            {"table_id": "rtb-2", "subnets": (), "is_main": True},
            {"table_id": "rtb-3", "subnets": (), "is_main": True, "vpc_id": "vpc-2"},
        )
    )
)
entries = st.lists(
    st.builds(
        lambda number, action, cidr, fields: acl_entry(number, action, cidr, **fields),
        st.integers(1, 9),
        st.sampled_from(["allow", "deny"]),
        st.sampled_from([WORLD, "0.0.0.0/1", "128.0.0.0/1", WORLD_V6]),
        st.sampled_from([{}, tcp(22, 22), tcp(0, 65535), {"Protocol": "17"}]),
    ),
    max_size=3,
)
acls = st.tuples(
    st.builds(lambda found: network_acl(*found), entries),
    st.builds(lambda found: network_acl(*found, acl_id="acl-2", subnets=("subnet-2",)), entries),
)
options = st.builds(
    block_options,
    st.sampled_from(["off", "block-bidirectional", "block-ingress"]),
    st.sampled_from(["update-complete", "update-in-progress"]),
)
exclusions = st.lists(
    st.builds(exclusion, st.sampled_from(["vpc-1", "vpc-2", "subnet-2"])), max_size=1
)
networks = st.builds(
    lambda opened, own, ways, **reads: snapshot(*own, *ways, groups=opened, **reads),
    groups,
    interfaces,
    entry_points,
    RouteTables=route_tables,
    NetworkAcls=acls,
    VpcBlockPublicAccessOptions=options,
    VpcBlockPublicAccessExclusions=exclusions,
)


class WithoutEntryPoints(Snapshot):
    """A snapshot of which the load balancers and accelerators cannot be read."""

    def entry_points(self) -> tuple[NetworkInterface, ...]:
        """EC2 refuses."""
        raise ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeNetworkInterfaces")


def outline(finding: Finding) -> str:
    """A finding as a failed test shows it."""
    place = ", ".join(group_id for group_id, _ in finding.groups)
    return f"{place} {finding.traffic.text} {finding.family} {finding.why}"


def is_at_least(finding: Finding, before: Finding) -> bool:
    """Whether a finding is on the same opening, or a part of it, and as severe or more so."""
    return bool(
        finding.family is before.family
        and set(finding.groups) & set(before.groups)
        and finding.traffic.intersection(before.traffic)
        and finding.severity.is_at_least(before.severity)
    )


def lowered(before: Answer, after: Answer) -> list[str]:
    """The openings before of which no part is as severe after."""
    found = scan_snapshot(after)
    return [
        outline(finding)
        for finding in scan_snapshot(before)
        if not any(is_at_least(other, finding) for other in found)
    ]


@many
@given(networks, permissions)
def test_adding_a_rule_never_lowers(network: Answer, added: Answer) -> None:
    """Whatever else a group lets in, what was open stays as severe."""
    first, second = network["SecurityGroups"]
    wider = first | {"IpPermissions": [*first["IpPermissions"], added]}
    assert lowered(network, network | {"SecurityGroups": [wider, second]}) == []


@many
@given(networks, st.sampled_from([0, 1]), st.sampled_from([PUBLIC_IPV4, PUBLIC_IPV6]))
def test_adding_a_public_address_never_lowers(network: Answer, index: int, address: str) -> None:
    """An interface that gets an address makes nothing less severe."""
    own = [dict(found) for found in network["NetworkInterfaces"]]
    if ":" in address:
        own[index]["Ipv6Addresses"] = [{"Ipv6Address": address}]
    else:
        own[index]["Association"] = {"PublicIp": address}
    assert lowered(network, network | {"NetworkInterfaces": own}) == []


@many
@given(networks, st.sampled_from([0, 1, 2]), routes)
def test_adding_a_route_never_lowers(network: Answer, index: int, added: Answer) -> None:
    """Another route leads to more, never to less."""
    tables = [dict(table) for table in network["RouteTables"]]
    tables[index]["Routes"] = [*tables[index]["Routes"], added]
    assert lowered(network, network | {"RouteTables": tables}) == []


READS = (
    "RouteTables",
    "NetworkAcls",
    "VpcBlockPublicAccessOptions",
    "VpcBlockPublicAccessExclusions",
)


@many
@given(networks)
def test_removing_a_read_never_lowers(network: Answer) -> None:
    """What was not read proves nothing."""
    assert [lowered(network, network | {missing: None}) for missing in READS] == [[]] * len(READS)


@many
@given(networks)
def test_removing_the_interfaces_never_lowers(network: Answer) -> None:
    """Without its interfaces a group may be on anything; what groups share is not known then."""
    by_id = {found.id: found for found in scan_snapshot(network | {"NetworkInterfaces": None})}
    single = [finding for finding in scan_snapshot(network) if not finding.group_ids]
    assert [
        outline(finding)
        for finding in single
        if not by_id[finding.id].severity.is_at_least(finding.severity)
    ] == []


@many
@given(networks)
def test_removing_the_entry_points_never_lowers(network: Answer) -> None:
    """A load balancer or accelerator that was not read may be there."""
    saved = WithoutEntryPoints(json.dumps(network).encode())
    by_id = {found.id: found for found in scan_target(saved.target, saved, Policy()).findings}
    assert [
        outline(finding)
        for finding in scan_snapshot(network)
        if not by_id[finding.id].severity.is_at_least(finding.severity)
    ] == []
