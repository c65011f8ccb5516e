"""Runs beside each other: whoever is faster at any point, each opening is mailed once."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest

from handler import clock
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.settings import Settings
from tests.support.interleaving import Choose, Interleaving
from tests.support.stack import Killed, Stack

# More than the times that a run stops.
STOPS = 16


def compose_briefly(settings: Settings, report: Report, _kind: DigestKind) -> bytes:
    """What is new or back, and what the mail has to say of the ledger."""
    names = [finding.group_name for finding in report.findings if finding.is_change]
    return f"To: {settings.recipients[0]}\n\n{' '.join((*names, *report.notices))}\n".encode()


@pytest.fixture(autouse=True)
def _brief_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.mail.compose", compose_briefly)


def change(stack: Stack, number: int, region: str = "eu-west-1") -> Callable[[], object]:
    """A run of a change that was made now."""
    return partial(stack.run, stack.change_event(f"change-{number}", region))


def first_until(stops: int) -> Choose:
    """The first run goes on until it has stopped that often; then the second one, then the rest."""
    left = stops

    def choose(able: Sequence[int]) -> int:
        nonlocal left
        if 0 in able and left:
            left -= 1
            return 0
        return able[-1]

    return choose


def words(stack: Stack, since: int = 1) -> list[str]:
    """The words of the mails since the first ones, sorted."""
    return sorted(word for text in stack.texts[since:] for word in text.split())


@pytest.mark.parametrize("stops", range(STOPS))
@pytest.mark.parametrize("second", ["another-event", "the-same-event", "a-change"])
def test_of_two_runs_one_mails(stack: Stack, second: str, stops: int) -> None:
    """Whenever the second one overtakes the first, the opening is mailed once, by one of them."""
    stack.run(run_id="before")
    stack.open("web")
    stack.time += timedelta(minutes=5)
    others: dict[str, Callable[[], object]] = {
        "another-event": partial(stack.run, run_id="other"),
        "the-same-event": partial(stack.run, run_id="one"),
        "a-change": change(stack, 1),
    }
    stack.time += timedelta(minutes=5)
    one = partial(stack.run, run_id="one")
    results = Interleaving(stack, first_until(stops)).run(one, others[second])
    assert [r for r in results if isinstance(r, BaseException)] == []
    assert words(stack) == ["web"]
    assert stack.statuses in ({"web": "new"}, {"web": "open"})
    assert stack.head.claim is None


@pytest.mark.parametrize("seed", range(40))
def test_of_ten_runs_one_mails(stack: Stack, seed: int) -> None:
    """In any order of their requests, with the same or other events and clocks that differ."""
    choose = random.Random(seed).choice  # noqa: S311 -- the same order each time
    stack.run(run_id="before")
    stack.open("web")
    stack.open("far", "us-east-1")
    stack.time += timedelta(minutes=5)
    runs: list[Callable[[], object]] = [
        *(partial(stack.run, run_id=f"e{number % 3}") for number in range(6)),
        *(change(stack, number) for number in range(2)),
        *(change(stack, number, "us-east-1") for number in range(2, 4)),
    ]
    skews = [timedelta(minutes=(number % 5) - 2) for number in range(10)]
    # The run that mails waits for SES, under its claim and longer than the others wait for it.
    stack.account.faults.refuse_mail("TooManyRequestsException", "Rate exceeded.", times=seed % 4)
    results = Interleaving(stack, choose, skews).run(*runs)
    assert [r for r in results if isinstance(r, BaseException)] == []
    assert words(stack) == ["far", "web"]
    assert stack.head.claim is None


@pytest.mark.parametrize("seed", range(5))
def test_a_burst_of_changes_is_two_mails(stack: Stack, seed: int) -> None:
    """Of 100 changes within 25 seconds, each opening is mailed once, and no run fails.

    The first run mails at once and one more a minute later; the others have nothing to add.
    """
    choose = random.Random(seed).choice  # noqa: S311 -- the same order each time
    stack.run(run_id="before")
    stack.time += timedelta(minutes=5)

    def change_later(number: int) -> object:
        clock.sleep(number / 4)
        stack.open(f"group-{number}")
        return change(stack, number)()

    runs: list[Callable[[], object]] = [partial(change_later, number) for number in range(100)]
    results = Interleaving(stack, choose).run(*runs)
    assert [r for r in results if isinstance(r, BaseException)] == []
    assert words(stack) == sorted(f"group-{number}" for number in range(100))
    assert len(stack.subjects) - 1 == 2
    assert stack.head.follow_ups == {}


def test_a_follow_up_that_died_is_not_waited_for(stack: Stack) -> None:
    """After the minute in which it would have read again, the next change is read."""
    stack.run(run_id="before")
    stack.open("web")
    change(stack, 1)()
    stack.open("database", port=5432)

    def die(_seconds: float) -> None:
        raise Killed

    stack.patch.setattr(clock, "sleep", die)
    with pytest.raises(Killed):
        change(stack, 2)()
    assert list(stack.head.follow_ups) == ["eu-west-1"]
    assert change(stack, 3)() == {
        "statusCode": 200,
        "body": "Audit complete.",
        "counts": {"mailed": 0},
    }
    stack.time += timedelta(minutes=1)
    change(stack, 4)()
    assert words(stack) == ["database", "web"]
