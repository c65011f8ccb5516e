"""Puts what has changed on the account's event bus, for other systems."""

from typing import Any

from handler.aws import FAILURES, error_text
from handler.model.run import Report
from handler.report import phrases
from handler.report.change_event import change_events

SOURCE = "security-group-audit"
"""The only source of which the function may put events."""
_DETAIL_TYPE = "Security Group Exposure Change"
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_MAX_ENTRIES = 10
# More would take longer than the run's claim on the ledger holds.
_MAX_EVENTS = 1000


def publish(client: Any, report: Report) -> str | None:
    """Put an event for each change of the report; the result says what failed, in a sentence."""
    entries = [
        {"Source": SOURCE, "DetailType": _DETAIL_TYPE, "Detail": detail}
        for detail in change_events(report)
    ]
    left, problem = len(entries), f"A run publishes {_MAX_EVENTS:,} at most."
    for first in range(0, min(left, _MAX_EVENTS), _MAX_ENTRIES):
        try:
            answer = client.put_events(Entries=entries[first : first + _MAX_ENTRIES])
        except FAILURES as error:
            problem = error_text(error)
            break
        failed = [entry for entry in answer["Entries"] if entry.get("ErrorCode")]
        left -= len(answer["Entries"]) - len(failed)
        if failed:
            problem = f"{failed[0]['ErrorCode']}: {failed[0].get('ErrorMessage')}."
    total = phrases.count(len(entries), "event")
    return f"{left:,} of {total} could not be published: {problem}" if left else None
