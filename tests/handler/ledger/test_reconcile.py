"""What a new run makes of what was known: every status before, every coverage, seen or not."""

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
    each = [replace(finding, **then) for finding in findings]  # type: ignore[arg-type]
    past = next_state(None, report(()), mailed=False, is_full_digest=False).runs
    return LedgerState(findings={finding.id: finding for finding in each}, runs=past)


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


@pytest.mark.parametrize(("coverage", "was_read"), COVERAGES)
@pytest.mark.parametrize("before", [Status.NEW, Status.OPEN, Status.REOPENED, Status.EXCEPTED])
def test_what_is_not_seen_again(
    before: Status, coverage: list[Coverage], *, was_read: bool
) -> None:
    """It is resolved where its target was read, and unverified everywhere else."""
    (finding,) = reconcile(known(found(), status=before), [], coverage, NOW)
    assert finding.status is (Status.RESOLVED if was_read else Status.UNVERIFIED)
    assert finding.resolved_at == (NOW if was_read else None)
    assert (finding.first_seen, finding.last_seen) == (BEFORE, EARLIER)


@pytest.mark.parametrize(("coverage", "was_read"), COVERAGES)
def test_what_was_resolved_stays_so(coverage: list[Coverage], *, was_read: bool) -> None:
    """It is said once."""
    assert reconcile(known(found(), status=Status.RESOLVED), [], coverage, NOW) == ()
    assert was_read in {True, False}


@pytest.mark.parametrize(("coverage", "was_read"), COVERAGES)
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
def test_what_is_seen(
    before: Status | None, now: Status, coverage: list[Coverage], *, was_read: bool
) -> None:
    """What was seen is open, however much else of its target could be read."""
    state = known(found(), status=before) if before else known()
    (finding,) = reconcile(state, [found()], coverage, NOW)
    assert finding.status is now
    assert (finding.first_seen, finding.last_seen) == (BEFORE if before else NOW, NOW)
    assert was_read in {True, False}


@pytest.mark.parametrize("before", [None, *Status])
def test_what_is_excepted_is_nothing_else(before: Status | None) -> None:
    """An accepted finding is accepted, whatever it was."""
    state = known(found(), status=before) if before else known()
    accepted = replace(found(), status=Status.EXCEPTED)
    (finding,) = reconcile(state, [accepted], [OK], NOW)
    assert finding.status is Status.EXCEPTED


def test_without_a_memory_nothing_is_new() -> None:
    """Where nobody knows what was before, a finding is as open as it is."""
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
def test_what_may_hide_behind_a_rule_that_cannot_be_judged(now: dict[str, object]) -> None:
    """A group that was not read in full resolves nothing, and leaves other groups alone."""
    other = answer(permission("tcp", 22, 22, WORLD), group_id="sg-2")
    state = known(found(), found(other))
    statuses = {
        finding.group_id: finding.status
        for finding in reconcile(state, [found(answer(now))], [OK], NOW)
        if finding.kind == "exposure"
    }
    assert statuses == {"sg-1": Status.UNVERIFIED, "sg-2": Status.RESOLVED}


def test_a_group_without_an_id_may_be_any_group() -> None:
    """Where EC2 does not say which group it tells of, no group of the target is resolved."""
    nameless = {key: value for key, value in SSH.items() if key != "GroupId"}
    seen = reports.read(nameless).findings
    statuses = {
        finding.group_id: finding.status
        for finding in reconcile(known(found()), seen, [OK], NOW)
        if finding.kind == "exposure"
    }
    assert statuses == {"sg-1": Status.UNVERIFIED, "unknown": Status.NEW}


def test_a_rule_that_can_be_judged_again_is_resolved() -> None:
    """A malformed rule that is gone is gone, although another one is there."""
    before = found(answer(permission("tcp", 30, 20, WORLD)))
    after = found(answer(permission("tcp", 31, 21, WORLD)))
    by_id = {each.id: each.status for each in reconcile(known(before), [after], [OK], NOW)}
    assert by_id == {before.id: Status.RESOLVED, after.id: Status.NEW}


def test_a_wider_rule_is_a_new_finding() -> None:
    """The narrower one is resolved; a changed name or an identical rule anew changes nothing."""
    wider = found(answer(permission("tcp", 22, 23, WORLD)))
    renamed = found(answer(permission("6", 22, 22, WORLD), name="renamed") | {"Tags": []})
    widened = {each.id: each.status for each in reconcile(known(found()), [wider], [OK], NOW)}
    assert widened == {wider.id: Status.NEW, found().id: Status.RESOLVED}
    (same,) = reconcile(known(found()), [renamed], [OK], NOW)
    assert same.status is Status.OPEN


def test_what_got_worse_is_said() -> None:
    """An interface with a public address raises the severity of what was open before."""
    address = {"NetworkInterfaceId": "e", "Groups": [{"GroupId": "sg-1"}]}
    public = found(NetworkInterfaces=[address | {"Association": {"PublicIp": "8.8.8.8"}}])
    unattached = found(NetworkInterfaces=[])
    (worse,) = reconcile(known(unattached), [public], [OK], NOW)
    (better,) = reconcile(known(public), [unattached], [OK], NOW)
    assert (worse.status, worse.worsened_from) == (Status.OPEN, Severity.MEDIUM)
    assert better.worsened_from is None


def test_not_knowing_what_is_attached_makes_nothing_worse() -> None:
    """Nor does it hide that something got worse meanwhile."""
    address = {"NetworkInterfaceId": "e", "Groups": [{"GroupId": "sg-1"}]}
    public = found(NetworkInterfaces=[address | {"Association": {"PublicIp": "8.8.8.8"}}])
    unattached, unknown = found(NetworkInterfaces=[]), found()
    (meanwhile,) = reconcile(known(unattached), [unknown], [OK], NOW)
    assert (unknown.attachment, meanwhile.worsened_from) == (Attachment.UNKNOWN, None)
    after = next_state(known(unattached), report((meanwhile,)), mailed=False, is_full_digest=False)
    (worse,) = reconcile(after, [public], [OK], NOW)
    assert worse.worsened_from is Severity.MEDIUM


def test_what_is_unverified_is_known_as_it_was() -> None:
    """An accepted finding that nobody could look at comes back as what it was."""
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
def test_what_was_resolved_is_remembered_for_90_days(resolved_at: str, status: Status) -> None:
    """What opens again after that is new."""
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
def test_coverage_that_got_worse_or_recovered(
    before: dict[Target, str],
    now: dict[Target, str],
    lost: tuple[Target, ...],
    regained: tuple[Target, ...],
    *,
    whole: bool,
) -> None:
    """Each target is compared with itself."""
    state = replace(known(), coverage={key: CoverageStatus(each) for key, each in before.items()})
    coverage = [Coverage(key, CoverageStatus(each)) for key, each in now.items()]
    told = find_changes(state, coverage, ExceptionReview(), is_full=whole)
    assert told is not None
    assert (told.lost, told.regained) == (lost, regained)


def test_a_partial_run_keeps_what_is_known_of_other_targets() -> None:
    """A run that reads one region says nothing about the others' coverage."""
    state = replace(known(), coverage={FRANKFURT: CoverageStatus.DENIED})
    part, whole = report((), OK, is_full=False), report((), OK)
    after = next_state(state, part, mailed=False, is_full_digest=False)
    assert after.coverage == {FRANKFURT: CoverageStatus.DENIED, IRELAND: CoverageStatus.OK}
    assert next_state(state, whole, mailed=False, is_full_digest=False).coverage == {
        IRELAND: CoverageStatus.OK
    }


def test_the_end_of_an_exception_is_announced_once_each() -> None:
    """Once when it draws near, once when it has come; until a mail has said so."""
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
        told = find_changes(state, [OK], exceptions, is_full=True)
        assert told is not None
        return told.ending

    near, over = ExceptionReview(expiring=(accepted,)), ExceptionReview(expired=(accepted,))
    unsaid = next_state(
        known(), replace(report(()), exceptions=near), mailed=False, is_full_digest=False
    )
    said = next_state(
        known(), replace(report(()), exceptions=near), mailed=True, is_full_digest=False
    )
    assert ending(unsaid, near) == (accepted,)
    assert ending(said, near) == ()
    assert ending(said, over) == (accepted,)


def test_the_history_has_the_runs_figures() -> None:
    """What opened, what was resolved, what is open and what could not be read."""
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
