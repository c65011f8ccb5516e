"""The ledger of many accounts on a terminal: their numbers, and the history of one."""

import gzip
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.report import LEDGER, show_report
from handler.ledger.bucket_store import HEAD_KEY, report_key
from handler.ledger.head import Head, encode_head
from handler.ledger.state import RunSummary
from handler.model.finding import Severity
from handler.model.network import ALL_REGIONS, Target
from handler.model.run import Coverage, CoverageStatus, Scan, Trigger
from handler.report.json_report import report_to_json
from tests.support.reports import of, read
from tests.support.security_groups import answer, permission

SHOP, BANK, FUND = "111122223333", "444455556666", "777788889999"
SSH = answer(permission("tcp", 22, 22, "0.0.0.0/0"), name="bastion")
WEB = answer(permission("tcp", 8080, 8080, "0.0.0.0/0"), name="web")
DENIED = Scan(
    Coverage(Target(BANK, ALL_REGIONS), CoverageStatus.DENIED, error="AccessDenied: sts:AssumeRole")
)

PART = Scan(
    Coverage(Target(FUND, "eu-central-1"), CoverageStatus.DENIED, error="UnauthorizedOperation")
)


def numbers(account: str, name: str, *, critical: int, complete: bool) -> dict[str, object]:
    """What a stored report says of one account."""
    counts = {str(severity): 0 for severity in Severity} | {"critical": critical}
    return {"id": account, "name": name, **counts, "complete": complete}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose ledger has two runs over three accounts.

    One of them refused the second run, and another one a region of it.
    """
    ireland = {account: Target(account, "eu-west-1") for account in (SHOP, BANK, FUND)}
    first = of(read(SSH, target=ireland[SHOP]), read(SSH, target=ireland[BANK]))
    second = of(read(SSH, WEB, target=ireland[SHOP]), DENIED, read(SSH, target=ireland[FUND]), PART)
    accounts = [
        numbers(BANK, "bank", critical=0, complete=False),
        numbers(FUND, "fund", critical=1, complete=False),
        numbers(SHOP, "shop", critical=1, complete=True),
    ]
    files = {}
    runs = []
    for day, report in ((23, first), (24, second)):
        started_at = f"2026-11-{day}T06:00:00Z"
        run = RunSummary(
            id=f"run-{day}",
            trigger=Trigger.SCHEDULE,
            started_at=started_at,
            opened=2,
            resolved=0,
            open=dict.fromkeys(Severity, 0),
            not_read=0,
            mailed=True,
        )
        runs.append(run)
        document = {**report_to_json(report), "accounts": accounts}
        files[f"{report_key(run.id, started_at)}.gz"] = gzip.compress(json.dumps(document).encode())
    files[HEAD_KEY] = encode_head(Head(runs=tuple(runs)), "writer")
    for key, content in files.items():
        file = tmp_path / LEDGER / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path


def printed(
    project: Path, capsys: pytest.CaptureFixture[str], account: str | None = None
) -> list[str]:
    """The lines that the command prints, with single spaces."""
    show_report(project, "dev", live=False, account=account)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_accounts_are_shown_in_numbers(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that were not read come first, then the worst; below is what was not read."""
    assert printed(project, capsys)[3:] == [
        "",
        "account name critical high medium low read",
        "444455556666 bank - - - - nothing",
        "111122223333 shop 1 0 0 0 all",
        "777788889999 fund 1 0 0 0 not all",
        "",
        "Not read: what is open there is not known",
        "bank (444455556666) (denied): AccessDenied: sts:AssumeRole",
        "eu-central-1 / fund (777788889999) (denied): UnauthorizedOperation",
    ]


def test_account_has_its_own_history(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --account the history has the account's numbers, and its findings follow."""
    lines = printed(project, capsys, SHOP)
    assert lines[:3] == [
        "run trigger opened resolved critical high medium low not read mail",
        "2026-11-23 06:00 schedule 0 0 1 0 0 0 0 sent",
        "2026-11-24 06:00 schedule 0 0 2 0 0 0 0 sent",
    ]
    assert lines[3].startswith("CRITICAL SSH tcp/22 bastion eu-west-1")
    assert lines[-2] == "1 region of 1 account read: 2 groups, 2 rules."


def test_account_that_was_not_read_says_why(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The history counts what was not read, and the error is below it."""
    lines = printed(project, capsys, BANK)
    assert lines[1:3] == [
        "2026-11-23 06:00 schedule 0 0 1 0 0 0 0 sent",
        "2026-11-24 06:00 schedule 0 0 0 0 0 0 1 sent",
    ]
    assert lines[4] == "bank (444455556666) (denied): AccessDenied: sts:AssumeRole"


def test_history_ends_where_reports_have_expired(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run whose report is gone is left out; without the last report the command fails."""
    first, last = sorted((project / LEDGER / "reports").rglob("*.gz"))
    first.unlink()
    assert printed(project, capsys, SHOP)[1] == "2026-11-24 06:00 schedule 0 0 2 0 0 0 0 sent"
    last.unlink()
    with pytest.raises(click.ClickException, match="cannot be read"):
        show_report(project, "dev", live=False, account=SHOP)


def test_unknown_account_is_one_sentence(project: Path) -> None:
    """An account that no run has read is an error."""
    with pytest.raises(click.ClickException, match="222233334444 is in none of the last 2 reports"):
        show_report(project, "dev", live=False, account="222233334444")


def test_account_must_be_an_id() -> None:
    """--account takes an account ID, and exits with 2 for anything else."""
    assert CliRunner().invoke(main, ["report", "--account", "shop"]).exit_code == 2
