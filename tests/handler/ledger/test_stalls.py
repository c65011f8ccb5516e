"""A run that stalls while it claims and mails, and a faster one that overtakes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from handler.model.run import AuditIncompleteError
from tests.support.stack import Stack, intercepted, unwrapped

CLAIM, COMMIT = ("head.json", 1), ("head.json", 2)
MAIL = ("outbound-emails", 1)
MAY_REPEAT = (
    "Run slow stopped before it could record its mail; this mail may repeat some of its findings."
)
OVERTAKEN = "Another run has written the ledger while this one mailed"

Request = tuple[str, int]
"""A part of a request's address, and which of those requests that change something it is."""


@contextmanager
def stalling(at: Request, what: Callable[[], object], *, answered: bool) -> Iterator[None]:
    """Something happens before a request is sent, or after its answer."""
    url, left = at

    def answer(request: Any, send: Callable[[], Any]) -> Any:
        nonlocal left
        left -= request.method != "GET" and url in request.url
        if left or request.method == "GET" or url not in request.url:
            return send()
        left = -1
        response = None if answered else what()
        response = send()
        if answered:
            what()
        return response

    with intercepted(answer):
        yield


def overtaking(stack: Stack) -> Callable[[], object]:
    """A minute goes by, and another run mails and commits."""

    def overtake() -> None:
        stack.time += timedelta(seconds=61)
        stack.run(run_id="fast")

    return overtake


@pytest.mark.parametrize(
    ("at", "answered", "mails", "is_said", "failure"),
    [
        pytest.param(CLAIM, False, 1, False, None, id="before-the-claim"),
        pytest.param(CLAIM, True, 1, True, OVERTAKEN, id="before-the-mail"),
        pytest.param(MAIL, False, 2, True, OVERTAKEN, id="in-the-call-before-SES-accepts"),
        pytest.param(MAIL, True, 2, True, OVERTAKEN, id="in-the-call-after-SES-accepted"),
        pytest.param(COMMIT, False, 2, True, OVERTAKEN, id="before-the-commit"),
        pytest.param(COMMIT, True, 1, False, None, id="after-the-commit"),
    ],
)
def test_a_run_that_is_overtaken(
    stack: Stack, at: Request, mails: int, failure: str | None, *, answered: bool, is_said: bool
) -> None:
    """The opening is mailed once if the slow run did not mail yet; else twice, and that is said."""
    stack.run(run_id="before")
    stack.open("web")
    with stalling(at, overtaking(stack), answered=answered):
        if failure:
            with pytest.raises(AuditIncompleteError, match=failure):
                stack.run(run_id="slow")
        else:
            stack.run(run_id="slow")
    texts = [text for text in stack.texts[1:] if "web (" in text]
    assert len(texts) == len(stack.texts) - 1 == mails
    assert any(MAY_REPEAT in unwrapped(text) for text in texts) is is_said
    assert stack.head.claim is None
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0


@pytest.mark.parametrize(("seconds", "writes"), [(39, 2), (41, 3), (300, 3)])
def test_a_claim_is_renewed_before_it_runs_out(stack: Stack, seconds: int, writes: int) -> None:
    """With less than 20 of 60 seconds left, the run claims again before it calls SES."""
    stack.run()
    stack.open("web")
    writers: list[str] = []

    def record(request: Any, send: Callable[[], Any]) -> Any:
        if request.method == "PUT" and "head.json" in request.url:
            writers.append(request.url)
        return send()

    def stall() -> None:
        stack.time += timedelta(seconds=seconds)

    with intercepted(record), stalling(CLAIM, stall, answered=True):
        stack.run()
    assert len(writers) == writes
    assert len(stack.subjects) == 2
    assert stack.statuses == {"web": "new"}


@pytest.mark.parametrize("seconds", [5, 55])
def test_a_run_waits_for_the_claim_of_another(stack: Stack, seconds: int) -> None:
    """It takes over when the claim is a minute old by the clock of S3, whenever it begins."""
    stack.run()
    stack.open("web")

    def claim_and_die(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), stalling(CLAIM, claim_and_die, answered=True):
        stack.run(run_id="dies")
    stack.time += timedelta(seconds=seconds)
    stack.slept.clear()
    stack.run()
    assert sum(stack.slept) == 61 - seconds
    assert "Run dies stopped before it could record its mail" in unwrapped(stack.texts[-1])


def test_a_run_that_failed_fails_again_when_its_event_is_delivered_again(stack: Stack) -> None:
    """The outcome is in the head; nothing is read or mailed once more."""
    stack.open("web")
    stack.account.faults.deny("DescribeSecurityGroups", "us-east-1")
    failed = pytest.raises(AuditIncompleteError, match="us-east-1 was not read: UnauthorizedOper")
    with failed:
        stack.run(run_id="e1")
    stack.account.faults.clear()
    with failed:
        stack.run(run_id="e1")
    assert len(stack.subjects) == len(stack.head.runs) == 1
    assert stack.run(run_id="e2")["counts"]["mailed"] == 1
