"""Puts changes on the account's event bus, for other systems."""

from collections.abc import Callable
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from handler import clock
from handler.aws import FAILURES, error_text
from handler.model.audit_report import Report
from handler.report import phrases
from handler.report.change_event import change_events

SOURCE = "security-group-audit"
"""The only source that the function may use for events."""
_DETAIL_TYPE = "Security Group Exposure Change"
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_MAX_ENTRIES = 10
_MAX_EVENTS = 1000
# Entries that EventBridge refuses, for example because it throttles, are put once more.
_ROUNDS = 2
_PAUSE = 1.0

_Entry: TypeAlias = dict[str, str]


def publish(
    client: Any, report: Report, budget: clock.TimeBudget, before_request: Callable[[], None]
) -> str | None:
    """Put an event for each change of the report; the result says what failed, in a sentence.

    ``before_request`` is called before each request. No request begins when only the time is left
    that mail and ledger need.
    """
    entries = [
        {"Source": SOURCE, "DetailType": _DETAIL_TYPE, "Detail": detail}
        for detail in change_events(report)
    ]
    left, problem = entries[:_MAX_EVENTS], ""
    for number in range(_ROUNDS):
        if left and number:
            clock.sleep(_PAUSE)
        waiting, left, problem = left, [], f"A run publishes {_MAX_EVENTS:,} at most."
        while waiting:
            if budget.seconds_left() < budget.seconds_to_send:
                problem = "The run had no time for more."
                break
            before_request()
            batch, waiting = waiting[:_MAX_ENTRIES], waiting[_MAX_ENTRIES:]
            refused, reason = _put(client, batch)
            left += refused
            problem = reason or problem
            if len(refused) == len(batch):
                break
        left += waiting
    number_left = len(left) + len(entries[_MAX_EVENTS:])
    total = phrases.count(len(entries), "event")
    return f"{number_left:,} of {total} could not be published: {problem}" if number_left else None


def _put(client: Any, batch: list[_Entry]) -> tuple[list[_Entry], str | None]:
    """The entries that EventBridge did not accept, and why, in a sentence."""
    try:
        results = client.put_events(Entries=batch)["Entries"]
        refused = [
            (entry, (str(result.get("ErrorCode")), str(result.get("ErrorMessage"))))
            for entry, result in zip(batch, results, strict=True)
            if not result.get("EventId")
        ]
    except FAILURES as error:
        return batch, error_text(error)
    except Exception:  # noqa: BLE001 -- no answer may prevent the commit
        return batch, "EventBridge's answer could not be read."
    if not refused:
        return [], None
    _, (code, message) = refused[0]
    reason = error_text(ClientError({"Error": {"Code": code, "Message": message}}, "PutEvents"))
    return [entry for entry, _ in refused], reason
