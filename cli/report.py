"""The ledger of a stack: its last report, and what opened and closed from run to run."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.table import Table

from cli.formats.table import console_for, unread_lines, write_parts, write_table
from cli.ledger_files import ReadKey, deployed_bucket, ledger_bucket, ledger_folder, stored_report
from cli.output import output
from handler.ledger.bucket_store import HEAD_KEY
from handler.ledger.head import DecodeError, decode_head
from handler.ledger.state import RunSummary
from handler.model.audit_report import Report
from handler.model.finding import Severity
from handler.model.totals import AccountResult
from handler.sanitize import plain

LEDGER = Path(".demo", "ledger")
"""The folder of the demo's ledger, in the project."""

# The reports of all accounts are read for the history of one.
_RUNS_OF_AN_ACCOUNT = 10
# Of the history, unless numbers are longer than their headings.
_WIDTH = 80
_SEVERITIES = tuple(severity for severity in Severity if severity is not Severity.INFO)


def show_report(project: Path, stack: str, *, live: bool, account: str | None = None) -> None:
    """Show the history and the last report of a stack's ledger, in AWS or as the demo left it.

    With an ``account`` it shows those of one of many accounts; without, of many accounts the
    numbers only. Raises ``click.ClickException`` if there is none.
    """
    read = (
        ledger_bucket(deployed_bucket(project, stack)) if live else ledger_folder(project / LEDGER)
    )
    try:
        head = decode_head(read(HEAD_KEY))
    except DecodeError as error:
        raise click.ClickException(str(error)) from error
    if not head.runs:
        raise click.ClickException("there is no run in the ledger yet.")
    with output("-") as stream:
        console = console_for(stream)
        # A narrower terminal folds the lines; rich would cut the numbers off.
        console.width = max(console.width, _WIDTH)
        if account:
            runs, report = _history_of(account, read, head.runs[-_RUNS_OF_AN_ACCOUNT:])
            write_parts([_history(runs), ""], console, stream)
            write_table(report, stream)
            return
        write_parts([_history(head.runs), ""], console, stream)
        report = stored_report(read, head.runs[-1])
        if report.accounts:
            parts: list[RenderableType] = ["", _accounts(report), ""]
            parts += unread_lines(report, console)
            write_parts(parts, console, stream)
        else:
            write_table(report, stream)


def _history_of(
    account: str, read: ReadKey, runs: Sequence[RunSummary]
) -> tuple[list[RunSummary], Report]:
    """The runs that read the account, in its own numbers, and its part of the last report."""
    reports = []
    with Console(stderr=True).status(f"Reading {len(runs)} reports ..."):
        for run in reversed(runs):
            try:
                report = stored_report(read, run, account)
            except click.ClickException:
                # Reports expire; the head knows their runs for longer.
                if run is runs[-1]:
                    raise
                break
            if report.coverage:
                reports.append((run, report))
    if not reports:
        raise click.ClickException(f"account {account} is in none of the last {len(runs)} reports.")
    return [_summary(run, report) for run, report in reversed(reports)], reports[0][1]


def _summary(run: RunSummary, report: Report) -> RunSummary:
    totals = report.totals
    return run._replace(
        opened=totals.opened,
        resolved=totals.resolved,
        open={severity: totals.openings.get(severity, 0) for severity in Severity},
        not_read=totals.unread,
    )


def _accounts(report: Report) -> Table:
    """A line for each account: those of which nothing was read, then the worst first."""
    grid = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("account", "name", *_SEVERITIES, "read"):
        grid.add_column(name)
    read = {c.target.account for c in report.coverage if c.is_complete or c.groups}
    unread = {account.id for account in report.accounts if not account.is_complete} - read
    for account in sorted(report.accounts, key=lambda a: (a.id not in unread, *_worst_first(a))):
        counts = (f"{account.openings[severity]:,}" for severity in _SEVERITIES)
        extent = "all" if account.is_complete else "not all"
        if account.id in unread:
            counts, extent = ("-" for _ in _SEVERITIES), "nothing"
        grid.add_row(account.id, plain(account.name or ""), *counts, extent)
    return grid


def _worst_first(account: AccountResult) -> tuple[object, ...]:
    return *(-account.openings[severity] for severity in _SEVERITIES), account.id


def _history(runs: Sequence[RunSummary]) -> Table:
    grid = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("run", "trigger", "opened", "resolved", *_SEVERITIES, "not read", "mail"):
        grid.add_column(name, no_wrap=name != "not read")
    for run in runs:
        by_severity = (run.open[severity] for severity in _SEVERITIES)
        numbers = (run.opened, run.resolved, *by_severity, run.not_read)
        started_at = run.started_at[: len("2026-01-01T00:00")].replace("T", " ")
        mail = "sent" if run.mailed else ""
        grid.add_row(started_at, run.trigger, *(f"{number:,}" for number in numbers), mail)
    return grid
