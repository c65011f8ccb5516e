"""The session with AWS."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import sleep

import boto3

from handler.aws import Clients


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
