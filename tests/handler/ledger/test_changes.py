"""What differs from the last run besides the findings, and what becomes of the ledger's figures."""

from dataclasses import replace

import pytest

from handler.audit import build_report
from handler.ledger.changes import find_changes
from handler.ledger.next_state import next_state
from handler.ledger.reconcile import Reconciled
from handler.ledger.state import LedgerState, TargetState
from handler.model.audit_report import Changes, Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Severity, Status
from handler.model.network import Target
from handler.model.policy_exception import ExceptionReview
from handler.model.run import Coverage, CoverageStatus, Scan
from handler.policy.policy import Policy
from tests.support import reports
from tests.support.reports import FRANKFURT, IRELAND
from tests.support.security_groups import answer, permission

AT = "2026-11-22T06:00:00Z"
EVERY = Target(IRELAND.account, "all")
OK = Coverage(IRELAND, CoverageStatus.OK)
WORLD = "0.0.0.0/0"
SSH = answer(permission("tcp", 22, 22, WORLD))
DATABASE = answer(permission("tcp", 5432, 5432, WORLD), group_id="sg-2")
FIRST = reports.of(reports.read(SSH), previous=LedgerState())


def with_targets(statuses: dict[Target, str]) -> LedgerState:
    """A state in which the last readings of targets ended like that."""
    targets = {t: TargetState(CoverageStatus(status), AT) for t, status in statuses.items()}
    return LedgerState(targets=targets)


def changes(
    state: LedgerState | None,
    coverage: list[Coverage],
    exceptions: ExceptionReview | None = None,
    *,
    is_full: bool = True,
) -> Changes | None:
    """The changes of a run that found nothing."""
    review = exceptions or ExceptionReview()
    return find_changes(state, Reconciled(()), coverage, review, is_full=is_full)


@pytest.mark.parametrize(
    ("before", "now", "is_full", "lost", "regained", "left_out"),
    [
        pytest.param({IRELAND: "ok"}, {IRELAND: "ok"}, True, (), (), (), id="same"),
        pytest.param({IRELAND: "ok"}, {IRELAND: "denied"}, True, (IRELAND,), (), (), id="lost"),
        pytest.param({IRELAND: "failed"}, {IRELAND: "ok"}, True, (), (IRELAND,), (), id="regained"),
        pytest.param({IRELAND: "failed"}, {IRELAND: "denied"}, True, (), (), (), id="still-not"),
        pytest.param({}, {IRELAND: "ok"}, True, (), (), (), id="another-target"),
        pytest.param({}, {IRELAND: "denied"}, True, (IRELAND,), (), (), id="another-is-denied"),
        pytest.param(
            {EVERY: "denied"}, {IRELAND: "ok"}, True, (), (EVERY,), (), id="regions-listed-again"
        ),
        pytest.param({EVERY: "denied"}, {IRELAND: "ok"}, False, (), (), (), id="part"),
        pytest.param({EVERY: "ok"}, {EVERY: "denied"}, True, (EVERY,), (), (), id="none-listed"),
        pytest.param(
            {IRELAND: "ok"}, {FRANKFURT: "ok"}, True, (), (), (IRELAND,), id="no-longer-asked-for"
        ),
    ],
)
def test_lost_and_regained_targets(
    before: dict[Target, str],
    now: dict[Target, str],
    lost: tuple[Target, ...],
    regained: tuple[Target, ...],
    left_out: tuple[Target, ...],
    *,
    is_full: bool,
) -> None:
    """Each target's coverage is compared with its own before the run."""
    coverage = [Coverage(target, CoverageStatus(status)) for target, status in now.items()]
    found = changes(with_targets(before), coverage, is_full=is_full)
    assert found is not None
    assert (found.lost, found.regained, found.left_out) == (lost, regained, left_out)


def test_without_a_state_there_are_no_changes() -> None:
    """Where it is not known what was before, findings are open and the changes are None."""
    report = reports.of(reports.read(SSH))
    assert [finding.status for finding in report.findings] == [Status.OPEN]
    assert report.changes is None
    assert changes(None, [OK]) is None


@pytest.mark.parametrize(
    ("is_full", "digest_at", "is_first"),
    [
        pytest.param(True, None, True, id="no-digest-yet"),
        pytest.param(True, AT, False, id="after-a-digest"),
        pytest.param(False, None, False, id="a-part"),
    ],
)
def test_the_first_run_is_a_whole_one(
    digest_at: str | None, *, is_full: bool, is_first: bool
) -> None:
    """A run is the first one until a whole run has mailed all that is open."""
    found = changes(LedgerState(last_full_digest_at=digest_at), [OK], is_full=is_full)
    assert found is not None
    assert found.first is is_first


def test_a_run_of_a_part_keeps_other_targets() -> None:
    """A run of one region leaves the stored coverage of others; a whole run drops those left out.

    A region that was not known leaves no trace where a run of a part could not read it.
    """
    state = with_targets({FRANKFURT: "denied"})
    part = reports.of(reports.read(), previous=state, is_full=False)
    after = next_state(state, part, Policy(), None)
    assert {target: read.status.value for target, read in after.targets.items()} == {
        FRANKFURT: "denied",
        IRELAND: "ok",
    }
    whole = reports.of(reports.read(), previous=state)
    assert set(next_state(state, whole, Policy(), None).targets) == {IRELAND}
    denied = reports.of(reports.DENIED, previous=LedgerState(), is_full=False)
    assert next_state(None, denied, Policy(), None).targets == {}


@pytest.mark.parametrize("regions", [("eu-west-1",), ("eu-west-1", "us-east-1")])
def test_a_run_of_a_part_leaves_no_trace_outside_the_settings(regions: tuple[str, ...]) -> None:
    """What it finds in a region that the settings do not name is reported and not remembered."""
    run = FIRST.run._replace(is_full=False, regions=regions)
    elsewhere = reports.read(SSH, target=FRANKFURT)
    report = build_report(run, [elsewhere], Policy(), LedgerState())
    after = next_state(LedgerState(), report, Policy(), DigestKind.FULL)
    assert [finding.status for finding in report.findings] == [Status.NEW]
    assert (after.records, after.targets) == ({}, {})


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
    near, over = ExceptionReview(expiring=(accepted,)), ExceptionReview(expired=(accepted,))
    report = replace(FIRST, exceptions=near)
    endings = []
    for kind in (None, DigestKind.CHANGES):
        state = next_state(None, report, Policy(), kind)
        for review in (near, over):
            found = changes(state, [OK], review)
            endings.append(found.ending if found else None)
    assert endings == [(accepted,), (accepted,), (), (accepted,)]


def test_the_history_has_the_runs_figures() -> None:
    """A run's summary has the numbers of new, resolved and open findings and unread targets."""
    state = next_state(None, FIRST, Policy(), DigestKind.FULL)
    report = reports.of(reports.read(DATABASE), reports.DENIED, previous=state)
    past = next_state(state, report, Policy(), DigestKind.CHANGES).runs[-1]
    assert (past.id, past.opened, past.resolved, past.not_read, past.mailed) == (
        "run-1",
        1,
        1,
        1,
        True,
    )
    assert past.open[Severity.CRITICAL] == 1


def test_an_account_of_which_nothing_is_known_has_no_changes() -> None:
    """Its findings are open since this run; those of other accounts are compared."""
    other = Target("210987654321", "eu-west-1")
    state = next_state(
        None, report_on(reports.read(SSH, target=other)), Policy(), DigestKind.FULL
    )._replace(
        unknown=frozenset({IRELAND.account}),
    )
    report = reports.of(reports.read(SSH), reports.read(DATABASE, target=other), previous=state)
    statuses = {(f.target.account, f.group_id): f.status.value for f in report.findings}
    assert statuses == {
        (IRELAND.account, "sg-1"): "open",
        (other.account, "sg-1"): "resolved",
        (other.account, "sg-2"): "new",
    }


def report_on(*scans: Scan) -> Report:
    """The report of a first run."""
    return reports.of(*scans, previous=LedgerState())


RUN = "run e9 may have announced it"


@pytest.mark.parametrize(
    ("scan", "details"),
    [
        pytest.param(reports.read(DATABASE), [RUN], id="gone"),
        pytest.param(reports.read(SSH), [], id="open"),
        pytest.param(
            reports.read(answer(permission("tcp", 0, 80, WORLD))), [], id="open-as-a-part"
        ),
        pytest.param(reports.DENIED, [], id="not-read"),
    ],
)
def test_what_a_run_that_died_may_have_announced(scan: Scan, details: list[str]) -> None:
    """It is resolved where it was not committed, its target was read and it is not open."""
    state = LedgerState(possibly_mailed={"e9": FIRST.findings})
    report = reports.of(scan, previous=state)
    resolved = report.with_status(Status.RESOLVED)
    assert [finding.detail for finding in resolved] == details
