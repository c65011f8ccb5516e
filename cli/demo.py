"""The product in one command: deployed into the sandbox, fired by its schedule, taken away."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from cli.audit import of_account
from cli.show import show_log, show_mail
from handler.policy import Policy
from handler.report.document import document
from sandbox.aws.account import Account
from sandbox.aws.events import fire
from sandbox.aws.mail import Mail
from sandbox.aws.seed import seed
from sandbox.deployment.deploy import DeployError, Stack, open_stack

FOLDER = ".demo"


def demo(project: Path, stack: str) -> None:
    """Preview, deploy, fire the schedule, show mail and log, deploy again, destroy.

    Writes mail.html, mail.eml and report.json to .demo/ in the project. Raises
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
    before = _inventory(account)
    if deployed.has_engine:
        with _step(console, "pulumi preview"):
            deployed.preview()
    with _step(console, "pulumi up"):
        deployed.up()

    rule, log_group = deployed.outputs["scheduleRule"], deployed.outputs["logGroupName"]
    region = deployed.outputs["functionArn"].split(":")[3]
    with _step(console, f"The schedule {rule} fires"):
        (delivery,) = fire(account, rule, region)
    if not delivery.delivered:
        _fail(f"the schedule did not reach the function: {delivery.reason}")
    with _step(console, f"The log in CloudWatch, {log_group}"):
        logs = account.client("logs", region).get_paginator("filter_log_events")
        pages = logs.paginate(logGroupName=log_group)
        show_log(console, (event["message"] for page in pages for event in page["events"]))
    with _step(console, "The mail in SES"):
        if len(account.mails()) != 1:
            _fail(f"one run sends one mail, not {len(account.mails())}.")
        (mail,) = account.mails()
        show_mail(console, mail)
        for file in _write(account, mail, folder):
            console.print(Text(f"  {file.relative_to(folder.parent)}"))

    if deployed.has_engine:
        with _step(console, "pulumi up, once more: nothing changes"):
            again = deployed.up()
        if changed := [*again.create, *again.update, *again.replace, *again.delete]:
            _fail(f"nothing had changed, and yet pulumi up changed {changed}.")
    with _step(console, "pulumi destroy"):
        deployed.destroy()
    if left := sorted(_inventory(account) - before):
        _fail(f"pulumi destroy left {', '.join(left)}.")
    console.print("  nothing left")


def _inventory(account: Account) -> set[str]:
    """What the account holds of the kinds of things that a stack creates."""
    roles = account.client("iam").list_roles()["Roles"]
    functions = account.client("lambda").list_functions()["Functions"]
    rules = account.client("events").list_rules()["Rules"]
    groups = account.client("logs").describe_log_groups()["logGroups"]
    identities = account.client("sesv2").list_email_identities()["EmailIdentities"]
    return {
        *(f"role {role['RoleName']}" for role in roles),
        *(f"function {function['FunctionName']}" for function in functions),
        *(f"rule {rule['Name']}" for rule in rules),
        *(f"log group {group['logGroupName']}" for group in groups),
        *(f"identity {identity['IdentityName']}" for identity in identities),
    }


def _write(account: Account, mail: Mail, folder: Path) -> Iterator[Path]:
    """Keep what a reader may want to open: the mail, its HTML part, and the report as JSON."""
    with _environment(account.environment()):
        found = document(of_account(None, (), Policy()))
    page = mail.message.get_body(("html",))
    files = {
        "mail.eml": mail.raw,
        "mail.html": page.get_content().encode() if page else b"",
        "report.json": json.dumps(found, indent=2).encode(),
    }
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        yield folder / name


@contextmanager
def _step(console: Console, title: str) -> Iterator[None]:
    """Say what is going on, and how long it took."""
    started = time.monotonic()
    console.print(Text(f"\n* {title}", "bold cyan"))
    yield
    console.print(Text(f"  {time.monotonic() - started:.1f} s", "dim"))


def _printer(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(Text(f"  {line}", "dim"), soft_wrap=True)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """The process in another environment, for as long as it takes."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _fail(message: str) -> NoReturn:
    raise click.ClickException(message)
