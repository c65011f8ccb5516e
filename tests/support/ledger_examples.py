"""A ledger's state that has something in each of its fields."""

from itertools import cycle

from handler.ledger.next_state import next_state
from handler.ledger.state import Flips, LedgerState
from handler.model.digest_kind import DigestKind
from handler.policy.policy import Policy
from tests.support import reports
from tests.support.openers import ALICE, NOT_YET
from tests.support.security_groups import answer, permission

ACCOUNT = reports.ACCOUNT
WORLD = "0.0.0.0/0"
SSH = answer(permission("tcp", 22, 22, WORLD), group_id="sg-3")


def everything_known() -> LedgerState:
    """Every kind of finding, one of them resolved and one that flips, and a target not read."""
    halves = [
        answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1"),
        answer(
            permission("tcp", 22, 22, "128.0.0.0/1", "::/0"),
            permission("icmp", 8, -1, WORLD),
            permission("tcp", 9, 9, "pl-1"),
            permission("tcp", 30, 20, WORLD),
            # More ranges than are stored one by one.
            permission("tcp", 3389, 3389, *(f"{n}.0.0.0/8" for n in range(11, 31, 2))),
            group_id="sg-2",
            name="\N{SNOWMAN}",
        ),
    ]
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    interfaces = [{"NetworkInterfaceId": "eni-1", "Groups": groups}]
    first = reports.of(reports.read(SSH), previous=LedgerState())
    before = next_state(None, first, Policy(), DigestKind.FULL)
    read = reports.read(*halves, NetworkInterfaces=interfaces)
    report = reports.of(read, reports.DENIED, previous=before)
    state = next_state(before, report, Policy(), DigestKind.CHANGES)
    times = ("2026-11-21T06:00:00Z", "2026-11-22T06:00:00Z")
    openers = cycle([ALICE, NOT_YET, None])
    records = {
        key: record._replace(
            flips=Flips(2, times[0], times),
            finding=record.finding._replace(opened_by=next(openers)),
        )
        for key, record in state.records.items()
    }
    return state._replace(records=records)
