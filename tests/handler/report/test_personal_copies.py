"""Who hears of what they have opened."""

from dataclasses import replace
from typing import Any

import pytest

from handler.attribution.actor import actor_of
from handler.model.audit_report import Report
from handler.model.finding import Change, Status
from handler.model.opened_by import Actor, ActorKind
from handler.report.personal_copies import copies_of
from tests.support import reports
from tests.support.cloudtrail import ACCOUNT, OTHER_ACCOUNT, iam_user, role
from tests.support.openers import ALICE
from tests.support.security_groups import answer, permission

CENTER_PATH = "/aws-reserved/sso.amazonaws.com/"
CENTER_ROLE = "AWSReservedSSO_Admin_0123456789abcdef"
ADDRESS = "alice@example.com"


def report(*actors: Actor, status: Status = Status.NEW) -> Report:
    """A report with a finding that each of them has opened."""
    groups = [
        answer(permission("tcp", 22, 22, "0.0.0.0/0"), group_id=f"sg-{n}", name=f"group-{n}")
        for n in range(len(actors))
    ]
    made = reports.of(reports.read(*groups), reports.DENIED)
    findings = (
        finding._replace(status=status, opened_by=ALICE._replace(actor=actor))
        for finding, actor in zip(made.findings, actors, strict=True)
    )
    return replace(made, findings=tuple(findings))


@pytest.mark.parametrize(
    ("actor", "copied"),
    [
        pytest.param(actor_of(iam_user(ADDRESS)), [ADDRESS], id="iam-user"),
        pytest.param(actor_of(iam_user("alice@EXAMPLE.com")), ["alice@EXAMPLE.com"], id="case"),
        pytest.param(
            actor_of(role(CENTER_ROLE, ADDRESS, CENTER_PATH)), [ADDRESS], id="identity-center"
        ),
        pytest.param(actor_of(role("Deploy", ADDRESS)), [], id="session-name"),
        pytest.param(actor_of(role(CENTER_ROLE, ADDRESS)), [], id="role-named-like-a-reserved-one"),
        pytest.param(
            actor_of(role(CENTER_ROLE, ADDRESS, f"/x:role{CENTER_PATH}")),
            [],
            id="role-with-a-path-like-a-reserved-one",
        ),
        pytest.param(actor_of(iam_user(ADDRESS, OTHER_ACCOUNT), ACCOUNT), [], id="other-account"),
        pytest.param(
            actor_of(iam_user(ADDRESS) | {"invokedBy": "cloudformation.amazonaws.com"}),
            [],
            id="cloudformation",
        ),
        pytest.param(
            Actor(ActorKind.FEDERATED_USER, f"federated user {ADDRESS}", ADDRESS),
            [],
            id="federated",
        ),
        pytest.param(actor_of(iam_user("alice@mail.example.com")), [], id="subdomain"),
        pytest.param(actor_of(iam_user("alice@example.com.evil.org")), [], id="longer-domain"),
        pytest.param(actor_of(iam_user("alice@evilexample.com")), [], id="another-domain"),
        pytest.param(actor_of(iam_user("alice")), [], id="no-address"),
        pytest.param(actor_of({"type": "Root"}), [], id="root"),
    ],
)
def test_who_is_copied(actor: Actor, copied: list[str]) -> None:
    """Users with an address of exactly one of the domains, whose name an administrator gave."""
    assert [address for address, _ in copies_of(report(actor), ["example.com"])] == copied


def test_each_person_has_their_own_findings() -> None:
    """Nothing of what others have opened, of other regions, nor of exceptions is in it."""
    bob = "bob@example.com"
    made = report(*(actor_of(iam_user(name)) for name in (ADDRESS, bob, ADDRESS)))
    copies = dict(copies_of(made, ["example.com"]))
    names = {
        address: [finding.group_name for finding in copy.findings]
        for address, copy in copies.items()
    }
    assert names == {ADDRESS: ["group-0", "group-2"], bob: ["group-1"]}
    assert [coverage.target for coverage in copies[bob].coverage] == [reports.IRELAND]


@pytest.mark.parametrize(
    ("fields", "copied"),
    [
        pytest.param({"status": Status.NEW}, [ADDRESS], id="new"),
        pytest.param({"status": Status.REOPENED}, [ADDRESS], id="opened-again"),
        pytest.param({"change": Change.WIDENED}, [ADDRESS], id="widened"),
        pytest.param({"change": Change.WORSENED}, [], id="worse-by-what-others-did"),
        pytest.param({"status": Status.REOPENED, "origins": ("1",)}, [], id="no-longer-accepted"),
        pytest.param({}, [], id="open"),
    ],
)
def test_a_person_hears_of_an_opening_once(fields: dict[str, Any], copied: list[str]) -> None:
    """In the run in which it was opened or made wider."""
    made = report(actor_of(iam_user(ADDRESS)), status=Status.OPEN)
    made = replace(made, findings=tuple(f._replace(**fields) for f in made.findings))
    assert [address for address, _ in copies_of(made, ["example.com"])] == copied
