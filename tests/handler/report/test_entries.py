"""What the digest says of one finding."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from handler.model.attachment import Attachment
from handler.model.finding import Change, Finding, Opening, Previous, Severity, Status, as_openings
from handler.model.reach import Reach
from handler.model.traffic import Traffic
from handler.report.entries import Entry, change_label, closed_entry, open_entry
from tests.support import reports
from tests.support.security_groups import answer, permission

WORLD = "0.0.0.0/0"
SEPTEMBER = "2026-09-01T06:00:00Z"
# All addresses but one.
ALMOST = [str(network) for network in IPv4Network(WORLD).address_exclude(IPv4Network("8.8.8.8/32"))]
PREVIOUS = Previous("1", Traffic("tcp", 22, 22), Reach.PUBLIC, Severity.HIGH, addresses=512)


def openings(*groups: dict[str, Any], **more: Any) -> tuple[Opening, ...]:
    """What people count of a region with these groups."""
    return as_openings(sorted(reports.read(*groups, **more).findings, key=lambda f: f.sort_key))


def entry(finding: Finding, *, with_commands: bool = False) -> Entry:
    """The entry of a finding that is open."""
    return open_entry(Opening(finding), "", "eu-west-1", with_commands=with_commands)


def ssh(*sources: str, **fields: Any) -> Finding:
    """SSH that is open to the sources, on a group that is not attached."""
    group = answer(permission("tcp", 22, 22, *(sources or (WORLD,))))
    (opening,) = openings(group, NetworkInterfaces=[])
    return opening.finding._replace(**fields)


def test_an_entry() -> None:
    """Service and port, families, group, place, interface with address, owner, console."""
    group = answer(permission("tcp", 22, 22, WORLD, "::/0")) | {
        "Tags": [{"Key": "owner", "Value": "shop team"}]
    }
    interface = {
        "NetworkInterfaceId": "eni-1",
        "Groups": [{"GroupId": "sg-1"}],
        "Description": "bastion host",
        "Association": {"PublicIp": "8.8.8.8"},
        "Ipv6Addresses": [{"Ipv6Address": "2a05:d018::1"}],
    }
    (opening,) = openings(group, NetworkInterfaces=[interface])
    assert open_entry(opening, "New", "eu-west-1", with_commands=False) == Entry(
        title="SSH \N{MIDDLE DOT} tcp/22",
        families="IPv4 + IPv6",
        label="New",
        group="web",
        group_ids="sg-1",
        console="https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1"
        "#SecurityGroup:groupId=sg-1",
        place="eu-west-1",
        facts=("bastion host, 8.8.8.8, 2a05:d018::1", "owner: shop team"),
    )


@pytest.mark.parametrize(
    ("traffic", "title"),
    [
        (Traffic("all"), "All traffic"),
        (Traffic("tcp", 0, 65535), "tcp, all ports"),
        (Traffic("tcp", 20, 25), "tcp/20-25"),
        (Traffic("icmp"), "icmp"),
        (Traffic("icmp", icmp_type=3), "icmp type 3"),
        (Traffic("icmp", icmp_type=3, icmp_code=4), "icmp type 3 code 4"),
        (Traffic("50"), "protocol 50"),
    ],
)
def test_the_title_of_traffic_without_a_service(traffic: Traffic, title: str) -> None:
    """Every kind of traffic has a short title."""
    assert entry(ssh(traffic=traffic, service=None)).title == title


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        pytest.param({}, ("not attached",), id="unattached"),
        pytest.param(
            {"attachment": Attachment.UNKNOWN, "why": "Critical: x (y); its interfaces were not."},
            ("its interfaces were not",),
            id="unknown",
        ),
        pytest.param(
            {"why": "Low: x would be y (z), but no route leads to an internet gateway (rtb-1)."},
            ("no route to an internet gateway (rtb-1)",),
            id="route",
        ),
        pytest.param(
            {"why": "Low: x would be y (z), but the interface has no public IPv4 address."},
            ("no public IPv4 address",),
            id="private",
        ),
        pytest.param(
            {"attachment": Attachment.UNKNOWN, "why": "High: what it opens is not known."},
            (),
            id="unknown-without-a-reason",
        ),
        pytest.param({"why": "Critical: x is open (y); its address is 1.1.1.1."}, (), id="none"),
    ],
)
def test_the_reason_for_a_lower_severity(fields: dict[str, Any], facts: tuple[str, ...]) -> None:
    """It is a short phrase, and missing where the severity is the service's own."""
    assert entry(ssh(**fields)).facts == facts


@pytest.mark.parametrize(
    ("sources", "fact"),
    [
        (ALMOST, "open to 99.99% of the IPv4 internet"),
        (["0.0.0.0/1"], "open to 56.53% of the IPv4 internet"),
        (["2600::/64"], "only 2^64 addresses get in and not attached"),
        (
            ["52.0.0.0/11"],
            "only 0.06% of the IPv4 internet gets in and not attached",
        ),
    ],
)
def test_less_than_the_internet(sources: list[str], fact: str) -> None:
    """Its share is said once, and never rounded to all of it."""
    assert fact in entry(ssh(*sources)).facts


@pytest.mark.parametrize(
    ("fields", "label", "facts"),
    [
        pytest.param({"status": Status.NEW}, "New", (), id="new"),
        pytest.param({}, "", (), id="as-before"),
        pytest.param(
            {"status": Status.REOPENED}, "Reopened", ("first seen 1 Sep 2026",), id="reopened"
        ),
        pytest.param(
            {
                "change": Change.WIDENED,
                "traffic": Traffic("tcp", 20, 25),
                "previously": (PREVIOUS, PREVIOUS),
                "previously_count": 7,
            },
            "Widened",
            ("was tcp/22 and 6 more", "was high", "open since 1 Sep 2026"),
            id="widened",
        ),
        pytest.param(
            {"change": Change.NARROWED, "previously": (PREVIOUS,), "previously_count": 1},
            "Narrowed",
            ("was open to 512 addresses", "was high", "open since 1 Sep 2026"),
            id="narrowed",
        ),
        pytest.param(
            {
                "change": Change.NARROWED,
                "previously": (PREVIOUS._replace(reach=Reach.WORLD),),
                "previously_count": 1,
            },
            "Narrowed",
            ("was open to the internet", "was high", "open since 1 Sep 2026"),
            id="narrowed-from-all",
        ),
        pytest.param(
            {
                "change": Change.WORSENED,
                "previously": (PREVIOUS._replace(addresses=None),),
                "previously_count": 1,
            },
            "Worse",
            ("was high", "open since 1 Sep 2026"),
            id="worse",
        ),
    ],
)
def test_how_it_has_changed(fields: dict[str, Any], label: str, facts: tuple[str, ...]) -> None:
    """A label says how; where it is not new, the entry says what it was and since when."""
    finding = ssh(first_seen=SEPTEMBER, why="", **fields)
    assert change_label(finding) == label
    assert entry(finding).facts == facts


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"detail": "other rules open it too"}, "other rules open it too"),
        ({"exception": "the exception ended"}, "the exception ended"),
        (
            {"flips": 6, "flipping_since": SEPTEMBER},
            "changed 6 times since 1 Sep 2026",
        ),
    ],
)
def test_details(fields: dict[str, Any], detail: str) -> None:
    """What else opens it, which exception ended, and how often it has changed."""
    assert entry(ssh(**fields)).details == (detail,)


def test_a_managed_group_is_changed_elsewhere() -> None:
    """Beside the command stands where to change the group instead."""
    managed = ssh(managed_by="CloudFormation stack shop", fix="aws ec2 x", attached=())
    assert entry(managed, with_commands=True).details == (
        "Change it in CloudFormation stack shop: a manual change is undone or drifts.",
    )
    assert entry(managed).facts == ("not attached", "managed by CloudFormation stack shop")


def test_a_joint_finding_names_all_groups() -> None:
    """Each group's name, or its id where it has none, and the owners of all of them."""
    owners = [{"Tags": [{"Key": "Owner", "Value": value}]} for value in "ab"]
    halves = [
        answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1", name="low") | owners[0],
        answer(permission("tcp", 22, 22, "128.0.0.0/1"), group_id="sg-2", name=" ") | owners[1],
    ]
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    interfaces = [{"NetworkInterfaceId": "eni-1", "Groups": groups}]
    (opening,) = openings(*halves, NetworkInterfaces=interfaces)
    joint = entry(opening.finding)
    assert (joint.group, joint.group_ids) == ("low + sg-2", "sg-1 + sg-2")
    assert joint.facts == (
        "open only together",
        "eni-1",
        "no public IPv4 address",
        "owner: a, b",
    )


def test_a_public_interface_is_named_first() -> None:
    """Three are named, the others counted, a description is cut to 80 characters."""
    inside = [{"NetworkInterfaceId": f"eni-{n}", "Groups": [{"GroupId": "sg-1"}]} for n in range(9)]
    outside = {
        "NetworkInterfaceId": "eni-9",
        "Groups": [{"GroupId": "sg-1"}],
        "Description": "x" * 255,
        "Association": {"PublicIp": "52.9.9.9"},
    }
    group = answer(permission("tcp", 22, 22, WORLD))
    (opening,) = openings(group, NetworkInterfaces=[*inside, outside])
    assert entry(opening.finding).facts[0] == f"{'x' * 80}, 52.9.9.9, eni-0, eni-1 and 7 more"


def test_a_malformed_rule_has_its_reason() -> None:
    """The entry says what is wrong with it, and has no command."""
    (opening,) = openings(answer(permission("tcp", 30, 20, WORLD)), NetworkInterfaces=[])
    malformed = entry(opening.finding, with_commands=True)
    assert malformed.title == "tcp/30-20"
    assert malformed.details == ("tcp ports must be 0 to 65535 in order, got 30 to 20.",)
    assert malformed.commands == ()


@pytest.mark.parametrize(
    ("fields", "facts", "details"),
    [
        pytest.param(
            {"status": Status.RESOLVED, "detail": "tcp/22 is still open to 8.8.8.8/32"},
            ("was medium", "first seen 1 Sep 2026"),
            ("tcp/22 is still open to 8.8.8.8/32",),
            id="resolved",
        ),
        pytest.param(
            {"severity": Severity.INFO},
            ("now info", "not attached", "open since 1 Sep 2026"),
            (),
            id="no-longer-listed",
        ),
    ],
)
def test_what_is_listed_no_more(
    fields: dict[str, Any], facts: tuple[str, ...], details: tuple[str, ...]
) -> None:
    """What is resolved says what is still open, what is below the minimum why it is."""
    closed = closed_entry(Opening(ssh(first_seen=SEPTEMBER, **fields)), "eu-west-1")
    assert (closed.facts, closed.details) == (facts, details)
