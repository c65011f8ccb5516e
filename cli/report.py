"""The ledger of a stack: its last report, and what opened and closed from run to run."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import boto3
import click
from rich.table import Table

from cli.formats.table import console_for, write_parts, write_table
from cli.output import output
from handler.aws import FAILURES, error_text
from handler.ledger.head import DecodeError, decode_head
from handler.ledger.state import RunSummary
from handler.ledger.store import HEAD_KEY, report_key
from handler.model.finding import Severity
from handler.model.run import Report
from handler.report.fields import DECODE_ERRORS
from handler.report.json_report import report_from_json

LEDGER = Path(".demo", "ledger")
"""The folder of the demo's ledger, in the project."""

ReadKey = Callable[[str], bytes]
"""The content of a key. Raises ``click.ClickException`` when it cannot be read."""


def show_report(project: Path, stack: str, *, live: bool) -> None:
    """Show the history and the last report of a stack's ledger, in AWS or as the demo left it.

    Raises ``click.ClickException`` when there is none.
    """
    read = _bucket(_deployed_bucket(project, stack)) if live else _folder(project / LEDGER)
    try:
        head = decode_head(read(HEAD_KEY))
    except DecodeError as error:
        raise click.ClickException(str(error)) from error
    if not head.runs:
        message = "there is no run in the ledger yet."
        raise click.ClickException(message)
    with output("-") as stream:
        console = console_for(stream)
        write_parts([_history(head.runs), ""], console, stream)
        write_table(_last_report(read, head.runs[-1]), stream)


def _last_report(read: ReadKey, run: RunSummary) -> Report:
    key = report_key(run.id, run.started_at)
    try:
        return report_from_json(json.loads(read(key)))
    except DECODE_ERRORS as error:
        message = f"{key}: not the report of a run ({type(error).__name__})"
        raise click.ClickException(message) from error


def _history(runs: Sequence[RunSummary]) -> Table:
    # Fits into 80 columns.
    grid = Table(box=None, padding=(0, 1, 0, 0))
    severities = tuple(severity for severity in Severity if severity is not Severity.INFO)
    for name in ("run", "by", "opened", "resolved", *severities, "unread", "mail"):
        grid.add_column(name)
    for run in runs:
        grid.add_row(*_row(run, severities))
    return grid


def _row(run: RunSummary, severities: tuple[Severity, ...]) -> tuple[str, ...]:
    numbers = (
        run.opened,
        run.resolved,
        *(run.open[severity] for severity in severities),
        run.not_read,
    )
    mail = "sent" if run.mailed else ""
    started_at = run.started_at[: len("2026-01-01T00:00")].replace("T", " ")
    return started_at, run.trigger, *(f"{number:,}" for number in numbers), mail


def _folder(ledger: Path) -> ReadKey:
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


def _bucket(name: str) -> ReadKey:
    def read(key: str) -> bytes:
        try:
            s3 = boto3.Session().client("s3")
            body: bytes = s3.get_object(Bucket=name, Key=key)["Body"].read()
        except FAILURES as error:
            message = f"s3://{name}/{key} could not be read: {error_text(error)}"
            raise click.ClickException(message) from error
        return body

    return read


def _deployed_bucket(project: Path, stack: str) -> str:
    """The bucket that a stack exports, from the caller's Pulumi CLI."""
    command = ["pulumi", "stack", "output", "ledgerBucket", "--stack", stack]
    try:
        done = subprocess.run(  # noqa: S603 -- no shell, and the stack's name is one argument
            command, cwd=project, capture_output=True, text=True, check=True
        )
    except OSError as error:
        message = f"--live needs the Pulumi CLI on the PATH: {error.strerror}."
        raise click.ClickException(message) from error
    except subprocess.CalledProcessError as error:
        message = (
            f"the Pulumi CLI found no ledger of stack {stack}: {' '.join(error.stderr.split())}"
        )
        raise click.ClickException(message) from error
    return done.stdout.strip()
