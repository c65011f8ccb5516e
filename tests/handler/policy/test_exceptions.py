"""What an exception accepts, and the near misses that it must not accept."""

from typing import Any

import pytest

from handler.model.audit_report import Report
from handler.model.finding import Status
from handler.model.run import Run, Scan, Trigger
from handler.policy.exceptions import apply_policy
from handler.policy.policy import Policy
from tests.support import reports
from tests.support.security_groups import answer, permission

WORLD = "0.0.0.0/0"
HTTPS = permission("tcp", 443, 443, WORLD)


def policy(*exceptions: dict[str, Any], **more: object) -> Policy:
    """A policy with these exceptions; what an exception does not say is as in the first vector."""
    whole = {"group": "sg-1", "ports": "tcp/443", "reason": "shop", "owner": "web"}
    default: dict[str, Any] = {**whole, "until": "2026-12-31"}
    return Policy.parse({"exceptions": [default | exception for exception in exceptions], **more})


def report(rules: Policy, *scans: Scan) -> Report:
    """The report on 2026-11-23."""
    return reports.of(*scans, policy=rules)


@pytest.mark.parametrize(
    ("exceptions", "group", "outcome"),
    [
        pytest.param([{}], HTTPS, "excused", id="exactly"),
        pytest.param([{"group": "web"}], HTTPS, "excused", id="by-name"),
        pytest.param([{"group": "WEB"}], HTTPS, "unused", id="name-in-other-case"),
        pytest.param([{"group": "sg-2"}], HTTPS, "unused", id="other-group"),
        pytest.param([{"ports": "tcp/443-8443"}], HTTPS, "excused", id="wider-ports-than-open"),
        pytest.param([{}], permission("tcp", 443, 8443, WORLD), "wider", id="wider-opening"),
        pytest.param([{}], permission("tcp", 442, 443, WORLD), "wider", id="one-port-before"),
        pytest.param([{}], permission("tcp", 443, 444, WORLD), "wider", id="one-port-after"),
        pytest.param([{}], permission("udp", 443, 443, WORLD), "unused", id="other-protocol"),
        pytest.param([{}], permission("-1", None, None, WORLD), "wider", id="all-traffic"),
        pytest.param([{"ports": "all"}], HTTPS, "excused", id="all-covers-a-port"),
        pytest.param(
            [{"ports": "tcp"}], permission("tcp", 0, 65535, WORLD), "excused", id="whole-tcp"
        ),
        pytest.param(
            [{"ports": "tcp"}], permission("-1", None, None, WORLD), "wider", id="tcp-only"
        ),
        pytest.param(
            [{"ports": "tcp/440-443"}, {"ports": "tcp/444-450"}],
            permission("tcp", 442, 446, WORLD),
            "excused",
            id="two-make-one-range",
        ),
        pytest.param(
            [{"ports": "tcp/440-443"}, {"ports": "tcp/445-450"}],
            permission("tcp", 442, 446, WORLD),
            "wider",
            id="two-with-a-gap",
        ),
        pytest.param([{"source": WORLD}], HTTPS, "excused", id="same-source"),
        pytest.param([{"source": "0.0.0.0/1"}], HTTPS, "wider", id="half-of-the-source"),
        pytest.param(
            [{"source": "0.0.0.0/1"}, {"source": "128.0.0.0/1"}],
            permission("tcp", 443, 443, "0.0.0.0/1", "128.0.0.0/1"),
            "excused",
            id="each-source-by-its-own",
        ),
        pytest.param(
            [{"source": "0.0.0.0/1"}],
            permission("tcp", 443, 443, "0.0.0.0/1", "128.0.0.0/1"),
            "wider",
            id="one-source-of-two",
        ),
        pytest.param(
            [{"source": "8.0.0.0/8"}],
            permission("tcp", 443, 443, "8.8.0.0/16"),
            "excused",
            id="narrower-than-the-source",
        ),
        pytest.param(
            [{"source": WORLD}], permission("tcp", 443, 443, "::/0"), "unused", id="other-family"
        ),
        pytest.param(
            [{"source": "pl-1"}], permission("tcp", 443, 443, WORLD), "unused", id="list-for-cidr"
        ),
        pytest.param(
            [{"source": "pl-2"}], permission("tcp", 443, 443, "pl-2"), "excused", id="the-same-list"
        ),
        pytest.param(
            [{"source": "pl-1"}], permission("tcp", 443, 443, "pl-2"), "unused", id="another-list"
        ),
        pytest.param([{"account": "123456789012"}], HTTPS, "excused", id="its-account"),
        pytest.param([{"account": "123456789013"}], HTTPS, "unused", id="another-account"),
        pytest.param([{"region": "eu-west-1"}], HTTPS, "excused", id="its-region"),
        pytest.param([{"region": "eu-west-2"}], HTTPS, "unused", id="another-region"),
        pytest.param([{"until": "2026-11-23"}], HTTPS, "excused", id="last-day"),
        pytest.param([{"until": "2026-11-22"}], HTTPS, "expired", id="day-after"),
        pytest.param(
            [{"until": "2026-11-23T00:00:00Z"}], HTTPS, "excused", id="date-as-yaml-has-it"
        ),
        pytest.param(
            [{"ports": "icmp/8"}], permission("icmp", 8, -1, WORLD), "excused", id="icmp-type"
        ),
        pytest.param(
            [{"ports": "icmp/8"}], permission("icmp", -1, -1, WORLD), "wider", id="icmp-all"
        ),
        pytest.param(
            [{"ports": "icmp/3/4"}], permission("icmp", 3, -1, WORLD), "wider", id="icmp-code"
        ),
        pytest.param(
            [{"ports": "protocol/50"}], permission("50", None, None, WORLD), "excused", id="esp"
        ),
        pytest.param([{"ports": "6/443"}], HTTPS, "excused", id="tcp-by-its-number"),
        pytest.param([{"ports": "TCP/443"}], HTTPS, "excused", id="upper-case"),
    ],
)
def test_an_exception_accepts_exactly_what_it_names(
    exceptions: list[dict[str, Any]], group: dict[str, Any], outcome: str
) -> None:
    """The finding is excepted, or its note and the review say which part does not match."""
    lists = [{"PrefixListId": "pl-2", "OwnerId": "1", "Entries": [{"Cidr": WORLD}]}]
    made = report(policy(*exceptions), reports.read(answer(group), PrefixLists=lists))
    (finding,) = made.findings
    assert (finding.status is Status.EXCEPTED) is (outcome == "excused")
    assert bool(made.open) is (outcome != "excused")
    assert bool(made.exceptions.unused) is (outcome == "unused")
    start = {"excused": "accepted until ", "wider": "wider than what web accepts until "}
    opening = {**start, "expired": "exception expired on ", "unused": ""}[outcome]
    assert (finding.exception or "").startswith(opening)
    assert bool(finding.exception) is (outcome != "unused")


@pytest.mark.parametrize(
    ("sources", "accepted", "outcome"),
    [
        pytest.param([WORLD, "pl-2"], ["pl-2"], "wider", id="a-list-for-a-cidr-that-opens-as-much"),
        pytest.param([WORLD, "pl-2"], [WORLD], "excused", id="a-cidr-for-a-list-within"),
        pytest.param(["8.0.0.0/8", "pl-2"], ["pl-2"], "wider", id="a-list-for-a-cidr-within"),
        pytest.param(["8.0.0.0/8", "pl-2"], ["8.0.0.0/8"], "wider", id="a-cidr-for-a-wider-list"),
        pytest.param(["8.0.0.0/8", "pl-2"], ["8.0.0.0/8", "pl-2"], "excused", id="both"),
        pytest.param([WORLD, "pl-3"], ["pl-3"], "wider", id="a-list-that-is-a-part"),
        pytest.param(["pl-2", "pl-3"], ["pl-2"], "wider", id="a-list-for-another-within"),
        pytest.param(["::/0", "2000::/3"], ["2000::/3"], "wider", id="as-much-in-another-length"),
        pytest.param(["::/0", "2000::/3"], ["::/0"], "excused", id="as-much-in-a-wider-one"),
        pytest.param(["100.0.0.0/9", "100.0.0.0/10"], ["100.0.0.0/10"], "wider", id="private-rest"),
    ],
)
def test_a_redundant_rule_is_not_accepted_with_another(
    sources: list[str], accepted: list[str], outcome: str
) -> None:
    """Every rule that opens the finding must be accepted, also one that adds no address.

    An exception for such a rule counts as used.
    """
    lists = [
        {"PrefixListId": "pl-2", "OwnerId": "1", "Entries": [{"Cidr": WORLD}]},
        {"PrefixListId": "pl-3", "OwnerId": "1", "Entries": [{"Cidr": "9.0.0.0/8"}]},
    ]
    rules = policy(*({"source": source} for source in accepted))
    group = answer(permission("tcp", 443, 443, *sources))
    made = report(rules, reports.read(group, PrefixLists=lists))
    (finding,) = made.findings
    assert (finding.status is Status.EXCEPTED) is (outcome == "excused")
    assert (finding.exception or "").startswith("wider than") is (outcome == "wider")
    assert made.exceptions.unused == ()


@pytest.mark.parametrize(
    ("rules", "exceptions", "open_ports"),
    [
        pytest.param(
            [permission("tcp", 20, 22, WORLD), permission("tcp", 22, 30, "pl-2")],
            [{"ports": "tcp/20-21", "source": WORLD}, {"ports": "tcp/22-30", "source": "pl-2"}],
            ["tcp/22-30"],
            id="where-they-overlap",
        ),
        pytest.param(
            [permission("tcp", 20, 30, "pl-2"), permission("tcp", 22, 22, "8.0.0.0/8")],
            [{"ports": "tcp/20-30", "source": "pl-2"}, {"ports": "tcp/22", "source": "8.0.0.0/8"}],
            [],
            id="on-its-own-ports",
        ),
        pytest.param(
            [permission("tcp", 22, 22, "pl-2", "pl-4")],
            [{"ports": "tcp/22", "source": "pl-2"}],
            [],
            id="a-list-of-private-ranges",
        ),
    ],
)
def test_each_rule_is_accepted_on_its_ports(
    rules: list[dict[str, Any]], exceptions: list[dict[str, Any]], open_ports: list[str]
) -> None:
    """A rule must be accepted on all of its own ports, and on no others."""
    lists = [
        {"PrefixListId": "pl-2", "OwnerId": "1", "Entries": [{"Cidr": WORLD}]},
        {"PrefixListId": "pl-4", "OwnerId": "1", "Entries": [{"Cidr": "10.0.0.0/8"}]},
    ]
    made = report(policy(*exceptions), reports.read(answer(*rules), PrefixLists=lists))
    assert [finding.traffic.text for finding in made.open] == open_ports
    assert not [finding for finding in made.findings if "pl-4" in (finding.detail or "")]


def test_an_excepted_finding_names_its_exception() -> None:
    """The note has the exception's last day, owner and reason."""
    (finding,) = report(policy({}), reports.read(answer(HTTPS))).findings
    assert finding.exception == "accepted until 2026-12-31 by web: shop"


def test_two_exceptions_with_one_reason_are_named_once() -> None:
    """Each accepts a part of the ports."""
    halves = policy({"ports": "tcp/443"}, {"ports": "tcp/444"})
    scan = reports.read(answer(permission("tcp", 443, 444, WORLD)))
    (finding,) = report(halves, scan).findings
    assert finding.exception == "accepted until 2026-12-31 by web: shop"


def test_an_expired_exception_is_named_with_its_owner() -> None:
    """The finding is open again, and its note has the day and the owner."""
    made = report(policy({"until": "2026-11-22"}), reports.read(answer(HTTPS)))
    (finding,) = made.open
    assert finding.exception == "exception expired on 2026-11-22, owner web"
    assert (len(made.exceptions.expired), made.exceptions.unused) == (1, ())


def test_a_finding_wider_than_its_exception_names_it() -> None:
    """The note says what the exception accepts."""
    rules = policy({"source": "0.0.0.0/1", "owner": "shop"})
    (finding,) = report(rules, reports.read(answer(HTTPS))).open
    assert finding.exception == (
        "wider than what shop accepts until 2026-12-31: tcp/443 from 0.0.0.0/1 on sg-1"
    )


def test_an_expired_exception_beside_its_renewal_is_not_unused() -> None:
    """It is listed as expired only."""
    made = report(policy({"until": "2026-11-22"}, {}), reports.read(answer(HTTPS)))
    assert made.open == ()
    assert (len(made.exceptions.expired), made.exceptions.unused) == (1, ())


def test_an_exception_for_an_unreadable_list_is_not_unused() -> None:
    """The prefix list may hold what the exception accepts."""
    made = report(policy({}), reports.read(answer(permission("tcp", 1, 2, "pl-9"))))
    assert made.exceptions.unused == ()


def test_a_partial_run_lists_no_unused_exceptions() -> None:
    """A run that reads some regions cannot know which exceptions are unused."""
    made = reports.of(reports.read(answer()), policy=policy({}), is_full=False)
    assert made.exceptions.unused == ()


@pytest.mark.parametrize(
    ("until", "announced"),
    [("2026-11-22", 0), ("2026-11-23", 1), ("2026-12-07", 1), ("2026-12-08", 0)],
)
def test_the_end_of_an_exception_is_announced(until: str, announced: int) -> None:
    """An exception is listed as expiring from 14 days before its last day until that day."""
    made = report(policy({"until": until}), reports.read(answer(HTTPS)))
    assert len(made.exceptions.expiring) == announced


def test_an_exception_for_an_unread_region_is_not_unused() -> None:
    """Only exceptions for targets that were read in full are listed as unused."""
    rules = policy({"region": "eu-central-1"}, {"region": "eu-west-1"}, {"group": "gone"})
    made = report(rules, reports.read(answer()), reports.DENIED)
    assert [exception.region for exception in made.exceptions.unused] == ["eu-west-1"]


def test_a_joint_finding_needs_an_exception_for_each_group() -> None:
    """With an exception for one of two groups, the joint finding stays open."""
    halves = [
        answer(permission("tcp", 443, 443, "0.0.0.0/1"), group_id="sg-1"),
        answer(permission("tcp", 443, 443, "128.0.0.0/1"), group_id="sg-2", name="other"),
    ]
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    read = reports.read(*halves, NetworkInterfaces=[{"NetworkInterfaceId": "e", "Groups": groups}])
    with_one = {finding.kind for finding in report(policy({}), read).open}
    with_both = {finding.kind for finding in report(policy({}, {"group": "other"}), read).open}
    assert (with_one, with_both) == ({"exposure", "interface"}, set())


@pytest.mark.parametrize("ports", ["pl-9", "30-20"])
def test_unreadable_and_malformed_findings_are_never_accepted(ports: str) -> None:
    """Neither exceptions nor authorized ports accept them."""
    odd = permission("tcp", 30, 20, WORLD) if ports == "30-20" else permission("tcp", 1, 2, ports)
    rules = policy({"ports": "all"}, authorizedPorts=["tcp"])
    assert len(report(rules, reports.read(answer(odd))).open) == 1


@pytest.mark.parametrize(
    ("authorized", "ports", "left"),
    [
        (["tcp/443"], (443, 443), 0),
        (["tcp/443"], (443, 444), 1),
        (["tcp/443", "tcp/444"], (443, 444), 0),
        (["udp/443"], (443, 443), 1),
    ],
)
def test_authorized_ports_are_not_findings(
    authorized: list[str], ports: tuple[int, int], left: int
) -> None:
    """Exposures within the authorized ports are listed apart, in every group."""
    opened = answer(permission("tcp", *ports, WORLD))
    made = report(policy(authorizedPorts=authorized), reports.read(opened))
    assert (len(made.findings), len(made.authorized)) == (left, 1 - left)


def test_the_order_of_findings_is_kept() -> None:
    """Applying a policy does not reorder the findings."""
    read = reports.read(
        answer(HTTPS, permission("tcp", 22, 22, WORLD)), answer(HTTPS, group_id="z")
    )
    run = Run("1", Trigger.MANUAL, "2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z")
    applied = apply_policy(read.findings, [read.coverage], policy({}), run)
    assert [finding.id for finding in applied.findings] == [finding.id for finding in read.findings]
