"""A deployed audit with its own clock and a ledger, and the faults that its runs can meet."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from handler import clock
from handler.app import lambda_handler
from handler.ledger.head import Head
from handler.ledger.state import LedgerState
from sandbox.aws.account import Account
from tests.support.ledger import head_in, state_in
from tests.support.memory_account import MemoryAccount

BUCKET = "ledger"
WORLD = "0.0.0.0/0"
REGIONS = ("eu-west-1", "us-east-1")


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Context:
    """What Lambda tells a function about its run; the time that is left goes by on the clock."""

    aws_request_id: str
    ends: datetime
    now: Callable[[], datetime]

    def get_remaining_time_in_millis(self) -> int:
        """How long the run may still take."""
        return int((self.ends - self.now()).total_seconds() * 1000)


class DeployedAudit:
    """An audit without its deployment, its mails and its ledger; time goes by as the test says."""

    account: Account | MemoryAccount
    patch: pytest.MonkeyPatch
    time: datetime

    def deploy(self, **more: str) -> None:
        """Set the function's variables, these among them, and its clock."""
        environment = self.account.environment() | {
            "SES_SENDER": "audit@example.com",
            "SES_RECIPIENT": "security@example.com",
            "AUDIT_REGIONS": ",".join(REGIONS),
            "NOTIFY": "changes",
            "LEDGER_BUCKET": BUCKET,
            "STACK": "dev",
        }
        for name, value in {**environment, **more}.items():
            self.patch.setenv(name, value)
        if isinstance(self.account, MemoryAccount):
            self.account.now = lambda: self.time
        self.patch.setattr(clock, "now", lambda: self.time)
        self.patch.setattr(clock, "sleep", self.sleep)
        self.patch.setattr(clock, "monotonic", self.monotonic)

    def monotonic(self) -> float:
        """The time in seconds."""
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.time += timedelta(seconds=seconds)

    def day(self, days: int = 1) -> None:
        """Let days go by."""
        self.time += timedelta(days=days)

    @property
    def subjects(self) -> list[str]:
        """The subjects of all mails, without the stack's name."""
        return [str(m.message["Subject"]).removeprefix("[dev] ") for m in self.account.mails()]

    @property
    def texts(self) -> list[str]:
        """The text parts of all mails."""
        return [text_of(mail.message) for mail in self.account.mails()]

    @property
    def head(self) -> Head:
        """The head of the ledger."""
        return head_in(self.stored)

    @property
    def keys(self) -> list[str]:
        """What is in the bucket."""
        listed = self.account.client("s3").list_objects_v2(Bucket=BUCKET)
        return [item["Key"] for item in listed.get("Contents", ())]

    def stored(self, key: str) -> bytes:
        """An object of the bucket."""
        body: bytes = self.account.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body


@dataclass
class Stack(DeployedAudit):
    """An audit of one account."""

    account: Account | MemoryAccount
    patch: pytest.MonkeyPatch
    time: datetime = datetime(2026, 11, 23, 6, tzinfo=UTC)
    runs: int = 0
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The requests of attribution take time on the clock, and the account in memory has no
        # CloudTrail.
        self.deploy(ATTRIBUTION="false")
        if isinstance(self.account, MemoryAccount):
            clients = SimpleNamespace(get=self.account.client)
            self.patch.setattr("handler.app.Clients", lambda: clients)
        self.account.client("sesv2").create_email_identity(EmailIdentity="audit@example.com")
        place = {"LocationConstraint": "eu-west-1"}
        self.account.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)

    def sleep(self, seconds: float) -> None:
        """Let time go by, and remember how much."""
        self.slept.append(seconds)
        super().sleep(seconds)

    def run(self, event: object = None, run_id: str | None = None, **more: Any) -> dict[str, Any]:
        """One run on the schedule, or of another event, with another event id each time."""
        self.runs += 1
        scheduled = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
        event_id = run_id or f"run-{self.runs}"
        asked = scheduled | {"id": event_id} if event is None else event
        context = Context(event_id, self.time + timedelta(seconds=300), lambda: self.time)
        return lambda_handler(asked, more.get("context", context))

    def change_event(self, event_id: str, region: str = "eu-west-1") -> dict[str, Any]:
        """The event of a change that was made now."""
        detail = {"awsRegion": region, "eventTime": f"{self.time:%Y-%m-%dT%H:%M:%SZ}"}
        kind = "AWS API Call via CloudTrail"
        return {"detail-type": kind, "detail": detail, "id": event_id}

    def open(
        self, name: str, region: str = "eu-west-1", port: int = 22, source: str = WORLD
    ) -> str:
        """Open a port to a source in a group of that name; the result is the group's id."""
        return open_port(self.account, name, region, port, source)

    def allow(
        self, group_id: str, region: str = "eu-west-1", port: int = 22, source: str = WORLD
    ) -> None:
        """Let a source in to a port of a group."""
        _allow(self.account.client("ec2", region), group_id, port, source)

    def close(self, group_id: str, region: str = "eu-west-1", port: int = 22) -> None:
        """Close what was opened."""
        self.account.client("ec2", region).revoke_security_group_ingress(
            GroupId=group_id, IpPermissions=[_permission(port)]
        )

    @property
    def state(self) -> LedgerState:
        """What the ledger holds."""
        return state_in(self.stored)

    def store(self, key: str, body: bytes) -> None:
        """Put an object into the bucket."""
        self.account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

    @property
    def statuses(self) -> Mapping[str, str]:
        """Each known finding's status by its group's name."""
        state = self.state
        known = [record.finding for record in state.records.values()]
        gone = [found.record.finding for found in state.resolved.values() if found.record]
        return {finding.group_name: finding.status.value for finding in (*gone, *known)}


def open_port(
    account: Account | MemoryAccount, name: str, region: str, port: int, source: str = WORLD
) -> str:
    """Open a port to a source in a new group; the result is the group's id."""
    ec2 = account.client("ec2", region)
    group_id: str = ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
    _allow(ec2, group_id, port, source)
    return group_id


def _allow(ec2: Any, group_id: str, port: int, source: str) -> None:
    permissions = [_permission(port, source)]
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=permissions)


def text_of(mail: EmailMessage) -> str:
    """The text part of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def unwrapped(mail: str) -> str:
    """The text of a mail on one line."""
    return " ".join(mail.split())


@contextmanager
def intercepted(answer: Callable[[Any, Callable[[], Any]], Any]) -> Iterator[None]:
    """Every request goes to ``answer``, with a function that sends it and returns the response."""
    with pytest.MonkeyPatch.context() as patch:
        for transport in (URLLib3Session, MemoryAccount):
            patch.setattr(transport, "send", _intercepting(transport.send, answer))
        yield


def answering(operation: str, body: str) -> Callable[[Any, Callable[[], Any]], Any]:
    """For ``intercepted``: carries out an operation of a JSON API, and responds with that body."""

    def answer(request: Any, send: Callable[[], Any]) -> Any:
        response = send()
        if request.headers.get("X-Amz-Target", b"").endswith(operation.encode()):
            response._content = body.encode()  # noqa: SLF001 -- botocore's own
        return response

    return answer


def _intercepting(
    send: Callable[..., Any], answer: Callable[[Any, Callable[[], Any]], Any]
) -> Callable[..., Any]:
    return lambda transport, request: answer(request, lambda: send(transport, request))


@contextmanager
def killed(at: int, *, answered: bool) -> Iterator[list[int]]:
    """A process that is killed at its nth request, before it is sent or once it was answered.

    Yields a list that gets an item for each request.
    """
    requests: list[int] = []

    def send_or_die(_request: Any, send: Callable[[], Any]) -> Any:
        requests.append(len(requests) + 1)
        if len(requests) > at or (len(requests) == at and not answered):
            raise Killed
        response = send()
        if len(requests) >= at:
            raise Killed
        return response

    with intercepted(send_or_die):
        yield requests


def _permission(port: int, source: str = WORLD) -> dict[str, Any]:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": source}],
    }
