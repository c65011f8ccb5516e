"""Runs that die, overlap or repeat: every change is mailed, and none twice without a notice."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from handler import clock
from handler.ledger.state import LedgerState
from handler.model.run import AuditIncompleteError, MailError, Report
from handler.report.digest import DigestKind, build_digest
from handler.report.text import render_text
from handler.settings import Settings
from sandbox.aws.faults import Fault
from tests.support.stack import REGIONS, Killed, Stack, intercepted, killed, text_of, unwrapped

LOST = "What has changed is not known"
MAY_REPEAT = "ended between its mail and the ledger; this mail may repeat what it said."
# GetCallerIdentity, the state; groups, rules and interfaces of one region, and groups of the other;
# the report, the claim, the mail and the commit.
REQUESTS = 10

Opening = tuple[str, int]
"""The name of a group, and a port of it that the world reaches."""


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
    is_committed = any(past.id == "dies" for past in stack.state.runs)
    has_claimed = stack.state.claim is not None
    stack.run(run_id=next_id)
    assert stack.statuses == {
        "web": "resolved",
        "database": "open" if is_committed and next_id == "next" else "new",
    }
    assert stack.state.claim is None
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
        if is_state(request) and me not in met:
            met.add(me)
            meeting.wait(timeout=30)
        return send()

    with intercepted(meet), ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda name: http_stack.run(run_id=name), ["one", "other"]))
    assert sorted(result["counts"]["mailed"] for result in results) == [0, 1]
    assert http_stack.subjects[1:] == [
        "New medium: PostgreSQL open to the internet on database (1 resolved)"
    ]
    assert {past.id for past in http_stack.state.runs[1:]} == {"one", "other"}
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
    assert [past.id for past in http_stack.state.runs[1:]] == ["same"]


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


def is_state(request: Any) -> bool:
    """Whether a request writes the state: to claim first, to commit then."""
    return request.method == "PUT" and "state.json" in request.url


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
        stack.run({**CHANGE, "id": "change"})

    with meanwhile(is_report, change):
        stack.run(run_id="whole")
    assert stack.subjects[1:] == [
        "New medium: SSH open to the internet on web"
        if opens
        else "Resolved: SSH on web; nothing open",
        "New medium: SSH open to the internet on other",
    ]
    assert stack.statuses["web"] == ("open" if opens else "resolved")


def test_a_full_digest_follows_a_run_that_died(stack: Stack) -> None:
    """A port that the dead run may have reported as closed is listed if it is open again."""
    web = stack.open("web")
    stack.run()
    stack.close(web)
    stack.day()
    with meanwhile(is_state, die, nth=2), pytest.raises(Killed):
        stack.run()
    stack.allow(web)
    stack.day()
    stack.run()
    assert stack.subjects[1:] == [
        "Resolved: SSH on web; nothing open",
        "Medium: SSH open to the internet on web",
    ]
    assert MAY_REPEAT in unwrapped(stack.texts[-1])
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0


def test_a_partial_run_keeps_the_notice_of_a_run_that_died(stack: Stack) -> None:
    """The next full run still says that its mail may repeat another one."""
    stack.run()
    stack.open("far", "us-east-1")
    with meanwhile(is_state, die, nth=2), pytest.raises(Killed):
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
    with meanwhile(is_state, lambda: stack.account.faults.add(fault)):
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
        stack.time += timedelta(seconds=50)
        stack.run(run_id="fast")

    with (
        meanwhile(is_mail, overtake),
        pytest.raises(AuditIncompleteError, match="Another run has written the ledger"),
    ):
        stack.run(run_id="slow")
    fast, slow = stack.texts[1:]
    assert "Run slow ended between its mail and the ledger" in unwrapped(fast)
    assert all("web (" in mail for mail in (fast, slow))
    assert [past.id for past in stack.state.runs[1:]] == ["fast"]


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
        stack.time += timedelta(seconds=200)
        stack.run(run_id="fast")

    with (
        meanwhile(is_report, overtake),
        pytest.raises(AuditIncompleteError, match="wrote the ledger until the time was over"),
    ):
        stack.run(run_id="slow")
    assert stack.subjects[1:] == ["New medium: SSH open to the internet on web"]


def _let_time_pass(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting takes real time, so that another run gets on meanwhile."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds / 50)
        stack.time += timedelta(seconds=seconds / 50)

    monkeypatch.setattr(clock, "sleep", sleep)


class Month:
    """Thirty days in an account, and what each mail should have announced."""

    def __init__(self, stack: Stack, seed: int, *, deaths: bool) -> None:
        self._stack = stack
        self._random = random.Random(seed)  # noqa: S311 -- the same month each time
        self._deaths = deaths
        self._groups: dict[str, tuple[str, str]] = {}
        self._open: set[Opening] = set()
        self._known: set[Opening] = set()
        self._committed_runs = 0
        self.announced: Counter[Opening] = Counter()
        self.expected: Counter[Opening] = Counter()
        self.faults: Counter[str] = Counter()

    def live(self) -> None:
        """Thirty days with a run each, changes and faults between them, and a calm one after."""
        for number in range(30):
            self._change()
            self._run(f"day-{number}")
            if self._random.random() < 0.3:
                self._run(f"day-{number}", "delivered again")
            self._stack.day()
        self._run("last", "none")

    def _change(self) -> None:
        """Open or close a few ports."""
        for _ in range(self._random.randrange(4)):
            name = f"group-{self._random.randrange(6)}"
            opening = (name, self._random.choice([22, 3389, 5432]))
            if name not in self._groups:
                region = self._random.choice(REGIONS)
                group = self._stack.account.client("ec2", region).create_security_group(
                    GroupName=name, Description=name
                )
                self._groups[name] = (group["GroupId"], region)
            group_id, region = self._groups[name]
            act = self._stack.close if opening in self._open else self._stack.allow
            act(group_id, region, opening[1])
            self._open ^= {opening}

    def _fault(self) -> str:
        """What goes wrong in the next run."""
        faults, chance = self._stack.account.faults, self._random.random()
        kind = "none"
        if chance < 0.1:
            kind = "region denied"
            faults.deny("DescribeSecurityGroups", self._random.choice(REGIONS))
        elif chance < 0.2:
            kind = "mail refused"
            faults.refuse_mail()
        elif chance < 0.3:
            kind = "ledger denied"
            operation = self._random.choice(["GetObject", "PutObject"])
            faults.add(Fault(operation, code="AccessDenied", message="No.", status=403))
        elif chance < 0.4:
            kind = "throttled"
            faults.throttle("DescribeSecurityGroups", 2)
        elif chance < 0.7 and self._deaths:
            kind = "killed"
        return kind

    def _run(self, run_id: str, fault: str = "") -> None:
        mails = len(self._stack.account.mails())
        is_first = self._state.last_full_digest_at is None
        fault = fault or self._fault()
        self.faults[fault] += 1
        try:
            if fault == "killed":
                at = self._random.randrange(1, REQUESTS + 3)
                with killed(at, answered=self._random.random() < 0.5):
                    self._stack.run(run_id=run_id)
            else:
                self._stack.run(run_id=run_id)
        except (AuditIncompleteError, MailError, Killed):
            pass
        self._stack.account.faults.clear()
        for mail in self._stack.account.mails()[mails:]:
            text = text_of(mail.message)
            self.announced.update(
                announced(text, is_first=is_first and LOST not in unwrapped(text))
            )
        state = self._state
        if len(state.runs) > self._committed_runs:
            self._committed_runs = len(state.runs)
            read = {target.region for target, status in state.coverage.items() if status == "ok"}
            found = {opening for opening in self._open if self._region(opening) in read}
            self.expected.update(found - self._known)
            unread = {opening for opening in self._known if self._region(opening) not in read}
            self._known = found | unread

    @property
    def _state(self) -> LedgerState:
        """What the ledger holds."""
        return self._stack.state if "state.json" in self._stack.keys else LedgerState()

    def _region(self, opening: Opening) -> str:
        return self._groups[opening[0]][1]


def compose_text(settings: Settings, report: Report, kind: DigestKind) -> bytes:
    """The digest's text as a mail; HTML and attachment take most of a run's time."""
    text = render_text(build_digest(report, kind))
    return f"To: {settings.recipients[0]}\n\n{text}".encode()


@pytest.fixture
def text_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The audit in memory, with mails of text only."""
    monkeypatch.setattr("handler.mail.compose", compose_text)
    return stack


def announced(mail: str, *, is_first: bool) -> Iterator[Opening]:
    """The openings that a mail says are new or back; the first one lists nothing else."""
    is_news, port = False, 0
    for line in mail.splitlines():
        if found := re.match(r"([A-Z ]+) \(\d+\)$", line):
            is_news = is_first or found[1] in {"NEW", "REOPENED"}
        elif found := re.match(r"  .*tcp/(\d+)(.*)", line):
            port = int(found[1]) if is_news or found[2] in {" [New]", " [Reopened]"} else 0
        elif port and (found := re.match(r"    (\S+) \(sg-", line)):
            yield found[1], port


@pytest.mark.parametrize("seed", range(100))
def test_a_month_in_which_no_run_dies(text_stack: Stack, seed: int) -> None:
    """Each opening is announced exactly once, whatever is denied, refused or delivered again."""
    month = Month(text_stack, seed, deaths=False)
    month.live()
    assert month.announced == month.expected
    assert month.expected.total() > 10


@pytest.mark.parametrize("seed", range(100))
def test_a_month_in_which_runs_die(text_stack: Stack, seed: int) -> None:
    """Each opening is announced at least once."""
    check_month_with_deaths(text_stack, seed)


def test_a_month_over_http_in_which_runs_die(http_stack: Stack) -> None:
    """Each opening is announced at least once, also in the sandbox's account."""
    check_month_with_deaths(http_stack, seed=0)


def check_month_with_deaths(stack: Stack, seed: int) -> None:
    """No opening is left unannounced in a month with deaths."""
    month = Month(stack, seed, deaths=True)
    month.live()
    assert month.faults["killed"] > 2
    assert month.announced >= month.expected
