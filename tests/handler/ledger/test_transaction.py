"""Runs that die, overlap or repeat: every change is mailed, and none twice without a notice."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatch
from functools import partial
from typing import Any

import pytest

from handler import clock
from handler.model.run import AuditIncompleteError, MailError
from infra.permissions import LEDGER_READ_KEYS, LEDGER_WRITE_KEYS
from sandbox.aws.faults import Fault
from tests.support.stack import Killed, Stack, intercepted, killed, unwrapped

MAY_REPEAT = "stopped before it could record its mail; this mail may repeat some of its findings."
# The head, the ledger of version 1, and what is known of the account; GetCallerIdentity; groups,
# rules and interfaces of one region, and groups of the other; the report, what is to be known, the
# claim, the mail and the commit.
REQUESTS = 13


def changed(stack: Stack) -> None:
    """A first run that knew of one opening, which is closed since, and another one that is new."""
    web = stack.open("web")
    stack.run()
    stack.close(web)
    stack.open("database", port=5432)
    stack.day()


@pytest.mark.parametrize("account", ["stack", "http_stack"])
def test_the_number_of_requests_of_a_run(account: str, request: pytest.FixtureRequest) -> None:
    """A run makes ``REQUESTS`` requests, so that the tests below kill it at each of them."""
    stack: Stack = request.getfixturevalue(account)
    changed(stack)
    with killed(at=1000, answered=True) as requests:
        stack.run()
    assert len(requests) == REQUESTS


AT = pytest.mark.parametrize("at", range(1, REQUESTS + 1))


@pytest.mark.parametrize("next_id", ["dies", "next"], ids=["the-same-event", "another-event"])
@pytest.mark.parametrize("answered", [False, True], ids=["before-it-is-sent", "after-its-answer"])
@AT
def test_a_run_that_dies_loses_nothing(
    stack: Stack, at: int, next_id: str, *, answered: bool
) -> None:
    """The next run mails all changes; it says that it may repeat them if there was a claim."""
    check_death(stack, at, next_id, answered=answered)


@AT
def test_a_run_that_dies_over_http_loses_nothing(http_stack: Stack, at: int) -> None:
    """The outcome with the sandbox's S3 and SES is the same as in memory."""
    check_death(http_stack, at, "dies", answered=True)


def check_death(stack: Stack, at: int, next_id: str, *, answered: bool) -> None:
    """A run that dies at a request, and the next one."""
    changed(stack)
    with killed(at, answered=answered), pytest.raises(Killed):
        stack.run(run_id="dies")
    sent = len(stack.subjects) - 1
    is_committed = any(past.id == "dies" for past in stack.head.runs)
    has_claimed = stack.head.claim is not None
    stack.run(run_id=next_id)
    assert stack.statuses == {
        "web": "resolved",
        "database": "open" if is_committed and next_id == "next" else "new",
    }
    assert stack.head.claim is None
    mails = stack.texts[1:]
    assert len(mails) == 1 if is_committed else len(mails) == sent + 1
    assert all("database (" in mail and "RESOLVED (1)" in mail for mail in mails)
    assert (MAY_REPEAT in unwrapped(mails[-1])) is has_claimed
    assert sent == 0 or is_committed or has_claimed


def test_of_two_simultaneous_runs_one_mails(
    http_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that loses the race waits for the other one and has nothing to add."""
    changed(http_stack)
    _let_time_pass(http_stack, monkeypatch)
    meeting = threading.Barrier(2)
    met: set[int] = set()

    def meet(request: Any, send: Callable[[], Any]) -> Any:
        me = threading.get_ident()
        if writes_head(request) and me not in met:
            met.add(me)
            meeting.wait(timeout=30)
        return send()

    with intercepted(meet), ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda name: http_stack.run(run_id=name), ["one", "other"]))
    assert sorted(result["counts"]["mailed"] for result in results) == [0, 1]
    assert http_stack.subjects[1:] == ["New medium: PostgreSQL on database (1 resolved)"]
    assert {past.id for past in http_stack.head.runs[1:]} == {"one", "other"}
    assert "NOTES" not in http_stack.texts[-1]


def test_an_event_delivered_four_times_at_once_is_mailed_once(
    http_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other runs find that the event has been answered."""
    changed(http_stack)
    _let_time_pass(http_stack, monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda name: http_stack.run(run_id=name), ["same"] * 4))
    assert sorted(result["counts"]["mailed"] for result in results) == [0, 0, 0, 1]
    assert [past.id for past in http_stack.head.runs[1:]] == ["same"]


@contextmanager
def meanwhile(
    match: Callable[[Any], bool], what: Callable[[], object], nth: int = 1
) -> Iterator[None]:
    """Something that happens before the nth request that matches is sent."""
    left = nth

    def interrupt(request: Any, send: Callable[[], Any]) -> Any:
        nonlocal left
        if match(request):
            left -= 1
            if left == 0:
                what()
        return send()

    with intercepted(interrupt):
        yield


def is_report(request: Any) -> bool:
    """Whether a request stores a run's report, which it does once all is read."""
    return request.method == "PUT" and "reports/" in request.url


def writes_head(request: Any) -> bool:
    """Whether a request writes the head: to claim first, to commit then."""
    return request.method == "PUT" and "head.json" in request.url


def die() -> None:
    """The process is killed."""
    raise Killed


CHANGE = {
    "source": "aws.ec2",
    "detail-type": "AWS API Call via CloudTrail",
    "detail": {"awsRegion": "eu-west-1"},
}


@pytest.mark.parametrize("opens", [True, False])
def test_a_run_scans_again_after_a_faster_run(stack: Stack, *, opens: bool) -> None:
    """What a faster run has found since is neither resolved nor reopened by the slower one."""
    web = stack.open("web")
    if opens:
        stack.close(web)
    stack.run()
    stack.open("other", "us-east-1")

    def change() -> None:
        (stack.allow if opens else stack.close)(web)
        stack.sleep(1)
        stack.run({**CHANGE, "id": "change"})

    with meanwhile(is_report, change):
        stack.run(run_id="whole")
    assert stack.subjects[1:] == [
        "New medium: SSH on web" if opens else "Resolved: SSH on web",
        "New medium: SSH on other",
    ]
    assert stack.statuses["web"] == ("open" if opens else "resolved")


def test_a_full_digest_follows_a_run_that_died(stack: Stack) -> None:
    """A port that the dead run may have reported as closed is listed if it is open again."""
    web = stack.open("web")
    stack.run()
    stack.close(web)
    stack.day()
    with meanwhile(writes_head, die, nth=2), pytest.raises(Killed):
        stack.run()
    stack.allow(web)
    stack.day()
    stack.run()
    assert stack.subjects[1:] == [
        "Resolved: SSH on web; nothing open",
        "Medium: SSH on web",
    ]
    assert MAY_REPEAT in unwrapped(stack.texts[-1])
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0


def test_a_partial_run_keeps_the_notice_of_a_run_that_died(stack: Stack) -> None:
    """The next full run still says that its mail may repeat another one."""
    stack.run()
    stack.open("far", "us-east-1")
    with meanwhile(writes_head, die, nth=2), pytest.raises(Killed):
        stack.run()
    stack.day()
    assert stack.run({**CHANGE, "id": "change"})["counts"]["mailed"] == 0
    stack.account.faults.refuse_mail(times=1)
    with pytest.raises(MailError):
        stack.run()
    stack.run()
    assert MAY_REPEAT in unwrapped(stack.texts[-1])


@pytest.mark.parametrize("times", [1, None])
def test_conditional_request_conflicts_are_retried(stack: Stack, times: int | None) -> None:
    """A write that S3 refuses with 409 is sent again twice; after that the run fails."""
    stack.open("web")
    fault = Fault("PutObject", code="ConditionalRequestConflict", status=409, times=times)
    with meanwhile(writes_head, lambda: stack.account.faults.add(fault)):
        if times:
            stack.run()
        else:
            with pytest.raises(AuditIncompleteError, match="ledger could not be written"):
                stack.run()
    assert len(stack.subjects) == 1
    assert len(stack.slept) == (1 if times else 2)


def is_mail(request: Any) -> bool:
    """Whether a request hands the mail to SES."""
    return request.method == "POST" and "email" in request.url


def test_a_run_that_mails_too_slowly_is_overtaken(stack: Stack) -> None:
    """The faster run says that its mail may repeat another one; the slow run fails."""
    stack.run()
    stack.open("web")

    def overtake() -> None:
        stack.time += timedelta(seconds=61)
        stack.run(run_id="fast")

    with (
        meanwhile(is_mail, overtake),
        pytest.raises(AuditIncompleteError, match="Another run has written the ledger"),
    ):
        stack.run(run_id="slow")
    fast, slow = stack.texts[1:]
    assert "Run slow stopped before it could record its mail" in unwrapped(fast)
    assert all("web (" in mail for mail in (fast, slow))
    assert [past.id for past in stack.head.runs[1:]] == ["fast"]


def test_a_claim_that_cannot_be_withdrawn_expires(stack: Stack) -> None:
    """After a refused mail and a failed write, the next run says that its mail may repeat one."""
    stack.open("web")
    stack.account.faults.refuse_mail(times=1)
    denied = Fault("PutObject", code="AccessDenied", message="No.", status=403, times=1)
    with (
        meanwhile(is_mail, lambda: stack.account.faults.add(denied)),
        pytest.raises(MailError, match="MessageRejected"),
    ):
        stack.run()
    stack.run()
    assert MAY_REPEAT in unwrapped(stack.texts[0])


def test_without_time_to_scan_again_nothing_is_mailed(stack: Stack) -> None:
    """A run that loses the race too late fails, and Lambda starts it again."""
    stack.run()
    stack.open("web")

    def overtake() -> None:
        stack.time += timedelta(seconds=230)
        stack.run(run_id="fast")

    with (
        meanwhile(is_report, overtake),
        pytest.raises(AuditIncompleteError, match="time limit while it waited for other runs"),
    ):
        stack.run(run_id="slow")
    assert stack.subjects[1:] == ["New medium: SSH on web"]


def _let_time_pass(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting takes real time, so that another run gets on meanwhile."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds / 10)
        stack.time += timedelta(seconds=seconds / 10)

    monkeypatch.setattr(clock, "sleep", sleep)


def test_a_target_that_was_not_reached_is_read_again_after_a_conflict(stack: Stack) -> None:
    """Its reading has no time, and counts as older than what another run knows of it."""
    denied = Fault("GetCallerIdentity", code="AccessDenied", message="No.", status=403)
    stack.account.faults.add(denied)

    def fail(run_id: str) -> None:
        with pytest.raises(AuditIncompleteError, match="The account was not read"):
            stack.run(run_id=run_id)

    fail("first")
    with meanwhile(is_report, lambda: fail("fast")):
        fail("slow")
    assert [past.id for past in stack.head.runs] == ["first", "fast", "slow"]


def test_regions_that_could_not_be_listed_are_listed_again_after_a_conflict(stack: Stack) -> None:
    """The reading after the conflict is of all of them, and mails what is open there."""
    denied = Fault("GetCallerIdentity", code="AccessDenied", message="No.", status=403)
    stack.account.faults.add(denied)
    with pytest.raises(AuditIncompleteError):
        stack.run()
    stack.open("web")

    def recover() -> None:
        with pytest.raises(AuditIncompleteError):
            stack.run(run_id="fast")
        stack.account.faults.clear()

    with meanwhile(is_report, recover):
        stack.run(run_id="slow")
    assert stack.statuses == {"web": "new"}


def test_what_is_known_is_written_anew_before_it_expires(stack: Stack) -> None:
    """A run of a change that changes nothing commits when its objects are older than 200 days."""
    stack.run()
    stack.day(199)
    stack.run({**CHANGE, "id": "change-1"})
    assert [past.id for past in stack.head.runs] == ["run-1"]
    stack.day(2)
    stack.run({**CHANGE, "id": "change-2"})
    assert [past.id for past in stack.head.runs] == ["run-1", "change-2"]
    (pointer,) = stack.head.accounts.values()
    assert pointer.written_at == "2027-06-12T06:00:00Z"


def test_a_run_uses_only_the_keys_that_its_role_allows(stack: Stack) -> None:
    """Whatever happens to the ledger, it reads and writes what the policy of the role names."""
    used: set[tuple[str, str]] = set()

    def record(request: Any, send: Callable[[], Any]) -> Any:
        if request.method in {"GET", "PUT"}:
            used.add((request.method, request.url.removeprefix("/ledger/")))
        return send()

    stack.open("web")
    with intercepted(record):
        stack.run(run_id="first")
        stack.run({"regions": ["us-east-1"]}, run_id="part")
        stack.run({**CHANGE, "id": "change"})
    for key in ("head.json", "state.json"):
        stack.account.client("s3").delete_object(Key="head.json")
        stack.store(key, b"{")
        failed = pytest.raises(AuditIncompleteError, match="is kept as aside/")
        with intercepted(record), failed:
            stack.run(run_id=f"odd-{key.removesuffix('.json')}")
    allowed = {"GET": LEDGER_READ_KEYS, "PUT": LEDGER_WRITE_KEYS}
    assert [
        (method, key)
        for method, key in used
        if not any(fnmatch(key, pattern) for pattern in allowed[method])
    ] == []
    assert {key.partition("/")[0] for method, key in used if method == "PUT"} == {
        "aside",
        "head.json",
        "known",
        "reports",
    }


def test_a_change_stops_if_a_newer_version_writes_the_head_meanwhile(stack: Stack) -> None:
    """It mails nothing: each of many changes would mail everything that is open."""
    stack.run()
    stack.time += timedelta(minutes=5)
    stack.open("web")
    newer = partial(stack.store, "head.json", b'{"version": 3}')
    failed = pytest.raises(AuditIncompleteError, match="The ledger has version 3")
    with meanwhile(is_report, newer), failed:
        stack.run(stack.change_event("c1"))
    assert len(stack.subjects) == 1
