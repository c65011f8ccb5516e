"""The deployed product: a stack in a seeded account, its zip, its schedule, its mail."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.aws.events import Delivery
from sandbox.aws.functions import caller_of
from sandbox.aws.seed import seed
from sandbox.deployment.deploy import open_stack
from sandbox.lambda_host.host import Invocation

REGION = "eu-west-1"


@dataclass
class Deployed:
    """A deployed stack and the account that it is in."""

    account: Account
    outputs: dict[str, str]

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

    def text(self) -> str:
        """The text part of the only mail, its lines ended as here."""
        (mail,) = self.account.mails()
        body = mail.message.get_body(("plain",))
        assert body is not None
        return "\n".join(body.get_content().splitlines())

    def log(self) -> list[dict[str, Any]]:
        """The lines that the function wrote to its log group."""
        events = self.account.client("logs").filter_log_events(
            logGroupName=self.outputs["logGroupName"]
        )["events"]
        lines = (json.loads(event["message"]) for event in events)
        return [line for line in lines if "message" in line]


@pytest.fixture
def install(project: Path) -> Iterator[Callable[..., Deployed]]:
    """Deploy stack dev, with some settings, into an account with groups of every kind."""
    with Account() as account:
        seed(account)

        def up(**config: object) -> Deployed:
            stack = open_stack(project, "dev", account, config=config, engine=False)
            stack.up()
            return Deployed(account, stack.outputs)

        yield up


@pytest.fixture
def deployed(install: Callable[..., Deployed]) -> Deployed:
    """Stack dev as it is."""
    return install()
