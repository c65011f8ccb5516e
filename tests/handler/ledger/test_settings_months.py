"""Simulated months: reminders, openings that flip, and settings that change."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.ledger.state import LedgerState
from handler.model.digest_kind import DigestKind
from handler.model.finding import Change, Finding, Severity, Status
from handler.model.run import CoverageStatus
from handler.policy.policy import Policy
from tests.support.examples import examples
from tests.support.ledger_runs import Outcome, Step, follow, run
from tests.support.network import WORLD
from tests.support.reports import FRANKFURT
from tests.support.security_groups import answer
from tests.support.steps import (
    APART,
    ATTACHED,
    CLOSED,
    DAY,
    DETACHED,
    FEW,
    HOUR,
    HTTP,
    LOWER,
    OPEN,
    RANGE,
    SSH,
    START,
    TOGETHER,
    UNATTACHED,
    WEEK,
    A,
    B,
    exception,
    lists,
    one,
    simulate,
    ssh,
    tcp,
)


def beside_ssh(*permissions: dict[str, Any], **fields: Any) -> Step:
    """A run that reads SSH open in sg-1, and sg-2 with these permissions."""
    return Step((answer(SSH), answer(*permissions, group_id="sg-2")), **fields)


def full_days(outcomes: Iterable[Outcome]) -> list[int]:
    """The days from the first run on which a full digest was mailed."""
    return [(o.time - START).days for o in outcomes if o.kind is DigestKind.FULL]


# What else a month brings beside SSH that stays open.
QUIET = [beside_ssh() for _ in range(30)]
BUSY = [beside_ssh(tcp(8000 + day, 8000 + day)) for day in range(30)]
HALF_BUSY = [beside_ssh(*([tcp(8000, 8000)] if day % 2 else [])) for day in range(30)]
DENIED_LATER = [
    beside_ssh(status=CoverageStatus.OK if day < 5 else CoverageStatus.DENIED) for day in range(30)
]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(QUIET, id="nothing-changes"),
        pytest.param(BUSY, id="a-port-opens-and-one-closes-each-day"),
        pytest.param(HALF_BUSY, id="a-port-opens-and-closes"),
        pytest.param(DENIED_LATER, id="a-part-of-the-region-is-denied"),
    ],
)
def test_all_that_is_open_is_mailed_every_seven_days(steps: list[Step]) -> None:
    """However much changes, a full digest comes on every seventh day and lists SSH."""
    outcomes = simulate(steps)
    assert full_days(outcomes) == [0, 7, 14, 21, 28]
    for outcome in outcomes:
        if outcome.kind is DigestKind.FULL:
            assert "tcp/22" in {finding.traffic.text for finding in outcome.mailed}


def test_seven_days_are_calendar_days() -> None:
    """A full digest late on a day is followed by one early on the seventh day after it."""
    late, early = START.replace(hour=23, minute=59), START.replace(hour=0)
    first = follow(LedgerState(), OPEN, late)
    sixth = follow(first.state, OPEN, early + 6 * DAY)
    seventh = follow(sixth.state, OPEN, early + 7 * DAY)
    assert [o.kind for o in (first, sixth, seventh)] == [DigestKind.FULL, None, DigestKind.FULL]


@pytest.mark.parametrize(
    ("days", "kind"),
    [pytest.param(-1, None, id="around-midnight"), pytest.param(-2, DigestKind.FULL, id="clock")],
)
def test_a_run_that_began_before_the_last_full_digest(days: int, kind: DigestKind | None) -> None:
    """Of two runs around midnight one mails all that is open; an odd clock stops no full digest."""
    late = START + 7 * DAY
    first = follow(LedgerState(), OPEN, late)
    assert follow(first.state, OPEN, late + days * DAY).kind is kind


def test_a_run_of_a_part_is_no_reminder() -> None:
    """A run of one region mails no full digest on the seventh day; the next whole run does."""
    first = follow(LedgerState(), OPEN, START)
    part = follow(first.state, Step(target=FRANKFURT, is_full=False), START + WEEK)
    whole = follow(part.state, OPEN, START + WEEK + HOUR)
    assert (part.kind, whole.kind) == (None, DigestKind.FULL)


busy_days = st.builds(
    beside_ssh,
    st.builds(
        tcp,
        st.integers(20, 23),
        st.integers(23, 26),
        st.sampled_from([WORLD, LOWER, A, FEW]),
    ),
    status=st.sampled_from([CoverageStatus.OK] * 5 + [CoverageStatus.FAILED]),
)


@examples(25, in_ci=50)
@given(st.lists(busy_days, min_size=30, max_size=30))
def test_every_urgent_opening_is_in_a_mail_a_week(steps: list[Step]) -> None:
    """No opening of high severity or above is open for seven days without being in a mail."""
    days_unmailed: Counter[str] = Counter()
    for outcome in simulate(steps):
        mailed = {finding.id for finding in outcome.mailed}
        urgent = {f.id for f in outcome.report.open if f.severity.is_at_least(Severity.HIGH)}
        days_unmailed.update(urgent - mailed)
        for finding_id in mailed:
            del days_unmailed[finding_id]
        assert max(days_unmailed.values(), default=0) < 7


FLIPS = [
    pytest.param(OPEN, CLOSED, id="opened-and-closed"),
    pytest.param(OPEN, one(ssh(LOWER)), id="more-and-fewer-addresses"),
    pytest.param(one(ssh(A)), one(ssh(B)), id="other-addresses"),
    pytest.param(OPEN, one(RANGE), id="more-and-fewer-ports"),
    pytest.param(one(tcp(20, 22)), one(tcp(22, 25)), id="other-ports"),
    pytest.param(OPEN, one(ssh(FEW)), id="below-the-minimum"),
    pytest.param(ATTACHED, DETACHED, id="attached-and-detached"),
    pytest.param(one(ssh("pl-1")), one(ssh("pl-1"), region=lists("10.0.0.0/8")), id="unreadable"),
    pytest.param(TOGETHER, APART, id="several-groups"),
]


@pytest.mark.parametrize(("step", "other"), FLIPS)
@pytest.mark.parametrize("starts_with", [0, 1])
def test_what_flips_hourly_causes_three_mails_a_week(
    step: Step, other: Step, starts_with: int
) -> None:
    """In any seven days at most three mails are about changes of what changes back every hour."""
    scans = [step.scan(), other.scan()]
    state = LedgerState()
    mails: dict[DigestKind | None, list[Outcome]] = {kind: [] for kind in (None, *DigestKind)}
    for hour in range(16 * 24):
        at = START + hour * HOUR
        outcome = run(state, [scans[(hour + starts_with) % 2]], at, Policy())
        state = outcome.state
        mails[outcome.kind].append(outcome)
    changes = mails[DigestKind.CHANGES]
    for first, fourth in zip(changes, islice(changes, 3, None), strict=False):
        assert fourth.time - first.time >= WEEK
    reminders = [outcome.time.date() for outcome in mails[DigestKind.FULL]]
    for last, reminder in pairwise(reminders):
        assert reminder - last >= WEEK


def flipping(step: Step, other: Step, hours: int = 24) -> list[Outcome]:
    """The outcomes of a day in which one step and another come in turn, the first one last."""
    return simulate([other, step] * (hours // 2), HOUR)


def test_what_flips_is_unstable() -> None:
    """After three flips it is damped, and says how often it has changed since when."""
    first, *_, last = flipping(OPEN, CLOSED)
    (finding,) = last.report.open
    assert (last.kind, finding.is_damped) == (None, True)
    assert finding.flips >= 3
    assert finding.flipping_since is not None
    assert all(not finding.is_damped for finding in first.report.findings)


@pytest.mark.parametrize(
    ("days", "kind"),
    [pytest.param(6, None, id="6"), pytest.param(8, DigestKind.CHANGES, id="8")],
)
def test_seven_days_without_a_flip_end_it(days: int, kind: DigestKind | None) -> None:
    """What has not flipped for that many days causes a mail again when it does."""
    unstable = flipping(OPEN, CLOSED)
    quiet = simulate([OPEN] * (days - 1), DAY, unstable)
    assert simulate([CLOSED], DAY, quiet)[-1].kind is kind


@pytest.mark.parametrize(
    ("step", "other", "then", "announced"),
    [
        pytest.param(OPEN, CLOSED, one(SSH, tcp(3389, 3389)), "new tcp/3389", id="another-port"),
        pytest.param(
            beside_ssh(SSH),
            beside_ssh(),
            beside_ssh(SSH, tcp(3389, 3389)),
            "new tcp/3389",
            id="beside-another-group",
        ),
        pytest.param(one(ssh(LOWER)), CLOSED, OPEN, "widened tcp/22", id="more-addresses"),
        pytest.param(
            one(ssh(A)),
            one(ssh(B)),
            one(ssh(A, B, "56.0.0.0/8")),
            "widened tcp/22",
            id="more-than-both",
        ),
        pytest.param(OPEN, CLOSED, one(RANGE), "widened tcp/20-25", id="more-ports"),
        pytest.param(
            DETACHED,
            one(region=UNATTACHED),
            ATTACHED,
            "worsened tcp/22",
            id="more-severe",
        ),
    ],
)
def test_more_than_was_announced_is_never_damped(
    step: Step, other: Step, then: Step, announced: str
) -> None:
    """What is new, wider or worse than anything mailed in the week is mailed at once."""
    last = simulate([then], HOUR, flipping(step, other))[-1]
    mailed = {f"{f.change or f.status} {f.traffic.text}" for f in last.mailed if f.is_change}
    assert announced in mailed


@pytest.mark.parametrize(
    ("step", "other", "then"),
    [
        pytest.param(OPEN, CLOSED, CLOSED, id="closed"),
        pytest.param(one(ssh(LOWER)), OPEN, one(ssh(A)), id="fewer-addresses-than-both"),
        pytest.param(
            DETACHED,
            ATTACHED,
            ATTACHED,
            id="as-severe-as-before",
        ),
    ],
)
def test_what_was_announced_in_the_week_is_damped(step: Step, other: Step, then: Step) -> None:
    """A flip to no more than was mailed in the week causes no mail."""
    assert simulate([then], HOUR, flipping(step, other))[-1].kind is None


def test_a_damped_change_stands_in_the_next_mail() -> None:
    """What closed without a mail of its own is resolved in a report that is mailed for another."""
    unstable = flipping(beside_ssh(tcp(3389, 3389)), beside_ssh())
    last = simulate([beside_ssh(tcp(23, 23))], HOUR, unstable)[-1]
    assert last.kind is DigestKind.CHANGES
    assert [f.traffic.text for f in last.with_status(Status.RESOLVED)] == ["tcp/3389"]


# Every port has its own sources, so that an opening has one id under every policy.
ALL_OPEN = (
    answer(
        SSH,
        tcp(3306, 3306, A),
        tcp(5432, 5432, A, B),
        tcp(8000, 8000),
        HTTP,
        tcp(9200, 9200, "52.0.0.0/20"),
    ),
)
policies = st.builds(
    lambda **keys: Policy.parse(keys),
    minimumSeverity=st.sampled_from(["info", "low", "low", "medium", "high", "critical"]),
    trustedCidrs=st.sets(st.sampled_from([A, B, "52.0.0.0/20"])).map(sorted),
    authorizedPorts=st.sets(st.sampled_from(["tcp/22", "tcp/80", "tcp/5000-9000"])).map(sorted),
    exceptions=st.sets(st.sampled_from(["tcp/22", "tcp/3306", "tcp/5432"])).map(
        lambda ports: [exception(port) for port in sorted(ports)]
    ),
)


def listed(outcome: Outcome) -> dict[str, Finding]:
    """The open findings that people are shown, by id."""
    return {finding.id: finding for finding in outcome.report.listed(outcome.report.open)}


@examples(100, in_ci=200)
@given(st.lists(policies, min_size=2, max_size=6))
def test_settings_resolve_and_hide_nothing(steps: list[Policy]) -> None:
    """Where only settings change, what leaves the list is counted, and what comes is mailed.

    Nothing is resolved, and nothing gets narrower or worse.
    """
    outcomes = simulate(Step(ALL_OPEN, policy=policy) for policy in steps)
    for (before, after), (old, new) in zip(pairwise(outcomes), pairwise(steps), strict=True):
        changes = after.report.changes
        assert changes is not None
        assert not changes.has_new_settings or old != new
        assert not after.report.with_status(Status.RESOLVED)
        changed = {finding.change for finding in after.report.findings}
        assert not changed & {Change.NARROWED, Change.WORSENED}
        excepted = {finding.id for finding in after.with_status(Status.EXCEPTED)}
        was, now = listed(before), listed(after)
        left = was.keys() - now.keys() - excepted
        was_excepted = {finding.id for finding in before.with_status(Status.EXCEPTED)}
        # What was accepted may be accepted no longer and fall off the list at the same time.
        gone_too = was_excepted - now.keys() - excepted
        assert len(left) <= changes.dropped <= len(left) + len(gone_too)
        assert changes.unlisted == ()
        assert after.kind or not left
        mailed = {finding.id for finding in after.mailed}
        assert now.keys() - was.keys() <= mailed
        gained = [i for i in now.keys() & was.keys() if _has_more(now[i], was[i])]
        assert after.kind or not gained
        assert after.kind is None or old != new


def _has_more(finding: Finding, before: Finding) -> bool:
    return finding.address_set.size > before.address_set.size


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {"minimumSeverity": "high"}, id="minimum-raised"),
        pytest.param({"minimumSeverity": "high"}, {}, id="minimum-lowered"),
        pytest.param({}, {"trustedCidrs": [B]}, id="trusted"),
        pytest.param({"trustedCidrs": [B]}, {}, id="no-longer-trusted"),
        pytest.param({}, {"authorizedPorts": ["tcp/80"]}, id="authorized"),
        pytest.param({"authorizedPorts": ["tcp/80"]}, {}, id="no-longer-authorized"),
        pytest.param({}, {"exceptions": [exception("tcp/80")]}, id="exception"),
        pytest.param({"exceptions": [exception("tcp/80")]}, {}, id="exception-withdrawn"),
    ],
)
def test_what_closes_while_settings_change_is_resolved(
    before: dict[str, object], after: dict[str, object]
) -> None:
    """SSH that is closed in the same run in which other settings change is resolved and mailed."""
    runs = simulate(
        [
            one(SSH, HTTP, policy=Policy.parse(before)),
            one(HTTP, policy=Policy.parse(after)),
        ],
        DAY,
    )
    assert [f.traffic.text for f in runs[-1].with_status(Status.RESOLVED)] == ["tcp/22"]
    assert runs[-1].kind is not None


HALF, NONE = one(ssh(LOWER), region=UNATTACHED), one(region=UNATTACHED)


def test_what_flapped_is_said_as_it_ended() -> None:
    """When seven days pass without a change, a mail says what is wider than the last one said."""
    outcomes = simulate([HALF, DETACHED, HALF, DETACHED], HOUR)
    assert outcomes[-1].kind is None
    later = simulate([DETACHED] * 9, DAY, outcomes)[len(outcomes) :]
    (mailed,) = [outcome for outcome in later if outcome.kind]
    (finding,) = mailed.mailed
    assert (finding.change, finding.previously[0].cidrs) == (Change.WIDENED, ("0.0.0.0/1",))


def test_a_run_of_another_region_resolves_nothing_that_flapped() -> None:
    """Only a run that reads its region says that what kept coming and going is gone."""
    outcomes = simulate([DETACHED, *[NONE, DETACHED] * 2, NONE], HOUR)
    elsewhere = Step(target=FRANKFURT, is_full=False)
    later = simulate([elsewhere] * 9, DAY, outcomes)[len(outcomes) :]
    assert not [o for o in later if o.kind or o.report.with_status(Status.RESOLVED)]
    (ended,) = simulate([NONE], DAY, [*outcomes, *later])[-1:]
    assert [f.status for f in ended.report.findings] == [Status.RESOLVED]
    assert ended.kind is not None
