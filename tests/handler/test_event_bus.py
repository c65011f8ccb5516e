"""Events on the account's bus: after the mail, at least once, and never at the mail's cost."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from handler import clock
from handler.event_bus import publish
from handler.model.audit_report import Changes
from handler.model.finding import Status
from handler.model.run import AuditIncompleteError
from sandbox.aws.account import Account
from sandbox.aws.faults import Fault
from tests.support import reports
from tests.support.security_groups import answer, permission
from tests.support.stack import Stack, answering, intercepted


@pytest.fixture
def account() -> Iterator[Account]:
    """An account with its event bus."""
    with Account() as entered:
        yield entered


@pytest.fixture
def stack(account: Account, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The audit that publishes its changes, after its first run."""
    monkeypatch.setenv("PUBLISH_EVENTS", "true")
    stack = Stack(account, monkeypatch)
    stack.run()
    return stack


def published(account: Account) -> list[dict[str, Any]]:
    """The events on the bus."""
    return account.events.events


def test_each_change_is_published_once(stack: Stack, account: Account) -> None:
    """What opened and what was resolved; a run without a change publishes nothing."""
    group_id = stack.open("web")
    stack.run()
    stack.run()
    stack.close(group_id)
    stack.run()
    changes = [(event["source"], event["detail"]["change"]) for event in published(account)]
    assert changes == [("security-group-audit", "opened"), ("security-group-audit", "resolved")]
    assert published(account)[0]["detail-type"] == "Security Group Exposure Change"


def test_without_the_setting_nothing_is_published(
    stack: Stack, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is false."""
    monkeypatch.delenv("PUBLISH_EVENTS")
    stack.open("web")
    stack.run()
    assert published(account) == []


def test_a_failure_fails_the_run_and_not_the_commit(stack: Stack, account: Account) -> None:
    """The mail is sent and the ledger written: the next run repeats neither."""
    account.faults.add(Fault("PutEvents", code="InternalFailure", status=500))
    stack.open("web")
    problem = "1 of 1 event could not be published: InternalFailure"
    with pytest.raises(AuditIncompleteError, match=problem):
        stack.run()
    account.faults.clear()
    stack.run()
    assert len(account.mails()) == 2
    assert published(account) == []


def test_a_refused_mail_publishes_nothing(stack: Stack, account: Account) -> None:
    """Events come after the mail; the next run has both."""
    account.faults.refuse_mail(times=1)
    stack.open("web")
    with pytest.raises(Exception, match="MessageRejected"):
        stack.run()
    assert published(account) == []
    stack.run()
    assert len(published(account)) == 1


class Bus:
    """EventBridge that takes all but some events, and takes its time."""

    def __init__(self, *refused: int, seconds: float = 0) -> None:
        """``refused`` are how many events of each request are refused, with HTTP status 200."""
        self.refused = list(refused)
        self.seconds = seconds
        self.seconds_left = 300.0
        self.sizes: list[int] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """The first events of a request are those that are refused."""
        self.sizes.append(len(Entries))
        self.seconds_left -= self.seconds
        refused = self.refused.pop(0) if self.refused else 0
        error = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate\nexceeded\x1b[31m."}
        taken = {"EventId": "1"}
        return {"Entries": [error if i < refused else taken for i in range(len(Entries))]}

    def get_remaining_time_in_millis(self) -> float:
        """The time that the run has left, as Lambda says it."""
        return self.seconds_left * 1000


def put(bus: Bus, number: int, before_request: Callable[[], None] = lambda: None) -> str | None:
    """Publish a report with so many new findings."""
    report = reports.of(reports.read(answer(permission("tcp", 22, 22, "0.0.0.0/0"))))
    (finding,) = report.findings
    findings = (finding._replace(status=Status.NEW),) * number
    report = replace(report, findings=findings, changes=Changes())
    return publish(bus, report, clock.TimeBudget(bus), before_request)


THROTTLED = "ThrottlingException: Rate exceeded\N{REPLACEMENT CHARACTER}[31m."


@pytest.mark.parametrize(
    ("number", "refused", "sizes", "problem"),
    [
        pytest.param(0, [], [], None, id="none"),
        pytest.param(21, [], [10, 10, 1], None, id="three-requests"),
        pytest.param(12, [1], [10, 2, 1], None, id="one-refused-once"),
        pytest.param(21, [10], [10, 10, 10, 1], None, id="a-request-refused-once"),
        pytest.param(
            3,
            [2, 2],
            [3, 2],
            f"2 of 3 events could not be published: {THROTTLED}",
            id="refused-twice",
        ),
        pytest.param(
            1001,
            [],
            [10] * 100,
            "1 of 1,001 events could not be published: A run publishes 1,000 at most.",
            id="too-many",
        ),
        pytest.param(
            1001,
            [10],
            [10] * 101,
            "1 of 1,001 events could not be published: A run publishes 1,000 at most.",
            id="too-many-and-a-request-refused-once",
        ),
    ],
)
def test_ten_events_are_put_at_once(
    number: int,
    refused: list[int],
    sizes: list[int],
    problem: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand a run at most; what EventBridge refuses is put once more, and then counted."""
    monkeypatch.setattr(clock, "sleep", lambda _seconds: None)
    bus = Bus(*refused)
    assert put(bus, number) == problem
    assert bus.sizes == sizes


def test_the_time_for_the_commit_is_not_used() -> None:
    """Of 300 seconds a mail and the ledger need 60: no request begins with less."""
    bus = Bus(seconds=50)
    assert put(bus, 100) == "50 of 100 events could not be published: The run had no time for more."
    assert bus.sizes == [10] * 5


def test_each_request_is_announced() -> None:
    """So that the run's claim on the ledger is renewed in time."""
    announced: list[int] = []
    bus = Bus()
    assert put(bus, 21, lambda: announced.append(len(bus.sizes))) is None
    assert announced == [0, 1, 2]


@pytest.mark.parametrize(
    "body",
    ["<html>", "{}", "[]", "null", '{"Entries": []}', '{"Entries": [null]}', '{"Entries": 1}'],
)
def test_an_odd_answer_costs_neither_mail_nor_commit(
    stack: Stack, account: Account, body: str
) -> None:
    """The run fails after its commit: the next one repeats nothing."""
    stack.open("web")
    problem = "1 of 1 event could not be published: EventBridge's answer could not be read."
    with (
        intercepted(answering("PutEvents", body)),
        pytest.raises(AuditIncompleteError, match=problem),
    ):
        stack.run()
    stack.run()
    assert len(account.mails()) == 2


def test_the_claim_is_renewed_between_requests(stack: Stack) -> None:
    """It holds 60 s: five requests of 14 s each do not outlast it."""
    group_id = stack.open("web", port=1000)
    for port in range(1002, 1100, 2):
        stack.allow(group_id, port=port)
    written: list[float] = []

    def answer_slowly(request: Any, send: Any) -> Any:
        if request.headers.get("X-Amz-Target", b"").endswith(b"PutEvents"):
            stack.sleep(14)
        elif request.method == "PUT" and request.url.endswith("head.json"):
            written.append(stack.monotonic())
        return send()

    with intercepted(answer_slowly):
        stack.run()
    gaps = [after - before for before, after in pairwise(written)]
    assert sum(gaps) == 70
    assert max(gaps) <= 42
