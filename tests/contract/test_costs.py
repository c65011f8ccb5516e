"""The costs in docs/organization.md are AWS's prices times what the program uses."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.config import DEFAULT_CONCURRENCY
from infra.organization import REPORT_MEMORY, REPORT_TIMEOUT
from infra.state_machine import EXECUTION_SECONDS, definition
from tests.conftest import PROJECT
from tests.contract.test_documents import rows
from tests.contract.test_settings import declared_settings
from tests.infra.conftest import Deploy
from tests.infra.resource_types import ALARM, METRIC

ACCOUNTS = (1, 50, 500, 5_000)
RUNS = 30
GB_SECOND, INVOCATION = 0.0000133334, 0.20 / 1e6
TRANSITION = 0.025 / 1e3
PUT, GET, STORED_GB = 0.005 / 1e3, 0.0004 / 1e3, 0.023
LOGGED_GB = 0.50
GB = 1e9
SCAN_SECONDS = 10
REPORT_SECONDS, COMPARISON_SECONDS = 5, 0.02


def many(accounts: int) -> int:
    """The number of accounts, 0 for a stack that audits its own only."""
    return accounts if accounts > 1 else 0


def functions(accounts: int) -> float:
    """What a scan of each account and the report take, and a start of each."""
    scans = accounts * (SCAN_SECONDS * 512 / 1024 * GB_SECOND + INVOCATION)
    report = report_seconds(accounts) * 1769 / 1024 * GB_SECOND if many(accounts) else 0
    return RUNS * (scans + report)


def report_seconds(accounts: int, comparisons: int = 1) -> float:
    """How long the report takes."""
    return REPORT_SECONDS + comparisons * COMPARISON_SECONDS * accounts


COSTS: dict[str, tuple[str, Callable[[int], float]]] = {
    "CloudWatch alarms: two, or five with many accounts": (
        "$0.10 each",
        lambda accounts: 0.10 * (5 if many(accounts) else 2),
    ),
    "seven metrics, in 30 of 730 hours": (
        "$0.30 each, prorated by the hour",
        lambda _: 7 * 0.30 * RUNS / 730,
    ),
    "Lambda on arm64: 10 s with 512 MB an account; for the report 5 s and 0.02 s an account with "
    "1,769 MB": (
        "$0.0000133334 a GB-second, $0.20 per million invocations",
        functions,
    ),
    "Step Functions: two transitions an account, three a run": (
        "$0.025 per 1,000",
        lambda accounts: RUNS * TRANSITION * (2 * accounts + 3) if many(accounts) else 0,
    ),
    "S3: two writes and two reads an account": (
        "$0.005 and $0.0004 per 1,000",
        lambda accounts: RUNS * accounts * (2 * PUT + 2 * GET),
    ),
    "S3: 2 KB an account and run, for 400 days": (
        "$0.023 a GB",
        lambda accounts: 400 * accounts * 2e3 / GB * STORED_GB,
    ),
    "CloudWatch Logs: 6 KB an account": (
        "$0.50 a GB",
        lambda accounts: RUNS * accounts * 6e3 / GB * LOGGED_GB,
    ),
    "SES: a mail to one recipient": ("$0.10 per 1,000", lambda _: RUNS * 0.10 / 1e3),
}


def price(dollars: float) -> str:
    """An amount in dollars and cents."""
    if dollars == 0:
        return ""
    return f"${dollars:,.2f}" if dollars >= 0.005 else "below $0.01"


def test_costs_are_the_prices_times_the_quantities() -> None:
    """Each cell is its row's price times the quantities in its first column, for 30 runs."""
    expected = [
        [item, *(price(cost(accounts)) for accounts in ACCOUNTS), unit_price]
        for item, (unit_price, cost) in COSTS.items()
    ]
    totals = [sum(cost(accounts) for _, cost in COSTS.values()) for accounts in ACCOUNTS]
    together = ["**together**", *(f"**${total:,.2f}**" for total in totals), ""]
    assert rows("item | 1 account") == [*expected, together]


def test_times_are_the_seconds_of_an_account_times_the_accounts() -> None:
    """Each cell is its row's seconds times the accounts, and a report that compares twice ends."""
    counts = ACCOUNTS[1:]
    reading = [SCAN_SECONDS * accounts / DEFAULT_CONCURRENCY / 60 for accounts in counts]
    assert [row[1:] for row in rows("what takes time")] == [
        [f"{minutes:.0f} min" for minutes in reading],
        [f"{report_seconds(accounts):.0f} s" for accounts in counts],
        [f"{report_seconds(accounts, comparisons=2):.0f} s" for accounts in counts],
    ]
    assert report_seconds(5_000, comparisons=2) < REPORT_TIMEOUT


def test_times_are_no_shorter_than_what_was_measured(project: Path) -> None:
    """5,000 accounts took 21 s of CPU, and 2 ms for each of three calls to S3 an account."""
    text = " ".join((project / "docs" / "organization.md").read_text("utf-8").split())
    cpu = 21 + 5_000 * 3 * 0.002
    assert "21 s of CPU for 5,000 accounts" in text
    assert f"which makes {cpu:.0f} s" in text
    assert cpu < report_seconds(5_000)
    seconds = EXECUTION_SECONDS - REPORT_TIMEOUT
    assert f"{seconds * DEFAULT_CONCURRENCY // SCAN_SECONDS:,} accounts" in text


@pytest.mark.parametrize(
    ("reader", "unit_price"), [("second trail", 2.00 / 1e5), ("GuardDuty", 4.00 / 1e6)]
)
def test_costs_of_the_calls_are_45_for_each_account(reader: str, unit_price: float) -> None:
    """What others charge for reading is for 45 calls an account and run."""
    (found,) = (row for row in rows("charged by") if reader in row[0])
    assert found[1:5] == [price(RUNS * 45 * accounts * unit_price) for accounts in ACCOUNTS]


def test_quantities_are_those_of_the_program(deploy: Deploy) -> None:
    """Memory, alarms, metrics and transitions are what the program declares."""
    assert declared_settings(PROJECT)["memorySize"]["default"] == 512
    assert REPORT_MEMORY == 1769
    assert len(deploy().all(ALARM)) == 2
    deployment = deploy(accounts=["111122223333"])
    assert (len(deployment.all(ALARM)), len(deployment.all(METRIC))) == (5, 7)
    states = definition(
        partition="aws",
        scan_arn="a",
        report_arn="b",
        scan_seconds=1,
        report_seconds=1,
        concurrency=1,
    )["States"]
    # A child that succeeds is started, and has one step.
    assert list(states) == ["Has accounts", "Scan", "Report"]
    assert states["Scan"]["ItemProcessor"]["States"]["Scan account"]["End"] is True
