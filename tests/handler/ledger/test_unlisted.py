"""What leaves the list, or comes onto it, by its severity or by the settings."""

from typing import Any

import pytest

from handler.model.finding import Finding
from handler.policy.policy import Policy
from tests.support.ledger_runs import Step
from tests.support.steps import (
    ATTACHED,
    CLOSED,
    DETACHED,
    FEW,
    HTTP,
    OPEN,
    PUBLIC,
    RANGE,
    SSH,
    UNATTACHED,
    A,
    B,
    one,
    policy,
    simulate,
    ssh,
    tcp,
)

FEW_OPEN = one(ssh(FEW))
NARROW = tcp(8000, 8000, "52.0.0.0/20")
LISTED = ["open tcp/22"]


def lines(findings: tuple[Finding, ...]) -> list[str]:
    """Each finding's status and traffic."""
    return [f"{finding.status} {finding.traffic.text}" for finding in findings]


@pytest.mark.parametrize(
    ("steps", "listed", "unlisted", "mails"),
    [
        pytest.param([OPEN, FEW_OPEN], [], ["tcp/22"], True, id="few-addresses"),
        pytest.param([one(RANGE), FEW_OPEN], [], ["tcp/22"], True, id="few-on-fewer-ports"),
        pytest.param(
            [one(NARROW, region=PUBLIC), one(NARROW, region=UNATTACHED)],
            [],
            ["tcp/8000"],
            True,
            id="detached",
        ),
        pytest.param([OPEN, FEW_OPEN, FEW_OPEN], [], [], False, id="once"),
        pytest.param([OPEN, FEW_OPEN, CLOSED], [], [], False, id="closed-later"),
        pytest.param([FEW_OPEN, FEW_OPEN], [], [], False, id="never-listed"),
        pytest.param([FEW_OPEN, CLOSED], [], [], False, id="closed-unlisted"),
        pytest.param([ATTACHED, DETACHED], LISTED, [], False, id="less-severe-but-listed"),
    ],
)
def test_what_falls_below_the_minimum_severity(
    steps: list[Step], listed: list[str], unlisted: list[str], *, mails: bool
) -> None:
    """A listed opening that a change in AWS takes below the minimum is named once as unlisted."""
    last = simulate(steps)[-1]
    changes = last.report.changes
    assert changes is not None
    assert [finding.traffic.text for finding in changes.unlisted] == unlisted
    assert (lines(last.listed), last.kind is not None) == (listed, mails)
    assert changes.dropped == 0


def test_what_is_listed_again_is_announced() -> None:
    """What fell below the minimum severity and is above it again is mailed as a change."""
    last = simulate([OPEN, FEW_OPEN, OPEN])[-1]
    assert [finding.is_change for finding in last.mailed] == [True]


CRITICAL = policy(minimumSeverity="critical")
SSH_AUTHORIZED, HTTP_AUTHORIZED = (policy(authorizedPorts=[p]) for p in ("tcp/22", "tcp/80"))
A_TRUSTED, B_TRUSTED = policy(trustedCidrs=[A]), policy(trustedCidrs=[B])
FROM_A, FROM_BOTH = ssh(A), ssh(A, B)


@pytest.mark.parametrize(
    ("before", "after", "listed", "dropped"),
    [
        pytest.param([SSH], one(SSH, policy=SSH_AUTHORIZED), [], 1, id="authorized"),
        pytest.param(
            [SSH, HTTP], one(SSH, HTTP, policy=HTTP_AUTHORIZED), LISTED, 1, id="one-authorized"
        ),
        pytest.param([SSH], one(SSH, policy=HTTP_AUTHORIZED), LISTED, 0, id="another-authorized"),
        pytest.param([SSH], one(policy=SSH_AUTHORIZED), [], 1, id="authorized-and-closed"),
        pytest.param([FROM_A], one(FROM_A, policy=A_TRUSTED), [], 1, id="trusted"),
        pytest.param([FROM_BOTH], one(FROM_BOTH, policy=B_TRUSTED), LISTED, 0, id="a-part-trusted"),
        pytest.param([SSH], one(SSH, policy=A_TRUSTED), LISTED, 0, id="within-the-world-trusted"),
        pytest.param(
            [FROM_BOTH],
            one(ssh(B), policy=B_TRUSTED),
            ["resolved tcp/22"],
            0,
            id="a-part-trusted-the-other-closed",
        ),
        pytest.param(
            [SSH], one(policy=A_TRUSTED), ["resolved tcp/22"], 0, id="closed-and-something-trusted"
        ),
        pytest.param([FROM_A], one(FROM_A, policy=CRITICAL), [], 1, id="minimum-raised"),
        pytest.param([SSH], one(SSH, policy=CRITICAL), LISTED, 0, id="minimum-raised-to-it"),
    ],
)
def test_what_the_settings_no_longer_assess_is_counted(
    before: list[dict[str, Any]], after: Step, listed: list[str], dropped: int
) -> None:
    """A setting resolves nothing: what it takes off the list is counted, and mailed as a count."""
    last = simulate([one(*before), after])[-1]
    changes = last.report.changes
    assert changes is not None
    assert (lines(last.listed), changes.dropped) == (listed, dropped)
    assert changes.has_new_settings is (dropped > 0)
    assert changes.unlisted == ()
    assert not dropped or last.kind is not None


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(CRITICAL, id="minimum-lowered"),
        pytest.param(A_TRUSTED, id="no-longer-trusted"),
        pytest.param(SSH_AUTHORIZED, id="no-longer-authorized"),
    ],
)
def test_what_the_settings_list_for_the_first_time_is_mailed(before: Policy) -> None:
    """A full digest lists what was open but not listed before the settings changed."""
    last = simulate([one(FROM_A, policy=before), one(FROM_A)])[-1]
    assert last.kind == "full"
    assert [finding.traffic.text for finding in last.mailed] == ["tcp/22"]
