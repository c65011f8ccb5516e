"""The session with AWS."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import sleep
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from handler.aws import Caller, Clients, caller_of
from tests.support.memory_account import MemoryAccount


class Session(boto3.Session):
    """A session that counts how often a client was asked for while it made another one."""

    def __init__(self) -> None:
        super().__init__(region_name="eu-west-1")
        self.overlaps = 0
        self._making = Lock()

    def client(self, *_arguments: object, **_options: object) -> None:
        """Take a while."""
        if not self._making.acquire(blocking=False):
            self.overlaps += 1
            return
        sleep(0.01)
        self._making.release()


def test_accounts_that_share_a_session_take_turns_in_making_clients() -> None:
    """A session makes one client at a time, whichever account it is for."""
    session = Session()
    accounts = [Clients(session), Clients(session, {"aws_access_key_id": "ASIA"})]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda clients: clients.get("ec2"), accounts))
    assert session.overlaps == 0


@pytest.mark.parametrize(
    ("arn", "caller"),
    [
        pytest.param(
            "arn:aws-cn:lambda:cn-north-1:210987654321:function:audit:live",
            Caller("aws-cn", "210987654321"),
            id="function",
        ),
        pytest.param(None, Caller("aws", "123456789012"), id="outside-of-lambda"),
        pytest.param("audit", Caller("aws", "123456789012"), id="no-arn"),
    ],
)
def test_the_account_is_the_functions_or_as_sts_says(arn: str | None, caller: Caller) -> None:
    """STS is asked only if Lambda's context has no ARN."""
    clients: Any = SimpleNamespace(get=MemoryAccount().client)
    assert caller_of(clients, SimpleNamespace(invoked_function_arn=arn)) == caller
