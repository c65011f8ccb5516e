"""The deployed product: a stack in a seeded account, its zip, its schedule, its mail."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

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
        empty(self.account, self.outputs["ledgerBucket"])
        self.seen_mails = len(self.account.mails())
        self.seen_events = frozenset(event["eventId"] for event in self._events())

    def _events(self) -> list[dict[str, Any]]:
        pages = self.account.client("logs").get_paginator("filter_log_events")
        log_group = self.outputs["logGroupName"]
        return [
            event for page in pages.paginate(logGroupName=log_group) for event in page["events"]
        ]


def empty(account: Account, bucket: str) -> None:
    """Delete what a bucket holds."""
    s3 = account.client("s3")
    for stored in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
        s3.delete_object(Bucket=bucket, Key=stored["Key"])


class Forgetful(Protocol):
    """A deployed stack that can be left as if it had never run."""

    def forget_runs(self) -> None:
        """Remove what its runs left."""


AnyDeployed = TypeVar("AnyDeployed", bound=Forgetful)


class Installer(Generic[AnyDeployed]):
    """Deploys stacks, one at a time, because an account's state is the process's.

    The last stack is used again by whoever wants the same settings, as if it had never run.
    """

    def __init__(self, deploy: Callable[..., AnyDeployed]) -> None:
        """`deploy` gets what closes the account in the end, and the settings."""
        self._deploy = deploy
        self._account = ExitStack()
        self._installed: tuple[dict[str, object], AnyDeployed] | None = None

    def __call__(self, **config: object) -> AnyDeployed:
        """The stack with some settings."""
        if self._installed is None or self._installed[0] != config:
            self.remove()
            self._installed = config, self._deploy(self._account, **config)
        _, deployed = self._installed
        deployed.forget_runs()
        return deployed

    def remove(self) -> None:
        """Throw the stack and its account away."""
        self._installed = None
        self._account.close()


@pytest.fixture(scope="module")
def install(project: Path) -> Iterator[Installer[Deployed]]:
    """Deploys stack dev, with some settings, into an account with groups of every kind."""

    def deploy(entered: ExitStack, **config: object) -> Deployed:
        account = entered.enter_context(Account())
        seed(account)
        stack = open_stack(project, "dev", account, config=config, engine=False)
        stack.up()
        return Deployed(account, stack.outputs)

    installer = Installer(deploy)
    yield installer
    installer.remove()


@pytest.fixture
def deployed(install: Installer[Deployed]) -> Deployed:
    """Stack dev as it is, before its first run."""
    return install()
