"""What becomes of an opening from one run to the next, row by row."""

from typing import Any

import pytest

from handler.model.finding import Finding, Kind, Status
from handler.model.run import CoverageStatus
from tests.support.ledger_runs import Step
from tests.support.network import WORLD, WORLD_V6
from tests.support.reports import FRANKFURT
from tests.support.security_groups import answer, permission
from tests.support.steps import (
    APART,
    ATTACHED,
    AWS_LIST,
    CLOSED,
    DETACHED,
    FEW,
    HTTP,
    LOWER,
    OPEN,
    RANGE,
    SSH,
    TOGETHER,
    UNATTACHED,
    UPPER,
    A,
    B,
    exception,
    lists,
    one,
    policy,
    simulate,
    ssh,
    tcp,
    together,
    two,
)

QUARTERS = ("0.0.0.0/2", "64.0.0.0/2")
# More than are kept as CIDRs.
NINE = tuple(f"20.{2 * n}.0.0/16" for n in range(9))
OTHER_NINE = (*NINE[1:], "30.0.0.0/16")


def everything(*sources: str) -> dict[str, Any]:
    """A permission for all traffic; from the IPv4 internet unless sources are given."""
    return permission("-1", None, None, *(sources or (WORLD,)))


def icmp(kind: int) -> dict[str, Any]:
    """A permission for one type of ICMP from the IPv4 internet, or for all of them (-1)."""
    return permission("icmp", kind, -1, WORLD)


ALL = everything(LOWER, UPPER)
HALF, BOTH_FAMILIES = one(ssh(LOWER)), one(ssh(WORLD, WORLD_V6))
FROM_CLOUDFRONT = one(tcp(3306, 3306, "pl-2"), region=AWS_LIST)
UNREADABLE, NOT_READ = one(ssh("pl-1")), Step(status=CoverageStatus.FAILED)
OPEN_IN_PART = one(SSH, status=CoverageStatus.FAILED)
AUTHORIZED_SSH = policy(authorizedPorts=["tcp/22"])
ACCEPTED = one(SSH, policy=policy(exceptions=[exception()]))
EXPIRING = one(SSH, policy=policy(exceptions=[exception(until="2026-11-02")]))


def line(finding: Finding) -> str:
    """What became of a finding: its change or else its status, what it opens, and what it was."""
    kind = {Kind.EXPOSURE: "", Kind.JOINT: "joint "}.get(finding.kind, f"{finding.kind} ")
    family = " ipv6" if finding.family == "ipv6" else ""
    place = "" if finding.group_id == "sg-1" else f" on {finding.group_id}"
    before = ", ".join(sorted(previous.traffic.text for previous in finding.previously))
    was = f" was {before}" if finding.change else ""
    return f"{finding.change or finding.status} {kind}{finding.traffic.text}{family}{place}{was}"


def mailed(name: str, expected: str, *steps: Step) -> Any:
    """What the last of the runs, a day apart, lists, and that it mails because of that."""
    return pytest.param(expected, steps, True, id=name)


def quiet(name: str, expected: str, *steps: Step) -> Any:
    """What the last of the runs, a day apart, lists, and that it does not mail."""
    return pytest.param(expected, steps, False, id=name)


READ_IN_PART = [
    mailed("unread", "unverified tcp/22", OPEN, NOT_READ),
    quiet("unread-again", "unverified tcp/22", OPEN, NOT_READ, NOT_READ),
    mailed("unread-read-again", "open tcp/22", OPEN, NOT_READ, OPEN),
    mailed("unread-closed-meanwhile", "resolved tcp/22", OPEN, NOT_READ, CLOSED),
    mailed(
        "unread-another-group-seen",
        "new tcp/22 on sg-2; unverified tcp/22",
        OPEN,
        Step((answer(SSH, group_id="sg-2"),), status=CoverageStatus.FAILED),
    ),
    mailed("unread-wider-seen", "widened tcp/22 was tcp/22", HALF, OPEN_IN_PART),
    mailed(
        "unread-narrower-seen",
        "unverified tcp/22",
        OPEN,
        one(ssh(LOWER), status=CoverageStatus.FAILED),
    ),
    mailed("unread-the-same-seen", "open tcp/22", OPEN, OPEN_IN_PART),
    quiet(
        "unread-another-region", "unverified tcp/22", OPEN, Step(target=FRANKFURT, is_full=False)
    ),
    mailed("unreadable-meets", "new unreadable tcp/22; unverified tcp/22", OPEN, one(ssh("pl-9"))),
    mailed(
        "unreadable-for-more-traffic-meets",
        "new unreadable all traffic; unverified tcp/22",
        OPEN,
        one(everything("pl-9")),
    ),
    mailed(
        "unreadable-beside-does-not-meet",
        "new unreadable tcp/8000; resolved tcp/22",
        OPEN,
        one(tcp(8000, 8000, "pl-9")),
    ),
    mailed(
        "unreadable-in-another-group",
        "new unreadable tcp/22 on sg-2; resolved tcp/22",
        two([SSH], []),
        two([], [ssh("pl-9")]),
    ),
    quiet(
        "unreadable-as-before",
        "open tcp/22; open unreadable tcp/22",
        one(SSH, ssh("pl-9")),
        one(SSH, ssh("pl-9")),
    ),
    mailed("malformed-meets", "new malformed tcp/30-20; unverified tcp/22", OPEN, one(tcp(30, 20))),
    mailed(
        "malformed-in-another-group",
        "new malformed tcp/30-20 on sg-2; resolved tcp/22",
        two([SSH], []),
        two([], [tcp(30, 20)]),
    ),
]
SAME_ADDRESSES = [
    quiet("same", "open tcp/22", OPEN, OPEN),
    quiet("same-halves", "open tcp/22", OPEN, one(ssh(LOWER, UPPER))),
    quiet("same-merged", "open tcp/22", one(ssh(LOWER, UPPER)), OPEN),
    quiet("same-quarters", "open tcp/22", HALF, one(ssh(*QUARTERS))),
    quiet("same-cidr-to-list", "open tcp/22", one(ssh(A)), one(ssh("pl-1"), region=lists(A))),
    quiet(
        "same-cidr-to-list-of-halves",
        "open tcp/22",
        OPEN,
        one(ssh("pl-1"), region=lists(LOWER, UPPER)),
    ),
    quiet("same-list-to-cidr", "open tcp/22", one(ssh("pl-1"), region=lists(A)), one(ssh(A))),
    quiet(
        "same-another-list",
        "open tcp/22",
        one(ssh("pl-1"), region=lists(A)),
        one(ssh("pl-3"), region=lists(A, list_id="pl-3")),
    ),
    quiet("same-redundant-rule", "open tcp/22", OPEN, one(SSH, ssh(A))),
    quiet("same-private-rule", "open tcp/22", OPEN, one(SSH, tcp(22, 25, "10.0.0.0/8"))),
    quiet("same-host-bits", "open tcp/22", OPEN, one(ssh("1.2.3.4/0"))),
    quiet("same-nine-in-another-order", "open tcp/22", one(ssh(*NINE)), one(ssh(*reversed(NINE)))),
    quiet(
        "same-nine-one-in-halves",
        "open tcp/22",
        one(ssh(*NINE)),
        one(ssh("20.0.0.0/17", "20.0.128.0/17", *NINE[1:])),
    ),
    quiet("same-list-of-aws", "open tcp/3306", *[FROM_CLOUDFRONT] * 2),
    quiet(
        "same-both-families",
        "open tcp/22; open tcp/22 ipv6",
        BOTH_FAMILIES,
        one(SSH, ssh("::/1", "8000::/1")),
    ),
    quiet(
        "same-ipv6-written-differently",
        "open tcp/22 ipv6",
        one(ssh(WORLD_V6)),
        one(ssh("2000::/3")),
    ),
]
OTHER_ADDRESSES = [
    mailed("more-half-to-world", "widened tcp/22 was tcp/22", HALF, OPEN),
    mailed("more-one-more", "widened tcp/22 was tcp/22", one(ssh(A)), one(ssh(A, B))),
    mailed("more-gained-and-lost", "widened tcp/22 was tcp/22", one(ssh(A)), one(ssh(B))),
    mailed("more-fewer-addresses-but-others", "widened tcp/22 was tcp/22", HALF, one(ssh(UPPER))),
    mailed(
        "more-list-gained-an-entry",
        "widened tcp/22 was tcp/22",
        one(ssh("pl-1"), region=lists(A)),
        one(ssh("pl-1"), region=lists(A, B)),
    ),
    mailed(
        "more-ipv6",
        "open tcp/22; widened tcp/22 ipv6 was tcp/22",
        one(ssh("2600::/12", WORLD)),
        one(ssh(WORLD_V6, WORLD)),
    ),
    mailed("more-eight-to-nine", "widened tcp/22 was tcp/22", one(ssh(*NINE[:8])), one(ssh(*NINE))),
    mailed(
        "more-nine-to-ten",
        "widened tcp/22 was tcp/22",
        one(ssh(*NINE)),
        one(ssh(*NINE, "30.0.0.0/16")),
    ),
    mailed(
        "more-nine-to-as-many-others",
        "widened tcp/22 was tcp/22",
        one(ssh(*NINE)),
        one(ssh(*OTHER_NINE)),
    ),
    mailed("fewer-world-to-half", "narrowed tcp/22 was tcp/22", OPEN, HALF),
    mailed("fewer-one-less", "narrowed tcp/22 was tcp/22", one(ssh(A, B)), one(ssh(A))),
    mailed(
        "fewer-ten-to-nine",
        "narrowed tcp/22 was tcp/22",
        one(ssh(*NINE, "30.0.0.0/16")),
        one(ssh(*NINE)),
    ),
    mailed(
        "fewer-nine-to-eight", "narrowed tcp/22 was tcp/22", one(ssh(*NINE)), one(ssh(*NINE[:8]))
    ),
    quiet("fewer-once", "open tcp/22", OPEN, HALF, HALF),
    mailed(
        "fewer-of-two-families",
        "narrowed tcp/22 ipv6 was tcp/22; open tcp/22",
        BOTH_FAMILIES,
        one(ssh(WORLD, "2600::/12")),
    ),
]
OTHER_TRAFFIC = [
    mailed("wider-more-ports", "widened tcp/20-25 was tcp/22", OPEN, one(RANGE)),
    mailed("wider-all-ports", "widened tcp, all ports was tcp/22", OPEN, one(tcp(0, 65535))),
    mailed("wider-all-traffic", "widened all traffic was tcp/22", OPEN, one(everything())),
    mailed(
        "wider-more-ports-beside-the-old-rule",
        "widened tcp/20-25 was tcp/22",
        OPEN,
        one(SSH, tcp(20, 25)),
    ),
    mailed(
        "wider-of-two", "widened tcp/20-100 was tcp/22, tcp/80", one(SSH, HTTP), one(tcp(20, 100))
    ),
    mailed(
        "wider-more-ports-to-fewer", "widened tcp/20-25 was tcp/22", OPEN, one(tcp(20, 25, LOWER))
    ),
    mailed("wider-shifted", "widened tcp/22-25 was tcp/20-22", one(tcp(20, 22)), one(tcp(22, 25))),
    mailed(
        "wider-both-families",
        "widened tcp/20-25 ipv6 was tcp/22; widened tcp/20-25 was tcp/22",
        BOTH_FAMILIES,
        one(tcp(20, 25, WORLD, WORLD_V6)),
    ),
    mailed(
        "wider-one-icmp-type-to-all",
        "widened icmp was icmp type 13",
        one(icmp(8), icmp(13)),
        one(icmp(-1)),
    ),
    mailed(
        "wider-list-of-aws",
        "widened tcp/3306-3310 was tcp/3306",
        FROM_CLOUDFRONT,
        one(tcp(3306, 3310, "pl-2"), region=AWS_LIST),
    ),
    mailed("narrower-fewer-ports", "narrowed tcp/22 was tcp/20-25", one(RANGE), OPEN),
    mailed(
        "narrower-both-ends-stay",
        "narrowed tcp/20-21 was tcp/20-25; narrowed tcp/24-25 was tcp/20-25",
        one(RANGE),
        one(tcp(20, 21), tcp(24, 25)),
    ),
    mailed(
        "narrower-fewer-protocols",
        "narrowed tcp, all ports was all traffic",
        one(everything()),
        one(tcp(0, 65535)),
    ),
    mailed("narrower-fewer-ports-and-addresses", "narrowed tcp/22 was tcp/20-25", one(RANGE), HALF),
    mailed(
        "narrower-and-another-port",
        "narrowed tcp/22 was tcp/20-25; new tcp/80",
        one(RANGE),
        one(SSH, HTTP),
    ),
    quiet("split", "open tcp/20-22; open tcp/23-25", one(RANGE), one(tcp(20, 22), tcp(23, 25))),
    quiet("split-merged", "open tcp/20-25", one(tcp(20, 22), tcp(23, 25)), one(RANGE)),
    quiet(
        "split-elsewhere",
        "open tcp/20-21; open tcp/22-25",
        one(tcp(20, 22), tcp(23, 25)),
        one(tcp(20, 21), tcp(22, 25)),
    ),
    quiet(
        "split-and-halved",
        "open tcp/20-22; open tcp/23-25",
        one(RANGE),
        one(tcp(20, 22, LOWER, UPPER), tcp(23, 25)),
    ),
    quiet(
        "split-named-beside-all-traffic", "open all traffic; open tcp/22", one(ALL), one(ALL, SSH)
    ),
    quiet(
        "split-more-ports-within-all-traffic",
        "open all traffic; open tcp/20-25",
        one(ALL, SSH),
        one(ALL, tcp(20, 25)),
    ),
    quiet(
        "split-a-part-below-the-minimum",
        "open tcp/79",
        one(tcp(79, 80, A)),
        one(tcp(79, 79, A), tcp(80, 80, A)),
    ),
    quiet(
        "split-a-part-authorized",
        "open tcp/20-21; open tcp/23-25",
        one(tcp(20, 25), policy=AUTHORIZED_SSH),
        one(tcp(20, 21), SSH, tcp(23, 25), policy=AUTHORIZED_SSH),
    ),
    quiet(
        "split-list-of-aws-split",
        "open tcp/3306-3307; open tcp/3308-3310",
        one(tcp(3306, 3310, "pl-2"), region=AWS_LIST),
        one(tcp(3306, 3307, "pl-2"), tcp(3308, 3310, "pl-2"), region=AWS_LIST),
    ),
]
COME_AND_GONE = [
    mailed("again", "reopened tcp/22", OPEN, CLOSED, OPEN),
    mailed("again-and-wider", "reopened tcp/22", HALF, CLOSED, OPEN),
    mailed("again-others-come-again", "new tcp/80", OPEN, CLOSED, one(HTTP)),
    mailed(
        "again-in-another-group", "new tcp/22 on sg-2", two([SSH], []), two([], []), two([], [SSH])
    ),
    quiet("again-once", "open tcp/22", OPEN, CLOSED, OPEN, OPEN),
    mailed("opened", "new tcp/22", CLOSED, OPEN),
    mailed("opened-first-run", "new tcp/22", OPEN),
    mailed("opened-another-port", "new tcp/80; open tcp/22", OPEN, one(SSH, HTTP)),
    mailed("opened-another-family", "new tcp/22 ipv6; open tcp/22", OPEN, BOTH_FAMILIES),
    mailed(
        "opened-another-group", "new tcp/22 on sg-2; open tcp/22", two([SSH], []), two([SSH], [SSH])
    ),
    mailed(
        "opened-more-traffic-beside-a-settled-one",
        "new all traffic; open tcp/22",
        OPEN,
        one(SSH, everything(A)),
    ),
    quiet("opened-below-the-minimum", "", CLOSED, one(ssh(FEW))),
    quiet("within-still-open-by-all-traffic", "open all traffic", one(ALL, SSH), one(ALL)),
    mailed(
        "within-becomes-a-part-of-a-wider-one",
        "widened tcp/20-25 was tcp/22, tcp/25",
        one(SSH, tcp(25, 25)),
        one(RANGE),
    ),
    mailed("closed", "resolved tcp/22", OPEN, CLOSED),
    mailed("closed-group-deleted", "resolved tcp/22", OPEN, Step()),
    quiet("closed-once", "", OPEN, CLOSED, CLOSED),
    mailed("closed-one-of-two", "open tcp/80; resolved tcp/22", one(SSH, HTTP), one(HTTP)),
    mailed(
        "closed-another-family-stays",
        "open tcp/22 ipv6; resolved tcp/22",
        BOTH_FAMILIES,
        one(ssh(WORLD_V6)),
    ),
    mailed("closed-another-port-opened", "new tcp/80; resolved tcp/22", OPEN, one(HTTP)),
    mailed(
        "closed-same-port-in-another-group",
        "new tcp/22 on sg-2; resolved tcp/22",
        two([SSH], []),
        two([], [SSH]),
    ),
    mailed(
        "closed-recreated-group",
        "new tcp/22 on sg-3; resolved tcp/22",
        OPEN,
        Step((answer(SSH, group_id="sg-3"),)),
    ),
    mailed("closed-private-now", "resolved tcp/22", OPEN, one(ssh("10.0.0.0/8"))),
    mailed("closed-list-of-aws", "resolved tcp/3306", FROM_CLOUDFRONT, CLOSED),
]
SEVERAL_GROUPS = [
    quiet("joint-same", "open joint tcp/22; open tcp/22; open tcp/22 on sg-2", *[TOGETHER] * 2),
    quiet(
        "joint-rewritten",
        "open joint tcp/22; open tcp/22; open tcp/22 on sg-2",
        TOGETHER,
        two([ssh(*QUARTERS)], [ssh(UPPER)], ("sg-1", "sg-2")),
    ),
    mailed(
        "joint-put-together", "new joint tcp/22; open tcp/22; open tcp/22 on sg-2", APART, TOGETHER
    ),
    mailed(
        "joint-widened",
        "open tcp/22 on sg-2; widened joint tcp/22 was tcp/22; widened tcp/22 was tcp/22",
        together(QUARTERS[0], UPPER),
        TOGETHER,
    ),
    mailed(
        "joint-narrowed",
        "narrowed joint tcp/22 was tcp/22; narrowed tcp/22 was tcp/22; open tcp/22 on sg-2",
        TOGETHER,
        together(QUARTERS[0], UPPER),
    ),
    mailed(
        "joint-taken-apart",
        "open tcp/22; open tcp/22 on sg-2; resolved joint tcp/22",
        TOGETHER,
        APART,
    ),
    mailed(
        "joint-put-together-again",
        "open tcp/22; open tcp/22 on sg-2; reopened joint tcp/22",
        TOGETHER,
        APART,
        TOGETHER,
    ),
    mailed(
        "joint-one-part-closed",
        "open tcp/22; resolved joint tcp/22; resolved tcp/22 on sg-2",
        TOGETHER,
        two([ssh(LOWER)], [], ("sg-1", "sg-2")),
    ),
    mailed(
        "joint-within-one-of-its-groups",
        "open tcp/22 on sg-2; widened tcp/22 was tcp/22",
        TOGETHER,
        together(WORLD, UPPER),
    ),
    mailed(
        "joint-within-fewer-groups",
        "new joint tcp/22; open tcp/22 on sg-2; open tcp/22 on sg-3; widened tcp/22 was tcp/22",
        together(*QUARTERS, UPPER),
        together(LOWER, QUARTERS[1], UPPER),
    ),
]
EXCEPTIONS = [
    quiet("excepted", "excepted tcp/22", OPEN, ACCEPTED),
    quiet("excepted-still", "excepted tcp/22", *[ACCEPTED] * 2),
    mailed("excepted-withdrawn", "reopened tcp/22", ACCEPTED, OPEN),
    mailed("excepted-expired", "reopened tcp/22", *[EXPIRING] * 2),
    quiet("excepted-expired-and-mailed", "open tcp/22", *[EXPIRING] * 3),
    mailed("excepted-and-closed", "resolved tcp/22", ACCEPTED, one(policy=ACCEPTED.policy)),
    quiet(
        "excepted-wider-than-the-exception",
        "open tcp/22",
        *[one(SSH, policy=policy(exceptions=[exception(source=A)]))] * 2,
    ),
]
SEVERITIES = [
    mailed("severity-attached", "worsened tcp/22 was tcp/22", DETACHED, ATTACHED),
    quiet("severity-worsened-once", "open tcp/22", DETACHED, ATTACHED, ATTACHED),
    quiet("severity-path-unknown", "open tcp/22", DETACHED, OPEN),
    quiet("severity-path-unknown-between", "open tcp/22", DETACHED, OPEN, DETACHED),
    mailed(
        "severity-worse-after-path-unknown", "worsened tcp/22 was tcp/22", DETACHED, OPEN, ATTACHED
    ),
    quiet("severity-better", "open tcp/22", ATTACHED, DETACHED),
    quiet("severity-as-bad-as-announced", "open tcp/22", ATTACHED, DETACHED, ATTACHED),
    mailed(
        "severity-wider-and-worse",
        "widened tcp/22 was tcp/22",
        one(ssh(LOWER), region=UNATTACHED),
        ATTACHED,
    ),
    mailed(
        "readable",
        "resolved unreadable tcp/22",
        UNREADABLE,
        one(ssh("pl-1"), region=lists("10.0.0.0/8")),
    ),
    mailed(
        "readable-and-open",
        "new tcp/22; resolved unreadable tcp/22",
        UNREADABLE,
        one(ssh("pl-1"), region=lists(WORLD)),
    ),
    mailed("unreadable-rule-gone", "resolved unreadable tcp/22", UNREADABLE, CLOSED),
    quiet("unreadable-not-yet", "open unreadable tcp/22", *[UNREADABLE] * 2),
    mailed("unreadable-not-read", "unverified unreadable tcp/22", UNREADABLE, NOT_READ),
]


@pytest.mark.parametrize(
    ("expected", "steps", "mails"),
    [
        *READ_IN_PART,
        *SAME_ADDRESSES,
        *OTHER_ADDRESSES,
        *OTHER_TRAFFIC,
        *COME_AND_GONE,
        *SEVERAL_GROUPS,
        *EXCEPTIONS,
        *SEVERITIES,
    ],
)
def test_what_becomes_of_an_opening(expected: str, steps: list[Step], *, mails: bool) -> None:
    """The last run lists each opening with what became of it, and mails if that is a change."""
    last = simulate(steps)[-1]
    report = last.report
    assert "; ".join(sorted(map(line, last.listed))) == expected
    assert (last.kind is not None) == mails
    assert report.changes is not None
    assert report.changes.unlisted == ()
    assert {f.status for f in report.findings if f.change} <= {Status.OPEN}
