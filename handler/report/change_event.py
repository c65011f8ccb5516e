"""What has changed as events for other systems: one for each change, of a bounded size."""

import json
from collections.abc import Iterator
from typing import Any

from handler.model.finding import Change, Finding, Status
from handler.model.run import Report
from handler.report.json_report import finding_to_json
from handler.sanitize import cut

VERSION = 1
# EventBridge takes 256 KB a request, and ten events are put with one.
LONGEST_EVENT = 24_000
# The first length of texts with which the event is short enough is taken.
_TEXT_LENGTHS = (500, 100, 40)
_CHANGES = {
    Status.NEW: "opened",
    Status.REOPENED: "opened",
    Status.RESOLVED: "resolved",
    Change.WIDENED: "widened",
    Change.NARROWED: "narrowed",
}
# What only a reader of the mail needs.
_LEFT_OUT = frozenset(
    {"fix", "narrower", "previously", "previouslyCount", "flips", "flippingSince"}
)


def change_events(report: Report) -> Iterator[str]:
    """The changes of a run as JSON, in the order of the report; none of a first run.

    Each is the same whenever the run is repeated, and at most ``LONGEST_EVENT`` bytes long.
    """
    if report.changes is None or report.changes.first:
        return
    for finding in report.findings:
        if change := _change(finding, report):
            yield _event(finding, change, report)


def _change(finding: Finding, report: Report) -> str | None:
    """What has become of the finding in this run; None where that is nothing to tell."""
    if finding.status is Status.RESOLVED and finding.resolved_at != report.run.started_at:
        # It was gone before, and only its mail had to wait.
        return None
    return _CHANGES.get(finding.status) or (
        _CHANGES.get(finding.change) if finding.change else None
    )


def _event(finding: Finding, change: str, report: Report) -> str:
    fields = {k: v for k, v in finding_to_json(finding).items() if k not in _LEFT_OUT}
    event = {
        "version": VERSION,
        "id": f"{report.run.id}/{finding.id}",
        "change": change,
        "run": report.run.id,
        "stack": report.run.stack,
        "at": report.run.started_at,
        "finding": fields,
    }
    for length in _TEXT_LENGTHS:
        text = json.dumps(_shortened(event, length), ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) <= LONGEST_EVENT:
            break
    return text


def _shortened(value: Any, length: int) -> Any:
    """A value with plain texts of at most that length."""
    if isinstance(value, dict):
        return {key: _shortened(part, length) for key, part in value.items()}
    if isinstance(value, list):
        return [_shortened(part, length) for part in value]
    return cut(value, length) if isinstance(value, str) else value
