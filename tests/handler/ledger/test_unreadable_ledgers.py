"""A head that is denied, corrupt or of another version: the run mails all, says why, and fails."""

import json

import pytest

from handler.model.run import AuditIncompleteError, MailError
from sandbox.aws.faults import Fault
from tests.support.stack import Stack, unwrapped


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_denied_ledger_is_reported_and_fails_the_run(stack: Stack, operation: str) -> None:
    """All open findings are mailed in each run, with the error."""
    stack.open("web")
    stack.account.faults.add(Fault(operation, code="AccessDenied", message="No.", status=403))
    for _ in range(2):
        with pytest.raises(AuditIncompleteError, match=r"ledger could not be .*AccessDenied: No"):
            stack.run()
        stack.day()
    assert stack.subjects == ["Medium: SSH on web"] * 2
    assert "What has changed is not known" in unwrapped(stack.texts[0])


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        pytest.param("head.json", b"{", id="half"),
        pytest.param("head.json", b'{"version": 2}', id="empty"),
        pytest.param("head.json", b'{"version": 1}', id="older"),
        pytest.param("state.json", b"{", id="half-of-version-1"),
        pytest.param("state.json", b'{"version": 7}', id="unknown-version"),
    ],
)
def test_a_corrupt_ledger_is_moved_aside(stack: Stack, key: str, stored: bytes) -> None:
    """All open findings are mailed with the reason, the run fails, and a new ledger begins."""
    stack.open("web")
    stack.store(key, stored)
    with pytest.raises(AuditIncompleteError, match="What has changed is not known: "):
        stack.run(run_id="e1")
    assert stack.stored("aside/e1.json") == stored
    assert "It is kept as aside/e1.json, and a new one begins." in unwrapped(stack.texts[0])
    stack.day()
    assert stack.run()["counts"] | {"new": 0, "mailed": 0} == stack.run(run_id="e9")["counts"]


def test_a_corrupt_head_is_said_by_the_retry_of_a_refused_mail(stack: Stack) -> None:
    """The claim has replaced it by then."""
    stack.open("web")
    stack.store("head.json", b"{")
    stack.account.faults.refuse_mail("MessageRejected", "No.", times=1)
    with pytest.raises(MailError):
        stack.run(run_id="e1")
    stack.run(run_id="e1")
    assert "What has changed is not known: " in unwrapped(stack.texts[0])
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0


def test_a_corrupt_head_that_cannot_be_moved_is_not_overwritten(stack: Stack) -> None:
    """If the copy under aside/ cannot be written, the head stays as it is."""
    stack.store("head.json", b"{")
    stack.account.faults.add(Fault("PutObject", code="AccessDenied", message="No.", status=403))
    with pytest.raises(AuditIncompleteError, match="It could not be kept aside"):
        stack.run()
    assert stack.stored("head.json") == b"{"
    assert len(stack.subjects) == 1


def test_a_head_of_a_newer_version_is_not_replaced(stack: Stack) -> None:
    """All that is open is mailed with the reason, the run fails, and the head stays as it is."""
    stack.open("web")
    stack.store("head.json", b'{"version": 3}')
    with pytest.raises(AuditIncompleteError, match="The ledger has version 3, and this program"):
        stack.run()
    assert stack.stored("head.json") == b'{"version": 3}'
    assert "What has changed is not known" in stack.texts[0]
    assert not any(key.startswith("aside/") for key in stack.keys)


@pytest.mark.parametrize(
    ("path", "odd"),
    [
        (("events", "run-1"), "soon"),
        (("lastFullDigestAt",), "2026-11-23"),
        (("claim",), {"run": "a", "sent": []}),
        (("accounts",), {"123456789012": {"key": 5}}),
        (("abandoned",), [{"run": "a"}]),
        (("runs", 0, "open"), {}),
        (("runs", 0, "opened"), float("inf")),
    ],
)
def test_an_invalid_value_in_the_head_moves_it_aside(
    stack: Stack, path: tuple[str | int, ...], odd: object
) -> None:
    """It is found when the head is read, before anything else is done."""
    stack.open("web")
    stack.run()
    state = place = json.loads(stack.stored("head.json"))
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    stack.store("head.json", json.dumps(state).encode())
    with pytest.raises(AuditIncompleteError, match="It is kept as aside/odd"):
        stack.run(run_id="odd")
    assert len(stack.subjects) == 2
    assert stack.run()["counts"]["mailed"] == 0
