"""Measures memory and storage of runs with large ledgers, without AWS."""

import gc
import resource
from collections.abc import Callable, Iterator

from benchmarks.largest import Opened, Region
from benchmarks.usage import UNIT
from handler import mail
from handler.audit import build_report
from handler.digest_choice import choose_digest
from handler.ledger.account_state_json import decode_account, encode_account
from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.model.network import Target
from handler.model.run import Run, Trigger
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from handler.report.json_report import json_pieces
from handler.scan import scan_target
from handler.settings import Settings

_TARGET = Target("111122223333", "eu-west-1")
_SETTINGS = Settings("audit@example.com", ("audit@example.com",))
_WARM_UP, _WARM_RUNS = 50, 500


def many_findings(day: int) -> Region:
    """20,000 findings, on other ports each day."""
    ports = [22 + 100 * index + day for index in range(10)]
    return Region(2_000, [(Traffic("tcp", port, port), "0.0.0.0/0") for port in ports])


def many_rules(day: int) -> Region:
    """300 groups with 60 rules on ranges of ports that all overlap, on other ports each day."""
    return Region(300, list(_overlapping(60, day)))


def most_rules(day: int) -> Region:
    """3 groups with 1,000 rules on ranges of ports that all overlap, on other ports each day."""
    return Region(3, list(_overlapping(1_000, day)))


def _overlapping(rules: int, day: int) -> Iterator[Opened]:
    for number in range(rules):
        traffic = Traffic("tcp", 1_000 + number + day, 60_000 + number)
        yield traffic, f"{20 + number // 250}.{number % 250}.0.0/16"


def run_on(region: Callable[[int], Region]) -> Callable[[], int]:
    """The second run of a ledger, from loading to storing; it returns the bytes stored."""
    stored, state = _run(region(1), 1, LedgerState())
    state = state._replace(records={}, resolved={}, targets={})

    def call() -> int:
        account = decode_account(stored, _TARGET.account)
        loaded = state._replace(
            records=account.records, resolved=account.resolved, targets=account.targets
        )
        return len(_run(region(2), 2, loaded)[0])

    return call


def warm_runs() -> Callable[[], int]:
    """Many runs in one process; they return the growth of its peak in bytes."""
    region = Region(100, [(Traffic("tcp", 22, 22), "0.0.0.0/0")])

    def call() -> int:
        state, before = LedgerState(), 0
        for number in range(_WARM_RUNS):
            # As the function does before a run.
            gc.collect(0)
            _, state = _run(region, 1 + number % 28, state)
            if number == _WARM_UP:
                before = _peak()
        return _peak() - before

    return call


def _run(region: Region, day: int, state: LedgerState) -> tuple[bytes, LedgerState]:
    """One run; returns the stored account, and the state after the run."""
    now, policy = f"2030-01-{day:02}T00:00:00Z", Policy()
    run = Run(f"run-{day}", Trigger.SCHEDULE, now, now, "benchmark")
    report = build_report(run, [scan_target(_TARGET, region, policy)], policy, state)
    for _ in json_pieces(report):
        pass
    kind = choose_digest(_SETTINGS.notify, report, state.last_full_digest_at)
    after = next_state(state, report, policy, kind)
    if kind:
        mail.compose(_SETTINGS, report, kind)
    return encode_account(after, _TARGET.account), after


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
