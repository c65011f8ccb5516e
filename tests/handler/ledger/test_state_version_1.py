"""The ledger of version 1: what of it is known to version 2, and runs of both in turns."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handler.ledger.head import DecodeError
from handler.ledger.state import LedgerState
from handler.ledger.state_version_1 import decode_old_state
from handler.model.digest_kind import DigestKind
from handler.model.finding import Change, Status
from handler.model.run import Coverage, CoverageStatus, MailError, Scan
from handler.policy.policy import Policy
from tests.support.documents import ODD_VALUES, changed, places
from tests.support.ledger_runs import Outcome, Step, run
from tests.support.old_ledger import CLOSED_IN_BETWEEN, GROUPS, OPENED_IN_BETWEEN, REGION
from tests.support.reports import FRANKFURT
from tests.support.security_groups import answer, permission
from tests.support.stack import BUCKET, Stack

STORED = Path(__file__).with_name("state-v1.json").read_bytes()
NEXT_DAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
DENIED = Scan(Coverage(FRANKFURT, CoverageStatus.DENIED, error="UnauthorizedOperation: No."))
AS_BEFORE = (*GROUPS, OPENED_IN_BETWEEN)


def migrated(stored: bytes = STORED) -> LedgerState:
    """What version 2 knows of a state of version 1."""
    old = decode_old_state(stored, "etag")
    accounts = old.accounts.values()
    return LedgerState(
        records={key: record for a in accounts for key, record in a.records.items()},
        resolved={key: gone for a in accounts for key, gone in a.resolved.items()},
        targets={key: target for a in accounts for key, target in a.targets.items()},
        announced=old.head.announced,
        runs=old.head.runs,
        settings=old.head.settings,
        last_full_digest_at=old.head.last_full_digest_at,
    )


def next_run(*groups: dict[str, Any], state: LedgerState | None = None) -> Outcome:
    """The next run, which reads these groups in the region that version 1 read."""
    scan = Step(groups, REGION).scan()
    return run(state or migrated(), [scan, DENIED], NEXT_DAY, Policy())


def test_the_first_run_after_version_1_mails_nothing_that_was_known() -> None:
    """Whatever version 1 knew is open as before, with its dates; nothing is resolved."""
    known = migrated()
    kinds = {record.finding.kind.value for record in known.records.values()}
    assert kinds == {"exposure", "interface", "unreadable", "malformed"}
    outcome = next_run(*AS_BEFORE)
    listed = outcome.report.listed(outcome.report.findings)
    assert len(listed) == len(known.records)
    assert {(finding.status, finding.change) for finding in listed} == {(Status.OPEN, None)}
    assert {finding.first_seen for finding in listed} == {
        "2026-11-21T06:00:00Z",
        "2026-11-22T06:00:00Z",
    }
    assert outcome.kind is None


WIDER = answer(permission("tcp", 5432, 5432, "52.0.0.0/8", "54.0.0.0/8"), group_id="sg-5")
REWRITTEN = answer(permission("tcp", 5432, 5432, "52.0.0.0/9", "52.128.0.0/9"), group_id="sg-5")
OTHER = answer(permission("tcp", 22, 22, "0.0.0.0/0"), group_id="sg-6")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        pytest.param((), {("sg-5", "resolved", None)}, id="closed"),
        pytest.param((OPENED_IN_BETWEEN, OTHER), {("sg-6", "new", None)}, id="opened"),
        pytest.param((WIDER,), {("sg-5", "open", Change.WIDENED)}, id="widened"),
        pytest.param((REWRITTEN,), set(), id="rewritten"),
        pytest.param(
            (OPENED_IN_BETWEEN, CLOSED_IN_BETWEEN), {("sg-4", "reopened", None)}, id="reopened"
        ),
    ],
)
def test_the_first_run_after_version_1_mails_what_changed(
    groups: tuple[dict[str, Any], ...], expected: set[tuple[str, str, Change | None]]
) -> None:
    """A real change is mailed as one, and nothing else; what is new comes with all that is open."""
    outcome = next_run(*GROUPS, *groups)
    assert (outcome.kind is not None) is bool(expected)
    assert {
        (finding.group_id, finding.status.value, finding.change)
        for finding in outcome.report.findings
        if finding.status is not Status.OPEN or finding.change
    } == expected


def test_a_severity_that_version_2_decides_anew_is_a_change_of_the_settings() -> None:
    """All that is open is mailed once; no finding is resolved or worse by it."""
    document = json.loads(STORED)
    for finding in document["findings"]:
        if finding["severity"] == "low":
            finding["severity"] = "medium"
    outcome = next_run(*AS_BEFORE, state=migrated(json.dumps(document).encode()))
    assert outcome.kind is DigestKind.FULL
    assert outcome.report.changes is not None
    assert outcome.report.changes.has_new_settings
    assert {finding.status for finding in outcome.report.findings} == {Status.OPEN}
    assert next_run(*AS_BEFORE, state=outcome.state).kind is None


def test_what_is_new_after_the_update_is_mailed_as_a_change() -> None:
    """What opened since is no reason to say that the settings have changed."""
    outcome = next_run(*AS_BEFORE, OTHER, state=migrated())
    assert outcome.kind is DigestKind.CHANGES
    assert [f.group_id for f in outcome.report.open if f.status is Status.NEW] == ["sg-6"]


def test_a_run_of_version_1_that_died_is_said() -> None:
    """So is one that holds a claim to mail, which version 2 does not wait for."""
    document = json.loads(STORED)
    claim = {"run": "e1", "until": "2026-11-22T06:01:00Z", "token": "a"}
    for stored in (document | {"died": "e1"}, document | {"mailing": claim}):
        head = decode_old_state(json.dumps(stored).encode(), "etag").head
        assert [dead.run for dead in head.abandoned] == ["e1"]


def test_each_value_of_a_state_is_refused_or_serves_the_next_run() -> None:
    """With any value in any field it is a DecodeError, or the next run reports and mails."""
    document = json.loads(STORED)
    sample = document | {"findings": document["findings"][:1] + document["findings"][4:8]}
    for place in places(sample):
        for odd in ODD_VALUES:
            try:
                state = migrated(json.dumps(changed(sample, place, odd)).encode())
            except DecodeError:
                continue
            assert next_run(OTHER, state=state).kind is not None, (place, odd)


def run_of_version_1(stack: Stack, started_at: str, **fields: object) -> None:
    """A run of version 1, which reads and writes its own object only."""
    document = json.loads(STORED)
    document["runs"][-1]["started_at"] = started_at
    stack.store("state.json", json.dumps(document | fields).encode())


def test_versions_run_in_turns(stack: Stack) -> None:
    """What the later run knew is compared with; version 2 never writes the object of version 1."""
    web = stack.open("web")
    run_of_version_1(stack, "2026-11-22T06:00:00Z", findings=[])
    before = stack.stored("state.json")
    assert stack.run(run_id="e1")["counts"]["new"] == 1
    assert [past.id for past in stack.head.runs] == ["run-1", "run-2", "e1"]
    assert stack.stored("state.json") == before
    # A rolled-back program has run: it did not know the opening, and version 2 repeats it.
    stack.day()
    run_of_version_1(stack, "2026-11-24T05:00:00Z", findings=[])
    assert stack.run(run_id="e2")["counts"]["new"] == 1
    stack.day()
    stack.close(web)
    assert stack.run(run_id="e3")["counts"]["resolved"] == 1
    # The object of version 1 is another one, but of an earlier run.
    run_of_version_1(stack, "2026-11-24T05:00:00Z", findings=[], listedAt=None)
    stack.day()
    assert stack.run(run_id="e4")["counts"]["mailed"] == 0


def test_a_malformed_state_of_a_rolled_back_program_is_left_alone(stack: Stack) -> None:
    """Version 2 goes on with what it knows."""
    stack.open("web")
    stack.run()
    stack.store("state.json", b"{")
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0
    assert not any(key.startswith("aside/") for key in stack.keys)


def test_the_first_run_after_the_update_is_refused_by_ses(stack: Stack) -> None:
    """What version 1 knew is not lost: the next run mails what opened and what closed since."""
    database = stack.open("database", port=5432)
    stack.open("web")
    stack.run(run_id="e0")
    report = json.loads(stack.stored("reports/2026/11/23/e0.json"))
    for key in stack.keys:
        stack.account.client("s3").delete_object(Bucket=BUCKET, Key=key)
    known = [finding | {"worsenedFrom": None} for finding in report["findings"]]
    coverage = [
        {"account": read["account"], "region": read["region"], "status": "ok"}
        for read in report["coverage"]
    ]
    run_of_version_1(stack, "2026-11-23T05:00:00Z", findings=known, coverage=coverage)
    stack.day()
    stack.close(database, port=5432)
    stack.open("new")
    stack.account.faults.refuse_mail(times=1)
    with pytest.raises(MailError):
        stack.run(run_id="e1")
    counts = stack.run(run_id="e1")["counts"]
    assert (counts["new"], counts["resolved"], counts["mailed"]) == (1, 1, 1)
