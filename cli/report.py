"""The ledger of a stack: what its last run reported, and what opened and closed from run to run."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import click
from rich.table import Table

from cli.formats.table import console_for, table
from handler.aws import FAILURES, sentence
from handler.ledger import Past, State
from handler.model import Coverage, CoverageStatus, Report, Run, Severity, Target, Trigger
from handler.policy import Policy
from handler.state import UNREADABLE, StateError, finding, loads
from handler.store import STATE_KEY, report_key

LEDGER = Path(".demo", "ledger")
"""Where the demo leaves its ledger, in the project."""

Read = Callable[[str], bytes]
"""The content of a key. Raises ``click.ClickException`` when it cannot be read."""


def report(project: Path, stack: str, *, live: bool) -> None:
    """Show the history and the last report of a stack's ledger, in AWS or as the demo left it.

    Raises ``click.ClickException`` when there is none.
    """
    read = _bucket(_deployed_bucket(project, stack)) if live else _folder(project / LEDGER)
    try:
        state = loads(read(STATE_KEY))
    except StateError as error:
        raise click.ClickException(str(error)) from error
    if not state.runs:
        message = "the ledger knows no run yet."
        raise click.ClickException(message)
    console = console_for(sys.stdout)
    console.print(_history(state))
    console.print()
    key = report_key(state.runs[-1].id, state.runs[-1].started_at)
    try:
        last = _parsed(json.loads(read(key)))
    except UNREADABLE as error:
        message = f"{key} must be the report of a run, it is not ({type(error).__name__})."
        raise click.ClickException(message) from error
    table(last, Policy(), sys.stdout)


def _history(state: State) -> Table:
    # Fits into 80 columns.
    grid = Table(box=None, padding=(0, 1, 0, 0))
    open_now = tuple(severity for severity in Severity if severity is not Severity.INFO)
    for name in ("run", "by", "opened", "resolved", *open_now, "unread", "mail"):
        grid.add_column(name)
    for past in state.runs:
        grid.add_row(*_row(past, open_now))
    return grid


def _row(past: Past, severities: tuple[Severity, ...]) -> tuple[str, ...]:
    numbers = (
        past.opened,
        past.resolved,
        *(past.open[severity] for severity in severities),
        past.not_read,
    )
    mail = "sent" if past.mailed else ""
    started_at = f"{past.started_at[:10]} {past.started_at[11:16]}"
    return started_at, past.trigger, *(f"{number:,}" for number in numbers), mail


def _parsed(document: Mapping[str, Any]) -> Report:
    """A stored report, as far as it is shown."""
    run = document["run"]
    return Report(
        run=Run(run["id"], Trigger(run["trigger"]), run["startedAt"], run["finishedAt"]),
        coverage=tuple(
            Coverage(
                Target(each["account"], each["region"]),
                CoverageStatus(each["status"]),
                each["groups"],
                each["rules"],
                each["error"],
            )
            for each in document["coverage"]
        ),
        findings=tuple(map(finding, document["findings"])),
        notices=tuple(document["notices"]),
    )


def _folder(ledger: Path) -> Read:
    def read(key: str) -> bytes:
        try:
            return (ledger / key).read_bytes()
        except OSError as error:
            message = (
                f"{ledger / key} cannot be read ({error.strerror}): the ledger of the sandbox is "
                "what `make demo` leaves behind; --live reads the one in AWS."
            )
            raise click.ClickException(message) from error

    return read


def _bucket(name: str) -> Read:
    s3 = boto3.Session().client("s3")

    def read(key: str) -> bytes:
        try:
            body: bytes = s3.get_object(Bucket=name, Key=key)["Body"].read()
        except FAILURES as error:
            message = f"s3://{name}/{key} could not be read: {sentence(error)}"
            raise click.ClickException(message) from error
        return body

    return read


def _deployed_bucket(project: Path, stack: str) -> str:
    """The bucket that a stack exports, as the caller's Pulumi CLI knows it."""
    command = ["pulumi", "stack", "output", "ledgerBucket", "--stack", stack]
    try:
        done = subprocess.run(  # noqa: S603 -- no shell, and the stack's name is one argument
            command, cwd=project, capture_output=True, text=True, check=True
        )
    except OSError as error:
        message = f"--live needs the Pulumi CLI on the PATH: {error.strerror}."
        raise click.ClickException(message) from error
    except subprocess.CalledProcessError as error:
        message = f"stack {stack} has no ledger that Pulumi knows: {' '.join(error.stderr.split())}"
        raise click.ClickException(message) from error
    return done.stdout.strip()
