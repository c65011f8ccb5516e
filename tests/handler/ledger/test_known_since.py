"""Since when an opening is known, what it was before, and what still opens a resolved one."""

import pytest

from handler.model.finding import Change, Status
from tests.support.ledger_runs import Step, follow
from tests.support.network import WORLD_V6
from tests.support.security_groups import permission
from tests.support.steps import (
    APART,
    ATTACHED,
    CLOSED,
    DAY,
    DETACHED,
    HTTP,
    OPEN,
    RANGE,
    SSH,
    START,
    TOGETHER,
    A,
    one,
    simulate,
    ssh,
    tcp,
)

ALL, BOTH = (permission("-1", None, None, *sources) for sources in ((A,), (A, WORLD_V6)))


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        pytest.param([one(SSH, ALL), one(ALL)], "all traffic", id="part-of-all-traffic"),
        pytest.param([one(SSH, BOTH), one(BOTH)], "all traffic", id="one-family"),
        pytest.param(
            [TOGETHER, APART],
            "no interface carries them together; what each opens alone is listed",
            id="several-groups",
        ),
    ],
)
def test_a_resolved_finding_names_what_still_opens_a_part(steps: list[Step], named: str) -> None:
    """Its detail names the openings that are as they were and let in some of the same."""
    resolved = simulate(steps)[-1].report.with_status(Status.RESOLVED)
    assert [named in (finding.detail or "") for finding in resolved] == [True]


@pytest.mark.parametrize(
    ("days", "status"),
    [pytest.param(90, Status.REOPENED, id="90"), pytest.param(91, Status.NEW, id="91")],
)
def test_a_resolved_opening_is_remembered_for_90_days(days: int, status: Status) -> None:
    """Within 90 days after it was resolved it is reopened, after that it is new."""
    closed = simulate([OPEN, CLOSED])[-1]
    idle = follow(closed.state, CLOSED, START + (days - 1) * DAY)
    (again,) = follow(idle.state, OPEN, START + (days + 1) * DAY).report.findings
    assert again.status is status


@pytest.mark.parametrize(
    ("steps", "first", "changed"),
    [
        pytest.param([OPEN, OPEN], 0, 0, id="same"),
        pytest.param([OPEN, CLOSED, OPEN], 0, 2, id="reopened"),
        pytest.param([one(ssh(A)), OPEN], 0, 1, id="more-addresses"),
        pytest.param([OPEN, one(RANGE)], 0, 1, id="more-ports"),
        pytest.param([OPEN, one(tcp(20, 22)), one(RANGE)], 0, 2, id="twice-more-ports"),
        pytest.param([OPEN, one(SSH, HTTP), one(tcp(22, 80))], 0, 2, id="earliest-of-two"),
        pytest.param([one(RANGE), OPEN], 0, 0, id="fewer-ports"),
        pytest.param([one(tcp(20, 22), tcp(23, 25)), one(RANGE)], 0, 0, id="rewritten"),
        pytest.param([DETACHED, ATTACHED], 0, 1, id="more-severe"),
    ],
)
def test_since_when_an_opening_is_known(steps: list[Step], first: int, changed: int) -> None:
    """first_seen is the earliest of what it grew out of, changed_at when it last grew or opened."""
    (finding,) = simulate(steps)[-1].report.open
    dates = [f"2026-11-{2 + day:02}T06:00:00Z" for day in (first, changed)]
    assert [finding.first_seen, finding.changed_at] == dates


def test_five_previous_openings_are_named_and_the_others_counted() -> None:
    """A range in the place of seven ports names five of them and counts seven."""
    ports = [tcp(port, port) for port in range(8000, 8014, 2)]
    (finding,) = simulate([one(*ports), one(tcp(8000, 8012))])[-1].report.findings
    assert finding.change is Change.WIDENED
    assert (len(finding.previously), finding.previously_count) == (5, 7)


def test_previously_says_who_got_in() -> None:
    """What a widened opening was has its traffic, addresses, reach and severity."""
    (finding,) = simulate([one(ssh(A)), one(RANGE)])[-1].report.findings
    (before,) = finding.previously
    was = before.traffic.text, before.cidrs, before.reach, before.severity
    assert was == ("tcp/22", (A,), "wide", "high")
