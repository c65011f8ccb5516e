"""The start function plans a run and starts the state machine, once for each event."""

import json
from contextlib import suppress

import pytest

from handler.event import EventError
from handler.model.run import AuditIncompleteError
from handler.organization.run_objects import RunObjects
from sandbox.aws.faults import Fault
from tests.support.organization import ROOT, MemoryOrganization, refusal
from tests.support.stack import BUCKET

PAYMENTS, SHOP, OLD = "111122223333", "222233334444", "333344445555"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:audit:"


@pytest.fixture(autouse=True)
def members(organization: MemoryOrganization) -> None:
    """Two active accounts, the second one in a unit inside of a unit, and a suspended one."""
    organization.units = {"ou-outer": ["ou-other", "ou-empty", "ou-inner"]}
    organization.join(SHOP, "shop", unit="ou-inner")
    organization.join(PAYMENTS, "payments", unit="ou-outer")
    organization.join(OLD, "old", unit="ou-outer", state="SUSPENDED")


def test_a_schedule_starts_an_execution_named_as_the_event(
    organization: MemoryOrganization,
) -> None:
    """The plan has the active accounts with their names, and says which are left out."""
    assert organization.start(run="e1") == {
        "statusCode": 200,
        "body": "Audit started.",
        "execution": f"{EXECUTION}e1",
    }
    assert organization.executions == {
        "e1": {
            "run": "e1",
            "bucket": "ledger",
            "accounts": "plans/e1/accounts.json",
            "hasAccounts": True,
            "startedAt": "2026-11-23T06:00:00Z",
        }
    }
    assert json.loads(organization.stored("plans/e1/accounts.json")) == [
        {"account": PAYMENTS, "name": "payments"},
        {"account": SHOP, "name": "shop"},
    ]
    assert json.loads(organization.stored("plans/e1/plan.json"))["leftOut"] == [
        {"account": OLD, "name": "old", "state": "SUSPENDED"}
    ]


def test_units_are_listed_with_all_units_below_them(organization: MemoryOrganization) -> None:
    """The outer unit leads to the account of the inner one."""
    organization.configure(units=("ou-outer",))
    organization.start(run="e1")
    accounts = json.loads(organization.stored("plans/e1/accounts.json"))
    assert [account["account"] for account in accounts] == [PAYMENTS, SHOP]


def test_named_accounts_need_no_listing(organization: MemoryOrganization) -> None:
    """A list of accounts is read as it is, without names."""
    organization.listing_error = refusal("ListAccounts", "AccessDeniedException", "No.")
    organization.configure(accounts=(SHOP,))
    organization.start(run="e1")
    assert json.loads(organization.stored("plans/e1/accounts.json")) == [
        {"account": SHOP, "name": None}
    ]


@pytest.mark.parametrize(
    ("first_error", "second_error", "accounts"),
    [
        (None, "AccessDeniedException: No.", [PAYMENTS, SHOP]),
        ("AccessDeniedException: No.", None, []),
    ],
    ids=["listed", "not-listed"],
)
def test_a_second_attempt_starts_what_the_first_one_has_planned(
    organization: MemoryOrganization,
    first_error: str | None,
    second_error: str | None,
    accounts: list[str],
) -> None:
    """The list of the second attempt, which may have another end, counts for nothing."""
    no_entry = refusal("ListAccounts", "AccessDeniedException", "No.")
    organization.listing_error = no_entry if first_error else None
    organization.start(run="e1")
    started = organization.executions.pop("e1")
    organization.listing_error = no_entry if second_error else None
    organization.sleep(60)
    organization.start(run="e1")
    assert organization.executions["e1"] == started
    organization.scan("e1")
    with suppress(AuditIncompleteError):
        organization.report("e1")
    assert sorted(organization.head.accounts) == accounts
    said = "AccessDeniedException: No." in organization.texts[0]
    assert said is bool(first_error)


def test_a_plan_with_a_problem_has_no_accounts(organization: MemoryOrganization) -> None:
    """An attempt that died before it stored its plan has left accounts, which are not read."""
    objects = RunObjects(organization.account.client("s3"), BUCKET, "e1")
    objects.put_once(objects.accounts_key, b'[{"account": "222233334444"}]')
    organization.listing_error = refusal("ListAccounts", "AccessDeniedException", "No entry.")
    organization.start(run="e1")
    assert organization.executions["e1"]["hasAccounts"] is False
    with pytest.raises(AuditIncompleteError):
        organization.report("e1")
    assert "ended without a result" not in organization.texts[0]


def test_an_event_that_is_delivered_again_starts_nothing(
    organization: MemoryOrganization,
) -> None:
    """The answer is the same execution, and the first plan stays."""
    first = organization.start(run="e1")
    plan = organization.stored("plans/e1/accounts.json")
    organization.join("444455556666", "late")
    assert organization.start(run="e1") == first
    assert organization.stored("plans/e1/accounts.json") == plan
    assert len(organization.executions) == 1


def test_an_event_is_started_although_its_plan_is_there(organization: MemoryOrganization) -> None:
    """An attempt that died after storing the plan is continued by the next one."""
    organization.start(run="e1")
    organization.executions.clear()
    organization.start(run="e1")
    assert list(organization.executions) == ["e1"]


def test_a_failed_listing_starts_the_machine_without_accounts(
    organization: MemoryOrganization,
) -> None:
    """The plan has the reason, so that the report can mail it."""
    organization.listing_error = refusal("ListAccounts", "AccessDeniedException", "No entry.")
    organization.start(run="e1")
    assert organization.executions["e1"]["hasAccounts"] is False
    plan = json.loads(organization.stored("plans/e1/plan.json"))
    assert plan["problem"] == "AccessDeniedException: No entry."


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE"])
def test_an_empty_list_is_a_problem(organization: MemoryOrganization, state: str) -> None:
    """Nothing to read must not look clean."""
    for member in organization.members.values():
        member.state = state
    organization.start(run="e1")
    plan = json.loads(organization.stored("plans/e1/plan.json"))
    assert plan["problem"] == "The list has no active account."


def test_an_event_may_name_accounts_and_regions(organization: MemoryOrganization) -> None:
    """Only these are planned, and the plan is of a part."""
    event = {"accounts": [SHOP], "regions": ["eu-west-1"], "dryRun": True}
    organization.start(event, run="e1")
    assert json.loads(organization.stored("plans/e1/accounts.json")) == [
        {"account": SHOP, "name": "shop", "regions": ["eu-west-1"]}
    ]
    run = json.loads(organization.stored("plans/e1/plan.json"))["run"]
    assert (run["isFull"], run["dryRun"], run["trigger"]) == (False, True, "manual")


@pytest.mark.parametrize(
    ("accounts", "expectation"),
    [
        ([], "a list of account IDs of 12 digits in quotes, got []."),
        ([111122223333], "a list of account IDs of 12 digits in quotes, got [111122223333]."),
        (["999999999999"], "among the active accounts to audit, got '999999999999'."),
        ([SHOP, OLD], "among the active accounts to audit, got '333344445555'."),
    ],
)
def test_an_event_that_names_no_account_is_refused(
    organization: MemoryOrganization, accounts: list[object], expectation: str
) -> None:
    """Nothing is planned, and nothing is started."""
    with pytest.raises(EventError) as error:
        organization.start({"accounts": accounts})
    assert str(error.value) == f"the event's accounts must be {expectation}"
    assert organization.executions == {}


def test_a_plan_that_cannot_be_stored_fails_the_start(organization: MemoryOrganization) -> None:
    """Nothing is started; Lambda delivers the event again."""
    organization.account.faults.add(Fault("PutObject", code="AccessDenied", status=403))
    with pytest.raises(Exception, match="AccessDenied"):
        organization.start()
    assert organization.executions == {}


def test_the_root_stands_for_all_accounts(organization: MemoryOrganization) -> None:
    """They are listed at once, wherever they are in the organization."""
    organization.configure(units=(ROOT,))
    organization.start(run="e1")
    assert len(json.loads(organization.stored("plans/e1/accounts.json"))) == 2
