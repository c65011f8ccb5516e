"""The product in one command: deployed into the sandbox, run by its schedule, destroyed."""

import json
import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from rich.console import Console
from rich.text import Text

from cli.show import show_log, show_log_briefly, show_mail, show_mail_briefly
from handler.sanitize import plain
from sandbox.aws.account import Account
from sandbox.aws.inventory import inventory
from sandbox.aws.mail import Mail
from sandbox.aws.seed import change, open_elsewhere, seed
from sandbox.aws.snapshot import take_snapshot
from sandbox.deployment.deploy import DeployError, Stack, open_stack
from sandbox.deployment.stack import Resource

T = TypeVar("T")

FOLDER = ".demo"
_SNAPSHOT_REGION = "eu-west-1"
_USER = "alice"
_ENDING = """\
Done in {seconds:.0f} s. All mails, and the ledger with the report of each run:
  {folder}/mail.html     {first}
  {folder}/changes.html  {second}
  {folder}/live.html     {third}
  {folder}/ledger/
Next: venv/bin/python -m cli report   the history of the runs
      venv/bin/python -m cli audit    audit your own account, read-only
      README.md                       deploy it"""


def demo(project: Path, stack: str, *, verbose: bool) -> None:
    """Preview, deploy, audit twice by the schedule and once after a change, deploy again, destroy.

    Writes the mails, the ledger and a snapshot to .demo/ in the project. ``verbose`` prints
    everything that Pulumi prints, the whole log and the whole mails. Raises
    ``click.ClickException`` when a step does not do what it should.
    """
    console = Console(highlight=False)
    started = time.monotonic()
    with Account() as account:
        tour = _Tour(console, account, project / FOLDER, verbose)
        try:
            first, second, third = tour.take(project, stack)
        except DeployError as error:
            raise click.ClickException(str(error)) from error
    ending = _ENDING.format(
        seconds=time.monotonic() - started,
        folder=FOLDER,
        first=first.message["Subject"],
        second=second.message["Subject"],
        third=third.message["Subject"],
    )
    for line in ending.splitlines():
        console.print(Text(line), no_wrap=True, overflow="ellipsis")


@dataclass(frozen=True, slots=True)
class _Tour:
    """The steps of the demo in one account, and how they are shown."""

    console: Console
    account: Account
    folder: Path
    verbose: bool

    def take(self, project: Path, stack: str) -> tuple[Mail, Mail, Mail]:
        """Go through all steps; the result is the mails."""
        self._step(
            "AWS account on this machine",
            lambda: seed(self.account),
            lambda _: "filled with security groups of every kind",
        )
        snapshot = take_snapshot(self.account, _SNAPSHOT_REGION)
        self._write(f"{_SNAPSHOT_REGION}.json", json.dumps(snapshot, indent=1).encode())
        before = inventory(self.account)
        deployed = open_stack(
            project,
            stack,
            self.account,
            config={"realtime": True},
            on_output=self._print_output if self.verbose else None,
        )
        self.console.print(f"Deployed with {deployed.engine}", style="dim", soft_wrap=True)
        if deployed.has_engine:
            self._step(
                "pulumi preview",
                deployed.preview,
                lambda changes: _count(changes.create, "to create"),
            )
        self._step("pulumi up", deployed.up, lambda changes: _count(changes.create, "created"))
        first = self._audit(deployed, "mail")
        self._step(
            "The next day",
            lambda: change(self.account),
            lambda _: "SSH closed on bastion, MySQL opened on orders-database",
        )
        second = self._audit(deployed, "changes")
        self._step(
            "Minutes later",
            lambda: open_elsewhere(self.account, _USER),
            lambda group: f"{_USER} opens SSH on {group} in us-east-1",
        )
        third = self._step("The change", self._deliver_change, _opener)
        self._keep_ledger(deployed.outputs["ledgerBucket"])
        if deployed.has_engine:
            again = self._step(
                "pulumi up", deployed.up, lambda changes: _count(changes.same, "unchanged")
            )
            if touched := [*again.create, *again.update, *again.replace, *again.delete]:
                _fail(f"nothing had changed, and yet pulumi up changed {touched}.")
        self._step(
            "pulumi destroy", deployed.destroy, lambda changes: _count(changes.delete, "deleted")
        )
        if left := sorted(inventory(self.account) - before):
            _fail(f"pulumi destroy left {', '.join(left)}.")
        return first, second, third

    def _step(self, title: str, work: Callable[[], T], describe: Callable[[T], str]) -> T:
        """Do some work, and print what came of it and how long it took."""
        started = time.monotonic()
        with self.console.status(f"{title} ..."):
            result = work()
        text = Text(title, "bold cyan").append(f": {describe(result)}", "default not bold")
        self.console.print(text.append(f" in {time.monotonic() - started:.1f} s", "dim not bold"))
        return result

    def _audit(self, deployed: Stack, name: str) -> Mail:
        """Let the schedule start the function; show its log and mail, and keep the mail."""
        region = deployed.outputs["functionArn"].split(":")[3]
        (delivery,) = self._step(
            "The schedule",
            lambda: self.account.events.fire(deployed.outputs["scheduleRule"], region),
            lambda _: "function started",
        )
        if not delivery.delivered:
            _fail(f"the schedule did not reach the function: {delivery.reason}")
        lines = [line for run in delivery.invocations for line in run.log]
        (show_log if self.verbose else show_log_briefly)(self.console, lines)
        self.console.print()
        mail = self._keep_mail(name)
        (show_mail if self.verbose else show_mail_briefly)(self.console, mail)
        self.console.print()
        return mail

    def _deliver_change(self) -> Mail:
        """Let EventBridge deliver the last change, and keep the mail on it."""
        event = self.account.history.event(self.account.history.records[-1])
        mails = len(self.account.mails())
        deliveries = self.account.events.deliver(event, event["region"])
        if problems := [delivery.reason for delivery in deliveries if delivery.reason]:
            _fail(f"the change did not reach the function: {', '.join(problems)}")
        if len(self.account.mails()) == mails:
            _fail("the change was not mailed.")
        return self._keep_mail("live")

    def _keep_mail(self, name: str) -> Mail:
        """Write the last mail to the demo's folder."""
        mail = self.account.mails()[-1]
        page = mail.message.get_body(("html",))
        self._write(f"{name}.eml", mail.raw)
        self._write(f"{name}.html", page.get_content().encode() if page else b"")
        return mail

    def _keep_ledger(self, bucket: str) -> None:
        """Copy the ledger to the demo's folder, in place of the last demo's."""
        shutil.rmtree(self.folder / "ledger", ignore_errors=True)
        s3 = self.account.client("s3")
        for item in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            content = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            self._write(f"ledger/{item['Key']}", content)

    def _write(self, name: str, content: bytes) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def _print_output(self, line: str) -> None:
        self.console.print(Text(f"  {line}", "dim"), soft_wrap=True)


def _opener(mail: Mail) -> str:
    """Who made the change, as its mail says."""
    body = mail.message.get_body(("plain",))
    text = " ".join((body.get_content() if body else "").split())
    return plain(f"mailed, opened by {text.partition('opened by: ')[2].partition(',')[0]}")


def _count(resources: Collection[Resource], outcome: str) -> str:
    """How many AWS resources there are, without the components that group them."""
    return f"{sum(kind.startswith('aws:') for kind, _ in resources)} AWS resources {outcome}"


def _fail(message: str) -> NoReturn:
    raise click.ClickException(message)
