"""The deployed product: a stack in a seeded account, its zip, its schedule, its mail."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.aws.events import Delivery
from sandbox.aws.functions import caller_of
from sandbox.aws.mail import Mail
from sandbox.aws.seed import seed
from sandbox.deployment.deploy import open_stack
from sandbox.lambda_host.host import Invocation

REGION = "eu-west-1"


@dataclass
class Deployed:
    """A deployed stack and the account that it is in."""

    account: Account
    outputs: dict[str, str]
    seen_mails: int = 0
    seen_events: frozenset[str] = frozenset()

    @property
    def caller(self) -> str:
        """The key with which the function signs its requests."""
        return caller_of(self.outputs["functionName"])

    def fire(self) -> Delivery:
        """Let the schedule fire once."""
        (delivery,) = self.account.events.fire(self.outputs["scheduleRule"], REGION)
        return delivery

    def run(self) -> Invocation:
        """Let the schedule fire once; the result is the first run it starts."""
        return self.fire().invocations[0]

    def mails(self) -> list[Mail]:
        """The mails since the ledger was last emptied."""
        return self.account.mails()[self.seen_mails :]

    def text(self) -> str:
        """The text part of the only mail, its lines ended as here."""
        (mail,) = self.mails()
        body = mail.message.get_body(("plain",))
        assert body is not None
        return "\n".join(body.get_content().splitlines())

    def log(self) -> list[dict[str, Any]]:
        """The lines that the function wrote to its log group since the ledger was last emptied."""
        lines = (
            json.loads(event["message"])
            for event in self._events()
            if event["eventId"] not in self.seen_events
        )
        return [line for line in lines if "message" in line]

    def forget_runs(self) -> None:
        """Empty the ledger, end all faults, and leave out what was mailed and logged so far."""
        self.account.faults.clear()
        s3, bucket = self.account.client("s3"), self.outputs["ledgerBucket"]
        for stored in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=stored["Key"])
        self.seen_mails = len(self.account.mails())
        self.seen_events = frozenset(event["eventId"] for event in self._events())

    def _events(self) -> list[dict[str, Any]]:
        pages = self.account.client("logs").get_paginator("filter_log_events")
        log_group = self.outputs["logGroupName"]
        return [
            event for page in pages.paginate(logGroupName=log_group) for event in page["events"]
        ]


class Installer:
    """Deploys stack dev into an account with groups of every kind, one stack at a time.

    The last stack is used again by whoever wants the same settings, as if it had never run.
    """

    def __init__(self, project: Path) -> None:
        self._project = project
        self._account = ExitStack()
        self._installed: tuple[dict[str, object], Deployed] | None = None

    def __call__(self, **config: object) -> Deployed:
        """The stack with some settings."""
        if self._installed is None or self._installed[0] != config:
            self.remove()
            account = self._account.enter_context(Account())
            seed(account)
            stack = open_stack(self._project, "dev", account, config=config, engine=False)
            stack.up()
            self._installed = config, Deployed(account, stack.outputs)
        _, deployed = self._installed
        deployed.forget_runs()
        return deployed

    def remove(self) -> None:
        """Throw the stack and its account away."""
        self._installed = None
        self._account.close()


@pytest.fixture(scope="module")
def install(project: Path) -> Iterator[Installer]:
    """Deploys stack dev with some settings."""
    installer = Installer(project)
    yield installer
    installer.remove()


@pytest.fixture
def deployed(install: Installer) -> Deployed:
    """Stack dev as it is, before its first run."""
    return install()
