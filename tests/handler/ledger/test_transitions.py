"""What becomes of an opening from one run to the next, row by row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler.ledger.state import LedgerState
from handler.model.finding import Change, Finding, Kind, Status
from handler.model.run import CoverageStatus
from handler.policy.policy import Policy
from tests.support.ledger_runs import Outcome, Step, follow
from tests.support.network import CLOUDFRONT, PUBLIC_IPV4, WORLD, WORLD_V6, interface
from tests.support.reports import FRANKFURT
from tests.support.security_groups import answer, permission

START = datetime(2026, 11, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)
LOWER, UPPER = "0.0.0.0/1", "128.0.0.0/1"
QUARTERS = ("0.0.0.0/2", "64.0.0.0/2")
A, B = "52.0.0.0/8", "54.0.0.0/8"
FEW, NARROW = "52.0.0.0/24", "52.0.0.0/20"
# More than are kept as CIDRs.
NINE = tuple(f"20.{2 * n}.0.0/16" for n in range(9))
OTHER_NINE = (*NINE[1:], "30.0.0.0/16")
FAILED = CoverageStatus.FAILED


def tcp(low: int, high: int, *sources: str) -> dict[str, Any]:
    """A permission for TCP ports; from the IPv4 internet unless sources are given."""
    return permission("tcp", low, high, *(sources or (WORLD,)))


def everything(*sources: str) -> dict[str, Any]:
    """A permission for all traffic."""
    return permission("-1", None, None, *(sources or (WORLD,)))


def icmp(kind: int, *sources: str) -> dict[str, Any]:
    """A permission for one type of ICMP, or for all of them (-1)."""
    return permission("icmp", kind, -1, *(sources or (WORLD,)))


SSH, HTTP = tcp(22, 22), tcp(80, 80)
CLOSED = Step((answer(),))


def one(*permissions: dict[str, Any], **fields: Any) -> Step:
    """A run that reads one group with these permissions."""
    return Step((answer(*permissions),), **fields)


def two(
    first: list[dict[str, Any]], second: list[dict[str, Any]], *group_sets: tuple[str, ...]
) -> Step:
    """A run that reads sg-1 and sg-2, on interfaces with a public address and these groups."""
    groups = answer(*first), answer(*second, group_id="sg-2")
    interfaces = [
        interface(f"eni-{n}", groups=group_set, public=PUBLIC_IPV4)
        for n, group_set in enumerate(group_sets)
    ]
    return Step(groups, {"NetworkInterfaces": interfaces} if interfaces else {})


def three(*sources: str) -> Step:
    """A run that reads three groups on one interface, with SSH from a source each."""
    group_ids = ("sg-1", "sg-2", "sg-3")
    groups = (answer(tcp(22, 22, s), group_id=g) for g, s in zip(group_ids, sources, strict=True))
    return Step(
        tuple(groups), {"NetworkInterfaces": [interface(groups=group_ids, public=PUBLIC_IPV4)]}
    )


def lists(*cidrs: str, list_id: str = "pl-1") -> dict[str, Any]:
    """A region with a prefix list of the customer's."""
    entries = [{"Cidr": cidr} for cidr in cidrs]
    return {"PrefixLists": [{"PrefixListId": list_id, "OwnerId": "1", "Entries": entries}]}


AWS_LIST = {
    "PrefixLists": [{"PrefixListId": "pl-2", "OwnerId": "AWS", "PrefixListName": CLOUDFRONT}]
}
PUBLIC = {"NetworkInterfaces": [interface(public=PUBLIC_IPV4)]}
UNATTACHED: dict[str, Any] = {"NetworkInterfaces": []}
TOGETHER, APART = [("sg-1", "sg-2")], [("sg-1",), ("sg-2",)]
LOWER_SSH, UPPER_SSH = [tcp(22, 22, LOWER)], [tcp(22, 22, UPPER)]


def policy(**keys: object) -> Policy:
    """A policy with these keys."""
    return Policy.parse(keys)


def accepted(ports: str = "tcp/22", until: str = "2026-12-31", **fields: str) -> Policy:
    """A policy that accepts these ports of sg-1."""
    reasons = {"reason": "a test", "owner": "ops"}
    return policy(
        exceptions=[{"group": "sg-1", "ports": ports, "until": until, **reasons, **fields}]
    )


AUTHORIZED_SSH = policy(authorizedPorts=["tcp/22"])


def line(finding: Finding) -> str:
    """What became of a finding: its change or else its status, what it opens, and what it was."""
    kind = {Kind.EXPOSURE: "", Kind.JOINT: "joint "}.get(finding.kind, f"{finding.kind} ")
    family = " ipv6" if finding.family == "ipv6" else ""
    place = "" if finding.group_id == "sg-1" else f" on {finding.group_id}"
    before = ", ".join(sorted(previous.traffic.text for previous in finding.previously))
    was = f" was {before}" if finding.change else ""
    return f"{finding.change or finding.status} {kind}{finding.traffic.text}{family}{place}{was}"


def outcomes(*steps: Step) -> list[Outcome]:
    """The outcome of a run a day."""
    state, runs = LedgerState(), []
    for number, step in enumerate(steps):
        runs.append(follow(state, step, START + number * DAY))
        state = runs[-1].state
    return runs


def lines(outcome: Outcome) -> list[str]:
    """What the report lists, in alphabetical order."""
    return sorted(map(line, outcome.report.listed(outcome.report.findings)))


def row(name: str, steps: list[Step], expected: list[str], *, mails: bool) -> Any:
    """The runs, what the last of them lists, and whether it mails because of that."""
    return pytest.param(steps, expected, mails, id=name)


READ_IN_PART = [
    row("0-not-read", [one(SSH), Step(status=FAILED)], ["unverified tcp/22"], mails=True),
    row(
        "0-not-read-again",
        [one(SSH), Step(status=FAILED), Step(status=FAILED)],
        ["unverified tcp/22"],
        mails=False,
    ),
    row(
        "0-read-again",
        [one(SSH), Step(status=FAILED), one(SSH)],
        ["open tcp/22"],
        mails=True,
    ),
    row(
        "0-closed-meanwhile",
        [one(SSH), Step(status=FAILED), CLOSED],
        ["resolved tcp/22"],
        mails=True,
    ),
    row(
        "0-another-group-seen",
        [one(SSH), Step((answer(SSH, group_id="sg-2"),), status=FAILED)],
        ["new tcp/22 on sg-2", "unverified tcp/22"],
        mails=True,
    ),
    row(
        "0-wider-seen",
        [one(tcp(22, 22, LOWER)), one(SSH, status=FAILED)],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "0-narrower-seen",
        [one(SSH), one(tcp(22, 22, LOWER), status=FAILED)],
        ["unverified tcp/22"],
        mails=True,
    ),
    row(
        "0-the-same-seen",
        [one(SSH), one(SSH, status=FAILED)],
        ["open tcp/22"],
        mails=True,
    ),
    row(
        "0-another-region",
        [one(SSH), Step(target=FRANKFURT, is_full=False)],
        ["unverified tcp/22"],
        mails=False,
    ),
    row(
        "0-unreadable-meets",
        [one(SSH), one(tcp(22, 22, "pl-9"))],
        ["new unreadable tcp/22", "unverified tcp/22"],
        mails=True,
    ),
    row(
        "0-unreadable-for-more-traffic-meets",
        [one(SSH), one(everything("pl-9"))],
        ["new unreadable all traffic", "unverified tcp/22"],
        mails=True,
    ),
    row(
        "0-unreadable-beside-does-not-meet",
        [one(SSH), one(tcp(8000, 8000, "pl-9"))],
        ["new unreadable tcp/8000", "resolved tcp/22"],
        mails=True,
    ),
    row(
        "0-unreadable-in-another-group",
        [two([SSH], []), two([], [tcp(22, 22, "pl-9")])],
        ["new unreadable tcp/22 on sg-2", "resolved tcp/22"],
        mails=True,
    ),
    row(
        "0-unreadable-as-before",
        [one(SSH, tcp(22, 22, "pl-9")), one(SSH, tcp(22, 22, "pl-9"))],
        ["open tcp/22", "open unreadable tcp/22"],
        mails=False,
    ),
    row(
        "0-malformed-meets",
        [one(SSH), one(tcp(30, 20))],
        ["new malformed tcp/30-20", "unverified tcp/22"],
        mails=True,
    ),
    row(
        "0-malformed-in-another-group",
        [two([SSH], []), two([], [tcp(30, 20)])],
        ["new malformed tcp/30-20 on sg-2", "resolved tcp/22"],
        mails=True,
    ),
]
SAME_ADDRESSES = [
    row("2-same", [one(SSH), one(SSH)], ["open tcp/22"], mails=False),
    row("2-halves", [one(SSH), one(tcp(22, 22, LOWER, UPPER))], ["open tcp/22"], mails=False),
    row("2-merged", [one(tcp(22, 22, LOWER, UPPER)), one(SSH)], ["open tcp/22"], mails=False),
    row(
        "2-quarters",
        [one(tcp(22, 22, LOWER)), one(tcp(22, 22, *QUARTERS))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-cidr-to-list",
        [one(tcp(22, 22, A)), one(tcp(22, 22, "pl-1"), region=lists(A))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-cidr-to-list-of-halves",
        [one(SSH), one(tcp(22, 22, "pl-1"), region=lists(LOWER, UPPER))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-list-to-cidr",
        [one(tcp(22, 22, "pl-1"), region=lists(A)), one(tcp(22, 22, A))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-another-list",
        [
            one(tcp(22, 22, "pl-1"), region=lists(A)),
            one(tcp(22, 22, "pl-3"), region=lists(A, list_id="pl-3")),
        ],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-redundant-rule",
        [one(SSH), one(SSH, tcp(22, 22, A))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-private-rule",
        [one(SSH), one(SSH, tcp(22, 25, "10.0.0.0/8"))],
        ["open tcp/22"],
        mails=False,
    ),
    row("2-host-bits", [one(SSH), one(tcp(22, 22, "1.2.3.4/0"))], ["open tcp/22"], mails=False),
    row(
        "2-nine-in-another-order",
        [one(tcp(22, 22, *NINE)), one(tcp(22, 22, *reversed(NINE)))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-nine-one-in-halves",
        [one(tcp(22, 22, *NINE)), one(tcp(22, 22, "20.0.0.0/17", "20.0.128.0/17", *NINE[1:]))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "2-list-of-aws",
        [one(tcp(3306, 3306, "pl-2"), region=AWS_LIST)] * 2,
        ["open tcp/3306"],
        mails=False,
    ),
    row(
        "2-both-families",
        [one(tcp(22, 22, WORLD, WORLD_V6)), one(SSH, tcp(22, 22, "::/1", "8000::/1"))],
        ["open tcp/22", "open tcp/22 ipv6"],
        mails=False,
    ),
    row(
        "2-ipv6-written-differently",
        [one(tcp(22, 22, WORLD_V6)), one(tcp(22, 22, "2000::/3"))],
        ["open tcp/22 ipv6"],
        mails=False,
    ),
]
OTHER_ADDRESSES = [
    row(
        "3-half-to-world",
        [one(tcp(22, 22, LOWER)), one(SSH)],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "3-one-more",
        [one(tcp(22, 22, A)), one(tcp(22, 22, A, B))],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "3-gained-and-lost",
        [one(tcp(22, 22, A)), one(tcp(22, 22, B))],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "3-fewer-addresses-but-others",
        [one(tcp(22, 22, LOWER)), one(tcp(22, 22, UPPER))],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "3-list-gained-an-entry",
        [
            one(tcp(22, 22, "pl-1"), region=lists(A)),
            one(tcp(22, 22, "pl-1"), region=lists(A, B)),
        ],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "3-ipv6",
        [one(tcp(22, 22, "2600::/12", WORLD)), one(tcp(22, 22, WORLD_V6, WORLD))],
        ["open tcp/22", "widened tcp/22 ipv6 was tcp/22"],
        mails=True,
    ),
    row(
        "3-eight-to-nine",
        [one(tcp(22, 22, *NINE[:8])), one(tcp(22, 22, *NINE))],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "3-nine-to-ten",
        [one(tcp(22, 22, *NINE)), one(tcp(22, 22, *NINE, "30.0.0.0/16"))],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "3-nine-to-as-many-others",
        [one(tcp(22, 22, *NINE)), one(tcp(22, 22, *OTHER_NINE))],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "4-world-to-half",
        [one(SSH), one(tcp(22, 22, LOWER))],
        ["narrowed tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "4-one-less",
        [one(tcp(22, 22, A, B)), one(tcp(22, 22, A))],
        ["narrowed tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "4-ten-to-nine",
        [one(tcp(22, 22, *NINE, "30.0.0.0/16")), one(tcp(22, 22, *NINE))],
        ["narrowed tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "4-nine-to-eight",
        [one(tcp(22, 22, *NINE)), one(tcp(22, 22, *NINE[:8]))],
        ["narrowed tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "4-once",
        [one(SSH), one(tcp(22, 22, LOWER)), one(tcp(22, 22, LOWER))],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "4-of-two-families",
        [one(tcp(22, 22, WORLD, WORLD_V6)), one(tcp(22, 22, WORLD, "2600::/12"))],
        ["narrowed tcp/22 ipv6 was tcp/22", "open tcp/22"],
        mails=True,
    ),
]
OTHER_TRAFFIC = [
    row(
        "5-more-ports",
        [one(SSH), one(tcp(20, 25))],
        ["widened tcp/20-25 was tcp/22"],
        mails=True,
    ),
    row(
        "5-all-ports",
        [one(SSH), one(tcp(0, 65535))],
        ["widened tcp, all ports was tcp/22"],
        mails=True,
    ),
    row(
        "5-all-traffic",
        [one(SSH), one(everything())],
        ["widened all traffic was tcp/22"],
        mails=True,
    ),
    row(
        "5-more-ports-beside-the-old-rule",
        [one(SSH), one(SSH, tcp(20, 25))],
        ["widened tcp/20-25 was tcp/22"],
        mails=True,
    ),
    row(
        "5-of-two",
        [one(SSH, HTTP), one(tcp(20, 100))],
        ["widened tcp/20-100 was tcp/22, tcp/80"],
        mails=True,
    ),
    row(
        "5-more-ports-to-fewer",
        [one(SSH), one(tcp(20, 25, LOWER))],
        ["widened tcp/20-25 was tcp/22"],
        mails=True,
    ),
    row(
        "5-shifted",
        [one(tcp(20, 22)), one(tcp(22, 25))],
        ["widened tcp/22-25 was tcp/20-22"],
        mails=True,
    ),
    row(
        "5-both-families",
        [one(tcp(22, 22, WORLD, WORLD_V6)), one(tcp(20, 25, WORLD, WORLD_V6))],
        ["widened tcp/20-25 ipv6 was tcp/22", "widened tcp/20-25 was tcp/22"],
        mails=True,
    ),
    row(
        "5-one-icmp-type-to-all",
        [one(icmp(8), icmp(13)), one(icmp(-1))],
        ["widened icmp was icmp type 13"],
        mails=True,
    ),
    row(
        "5-list-of-aws",
        [
            one(tcp(3306, 3306, "pl-2"), region=AWS_LIST),
            one(tcp(3306, 3310, "pl-2"), region=AWS_LIST),
        ],
        ["widened tcp/3306-3310 was tcp/3306"],
        mails=True,
    ),
    row(
        "6-fewer-ports",
        [one(tcp(20, 25)), one(SSH)],
        ["narrowed tcp/22 was tcp/20-25"],
        mails=True,
    ),
    row(
        "6-both-ends-stay",
        [one(tcp(20, 25)), one(tcp(20, 21), tcp(24, 25))],
        ["narrowed tcp/20-21 was tcp/20-25", "narrowed tcp/24-25 was tcp/20-25"],
        mails=True,
    ),
    row(
        "6-fewer-protocols",
        [one(everything()), one(tcp(0, 65535))],
        ["narrowed tcp, all ports was all traffic"],
        mails=True,
    ),
    row(
        "6-fewer-ports-and-addresses",
        [one(tcp(20, 25)), one(tcp(22, 22, LOWER))],
        ["narrowed tcp/22 was tcp/20-25"],
        mails=True,
    ),
    row(
        "6-and-another-port",
        [one(tcp(20, 25)), one(SSH, HTTP)],
        ["narrowed tcp/22 was tcp/20-25", "new tcp/80"],
        mails=True,
    ),
    row(
        "7-split",
        [one(tcp(20, 25)), one(tcp(20, 22), tcp(23, 25))],
        ["open tcp/20-22", "open tcp/23-25"],
        mails=False,
    ),
    row(
        "7-merged",
        [one(tcp(20, 22), tcp(23, 25)), one(tcp(20, 25))],
        ["open tcp/20-25"],
        mails=False,
    ),
    row(
        "7-split-elsewhere",
        [one(tcp(20, 22), tcp(23, 25)), one(tcp(20, 21), tcp(22, 25))],
        ["open tcp/20-21", "open tcp/22-25"],
        mails=False,
    ),
    row(
        "7-split-and-halved",
        [one(tcp(20, 25)), one(tcp(20, 22, LOWER, UPPER), tcp(23, 25))],
        ["open tcp/20-22", "open tcp/23-25"],
        mails=False,
    ),
    row(
        "7-named-beside-all-traffic",
        [one(everything(LOWER, UPPER)), one(everything(LOWER, UPPER), SSH)],
        ["open all traffic", "open tcp/22"],
        mails=False,
    ),
    row(
        "7-more-ports-within-all-traffic",
        [one(everything(LOWER, UPPER), SSH), one(everything(LOWER, UPPER), tcp(20, 25))],
        ["open all traffic", "open tcp/20-25"],
        mails=False,
    ),
    row(
        "7-split-a-part-below-the-minimum",
        [one(tcp(79, 80, A)), one(tcp(79, 79, A), tcp(80, 80, A))],
        ["open tcp/79"],
        mails=False,
    ),
    row(
        "7-split-a-part-authorized",
        [
            one(tcp(20, 25), policy=AUTHORIZED_SSH),
            one(tcp(20, 21), SSH, tcp(23, 25), policy=AUTHORIZED_SSH),
        ],
        ["open tcp/20-21", "open tcp/23-25"],
        mails=False,
    ),
    row(
        "7-list-of-aws-split",
        [
            one(tcp(3306, 3310, "pl-2"), region=AWS_LIST),
            one(tcp(3306, 3307, "pl-2"), tcp(3308, 3310, "pl-2"), region=AWS_LIST),
        ],
        ["open tcp/3306-3307", "open tcp/3308-3310"],
        mails=False,
    ),
]
COME_AND_GONE = [
    row("8-again", [one(SSH), CLOSED, one(SSH)], ["reopened tcp/22"], mails=True),
    row(
        "8-again-and-wider",
        [one(tcp(22, 22, LOWER)), CLOSED, one(SSH)],
        ["reopened tcp/22"],
        mails=True,
    ),
    row("8-others-come-again", [one(SSH), CLOSED, one(HTTP)], ["new tcp/80"], mails=True),
    row(
        "8-in-another-group",
        [two([SSH], []), two([], []), two([], [SSH])],
        ["new tcp/22 on sg-2"],
        mails=True,
    ),
    row("8-once", [one(SSH), CLOSED, one(SSH), one(SSH)], ["open tcp/22"], mails=False),
    row("9-opened", [CLOSED, one(SSH)], ["new tcp/22"], mails=True),
    row("9-first-run", [one(SSH)], ["new tcp/22"], mails=True),
    row("9-another-port", [one(SSH), one(SSH, HTTP)], ["new tcp/80", "open tcp/22"], mails=True),
    row(
        "9-another-family",
        [one(SSH), one(tcp(22, 22, WORLD, WORLD_V6))],
        ["new tcp/22 ipv6", "open tcp/22"],
        mails=True,
    ),
    row(
        "9-another-group",
        [two([SSH], []), two([SSH], [SSH])],
        ["new tcp/22 on sg-2", "open tcp/22"],
        mails=True,
    ),
    row(
        "9-more-traffic-beside-a-settled-one",
        [one(SSH), one(SSH, everything(A))],
        ["new all traffic", "open tcp/22"],
        mails=True,
    ),
    row("9-below-the-minimum", [CLOSED, one(tcp(22, 22, FEW))], [], mails=False),
    row(
        "10-still-open-by-all-traffic",
        [one(everything(LOWER, UPPER), SSH), one(everything(LOWER, UPPER))],
        ["open all traffic"],
        mails=False,
    ),
    row(
        "10-becomes-a-part-of-a-wider-one",
        [one(SSH, tcp(25, 25)), one(tcp(20, 25))],
        ["widened tcp/20-25 was tcp/22, tcp/25"],
        mails=True,
    ),
    row("11-closed", [one(SSH), CLOSED], ["resolved tcp/22"], mails=True),
    row("11-group-deleted", [one(SSH), Step()], ["resolved tcp/22"], mails=True),
    row("11-once", [one(SSH), CLOSED, CLOSED], [], mails=False),
    row(
        "11-one-of-two",
        [one(SSH, HTTP), one(HTTP)],
        ["open tcp/80", "resolved tcp/22"],
        mails=True,
    ),
    row(
        "11-another-family-stays",
        [one(tcp(22, 22, WORLD, WORLD_V6)), one(tcp(22, 22, WORLD_V6))],
        ["open tcp/22 ipv6", "resolved tcp/22"],
        mails=True,
    ),
    row(
        "11-another-port-opened",
        [one(SSH), one(HTTP)],
        ["new tcp/80", "resolved tcp/22"],
        mails=True,
    ),
    row(
        "11-same-port-in-another-group",
        [two([SSH], []), two([], [SSH])],
        ["new tcp/22 on sg-2", "resolved tcp/22"],
        mails=True,
    ),
    row(
        "11-recreated-group",
        [one(SSH), Step((answer(SSH, group_id="sg-3"),))],
        ["new tcp/22 on sg-3", "resolved tcp/22"],
        mails=True,
    ),
    row(
        "11-private-now",
        [one(SSH), one(tcp(22, 22, "10.0.0.0/8"))],
        ["resolved tcp/22"],
        mails=True,
    ),
    row(
        "11-list-of-aws",
        [one(tcp(3306, 3306, "pl-2"), region=AWS_LIST), CLOSED],
        ["resolved tcp/3306"],
        mails=True,
    ),
]
ALONE = ["open tcp/22", "open tcp/22 on sg-2"]
SEVERAL_GROUPS = [
    row(
        "J-same",
        [two(LOWER_SSH, UPPER_SSH, *TOGETHER)] * 2,
        ["open joint tcp/22", *ALONE],
        mails=False,
    ),
    row(
        "J-rewritten",
        [two(LOWER_SSH, UPPER_SSH, *TOGETHER), two([tcp(22, 22, *QUARTERS)], UPPER_SSH, *TOGETHER)],
        ["open joint tcp/22", *ALONE],
        mails=False,
    ),
    row(
        "J-put-together",
        [two(LOWER_SSH, UPPER_SSH, *APART), two(LOWER_SSH, UPPER_SSH, *TOGETHER)],
        ["new joint tcp/22", *ALONE],
        mails=True,
    ),
    row(
        "J-widened",
        [
            two([tcp(22, 22, QUARTERS[0])], UPPER_SSH, *TOGETHER),
            two(LOWER_SSH, UPPER_SSH, *TOGETHER),
        ],
        ["open tcp/22 on sg-2", "widened joint tcp/22 was tcp/22", "widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "J-narrowed",
        [
            two(LOWER_SSH, UPPER_SSH, *TOGETHER),
            two([tcp(22, 22, QUARTERS[0])], UPPER_SSH, *TOGETHER),
        ],
        ["narrowed joint tcp/22 was tcp/22", "narrowed tcp/22 was tcp/22", "open tcp/22 on sg-2"],
        mails=True,
    ),
    row(
        "J-taken-apart",
        [two(LOWER_SSH, UPPER_SSH, *TOGETHER), two(LOWER_SSH, UPPER_SSH, *APART)],
        [*ALONE, "resolved joint tcp/22"],
        mails=True,
    ),
    row(
        "J-put-together-again",
        [
            two(LOWER_SSH, UPPER_SSH, *TOGETHER),
            two(LOWER_SSH, UPPER_SSH, *APART),
            two(LOWER_SSH, UPPER_SSH, *TOGETHER),
        ],
        [*ALONE, "reopened joint tcp/22"],
        mails=True,
    ),
    row(
        "J-one-part-closed",
        [two(LOWER_SSH, UPPER_SSH, *TOGETHER), two(LOWER_SSH, [], *TOGETHER)],
        ["open tcp/22", "resolved joint tcp/22", "resolved tcp/22 on sg-2"],
        mails=True,
    ),
    row(
        "J-within-one-of-its-groups",
        [two(LOWER_SSH, UPPER_SSH, *TOGETHER), two([SSH], UPPER_SSH, *TOGETHER)],
        ["open tcp/22 on sg-2", "widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "J-within-fewer-groups",
        [three(*QUARTERS, UPPER), three(LOWER, QUARTERS[1], UPPER)],
        [
            "new joint tcp/22",
            "open tcp/22 on sg-2",
            "open tcp/22 on sg-3",
            "widened tcp/22 was tcp/22",
        ],
        mails=True,
    ),
]
EXCEPTIONS = [
    row("E-excepted", [one(SSH), one(SSH, policy=accepted())], ["excepted tcp/22"], mails=False),
    row("E-still", [one(SSH, policy=accepted())] * 2, ["excepted tcp/22"], mails=False),
    row(
        "E-withdrawn",
        [one(SSH, policy=accepted()), one(SSH)],
        ["reopened tcp/22"],
        mails=True,
    ),
    row(
        "E-expired",
        [one(SSH, policy=accepted(until="2026-11-02"))] * 2,
        ["reopened tcp/22"],
        mails=True,
    ),
    row(
        "E-expired-and-said",
        [one(SSH, policy=accepted(until="2026-11-02"))] * 3,
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "E-closed-while-excepted",
        [one(SSH, policy=accepted()), one(policy=accepted())],
        ["resolved tcp/22"],
        mails=True,
    ),
    row(
        "E-wider-than-the-exception",
        [one(SSH, policy=accepted(source=A))] * 2,
        ["open tcp/22"],
        mails=False,
    ),
]
SEVERITIES = [
    row(
        "S-attached",
        [one(SSH, region=UNATTACHED), one(SSH, region=PUBLIC)],
        ["worsened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "S-worsened-once",
        [one(SSH, region=UNATTACHED), one(SSH, region=PUBLIC), one(SSH, region=PUBLIC)],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "S-path-unknown",
        [one(SSH, region=UNATTACHED), one(SSH)],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "S-path-unknown-between",
        [one(SSH, region=UNATTACHED), one(SSH), one(SSH, region=UNATTACHED)],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "S-worse-after-path-unknown",
        [one(SSH, region=UNATTACHED), one(SSH), one(SSH, region=PUBLIC)],
        ["worsened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "S-better",
        [one(SSH, region=PUBLIC), one(SSH, region=UNATTACHED)],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "S-as-bad-as-announced",
        [one(SSH, region=PUBLIC), one(SSH, region=UNATTACHED), one(SSH, region=PUBLIC)],
        ["open tcp/22"],
        mails=False,
    ),
    row(
        "S-wider-and-worse",
        [one(tcp(22, 22, LOWER), region=UNATTACHED), one(SSH, region=PUBLIC)],
        ["widened tcp/22 was tcp/22"],
        mails=True,
    ),
    row(
        "U-readable",
        [one(tcp(22, 22, "pl-1")), one(tcp(22, 22, "pl-1"), region=lists("10.0.0.0/8"))],
        ["resolved unreadable tcp/22"],
        mails=True,
    ),
    row(
        "U-readable-and-open",
        [one(tcp(22, 22, "pl-1")), one(tcp(22, 22, "pl-1"), region=lists(WORLD))],
        ["new tcp/22", "resolved unreadable tcp/22"],
        mails=True,
    ),
    row(
        "U-rule-gone",
        [one(tcp(22, 22, "pl-1")), CLOSED],
        ["resolved unreadable tcp/22"],
        mails=True,
    ),
    row(
        "U-not-yet",
        [one(tcp(22, 22, "pl-1"))] * 2,
        ["open unreadable tcp/22"],
        mails=False,
    ),
    row(
        "U-not-read",
        [one(tcp(22, 22, "pl-1")), Step(status=FAILED)],
        ["unverified unreadable tcp/22"],
        mails=True,
    ),
]


@pytest.mark.parametrize(
    ("steps", "expected", "mails"),
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
def test_what_becomes_of_an_opening(steps: list[Step], expected: list[str], *, mails: bool) -> None:
    """The last run lists each opening with what became of it, and mails if that is a change."""
    last = outcomes(*steps)[-1]
    assert lines(last) == sorted(expected)
    assert (last.kind is not None) == mails
    assert last.report.changes is not None
    assert last.report.changes.unlisted == ()
    changed = [finding for finding in last.report.findings if finding.change]
    assert {finding.status for finding in changed} <= {Status.OPEN}


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        pytest.param(
            [one(SSH, everything(A)), one(everything(A))], "all traffic", id="part-of-all-traffic"
        ),
        pytest.param(
            [one(SSH, everything(A, WORLD_V6)), one(everything(A, WORLD_V6))],
            "all traffic",
            id="one-family",
        ),
        pytest.param(
            [two(LOWER_SSH, UPPER_SSH, *TOGETHER), two(LOWER_SSH, UPPER_SSH, *APART)],
            "no interface carries them together; what each opens alone is listed",
            id="several-groups",
        ),
    ],
)
def test_a_resolved_finding_names_what_still_opens_a_part(steps: list[Step], named: str) -> None:
    """Its detail names the openings that are as they were and let in some of the same."""
    resolved = outcomes(*steps)[-1].report.with_status(Status.RESOLVED)
    assert [named in (finding.detail or "") for finding in resolved] == [True]


UNLISTED = [
    pytest.param([one(SSH), one(tcp(22, 22, FEW))], [], ["tcp/22"], True, id="few-addresses"),
    pytest.param(
        [one(tcp(20, 25)), one(tcp(22, 22, FEW))], [], ["tcp/22"], True, id="few-on-fewer-ports"
    ),
    pytest.param(
        [
            one(tcp(8000, 8000, NARROW), region=PUBLIC),
            one(tcp(8000, 8000, NARROW), region=UNATTACHED),
        ],
        [],
        ["tcp/8000"],
        True,
        id="detached",
    ),
    pytest.param(
        [one(SSH), one(tcp(22, 22, FEW)), one(tcp(22, 22, FEW))], [], [], False, id="once"
    ),
    pytest.param([one(SSH), one(tcp(22, 22, FEW)), CLOSED], [], [], False, id="closed-later"),
    pytest.param([one(tcp(22, 22, FEW))] * 2, [], [], False, id="never-listed"),
    pytest.param([one(tcp(22, 22, FEW)), CLOSED], [], [], False, id="closed-unlisted"),
    pytest.param(
        [one(SSH, region=PUBLIC), one(SSH, region=UNATTACHED)],
        ["open tcp/22"],
        [],
        False,
        id="less-severe-but-listed",
    ),
]


@pytest.mark.parametrize(("steps", "expected", "unlisted", "mails"), UNLISTED)
def test_what_falls_below_the_minimum_severity(
    steps: list[Step], expected: list[str], unlisted: list[str], *, mails: bool
) -> None:
    """A listed opening that a change in AWS takes below the minimum is named once as unlisted."""
    last = outcomes(*steps)[-1]
    assert last.report.changes is not None
    assert [finding.traffic.text for finding in last.report.changes.unlisted] == unlisted
    assert (lines(last), last.kind is not None) == (expected, mails)
    assert last.report.changes.dropped == 0


def test_what_is_listed_again_is_announced() -> None:
    """What fell below the minimum severity and is above it again is mailed as a change."""
    last = outcomes(one(SSH), one(tcp(22, 22, FEW)), one(SSH))[-1]
    assert [finding.is_change for finding in last.mailed] == [True]


SSH_OF_TWO = tcp(22, 22, A, B)
SETTINGS = [
    pytest.param(
        [one(SSH), one(SSH, policy=policy(authorizedPorts=["tcp/22"]))], [], 1, id="authorized"
    ),
    pytest.param(
        [one(SSH, HTTP), one(SSH, HTTP, policy=policy(authorizedPorts=["tcp/80"]))],
        ["open tcp/22"],
        1,
        id="one-of-two-authorized",
    ),
    pytest.param(
        [one(SSH), one(SSH, policy=policy(authorizedPorts=["tcp/80"]))],
        ["open tcp/22"],
        0,
        id="another-port-authorized",
    ),
    pytest.param(
        [one(SSH), one(policy=policy(authorizedPorts=["tcp/22"]))],
        [],
        1,
        id="authorized-and-closed",
    ),
    pytest.param(
        [one(tcp(22, 22, A)), one(tcp(22, 22, A), policy=policy(trustedCidrs=[A]))],
        [],
        1,
        id="trusted",
    ),
    pytest.param(
        [one(SSH_OF_TWO), one(SSH_OF_TWO, policy=policy(trustedCidrs=[B]))],
        ["open tcp/22"],
        0,
        id="a-part-trusted",
    ),
    pytest.param(
        [one(SSH), one(SSH, policy=policy(trustedCidrs=[A]))],
        ["open tcp/22"],
        0,
        id="within-the-world-trusted",
    ),
    pytest.param(
        [one(SSH_OF_TWO), one(tcp(22, 22, B), policy=policy(trustedCidrs=[B]))],
        ["resolved tcp/22"],
        0,
        id="a-part-trusted-the-other-closed",
    ),
    pytest.param(
        [one(SSH), one(policy=policy(trustedCidrs=[A]))],
        ["resolved tcp/22"],
        0,
        id="closed-and-something-trusted",
    ),
    pytest.param(
        [one(tcp(22, 22, A)), one(tcp(22, 22, A), policy=policy(minimumSeverity="critical"))],
        [],
        1,
        id="minimum-raised",
    ),
    pytest.param(
        [one(SSH), one(SSH, policy=policy(minimumSeverity="critical"))],
        ["open tcp/22"],
        0,
        id="minimum-raised-to-it",
    ),
]


@pytest.mark.parametrize(("steps", "expected", "dropped"), SETTINGS)
def test_what_the_settings_no_longer_judge_is_counted(
    steps: list[Step], expected: list[str], dropped: int
) -> None:
    """A setting resolves nothing: what it takes off the list is counted, and mailed as a count."""
    last = outcomes(*steps)[-1]
    changes = last.report.changes
    assert changes is not None
    assert (lines(last), changes.dropped) == (expected, dropped)
    assert changes.has_new_settings is (dropped > 0)
    assert changes.unlisted == ()
    assert not dropped or last.kind is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(policy(minimumSeverity="critical"), policy(), id="minimum-lowered"),
        pytest.param(policy(trustedCidrs=[A]), policy(), id="no-longer-trusted"),
        pytest.param(policy(authorizedPorts=["tcp/22"]), policy(), id="no-longer-authorized"),
    ],
)
def test_what_the_settings_list_for_the_first_time_is_mailed(before: Policy, after: Policy) -> None:
    """A full digest lists what was open but not listed before the settings changed."""
    last = outcomes(*(one(tcp(22, 22, A), policy=rules) for rules in (before, after)))[-1]
    assert last.kind == "full"
    assert [finding.traffic.text for finding in last.mailed] == ["tcp/22"]


@pytest.mark.parametrize(
    ("days", "status"),
    [pytest.param(90, Status.REOPENED, id="90"), pytest.param(91, Status.NEW, id="91")],
)
def test_a_resolved_opening_is_remembered_for_90_days(days: int, status: Status) -> None:
    """Within 90 days after it was resolved it is reopened, after that it is new."""
    closed = outcomes(one(SSH), CLOSED)[-1]
    idle = follow(closed.state, CLOSED, START + (days - 1) * DAY)
    (again,) = follow(idle.state, one(SSH), START + (days + 1) * DAY).report.findings
    assert again.status is status


DATES = [
    pytest.param([one(SSH), one(SSH)], 0, 0, id="same"),
    pytest.param([one(SSH), CLOSED, one(SSH)], 0, 2, id="reopened"),
    pytest.param([one(tcp(22, 22, A)), one(SSH)], 0, 1, id="more-addresses"),
    pytest.param([one(SSH), one(tcp(20, 25))], 0, 1, id="more-ports"),
    pytest.param([one(SSH), one(tcp(20, 22)), one(tcp(20, 25))], 0, 2, id="twice-more-ports"),
    pytest.param([one(SSH), one(SSH, HTTP), one(tcp(22, 80))], 0, 2, id="earliest-of-two"),
    pytest.param([one(tcp(20, 25)), one(SSH)], 0, 0, id="fewer-ports"),
    pytest.param([one(tcp(20, 22), tcp(23, 25)), one(tcp(20, 25))], 0, 0, id="rewritten"),
    pytest.param([one(SSH, region=UNATTACHED), one(SSH, region=PUBLIC)], 0, 1, id="more-severe"),
]


@pytest.mark.parametrize(("steps", "first", "changed"), DATES)
def test_since_when_an_opening_is_known(steps: list[Step], first: int, changed: int) -> None:
    """first_seen is the earliest of what it grew out of, changed_at when it last grew or opened."""
    (finding,) = outcomes(*steps)[-1].report.open
    dates = [f"2026-11-{2 + day:02}T06:00:00Z" for day in (first, changed)]
    assert [finding.first_seen, finding.changed_at] == dates


def test_five_previous_openings_are_named_and_the_others_counted() -> None:
    """A range in the place of seven ports names five of them and counts seven."""
    ports = [tcp(port, port) for port in range(8000, 8014, 2)]
    (finding,) = outcomes(one(*ports), one(tcp(8000, 8012)))[-1].report.findings
    assert finding.change is Change.WIDENED
    assert (len(finding.previously), finding.previously_count) == (5, 7)


def test_previously_says_who_got_in() -> None:
    """What a widened opening was has its traffic, addresses, reach and severity."""
    (finding,) = outcomes(one(tcp(22, 22, A)), one(tcp(20, 25)))[-1].report.findings
    (before,) = finding.previously
    assert (before.traffic.text, before.cidrs, before.reach, before.severity) == (
        "tcp/22",
        (A,),
        "wide",
        "high",
    )
