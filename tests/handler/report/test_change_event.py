"""Changes as events for other systems."""

import json
from dataclasses import replace
from typing import Any

import pytest

from handler.model.audit_report import Changes, Report
from handler.model.finding import Change, Status
from handler.report.change_event import LONGEST_EVENT, change_events
from handler.report.json_report import finding_to_json
from tests.cli.sample_reports import HOSTILE_TEXTS
from tests.support import mails, openers, reports
from tests.support.security_groups import answer, permission

GROUP = answer(permission("tcp", 22, 22, "0.0.0.0/0"))
NOW = "2026-11-23T06:00:00Z"


def report(**fields: Any) -> Report:
    """A report with one finding, in a run that is not the first."""
    made = reports.of(reports.read(GROUP))
    (finding,) = made.findings
    return replace(made, findings=(finding._replace(**fields),), changes=Changes())


def test_an_event_has_the_finding_and_what_became_of_it() -> None:
    """Its id is that of run and finding; the commands and former findings are left out."""
    made = report(status=Status.NEW, opened_by=openers.ALICE)
    (finding,) = made.findings
    left_out = ("fix", "narrower", "previously", "previouslyCount", "flips", "flippingSince")
    fields = {k: v for k, v in finding_to_json(finding).items() if k not in left_out}
    (event,) = map(json.loads, change_events(made))
    assert event == {
        "version": 1,
        "id": f"run-1/{finding.id}",
        "change": "opened",
        "run": "run-1",
        "stack": "dev",
        "at": NOW,
        "finding": json.loads(json.dumps(fields)),
    }


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        pytest.param({"status": Status.NEW}, ["opened"], id="new"),
        pytest.param({"status": Status.REOPENED}, ["opened"], id="reopened"),
        pytest.param({"status": Status.OPEN, "change": Change.WIDENED}, ["widened"], id="wider"),
        pytest.param({"change": Change.NARROWED}, ["narrowed"], id="narrower"),
        pytest.param({"change": Change.WORSENED}, [], id="worse"),
        pytest.param({"status": Status.RESOLVED, "resolved_at": NOW}, ["resolved"], id="resolved"),
        pytest.param(
            {"status": Status.RESOLVED, "resolved_at": "2026-11-22T06:00:00Z"},
            [],
            id="resolved-before",
        ),
        pytest.param({"status": Status.OPEN}, [], id="open"),
        pytest.param({"status": Status.EXCEPTED}, [], id="accepted"),
        pytest.param({"status": Status.UNVERIFIED}, [], id="unverified"),
    ],
)
def test_what_is_an_event(fields: dict[str, Any], changes: list[str]) -> None:
    """What opened, got wider or narrower, or was resolved in this run."""
    assert [json.loads(event)["change"] for event in change_events(report(**fields))] == changes


@pytest.mark.parametrize("changes", [None, Changes(first=True)])
def test_a_first_run_has_no_events(changes: Changes | None) -> None:
    """What was open before is no change, nor is what cannot be compared."""
    made = replace(report(status=Status.NEW), changes=changes)
    assert list(change_events(made)) == []


@pytest.mark.parametrize("text", [*HOSTILE_TEXTS, "\N{PILE OF POO}" * 255])
def test_an_event_has_a_bounded_size(text: str) -> None:
    """Texts are plain, and cut where that is needed; ids are kept."""
    made = mails.hostile(text, 3)
    findings = (
        finding._replace(
            status=Status.NEW,
            group_ids=("sg-0123456789abcdef0",) * 16,
            group_names=(text,) * 16,
            sources=(text,) * 15,
            rule_ids=("sgr-0123456789abcdef0",) * 15,
            interfaces=(text,) * 15,
            attached=(text,) * 15,
        )
        for finding in made.findings
    )
    made = replace(made, findings=tuple(findings), changes=Changes())
    for event in change_events(made):
        assert len(event.encode()) <= LONGEST_EVENT
        assert event.isprintable()
        assert json.loads(event)["finding"]["ruleIds"][0] == "sgr-0123456789abcdef0"
