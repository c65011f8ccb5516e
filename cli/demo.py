"""The product in one command: deployed into the sandbox, fired by its schedule, taken away."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from cli.show import show_log, show_mail
from sandbox.aws.account import Account
from sandbox.aws.inventory import inventory
from sandbox.aws.seed import change, seed
from sandbox.deployment.deploy import DeployError, Stack, open_stack

FOLDER = ".demo"


def demo(project: Path, stack: str) -> None:
    """Preview, deploy, fire the schedule twice, show mails and logs, deploy again, destroy.

    Writes the two mails and the ledger to .demo/ in the project. Raises
    ``click.ClickException`` when a step does not do what it should.
    """
    console = Console()
    with Account() as account:
        with _step(console, "An AWS account on this machine, with groups of every kind"):
            seed(account)
        try:
            deployed = open_stack(project, stack, account, on_output=_printer(console))
            console.print(Text(f"\n* Deployed by {deployed.engine}", "bold cyan"))
            _tour(console, account, deployed, project / FOLDER)
        except DeployError as error:
            raise click.ClickException(str(error)) from error


def _tour(console: Console, account: Account, deployed: Stack, folder: Path) -> None:
    before = inventory(account)
    if deployed.has_engine:
        with _step(console, "pulumi preview"):
            deployed.preview()
    with _step(console, "pulumi up"):
        deployed.up()

    _scheduled(console, account, deployed)
    _show(console, account, folder / "mail")
    with _step(console, "Somebody closes the bastion's SSH and opens a database"):
        change(account)
    _scheduled(console, account, deployed)
    _show(console, account, folder / "changes")
    with _step(console, "The ledger in S3, which python -m cli report shows"):
        for file in _copy(account, deployed.outputs["ledgerBucket"], folder / "ledger"):
            console.print(Text(f"  {file.relative_to(folder.parent)}"))

    if deployed.has_engine:
        with _step(console, "pulumi up, once more: nothing changes"):
            again = deployed.up()
        if changed := [*again.create, *again.update, *again.replace, *again.delete]:
            _fail(f"nothing had changed, and yet pulumi up changed {changed}.")
    with _step(console, "pulumi destroy"):
        deployed.destroy()
    if left := sorted(inventory(account) - before):
        _fail(f"pulumi destroy left {', '.join(left)}.")
    console.print("  nothing left")


def _scheduled(console: Console, account: Account, deployed: Stack) -> None:
    """Let the schedule fire once, and show what the function logs."""
    rule, log_group = deployed.outputs["scheduleRule"], deployed.outputs["logGroupName"]
    region = deployed.outputs["functionArn"].split(":")[3]
    with _step(console, f"The schedule {rule} fires"):
        (delivery,) = account.events.fire(rule, region)
    if not delivery.delivered:
        _fail(f"the schedule did not reach the function: {delivery.reason}")
    with _step(console, f"The log in CloudWatch, {log_group}"):
        for run in delivery.invocations:
            show_log(console, run.log)


def _show(console: Console, account: Account, file: Path) -> None:
    """Show the last mail, and keep it and its HTML part for readers who want to open them."""
    with _step(console, "The mail in SES"):
        mail = account.mails()[-1]
        show_mail(console, mail)
        page = mail.message.get_body(("html",))
        content = {".eml": mail.raw, ".html": page.get_content().encode() if page else b""}
        file.parent.mkdir(exist_ok=True)
        for suffix, part in content.items():
            file.with_suffix(suffix).write_bytes(part)
            console.print(Text(f"  {file.with_suffix(suffix).relative_to(file.parent.parent)}"))


def _copy(account: Account, bucket: str, folder: Path) -> Iterator[Path]:
    """Keep what is in a bucket, in place of what was kept before."""
    shutil.rmtree(folder, ignore_errors=True)
    s3 = account.client("s3")
    for listed in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        file = folder / listed["Key"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read())
        yield file


@contextmanager
def _step(console: Console, title: str) -> Iterator[None]:
    """Say what is going on, and how long it took."""
    started = time.monotonic()
    console.print(Text(f"\n* {title}", "bold cyan"))
    yield
    console.print(Text(f"  {time.monotonic() - started:.1f} s", "dim"))


def _printer(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(Text(f"  {line}", "dim"), soft_wrap=True)


def _fail(message: str) -> NoReturn:
    raise click.ClickException(message)
