"""The files of a stack's ledger, in AWS or as the demo left them."""

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import click

from handler.aws import FAILURES, error_text
from handler.ledger.bucket_store import report_key
from handler.ledger.state import RunSummary
from handler.model.audit_report import Report
from handler.report.fields import DECODE_ERRORS
from handler.report.json_report import report_from_json

ReadKey = Callable[[str], bytes]
"""The content of a key. Raises ``click.ClickException`` if it cannot be read."""


def stored_report(read: ReadKey, run: RunSummary, account: str | None = None) -> Report:
    """The report of a run, or its part on one account.

    Raises ``click.ClickException`` if there is none.
    """
    key = report_key(run.id, run.started_at)
    try:
        if account is None:
            return report_from_json(json.loads(_content(read, key)))

        def without_other_accounts(item: dict[str, Any]) -> dict[str, Any] | None:
            return item if item.get("account") in {None, account} else None

        # While it is read, because all findings of 500 accounts would take gigabytes.
        document = json.loads(_content(read, key), object_hook=without_other_accounts)
        parts = {name: list(filter(None, document[name])) for name in ("coverage", "findings")}
        return report_from_json(document | parts)
    except DECODE_ERRORS as error:
        raise click.ClickException(
            f"{key}: not the report of a run ({type(error).__name__})"
        ) from error


def _content(read: ReadKey, key: str) -> bytes:
    """The object, or the compressed one that a run over many accounts stores."""
    try:
        return read(key)
    except click.ClickException as missing:
        try:
            return gzip.decompress(read(f"{key}.gz"))
        except click.ClickException:
            raise missing from None


def ledger_folder(ledger: Path) -> ReadKey:
    """The ledger that the demo left in a folder."""

    def read(key: str) -> bytes:
        try:
            return (ledger / key).read_bytes()
        except OSError as error:
            raise click.ClickException(
                f"{ledger / key} cannot be read: run `make demo`, or use --live --stack NAME."
            ) from error

    return read


def ledger_bucket(name: str) -> ReadKey:
    """The ledger in a bucket, with the caller's credentials."""

    def read(key: str) -> bytes:
        try:
            s3 = boto3.Session().client("s3")
            body: bytes = s3.get_object(Bucket=name, Key=key)["Body"].read()
        except FAILURES as error:
            raise click.ClickException(
                f"s3://{name}/{key} could not be read: {error_text(error)}"
            ) from error
        return body

    return read


def deployed_bucket(project: Path, stack: str) -> str:
    """The bucket that a stack exports, from the caller's Pulumi CLI."""
    command = ["pulumi", "stack", "output", "ledgerBucket", "--stack", stack]
    try:
        completed = subprocess.run(  # noqa: S603 -- no shell, and the stack's name is one argument
            command, cwd=project, capture_output=True, text=True, check=True
        )
    except OSError as error:
        raise click.ClickException("--live needs the Pulumi CLI on the PATH.") from error
    except subprocess.CalledProcessError as error:
        raise click.ClickException(
            f"the Pulumi CLI found no ledger of stack {stack}: {' '.join(error.stderr.split())}"
        ) from error
    return completed.stdout.strip()
