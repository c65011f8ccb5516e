"""The product in one command: deployed into the sandbox, run by its schedule, destroyed."""

import json
import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console
from rich.text import Text

from cli.demo_scenes import SCENES, Scene
from cli.show import show_log, show_log_briefly, show_mail, show_mail_briefly
from handler.sanitize import plain
from sandbox.aws.account import Account
from sandbox.aws.inventory import inventory
from sandbox.aws.mail import Mail
from sandbox.aws.seed import change
from sandbox.aws.snapshot import take_snapshot
from sandbox.deployment.deploy import DeployError, Stack, open_stack
from sandbox.deployment.stack import ResourceName

T = TypeVar("T")

FOLDER = ".demo"
_SNAPSHOT_REGION = "eu-west-1"
_ENDING = """\
Done in {seconds:.0f} s. All mails, and the ledger with the report of each run:
{mails}
  {folder}/ledger/
Next: venv/bin/python -m cli report   the history of the runs
      venv/bin/python -m cli audit    audit your own account, read-only
      README.md                       deploy it"""


def demo(project: Path, stack: str, scene: str, *, verbose: bool) -> None:
    """Preview, deploy, audit by the schedule and after a change, deploy again, destroy.

    ``scene`` is a key of ``SCENES``. Writes the mails, the ledger and a snapshot to .demo/ in the
    project, in place of the last demo's. ``verbose`` prints everything that Pulumi prints, the
    whole log and the whole mails. Raises ``click.ClickException`` if a step does not do what it
    should.
    """
    console = Console(highlight=False)
    started = time.monotonic()
    shutil.rmtree(project / FOLDER, ignore_errors=True)
    with Account() as account:
        run = _DemoRun(console, account, project / FOLDER, verbose)
        try:
            mails = run.take_steps(project, stack, SCENES[scene])
        except DeployError as error:
            raise click.ClickException(str(error)) from error
    ending = _ENDING.format(
        seconds=time.monotonic() - started,
        folder=FOLDER,
        mails="\n".join(
            f"  {FOLDER}/{f'{name}.html':12}  {mail.message['Subject']}"
            for name, mail in mails.items()
        ),
    )
    for line in ending.splitlines():
        console.print(Text(line), no_wrap=True, overflow="ellipsis")


@dataclass(frozen=True, slots=True)
class _DemoRun:
    """One demo: its steps in an account, printed one by one."""

    console: Console
    account: Account
    folder: Path
    verbose: bool
    logged_ids: set[str] = field(default_factory=set)

    def take_steps(self, project: Path, stack: str, scene: Scene) -> dict[str, Mail]:
        """Take all steps; returns the mails by the names of their files."""
        filled = self._step(
            "AWS account on this machine", lambda: scene.fill(self.account), lambda _: scene.content
        )
        snapshot = take_snapshot(filled.sample, _SNAPSHOT_REGION)
        self._write(f"{_SNAPSHOT_REGION}.json", json.dumps(snapshot, indent=1).encode())
        before = inventory(self.account)
        deployed = open_stack(
            project,
            stack,
            self.account,
            config=filled.config,
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
        if scene.before_first_run:
            self._tell("Meanwhile", scene.before_first_run(self.account))
        mails = {"mail": self._audit(deployed, "mail")}
        if scene.has_team:
            mails["team"] = self._keep_mail("team", 1)
        change(filled.sample)
        self._tell("The next day", "SSH closed on bastion, MySQL opened on orders-database")
        mails["changes"] = self._audit(deployed, "changes")
        if scene.after_second_run:
            self._tell("Minutes later", scene.after_second_run(self.account))
            mails["live"] = self._step("The change", self._deliver_change, _opener)
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
        if remaining := sorted(inventory(self.account) - before):
            _fail(f"pulumi destroy left {', '.join(remaining)}.")
        return mails

    def _step(self, title: str, work: Callable[[], T], describe: Callable[[T], str]) -> T:
        """Do the work; print a description of its result, and how long it took."""
        started = time.monotonic()
        with self.console.status(f"{title} ..."):
            result = work()
        self._tell(title, describe(result), f" ({time.monotonic() - started:.1f} s)")
        return result

    def _tell(self, title: str, text: str, duration: str = "") -> None:
        line = Text(title, "bold cyan").append(duration, "dim not bold")
        self.console.print(line.append(f": {text}", "default not bold"))

    def _audit(self, deployed: Stack, name: str) -> Mail:
        """Let the schedule start the function; show its log and mail, and keep the mail."""
        region = deployed.outputs["functionArn"].split(":")[3]
        mails = len(self.account.mails())
        (delivery,) = self._step(
            "The schedule",
            lambda: self.account.events.fire(deployed.outputs["scheduleRule"], region),
            lambda _: "the function ran",
        )
        if not delivery.delivered:
            _fail(f"the schedule did not reach the function: {delivery.reason}")
        if deployed.outputs.get("stateMachineArn"):
            self._step(
                "The state machine",
                lambda: self.account.state_machines.wait(timeout=300),
                lambda executions: _outcome(executions[-1]),
            )
        (show_log if self.verbose else show_log_briefly)(self.console, self._new_lines(deployed))
        self.console.print()
        mail = self._keep_mail(name, mails)
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
        return self._keep_mail("live", mails)

    def _keep_mail(self, name: str, earlier: int) -> Mail:
        """Write the first mail after the earlier ones to the demo's folder."""
        if len(self.account.mails()) == earlier:
            _fail("the run sent no mail.")
        mail = self.account.mails()[earlier]
        page = mail.message.get_body(("html",))
        self._write(f"{name}.eml", mail.raw)
        self._write(f"{name}.html", page.get_content().encode() if page else b"")
        return mail

    def _new_lines(self, deployed: Stack) -> list[str]:
        """The lines that the functions have logged since the last call."""
        pages = self.account.client("logs").get_paginator("filter_log_events")
        responses = pages.paginate(logGroupName=deployed.outputs["logGroupName"])
        events = [event for page in responses for event in page["events"]]
        new = [event for event in events if event["eventId"] not in self.logged_ids]
        self.logged_ids.update(event["eventId"] for event in new)
        return [event["message"] for event in sorted(new, key=lambda event: event["timestamp"])]

    def _keep_ledger(self, bucket: str) -> None:
        """Copy the ledger to the demo's folder."""
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


def _outcome(execution: Any) -> str:
    """How an execution ended; a run that could not read everything fails after its mail."""
    is_expected = execution.error == "AuditIncompleteError"
    reason = ", as expected: 1 account not read" if is_expected else ""
    return f"execution {execution.status.lower()}{reason}"


def _opener(mail: Mail) -> str:
    """The line on a mail about a change: who made it."""
    body = mail.message.get_body(("plain",))
    text = " ".join((body.get_content() if body else "").split())
    return plain(f"mailed, opened by {text.partition('opened by: ')[2].partition(',')[0]}")


def _count(resources: Collection[ResourceName], outcome: str) -> str:
    """How many AWS resources there are, without the components that group them."""
    return f"{sum(kind.startswith('aws:') for kind, _ in resources)} AWS resources {outcome}"


def _fail(message: str) -> NoReturn:
    raise click.ClickException(message)
