"""Events on the account's bus: after the mail, at least once, and never at the mail's cost."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handler.model.finding import Status
from handler.model.run import AuditIncompleteError, Changes
from handler.publish import publish
from sandbox.aws.account import Account
from sandbox.aws.faults import Fault
from tests.support import reports
from tests.support.security_groups import answer, permission
from tests.support.stack import Stack


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
    """EventBridge that takes all but some events."""

    def __init__(self, refused: int = 0) -> None:
        self.refused = refused
        self.sizes: list[int] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """The first events are refused, with HTTP status 200."""
        self.sizes.append(len(Entries))
        refused, self.refused = self.refused, 0
        error = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        return {"Entries": [error if index < refused else {} for index in range(len(Entries))]}


@pytest.mark.parametrize(
    ("number", "refused", "sizes", "problem"),
    [
        pytest.param(0, 0, [], None, id="none"),
        pytest.param(21, 0, [10, 10, 1], None, id="three-requests"),
        pytest.param(
            3,
            2,
            [3],
            "2 of 3 events could not be published: ThrottlingException: Rate exceeded.",
            id="some-refused",
        ),
        pytest.param(
            1001,
            0,
            [10] * 100,
            "1 of 1,001 events could not be published: A run publishes 1,000 at most.",
            id="too-many",
        ),
    ],
)
def test_ten_events_are_put_at_once(
    number: int, refused: int, sizes: list[int], problem: str | None
) -> None:
    """A thousand a run at most; what EventBridge refuses of a request is counted."""
    report = reports.of(reports.read(answer(permission("tcp", 22, 22, "0.0.0.0/0"))))
    (finding,) = report.findings
    findings = (finding._replace(status=Status.NEW),) * number
    bus = Bus(refused)
    assert publish(bus, replace(report, findings=findings, changes=Changes())) == problem
    assert bus.sizes == sizes
