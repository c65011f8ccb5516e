"""The ledger on a terminal: in AWS, and as the demo leaves it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.report import LEDGER, show_report
from handler.ledger.state import LedgerState, encode_state
from sandbox.aws.account import Account
from tests.support.stack import BUCKET, Stack


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """An audit of two regions that ran three times, and no terminal that is too narrow."""
    monkeypatch.delenv("COLUMNS", raising=False)
    with Account() as account:
        stack = Stack(account, monkeypatch)
        web = stack.open("web")
        stack.run()
        stack.day()
        stack.close(web)
        stack.open("database", port=5432)
        stack.run()
        stack.day()
        account.faults.deny("DescribeSecurityGroups", "us-east-1")
        with pytest.raises(Exception, match="us-east-1 was not read"):
            stack.run()
        yield stack


@pytest.fixture
def ledger(stack: Stack, tmp_path: Path) -> Path:
    """A project in which a demo left that ledger."""
    for key in stack.keys:
        file = tmp_path / LEDGER / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(stack.stored(key))
    return tmp_path


def shown(project: Path, capsys: pytest.CaptureFixture[str], *, live: bool = False) -> list[str]:
    """The lines that the command prints."""
    show_report(project, "dev", live=live)
    return capsys.readouterr().out.splitlines()


def test_the_history_and_the_last_report(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each run, then what the last one found and could not read."""
    lines = shown(ledger, capsys)
    rows = [" ".join(line.split()) for line in lines[:4]]
    assert rows == [
        "run by opened resolved critical high medium low unread mail",
        "2026-11-23 06:00 schedule 1 0 0 0 1 0 0 sent",
        "2026-11-24 06:00 schedule 1 1 0 0 1 0 0 sent",
        "2026-11-25 06:00 schedule 0 0 0 0 1 0 1 sent",
    ]
    said = " ".join(lines[4:])
    assert "database (sg-" in said
    assert "tcp/5432 (PostgreSQL) from the whole IPv4 internet" in said
    assert "UnauthorizedOperation" in said


def test_the_ledger_in_aws(
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Pulumi knows the stack's bucket, and the caller's credentials read it."""
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    asked = "stack output ledgerBucket --stack dev"
    pulumi.write_text(f'#!/bin/sh\n[ "$*" = "{asked}" ] && echo {BUCKET}\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(pulumi.parent), prepend=":")
    assert len(stack.keys) == 4
    assert len(shown(tmp_path, capsys, live=True)[1:4]) == 3


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"run": 5}'])
def test_a_report_that_makes_no_sense_leaves_the_history(
    ledger: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    """The runs are shown, and what is wrong with the last report is a sentence."""
    for file in (ledger / LEDGER / "reports").rglob("*.json"):
        file.write_text(content)
    with pytest.raises(click.ClickException, match=r"must be the report of a run, it is not"):
        show_report(ledger, "dev", live=False)
    assert "2026-11-25 06:00 schedule" in capsys.readouterr().out


def refused(*arguments: str) -> Result:
    """The command as somebody types it."""
    return CliRunner().invoke(main, ["report", *arguments])


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (None, "state.json cannot be read (No such file or directory): the ledger of the sandbox"),
        (b"{", "The state makes no sense (JSONDecodeError: "),
        (encode_state(LedgerState()), "the ledger knows no run yet."),
    ],
    ids=["no-demo", "no-state", "no-run"],
)
def test_no_ledger_is_one_sentence(tmp_path: Path, state: bytes | None, sentence: str) -> None:
    """What is missing, and where it would come from."""
    if state:
        (tmp_path / LEDGER).mkdir(parents=True)
        (tmp_path / LEDGER / "state.json").write_bytes(state)
    with pytest.raises(click.ClickException) as error:
        show_report(tmp_path, "dev", live=False)
    assert sentence in error.value.message


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (None, "--live needs the Pulumi CLI on the PATH: No such file or directory."),
        ("echo no stack >&2; exit 1", "stack dev has no ledger that Pulumi knows: no stack"),
    ],
)
def test_no_stack_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, sentence: str
) -> None:
    """Without Pulumi or without the stack nobody knows the bucket."""
    if script:
        (tmp_path / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = refused("--live")
    assert result.exit_code == 1
    assert result.stderr.strip() == f"Error: {sentence}"


def test_a_bucket_that_is_not_there_is_one_sentence(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever S3 says is said."""

    def answer(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, "no-such-bucket\n", "")

    monkeypatch.setattr(subprocess, "run", answer)
    assert stack.keys
    with pytest.raises(click.ClickException, match=r"s3://no-such-bucket/state.json could not be"):
        show_report(tmp_path, "dev", live=True)
