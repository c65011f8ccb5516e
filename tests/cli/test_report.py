"""The ledger on a terminal, read from S3 or from the folder that the demo writes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.report import LEDGER, show_report
from handler.ledger.bucket_store import HEAD_KEY
from handler.ledger.head import Head, encode_head
from sandbox.aws.account import Account
from tests.support.stack import BUCKET, Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack that audits two regions and has run three times, the last time without us-east-1."""
    with Account() as account:
        with pytest.MonkeyPatch.context() as patch:
            stack = Stack(account, patch)
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


@pytest.fixture(scope="module")
def objects(stack: Stack) -> dict[str, bytes]:
    """The objects of the stack's ledger, by key."""
    return {key: stack.stored(key) for key in stack.keys}


@pytest.fixture
def project_with_ledger(objects: dict[str, bytes], tmp_path: Path) -> Path:
    """A project with the ledger where the demo writes it."""
    for key, content in objects.items():
        file = tmp_path / LEDGER / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path


@pytest.fixture
def credentials(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller's credentials are those of the stack's account."""
    for name, value in stack.account.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def printed_lines(
    project: Path, capsys: pytest.CaptureFixture[str], *, live: bool = False
) -> list[str]:
    """The lines that the command prints."""
    show_report(project, "dev", live=live)
    return capsys.readouterr().out.splitlines()


def last_report(project: Path) -> Path:
    """The file with the report of the last of the three runs."""
    return max((project / LEDGER / "reports").rglob("*.json"))


def test_history_and_last_report(
    project_with_ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each run, then the last one's findings and the error of the unread region."""
    lines = printed_lines(project_with_ledger, capsys)
    rows = [" ".join(line.split()) for line in lines[:4]]
    assert rows == [
        "run trigger opened resolved critical high medium low not read mail",
        "2026-11-23 06:00 schedule 1 0 0 0 1 0 0 sent",
        "2026-11-24 06:00 schedule 1 1 0 0 1 0 0 sent",
        "2026-11-25 06:00 schedule 0 0 0 0 1 0 1 sent",
    ]
    text = " ".join(lines[4:])
    assert (
        "MEDIUM    PostgreSQL tcp/5432  database  eu-west-1  not attached  since 2026-11-24" in text
    )
    assert "UnauthorizedOperation" in text


def test_history_is_whole_on_a_narrow_terminal(
    project_with_ledger: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 40 columns, no number of the history is cut off: the terminal folds the line."""
    monkeypatch.setenv("COLUMNS", "40")
    last = printed_lines(project_with_ledger, capsys)[3]
    assert " ".join(last.split()) == "2026-11-25 06:00 schedule 0 0 0 0 1 0 1 sent"


@pytest.mark.parametrize(
    ("minimum_severity", "is_listed"),
    [
        pytest.param("high", False, id="below"),
        pytest.param("medium", True, id="equal"),
        pytest.param(None, True, id="older-report"),
    ],
)
def test_findings_are_listed_from_the_minimum_severity_of_the_report(
    project_with_ledger: Path,
    capsys: pytest.CaptureFixture[str],
    minimum_severity: str | None,
    *,
    is_listed: bool,
) -> None:
    """A medium finding is only counted if the report's minimumSeverity is high; low by default."""
    file = last_report(project_with_ledger)
    report = json.loads(file.read_text("utf-8"))
    report["minimumSeverity"] = minimum_severity
    if minimum_severity is None:
        del report["minimumSeverity"]
    file.write_text(json.dumps(report))
    text = "\n".join(printed_lines(project_with_ledger, capsys))
    assert ("PostgreSQL tcp/5432" in text) == is_listed
    assert ("1 finding below high not shown." in text) != is_listed


def test_report_has_the_minimum_severity_of_the_stack(project_with_ledger: Path) -> None:
    """A stored report has the minimumSeverity of the policy that the run used, low by default."""
    report = json.loads(last_report(project_with_ledger).read_text("utf-8"))
    assert report["minimumSeverity"] == "low"


@pytest.mark.usefixtures("credentials")
def test_live_reads_the_ledger_in_s3(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With --live the bucket is an output of the stack, and the caller's credentials read it."""
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    arguments = "stack output ledgerBucket --stack dev"
    pulumi.write_text(f'#!/bin/sh\n[ "$*" = "{arguments}" ] && echo {BUCKET}\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(pulumi.parent), prepend=":")
    assert len(printed_lines(tmp_path, capsys, live=True)[1:4]) == 3


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"run": 5}'])
def test_malformed_report_is_one_sentence_below_the_history(
    project_with_ledger: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    """The history is printed, then the command fails with the key of the malformed report."""
    last_report(project_with_ledger).write_text(content)
    with pytest.raises(click.ClickException, match=r"\.json: not the report of a run \("):
        show_report(project_with_ledger, "dev", live=False)
    assert "2026-11-25 06:00 schedule" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (None, "head.json cannot be read: run `make demo`, or use --live --stack NAME."),
        (b"{", "The ledger cannot be read (JSONDecodeError: "),
        (encode_head(Head(), "writer"), "there is no run in the ledger yet."),
    ],
    ids=["no-demo", "malformed", "no-run"],
)
def test_missing_ledger_is_one_sentence(tmp_path: Path, head: bytes | None, sentence: str) -> None:
    """The sentence names what is missing or malformed."""
    if head:
        (tmp_path / LEDGER).mkdir(parents=True)
        (tmp_path / LEDGER / HEAD_KEY).write_bytes(head)
    with pytest.raises(click.ClickException) as error:
        show_report(tmp_path, "dev", live=False)
    assert sentence in error.value.message


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (None, "--live needs the Pulumi CLI on the PATH."),
        ("echo no stack >&2; exit 1", "the Pulumi CLI found no ledger of stack dev: no stack"),
    ],
)
def test_unknown_stack_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, sentence: str
) -> None:
    """--live exits with 1 and one line without the Pulumi CLI or without the stack."""
    if script:
        (tmp_path / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(main, ["report", "--live"])
    assert result.exit_code == 1
    assert result.stderr.strip() == f"Error: {sentence}"


def test_stack_without_live_is_refused() -> None:
    """--stack without --live exits with 2, because the demo's ledger is that of no other stack."""
    result = CliRunner().invoke(main, ["report", "--stack", "prod"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: --stack needs --live; without it the ledger is the one of the last demo."
    )


@pytest.fixture
def _exported_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Pulumi CLI says that the stack's bucket is no-such-bucket."""

    def pulumi_output(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, "no-such-bucket\n", "")

    monkeypatch.setattr(subprocess, "run", pulumi_output)


@pytest.mark.usefixtures("credentials", "_exported_bucket")
def test_missing_bucket_is_one_sentence(tmp_path: Path) -> None:
    """A bucket that S3 does not have is named in one sentence."""
    with pytest.raises(click.ClickException, match=r"s3://no-such-bucket/head.json could not be"):
        show_report(tmp_path, "dev", live=True)


@pytest.mark.usefixtures("_exported_bucket")
def test_missing_profile_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that the caller does not have is named in one sentence."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(click.ClickException, match=r"profile \(nobody\) could not be found"):
        show_report(tmp_path, "dev", live=True)
