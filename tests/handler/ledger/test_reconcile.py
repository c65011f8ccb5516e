"""A run's findings compared with the ledger's state, and the state after the run."""

from dataclasses import replace
from typing import Any

import pytest

from handler.ledger.reconcile import find_changes, next_state, reconcile
from handler.ledger.state import LedgerState
from handler.model.attachment import Attachment
from handler.model.finding import Finding, Severity, Status
from handler.model.network import Target
from handler.model.run import (
    Coverage,
    CoverageStatus,
    ExceptionReview,
    PolicyException,
    Report,
    Run,
    Trigger,
)
from handler.policy.policy import Policy
from tests.support import reports
from tests.support.security_groups import answer, permission

BEFORE = "2026-11-20T06:00:00Z"
EARLIER = "2026-11-22T06:00:00Z"
NOW = "2026-11-23T06:00:00Z"
WORLD = "0.0.0.0/0"
SSH = answer(permission("tcp", 22, 22, WORLD))
OK = Coverage(reports.IRELAND, CoverageStatus.OK)


def found(group: dict[str, Any] = SSH, **more: Any) -> Finding:
    """The finding of a group that opens one thing."""
    (finding,) = reports.read(group, **more).findings
    return finding


def known(*findings: Finding, status: Status = Status.OPEN, **more: object) -> LedgerState:
    """A state in which findings were last verified like that."""
    then = {"first_seen": BEFORE, "last_seen": EARLIER, "status": status, **more}
    stored = [replace(finding, **then) for finding in findings]  # type: ignore[arg-type]
    past = next_state(None, report(()), mailed=False, is_full_digest=False).runs
    return LedgerState(findings={finding.id: finding for finding in stored}, runs=past)


def report(findings: tuple[Finding, ...], *coverage: Coverage, is_full: bool = True) -> Report:
    """A report on these findings."""
    run = Run("run-2", Trigger.SCHEDULE, NOW, NOW, "dev", is_full)
    return Report(run, coverage or (OK,), findings)


COVERAGES = [
    pytest.param([OK], True, id="read"),
    *(
        pytest.param([Coverage(reports.IRELAND, status)], False, id=status)
        for status in CoverageStatus
        if status is not CoverageStatus.OK
    ),
    pytest.param([Coverage(reports.FRANKFURT, CoverageStatus.OK)], False, id="another-region"),
    pytest.param([Coverage(Target("2", "eu-west-1"), CoverageStatus.OK)], False, id="account"),
    pytest.param([], False, id="nothing"),
]
EVERY_COVERAGE = pytest.mark.parametrize(
    "coverage", [pytest.param(case.values[0], id=case.id) for case in COVERAGES]
)


@pytest.mark.parametrize(("coverage", "was_read"), COVERAGES)
@pytest.mark.parametrize("before", [Status.NEW, Status.OPEN, Status.REOPENED, Status.EXCEPTED])
def test_a_finding_that_is_not_found_again(
    before: Status, coverage: list[Coverage], *, was_read: bool
) -> None:
    """It is resolved where its target was read, and unverified everywhere else."""
    (finding,) = reconcile(known(found(), status=before), [], coverage, NOW)
    assert finding.status is (Status.RESOLVED if was_read else Status.UNVERIFIED)
    assert finding.resolved_at == (NOW if was_read else None)
    assert (finding.first_seen, finding.last_seen) == (BEFORE, EARLIER)


@EVERY_COVERAGE
def test_a_resolved_finding_is_not_reported_again(coverage: list[Coverage]) -> None:
    """A finding that was resolved before and is not found is in no report."""
    assert reconcile(known(found(), status=Status.RESOLVED), [], coverage, NOW) == ()


@EVERY_COVERAGE
@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, Status.NEW),
        (Status.NEW, Status.OPEN),
        (Status.OPEN, Status.OPEN),
        (Status.REOPENED, Status.OPEN),
        (Status.RESOLVED, Status.REOPENED),
        (Status.EXCEPTED, Status.REOPENED),
    ],
)
def test_a_finding_that_is_found(
    before: Status | None, now: Status, coverage: list[Coverage]
) -> None:
    """It is new, open or reopened after its last status, however much of its target was read."""
    state = known(found(), status=before) if before else known()
    (finding,) = reconcile(state, [found()], coverage, NOW)
    assert finding.status is now
    assert (finding.first_seen, finding.last_seen) == (BEFORE if before else NOW, NOW)


@pytest.mark.parametrize("before", [None, *Status])
def test_an_excepted_finding_stays_excepted(before: Status | None) -> None:
    """A finding that an exception accepts is excepted, whatever its last status was."""
    state = known(found(), status=before) if before else known()
    accepted = replace(found(), status=Status.EXCEPTED)
    (finding,) = reconcile(state, [accepted], [OK], NOW)
    assert finding.status is Status.EXCEPTED


def test_without_a_state_no_finding_is_new() -> None:
    """Where it is not known what was before, findings are open and nothing is resolved."""
    (finding,) = reconcile(None, [found()], [OK], NOW)
    assert (finding.status, finding.first_seen) == (Status.OPEN, NOW)
    assert find_changes(None, [OK], ExceptionReview(), is_full=True) is None


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(permission("tcp", 22, 22, "pl-9"), id="unreadable-list"),
        pytest.param(permission("tcp", 30, 20, WORLD), id="malformed-rule"),
    ],
)
def test_a_group_that_was_not_read_in_full_resolves_nothing(now: dict[str, object]) -> None:
    """Its earlier findings are unverified; those of other groups are resolved."""
    other = answer(permission("tcp", 22, 22, WORLD), group_id="sg-2")
    state = known(found(), found(other))
    statuses = {
        finding.group_id: finding.status
        for finding in reconcile(state, [found(answer(now))], [OK], NOW)
        if finding.kind == "exposure"
    }
    assert statuses == {"sg-1": Status.UNVERIFIED, "sg-2": Status.RESOLVED}


def test_a_group_without_an_id_resolves_nothing() -> None:
    """It may be any group, so that no finding of the target is resolved."""
    nameless = {key: value for key, value in SSH.items() if key != "GroupId"}
    seen = reports.read(nameless).findings
    statuses = {
        finding.group_id: finding.status
        for finding in reconcile(known(found()), seen, [OK], NOW)
        if finding.kind == "exposure"
    }
    assert statuses == {"sg-1": Status.UNVERIFIED, "unknown": Status.NEW}


def test_a_malformed_rule_that_is_gone_is_resolved() -> None:
    """It is resolved although the group has another malformed rule, which is new."""
    before = found(answer(permission("tcp", 30, 20, WORLD)))
    after = found(answer(permission("tcp", 31, 21, WORLD)))
    by_id = {finding.id: finding.status for finding in reconcile(known(before), [after], [OK], NOW)}
    assert by_id == {before.id: Status.RESOLVED, after.id: Status.NEW}


def test_a_wider_rule_is_a_new_finding() -> None:
    """The narrower one is resolved; a new name or an identical rule changes nothing."""
    wider = found(answer(permission("tcp", 22, 23, WORLD)))
    renamed = found(answer(permission("6", 22, 22, WORLD), name="renamed") | {"Tags": []})
    reconciled = reconcile(known(found()), [wider], [OK], NOW)
    assert {finding.id: finding.status for finding in reconciled} == {
        wider.id: Status.NEW,
        found().id: Status.RESOLVED,
    }
    (same,) = reconcile(known(found()), [renamed], [OK], NOW)
    assert same.status is Status.OPEN


def test_a_higher_severity_is_recorded() -> None:
    """worsened_from is the former severity of an open finding, and None if it is now lower."""
    address = {"NetworkInterfaceId": "e", "Groups": [{"GroupId": "sg-1"}]}
    public = found(NetworkInterfaces=[address | {"Association": {"PublicIp": "8.8.8.8"}}])
    unattached = found(NetworkInterfaces=[])
    (worse,) = reconcile(known(unattached), [public], [OK], NOW)
    (better,) = reconcile(known(public), [unattached], [OK], NOW)
    assert (worse.status, worse.worsened_from) == (Status.OPEN, Severity.MEDIUM)
    assert better.worsened_from is None


def test_an_unknown_attachment_makes_nothing_worse() -> None:
    """It neither counts as worse nor hides a higher severity in a later run."""
    address = {"NetworkInterfaceId": "e", "Groups": [{"GroupId": "sg-1"}]}
    public = found(NetworkInterfaces=[address | {"Association": {"PublicIp": "8.8.8.8"}}])
    unattached, unknown = found(NetworkInterfaces=[]), found()
    (meanwhile,) = reconcile(known(unattached), [unknown], [OK], NOW)
    assert (unknown.attachment, meanwhile.worsened_from) == (Attachment.UNKNOWN, None)
    after = next_state(known(unattached), report((meanwhile,)), mailed=False, is_full_digest=False)
    (worse,) = reconcile(after, [public], [OK], NOW)
    assert worse.worsened_from is Severity.MEDIUM


def test_an_unverified_finding_keeps_its_stored_status() -> None:
    """An excepted finding that could not be verified is reopened when it is found again."""
    state = known(found(), status=Status.EXCEPTED)
    denied = [Coverage(reports.IRELAND, CoverageStatus.DENIED)]
    (unverified,) = reconcile(state, [], denied, NOW)
    after = next_state(state, report((unverified,), *denied), mailed=True, is_full_digest=True)
    assert after.findings == state.findings
    (back,) = reconcile(after, [found()], [OK], NOW)
    assert back.status is Status.REOPENED


@pytest.mark.parametrize(
    ("resolved_at", "status"),
    [("2026-08-25T06:00:00Z", Status.REOPENED), ("2026-08-25T05:59:59Z", Status.NEW)],
)
def test_resolved_findings_are_kept_for_90_days(resolved_at: str, status: Status) -> None:
    """Found again within 90 days a finding is reopened, after that it is new."""
    state = known(found(), status=Status.RESOLVED, resolved_at=resolved_at)
    after = next_state(state, report(()), mailed=False, is_full_digest=False)
    (finding,) = reconcile(after, [found()], [OK], NOW)
    assert finding.status is status


IRELAND, FRANKFURT = reports.IRELAND, reports.FRANKFURT
EVERY = Target(IRELAND.account, "all")


@pytest.mark.parametrize(
    ("before", "now", "whole", "lost", "regained"),
    [
        pytest.param({IRELAND: "ok"}, {IRELAND: "ok"}, True, (), (), id="same"),
        pytest.param({IRELAND: "ok"}, {IRELAND: "denied"}, True, (IRELAND,), (), id="lost"),
        pytest.param({IRELAND: "failed"}, {IRELAND: "ok"}, True, (), (IRELAND,), id="regained"),
        pytest.param({IRELAND: "failed"}, {IRELAND: "denied"}, True, (), (), id="still-not"),
        pytest.param({}, {IRELAND: "ok"}, True, (), (), id="another-target"),
        pytest.param({}, {IRELAND: "denied"}, True, (IRELAND,), (), id="another-is-denied"),
        pytest.param({EVERY: "denied"}, {IRELAND: "ok"}, True, (), (EVERY,), id="listed-again"),
        pytest.param({EVERY: "denied"}, {IRELAND: "ok"}, False, (), (), id="not-asked"),
        pytest.param({IRELAND: "denied"}, {FRANKFURT: "ok"}, True, (), (), id="left-out"),
    ],
)
def test_lost_and_regained_targets(
    before: dict[Target, str],
    now: dict[Target, str],
    lost: tuple[Target, ...],
    regained: tuple[Target, ...],
    *,
    whole: bool,
) -> None:
    """Each target's coverage is compared with its own before the run."""
    last = {target: CoverageStatus(status) for target, status in before.items()}
    state = replace(known(), coverage=last)
    coverage = [Coverage(target, CoverageStatus(status)) for target, status in now.items()]
    changes = find_changes(state, coverage, ExceptionReview(), is_full=whole)
    assert changes is not None
    assert (changes.lost, changes.regained) == (lost, regained)


def test_a_partial_run_keeps_the_coverage_of_other_targets() -> None:
    """A run that reads one region leaves the stored coverage of the others as it is."""
    state = replace(known(), coverage={FRANKFURT: CoverageStatus.DENIED})
    part, whole = report((), OK, is_full=False), report((), OK)
    after = next_state(state, part, mailed=False, is_full_digest=False)
    assert after.coverage == {FRANKFURT: CoverageStatus.DENIED, IRELAND: CoverageStatus.OK}
    assert next_state(state, whole, mailed=False, is_full_digest=False).coverage == {
        IRELAND: CoverageStatus.OK
    }


def test_the_end_of_an_exception_is_announced_twice() -> None:
    """Once before it expires and once after; each until a mail has reported it."""
    (accepted,) = Policy.parse(
        {
            "exceptions": [
                {
                    "group": "sg-1",
                    "ports": "tcp/22",
                    "reason": "a",
                    "owner": "b",
                    "until": "2026-11-25",
                }
            ]
        }
    ).exceptions

    def ending(state: LedgerState, exceptions: ExceptionReview) -> tuple[PolicyException, ...]:
        changes = find_changes(state, [OK], exceptions, is_full=True)
        assert changes is not None
        return changes.ending

    near, over = ExceptionReview(expiring=(accepted,)), ExceptionReview(expired=(accepted,))
    unreported = next_state(
        known(), replace(report(()), exceptions=near), mailed=False, is_full_digest=False
    )
    reported = next_state(
        known(), replace(report(()), exceptions=near), mailed=True, is_full_digest=False
    )
    assert ending(unreported, near) == (accepted,)
    assert ending(reported, near) == ()
    assert ending(reported, over) == (accepted,)


def test_the_history_has_the_runs_figures() -> None:
    """A run's summary has the numbers of new, resolved and open findings and unread targets."""
    state = known(found())
    other = found(answer(permission("tcp", 5432, 5432, WORLD), group_id="sg-2"))
    coverage = [OK, reports.DENIED.coverage]
    made = report(reconcile(state, [other], coverage, NOW), *coverage)
    past = next_state(state, made, mailed=True, is_full_digest=False).runs[-1]
    assert (past.id, past.opened, past.resolved, past.not_read, past.mailed) == (
        "run-2",
        1,
        1,
        1,
        True,
    )
    assert past.open[Severity.CRITICAL] == 1
