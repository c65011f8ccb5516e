"""Stored objects that are missing or odd: the next run mails, and fails once at most."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from handler.ledger.account_state_json import decode_account, encode_account
from handler.ledger.head import DecodeError, decode_head
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.run import AuditIncompleteError
from handler.settings import Settings
from tests.support.documents import ODD_VALUES, changed, places
from tests.support.ledger_examples import everything_known
from tests.support.stack import Stack

ACCOUNT = "123456789012"


def compose_briefly(settings: Settings, report: Report, _kind: DigestKind) -> bytes:
    """The groups of what is open; text, HTML and attachment take most of a run's time."""
    names = "\n".join(finding.group_name for finding in report.open)
    return f"To: {settings.recipients[0]}\n\n{names}\n".encode()


@pytest.fixture
def brief_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The audit in memory with short mails, after two runs and a third that fails."""
    monkeypatch.setattr("handler.mail.compose", compose_briefly)
    stack.open("web")
    stack.run()
    stack.day()
    stack.account.faults.deny("DescribeSecurityGroups", "us-east-1")
    with suppress(AuditIncompleteError):
        stack.run()
    stack.account.faults.clear()
    return stack


def check_next_runs(stack: Stack) -> None:
    """A new opening is mailed by a run of a change or the next whole one; no later one fails."""
    mails = len(stack.subjects)
    with suppress(AuditIncompleteError):
        stack.run(change(stack))
    with suppress(AuditIncompleteError):
        stack.run(run_id=f"odd-{stack.runs}")
    assert any("database" in text for text in stack.texts[mails:])
    stack.day()
    stack.run(run_id=f"next-{stack.runs}")


def change(stack: Stack) -> dict[str, Any]:
    """The event of a change that was made half a minute ago."""
    stack.runs += 1
    made_at = stack.time - timedelta(seconds=30)
    detail = {"awsRegion": "eu-west-1", "eventTime": f"{made_at:%Y-%m-%dT%H:%M:%SZ}"}
    kind = "AWS API Call via CloudTrail"
    return {"detail-type": kind, "detail": detail, "id": f"change-{stack.runs}"}


def is_refused(decode: Callable[..., object], *stored: object) -> bool:
    """Whether an object cannot be read; what follows from that has tests of its own."""
    try:
        decode(*stored)
    except DecodeError:
        return True
    return False


@contextmanager
def naming(*case: object) -> Iterator[None]:
    """A failure names the case that it is of."""
    try:
        yield
    except Exception as error:
        raise AssertionError(case) from error


def restore(stack: Stack, objects: dict[str, bytes]) -> None:
    """The ledger as it was."""
    for key in stack.keys:
        stack.account.client("s3").delete_object(Bucket="ledger", Key=key)
    for key, body in objects.items():
        stack.store(key, body)


def test_each_value_of_the_head_may_be_odd(brief_stack: Stack) -> None:
    """Each value that can be read lets the next runs mail and succeed."""
    stack = brief_stack
    objects = {key: stack.stored(key) for key in stack.keys if not key.startswith("reports/")}
    head = stack.head
    (pointer,) = head.accounts.values()
    document = json.loads(objects["head.json"]) | filled_in(pointer.key)
    stack.open("database", port=5432)
    for place in places(document):
        for odd in ODD_VALUES:
            stored = json.dumps(changed(document, place, odd)).encode()
            if is_refused(decode_head, stored):
                continue
            restore(stack, objects | {"head.json": stored})
            with naming(place, odd):
                check_next_runs(stack)


def compressed(lines: list[Any]) -> bytes:
    """An object with these lines."""
    return gzip.compress(b"\n".join(json.dumps(line).encode() for line in lines))


LINES = [
    json.loads(line)
    for line in gzip.decompress(encode_account(everything_known(), ACCOUNT)).splitlines()
]
# A line of each kind, and of each kind of finding.
KINDS = {(line.get("kind"), "gone" in line): number for number, line in enumerate(LINES)}


@pytest.mark.parametrize("number", KINDS.values())
def test_each_value_of_what_is_known_of_an_account_may_be_odd(
    brief_stack: Stack, number: int
) -> None:
    """Each value that can be read lets the next runs mail and succeed."""
    stack = brief_stack
    (pointer,) = stack.head.accounts.values()
    objects = {"head.json": stack.stored("head.json")}
    stack.open("database", port=5432)
    for place in places(LINES[number]):
        for odd in ODD_VALUES:
            lines = [*LINES[:number], changed(LINES[number], place, odd), *LINES[number + 1 :]]
            stored = compressed(lines)
            if is_refused(decode_account, stored, ACCOUNT):
                continue
            restore(stack, objects | {pointer.key: stored})
            with naming(place, odd):
                check_next_runs(stack)


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="not-compressed"),
        pytest.param(compressed(LINES)[:-20], id="truncated"),
        pytest.param(compressed(LINES[:-1]), id="without-its-end"),
        pytest.param(compressed([{"version": 2, "account": "2"}, {"end": 0}]), id="of-another"),
        pytest.param(compressed([{"version": 3, "account": ACCOUNT}, {"end": 0}]), id="newer"),
    ],
)
def test_an_account_of_which_nothing_can_be_read(brief_stack: Stack, stored: bytes | None) -> None:
    """All that is open is mailed with the reason, the run fails once, and it is known again."""
    stack = brief_stack
    (pointer,) = stack.head.accounts.values()
    objects = {"head.json": stack.stored("head.json")}
    stack.open("database", port=5432)
    restore(stack, objects | ({pointer.key: stored} if stored is not None else {}))
    with pytest.raises(AuditIncompleteError, match=r"state of account 123456789012 (is m|cannot)"):
        stack.run()
    assert {"web", "database"} <= set(stack.texts[-1].split())
    assert stack.statuses == {"web": "open", "database": "open"}
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0


def filled_in(key: str) -> dict[str, Any]:
    """What the head holds in worse times."""
    pointers = {ACCOUNT: {"key": key, "writtenAt": "2026-11-24T06:00:00Z", "findings": 1}}
    return {
        "claim": {"run": "e1", "token": "a", "sent": [], "sending": "digest"},
        "pending": pointers,
        "abandoned": [
            {"run": "e0", "at": "2026-11-24T06:00:00Z", "accounts": pointers, "isSaid": False}
        ],
        "lastChangeMailAt": "2026-11-24T06:00:00Z",
        "followUps": {"eu-west-1": {"run": "e1", "until": "2026-11-24T06:00:00Z"}},
    }
