"""What the runs of a test read, in a word or a line: groups, lists, interfaces, policies."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from handler.ledger.state import LedgerState
from handler.policy.policy import Policy
from tests.support.ledger_runs import Outcome, Step, follow
from tests.support.network import CLOUDFRONT, PUBLIC_IPV4, WORLD, interface
from tests.support.security_groups import answer, permission

START = datetime(2026, 11, 2, 6, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
LOWER, UPPER = "0.0.0.0/1", "128.0.0.0/1"
A, B, FEW = "52.0.0.0/8", "54.0.0.0/8", "52.0.0.0/24"
PUBLIC = {"NetworkInterfaces": [interface(public=PUBLIC_IPV4)]}
UNATTACHED: dict[str, Any] = {"NetworkInterfaces": []}
AWS_LIST = {
    "PrefixLists": [{"PrefixListId": "pl-2", "OwnerId": "AWS", "PrefixListName": CLOUDFRONT}]
}


def lists(*cidrs: str, list_id: str = "pl-1") -> dict[str, Any]:
    """A region with a prefix list of the customer's."""
    entries = [{"Cidr": cidr} for cidr in cidrs]
    return {"PrefixLists": [{"PrefixListId": list_id, "OwnerId": "1", "Entries": entries}]}


def tcp(low: int, high: int, *sources: str) -> dict[str, Any]:
    """A permission for TCP ports; from the IPv4 internet unless sources are given."""
    return permission("tcp", low, high, *(sources or (WORLD,)))


def ssh(*sources: str) -> dict[str, Any]:
    """A permission for SSH; from the IPv4 internet unless sources are given."""
    return tcp(22, 22, *sources)


SSH, HTTP, RANGE = ssh(), tcp(80, 80), tcp(20, 25)


def one(*permissions: dict[str, Any], **fields: Any) -> Step:
    """A run that reads one group with these permissions."""
    return Step((answer(*permissions),), **fields)


def two(
    first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]], *group_sets: Sequence[str]
) -> Step:
    """A run that reads sg-1 and sg-2, on interfaces with a public address and these groups."""
    return _on_interfaces([first, second], group_sets)


def together(*sources: str) -> Step:
    """A run that reads groups on one interface, each with SSH from one of the sources."""
    group_ids = [f"sg-{number}" for number, _ in enumerate(sources, 1)]
    return _on_interfaces([[ssh(source)] for source in sources], [group_ids])


def _on_interfaces(
    permissions: Sequence[Sequence[dict[str, Any]]], group_sets: Sequence[Sequence[str]]
) -> Step:
    groups = (answer(*own, group_id=f"sg-{n}") for n, own in enumerate(permissions, 1))
    interfaces = [
        interface(f"eni-{n}", groups=tuple(group_set), public=PUBLIC_IPV4)
        for n, group_set in enumerate(group_sets)
    ]
    return Step(tuple(groups), {"NetworkInterfaces": interfaces} if interfaces else {})


OPEN, CLOSED = one(SSH), one()
ATTACHED, DETACHED = one(SSH, region=PUBLIC), one(SSH, region=UNATTACHED)
# Half of the internet is open in each of two groups.
TOGETHER = together(LOWER, UPPER)
APART = two([ssh(LOWER)], [ssh(UPPER)], ["sg-1"], ["sg-2"])


def policy(**keys: object) -> Policy:
    """A policy with these keys."""
    return Policy.parse(keys)


def exception(ports: str = "tcp/22", **fields: str) -> dict[str, str]:
    """An exception for these ports of sg-1, which ends after the simulated months."""
    reasons = {"reason": "a test", "owner": "ops", "until": "2027-06-30"}
    return {"group": "sg-1", "ports": ports, **reasons, **fields}


def simulate(
    steps: Iterable[Step], every: timedelta = DAY, after: Sequence[Outcome] = ()
) -> list[Outcome]:
    """The outcomes of runs at equal times, the first of them at the end of those before."""
    outcomes = list(after)
    at = outcomes[-1].time + every if outcomes else START
    for number, step in enumerate(steps):
        state = outcomes[-1].state if outcomes else LedgerState()
        outcomes.append(follow(state, step, at + number * every))
    return outcomes
