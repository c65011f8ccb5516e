"""Runs that ended between their mail and the commit: what later runs say of them, and how long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handler.model.run import AuditIncompleteError, MailError
from tests.support.stack import Killed, Stack, intercepted, unwrapped

MAY_REPEAT = (
    "Run dies stopped before it could record its mail; this mail may repeat some of its findings."
)
MAY_HAVE_ANNOUNCED = "run dies may have announced it"


@contextmanager
def killed_after_its_mail() -> Iterator[None]:
    """A run that SES answers last."""

    def answer(request: Any, send: Callable[[], Any]) -> Any:
        response = send()
        if "email" in request.url:
            raise Killed
        return response

    with intercepted(answer), pytest.raises(Killed):
        yield


def mail_and_die(stack: Stack) -> str:
    """A run that mails an opening and ends; the result is the id of its group."""
    stack.run()
    web = stack.open("web")
    stack.day()
    with killed_after_its_mail():
        stack.run(run_id="dies")
    assert len(stack.subjects) == 2
    stack.day()
    return web


@contextmanager
def region_denied(stack: Stack) -> Iterator[None]:
    """A run that cannot read the region of the opening, and fails."""
    stack.account.faults.deny("DescribeSecurityGroups", "eu-west-1")
    with pytest.raises(AuditIncompleteError, match="eu-west-1 was not read"):
        yield
    stack.account.faults.clear()
    stack.day()


def test_what_only_a_dead_run_announced_is_resolved(stack: Stack) -> None:
    """It was never committed; the next mail says that it is closed, and who may have said more."""
    stack.close(mail_and_die(stack))
    assert stack.run()["counts"]["resolved"] == 1
    text = unwrapped(stack.texts[-1])
    assert MAY_HAVE_ANNOUNCED in text
    assert MAY_REPEAT in text
    stack.day()
    assert stack.run()["counts"] == {
        **stack.run()["counts"],
        "resolved": 0,
        "mailed": 0,
    }


def test_the_note_of_a_dead_run_survives_a_run_that_read_too_little(stack: Stack) -> None:
    """What it announced is resolved by the first run that reads it, and the note is said once."""
    web = mail_and_die(stack)
    with region_denied(stack):
        stack.run()
    stack.close(web)
    with region_denied(stack):
        stack.run()
    assert stack.run()["counts"]["resolved"] == 1
    assert [MAY_REPEAT in unwrapped(text) for text in stack.texts[2:]] == [True, False]
    assert MAY_HAVE_ANNOUNCED in unwrapped(stack.texts[-1])
    assert stack.head.abandoned == ()


def test_what_a_dead_run_announced_is_resolved_once(stack: Stack) -> None:
    """It is not mailed again while another region keeps the dead run's note alive."""
    stack.close(mail_and_die(stack))
    stack.account.faults.deny("DescribeSecurityGroups", "us-east-1")
    for _ in range(3):
        with pytest.raises(AuditIncompleteError):
            stack.run()
        stack.day()
    texts = [unwrapped(text) for text in stack.texts[2:]]
    assert [MAY_HAVE_ANNOUNCED in text for text in texts] == [True]
    assert [dead.run for dead in stack.head.abandoned] == ["dies"]


def test_what_is_still_open_is_not_resolved(stack: Stack) -> None:
    """It is new to the next run, which says that it may repeat the dead one's mail."""
    mail_and_die(stack)
    counts = stack.run()["counts"]
    assert (counts["new"], counts["resolved"]) == (1, 0)
    assert MAY_REPEAT in unwrapped(stack.texts[-1])
    assert stack.head.abandoned == ()


def test_what_a_dead_run_has_read_later_is_not_resolved(stack: Stack) -> None:
    """A run that read before it does not know that the opening is gone."""
    stack.run()
    stack.day()
    stack.open("redis", port=6379)
    writes: list[Any] = []

    def open_and_die(request: Any, send: Callable[[], Any]) -> Any:
        if request.method == "PUT" and not writes:
            writes.append(request)
            stack.sleep(5)
            stack.open("database", port=5432)
            stack.sleep(5)
            with killed_after_its_mail():
                stack.run(run_id="dies")
        return send()

    with intercepted(open_and_die):
        stack.run(run_id="slow")
    assert not [text for text in stack.texts if MAY_HAVE_ANNOUNCED in unwrapped(text)]
    stack.day()
    stack.run()
    assert not [subject for subject in stack.subjects if "eopened" in subject]


def test_ten_dead_runs_are_remembered(stack: Stack) -> None:
    """The oldest ones are forgotten first."""
    stack.run()
    stack.open("web")
    for number in range(12):
        stack.day()
        with killed_after_its_mail():
            stack.run(run_id=f"dies-{number}")
    stack.day()
    stack.account.faults.refuse_mail(times=1)
    with pytest.raises(MailError):
        stack.run()
    assert [dead.run for dead in stack.head.abandoned] == [f"dies-{n}" for n in range(2, 12)]
