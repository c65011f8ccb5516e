"""Writes that S3 refuses or whose answers are lost: what is mailed then, and how often."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from handler.ledger.bucket_store import BucketStore
from handler.ledger.store import StoredHead, StoreError
from handler.model.run import AuditIncompleteError
from tests.support.stack import Context, Stack, intercepted, unwrapped

Fail = Callable[[Callable[[], Any]], Any]


def refuse(code: str, status: int) -> Fail:
    """S3 refuses the write."""

    def fail(_send: Callable[[], Any]) -> Any:
        metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}}
        response: Any = {"Error": {"Code": code, "Message": "No."}, "ResponseMetadata": metadata}
        raise ClientError(response, "PutObject")

    return fail


def lose_request(_send: Callable[[], Any]) -> Any:
    """The connection ends before S3 has written."""
    raise ConnectionClosedError(endpoint_url="https://s3.example")


def lose_answer(send: Callable[[], Any]) -> Any:
    """The connection ends after S3 has written."""
    send()
    raise ConnectionClosedError(endpoint_url="https://s3.example")


@contextmanager
def failing(key: str, nth: int, fail: Fail, times: int = 1) -> Iterator[None]:
    """The nth write of a key of that kind fails, and those after it."""
    count = 0

    def answer(request: Any, send: Callable[[], Any]) -> Any:
        nonlocal count
        if request.method == "PUT" and f"/{key}" in request.url:
            count += 1
            if nth <= count < nth + times:
                return fail(send)
        return send()

    with intercepted(answer):
        yield
    assert count >= nth


FAILURES = [
    pytest.param(refuse("ConditionalRequestConflict", 409), id="409"),
    pytest.param(refuse("PreconditionFailed", 412), id="412"),
    pytest.param(refuse("NoSuchKey", 404), id="404"),
    pytest.param(refuse("InternalError", 500), id="500"),
    pytest.param(refuse("SlowDown", 503), id="503"),
    pytest.param(lose_request, id="lost-request"),
    pytest.param(lose_answer, id="lost-answer"),
]
EVERY_FAILURE = pytest.mark.parametrize("fail", FAILURES)
CLAIM, COMMIT = 1, 2


@EVERY_FAILURE
@pytest.mark.parametrize("is_first", [True, False], ids=["first-run", "later-run"])
@pytest.mark.parametrize("write", [CLAIM, COMMIT])
def test_a_write_of_the_head_that_fails_once_is_repeated(
    stack: Stack, fail: Fail, write: int, *, is_first: bool
) -> None:
    """The run succeeds and mails once, and the next one has nothing to mail."""
    if not is_first:
        stack.run()
    before = len(stack.subjects)
    stack.open("web")
    with failing("head.json", write, fail):
        stack.run()
    stack.day()
    stack.run()
    assert len(stack.subjects) == before + 1
    assert stack.statuses == {"web": "open"}


@pytest.mark.parametrize(
    "fail",
    [
        pytest.param(refuse("InternalError", 500), id="500"),
        pytest.param(refuse("AccessDenied", 403), id="403"),
        pytest.param(lose_request, id="lost-requests"),
    ],
)
@pytest.mark.parametrize(("write", "is_said"), [(CLAIM, False), (COMMIT, True)])
def test_a_head_that_cannot_be_written_fails_the_run(
    stack: Stack, fail: Fail, write: int, *, is_said: bool
) -> None:
    """It has mailed all the same. The next one mails again, and says so if there was a claim."""
    stack.run()
    stack.open("web")
    stack.day()
    failed = pytest.raises(AuditIncompleteError, match="The ledger could not be written")
    with failing("head.json", write, fail, times=9), failed:
        stack.run()
    stack.day()
    stack.run()
    mails = stack.texts[1:]
    assert len(mails) == 2
    assert all("web (" in mail for mail in mails)
    assert ("this mail may repeat" in unwrapped(mails[1])) is is_said
    assert stack.statuses == {"web": "new"}


def test_a_run_that_cannot_say_that_it_waits_mails_at_once_and_fails(stack: Stack) -> None:
    """Too soon after a mail about a change, the head is written before the run waits."""
    stack.run()
    stack.time += timedelta(minutes=5)
    stack.open("web")
    stack.run(stack.change_event("c1"))
    stack.open("database", port=5432)
    failed = pytest.raises(AuditIncompleteError, match="The ledger could not be written")
    with failing("head.json", 1, refuse("AccessDenied", 403), times=9), failed:
        stack.run(stack.change_event("c2"))
    assert "the next mail may repeat this one" in unwrapped(stack.texts[-1])
    assert "database (" in stack.texts[-1]


def test_a_bucket_that_takes_the_time_for_the_claim_does_not_prevent_the_mail(stack: Stack) -> None:
    """Without the ledger there is nothing to claim, and what is left is enough for SES."""
    stack.open("web")

    def time_out(_send: Callable[[], Any]) -> Any:
        stack.time += timedelta(seconds=16)
        raise ConnectionClosedError(endpoint_url="https://s3.example")

    context = Context("slow", stack.time + timedelta(seconds=60), lambda: stack.time)
    failed = pytest.raises(AuditIncompleteError, match="The ledger could not be written")
    with failing("head.json", 1, time_out, times=9), failed:
        stack.run(context=context)
    assert "the next mail may repeat this one" in unwrapped(stack.texts[0])


def test_a_head_that_ends_too_early_while_a_run_waits_is_an_error_of_the_store() -> None:
    """The run goes on without the ledger then, as it does where S3 does not answer."""

    def read() -> bytes:
        raise ReadTimeoutError(endpoint_url="https://s3.example")

    response = {"ETag": "new", "Body": SimpleNamespace(read=read)}
    store = BucketStore(SimpleNamespace(get_object=lambda **_: response), "ledger")
    with pytest.raises(StoreError, match="The ledger could not be read: Read timeout"):
        store.reload(StoredHead(etag="old"))


@EVERY_FAILURE
def test_an_account_that_cannot_be_written_fails_the_run(stack: Stack, fail: Fail) -> None:
    """All that is open is mailed with the reason, nothing committed, and the next run repeats."""
    stack.run()
    stack.open("web")
    failed = pytest.raises(AuditIncompleteError, match="The ledger could not be written")
    with failing("known", 1, fail), failed:
        stack.run()
    assert "the next mail may repeat this one" in unwrapped(stack.texts[-1])
    stack.run()
    assert ["web (" in mail for mail in stack.texts[1:]] == [True, True]
    assert len(stack.head.runs) == 2


@EVERY_FAILURE
def test_a_report_that_cannot_be_stored_fails_the_run(stack: Stack, fail: Fail) -> None:
    """Mail and ledger are as ever."""
    stack.open("web")
    failed = pytest.raises(AuditIncompleteError, match="The report could not be stored")
    with failing("reports", 1, fail), failed:
        stack.run()
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0
    assert len(stack.subjects) == 1
