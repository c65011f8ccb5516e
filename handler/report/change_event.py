"""Events about changes for other systems: one per change, of bounded size."""

import json
from collections.abc import Iterator
from typing import Any

from handler.model.audit_report import Report
from handler.model.finding import Change, Finding, Status
from handler.report.json_report import finding_to_json
from handler.sanitize import cut

VERSION = 1
# EventBridge accepts 256 KB per request, and a request has ten events.
LONGEST_EVENT = 24_000
# Texts are cut to the first of these lengths that makes the event short enough.
_TEXT_LENGTHS = (500, 100, 40)
_CHANGES = {
    Status.NEW: "opened",
    Status.REOPENED: "opened",
    Status.RESOLVED: "resolved",
    Change.WIDENED: "widened",
    Change.NARROWED: "narrowed",
}
# Fields that only readers of the mail need.
_LEFT_OUT = frozenset(
    {"fix", "narrower", "previously", "previouslyCount", "flips", "flippingSince"}
)


def change_events(report: Report) -> Iterator[str]:
    """The changes of a run as JSON, in the order of the report; none for a first run.

    An event has at most ``LONGEST_EVENT`` bytes, and is the same if the run is repeated.
    """
    if report.known_changes:
        for finding in report.findings:
            if change := _change(finding, report):
                yield _event(finding, change, report)


def _change(finding: Finding, report: Report) -> str | None:
    """How the finding has changed in this run; None if there is no event for that."""
    if finding.status is Status.RESOLVED and finding.resolved_at != report.run.started_at:
        # It was resolved in an earlier run, and only its mail had to wait.
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
    """The value with its texts plain and cut to a length."""
    if isinstance(value, dict):
        return {key: _shortened(part, length) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_shortened(part, length) for part in value]
    return cut(value, length) if isinstance(value, str) else value
