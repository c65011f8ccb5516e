"""Many accounts with the deployed zip: from the schedule through the state machine to the mail."""

import csv
import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import product
from math import inf
from pathlib import Path

import pytest

from sandbox.aws.faults import Fault
from sandbox.aws.functions import caller_of
from tests.end_to_end.conftest import Installer
from tests.end_to_end.organization import REGION, DeployedOrganization, deploy, fill_three, text_of

SHOP, PAYMENTS, TOOLS = "210000000001", "210000000002", "210000000003"
ROLE = "security-group-audit"


Install = Installer[DeployedOrganization]


@pytest.fixture(scope="module")
def install(project: Path) -> Iterator[Install]:
    """Deploys stack dev, with some settings, for three accounts."""
    installer = Installer(partial(deploy, project, fill_three))
    yield installer
    installer.remove()


@pytest.fixture
def deployed(install: Install) -> DeployedOrganization:
    """Three accounts, of which shop opens SSH and payments PostgreSQL."""
    return install()


@pytest.fixture
def own(install: Install) -> Iterator[DeployedOrganization]:
    """The same for a test that changes the organization or the state machine."""
    install.remove()
    yield install()
    install.remove()


def refuse(deployed: DeployedOrganization, account_id: str) -> None:
    """Let the role of the audit in an account trust that account only."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = deployed.account.client("iam", account_id=account_id)
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)


def test_one_mail_has_all_accounts_by_name(deployed: DeployedOrganization) -> None:
    """Each finding is in the mail and its CSV with the name of its account."""
    assert deployed.run() == "SUCCEEDED"
    (mail,) = deployed.mails()
    (attached,) = mail.message.iter_attachments()
    rows = list(csv.DictReader(io.StringIO(attached.get_content())))
    named = {(row["account"], row["accountName"], row["groupName"]) for row in rows}
    assert named == {
        (SHOP, "shop", "shop-bastion"),
        (PAYMENTS, "payments", "payments-database"),
    }
    assert mail.recipients == ("security@example.com",)


def test_a_child_that_dies_with_its_scan_stored_is_read(deployed: DeployedOrganization) -> None:
    """The first scan stays: the note that the child failed is not stored over it."""
    scan = Fault("PutObject", containing=f"{PAYMENTS}.json", kill=True, answered=True, times=1)
    deployed.account.faults.add(scan)
    assert deployed.run() == "SUCCEEDED"
    assert "payments-database" in deployed.text()


def test_a_throttled_child_is_tried_again(deployed: DeployedOrganization) -> None:
    """While the account runs as many functions as it may, Lambda refuses; then the scan runs."""
    throttled = Fault(
        "Invoke", containing=PAYMENTS, code="TooManyRequestsException", status=429, times=5
    )
    deployed.account.faults.add(throttled)
    assert deployed.run() == "SUCCEEDED"
    assert "payments-database" in deployed.text()


def test_accounts_that_cannot_be_listed_are_mailed(deployed: DeployedOrganization) -> None:
    """The mail has AWS's words, and the execution fails."""
    denied = Fault("ListAccountsForParent", code="AccessDeniedException", message="No.")
    deployed.account.faults.add(denied)
    assert deployed.run() == "FAILED"
    assert "AccessDeniedException: No." in deployed.text()


def test_a_map_that_is_not_carried_out_is_mailed(deployed: DeployedOrganization) -> None:
    """All accounts are said to be not read."""
    machine = deployed.account.client("stepfunctions").describe_state_machine(
        stateMachineArn=deployed.outputs["stateMachineArn"]
    )
    caller = caller_of(machine["roleArn"])
    deployed.account.faults.add(Fault("GetObject", code="SlowDown", status=503, caller=caller))
    assert deployed.run() == "FAILED"
    text = deployed.text()
    assert text.startswith("Nothing could be read in 3 accounts")
    assert "its scan ended without a result" in text


def test_a_plan_that_s3_refuses_is_read_by_the_next_attempt(
    deployed: DeployedOrganization,
) -> None:
    """The function asks twice and fails, the state machine starts it again, and it mails once."""
    report = deployed.caller("report")
    slow = Fault(
        "GetObject", containing="plan.json", code="SlowDown", status=503, caller=report, times=2
    )
    deployed.account.faults.add(slow)
    assert deployed.run() == "SUCCEEDED"
    assert "shop-bastion" in deployed.text()


def test_the_same_event_starts_one_run(deployed: DeployedOrganization) -> None:
    """The second start answers with the execution of the first; there is one mail."""
    event = {"id": "e-1", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    answers = [json.loads(deployed.start(event).payload) for _ in range(2)]
    deployed.executions()
    answers.append(json.loads(deployed.start(event).payload))
    (execution,) = deployed.executions()
    assert [answer["execution"] for answer in answers] == [execution.execution_arn] * 3
    assert len(deployed.mails()) == 1


def test_a_run_by_hand_names_accounts_and_regions(deployed: DeployedOrganization) -> None:
    """It reads what the event names, and a dry run returns counts and mails nothing."""
    assert deployed.run(accounts=[SHOP], regions=["eu-west-1"]) == "SUCCEEDED"
    text = deployed.text()
    assert "1 region of 1 account read" in text
    assert "payments" not in text
    assert deployed.run(dryRun=True) == "SUCCEEDED"
    assert deployed.mails() == []
    assert deployed.executions()[-1].output["counts"]["targets"] == 6


@pytest.mark.parametrize(
    ("answered", "mails"), [(False, 1), (True, 2)], ids=["before-the-mail", "after-the-mail"]
)
def test_a_report_that_dies_at_its_mail_is_tried_again(
    deployed: DeployedOrganization, *, answered: bool, mails: int
) -> None:
    """The second attempt mails, and says that this may be a repetition."""
    deployed.account.faults.add(Fault("SendEmail", kill=True, times=1, answered=answered))
    assert deployed.run() == "SUCCEEDED"
    sent = [text_of(mail) for mail in deployed.mails()]
    assert len(sent) == mails
    assert "stopped before it could record its mail; this mail may repeat" in sent[-1]
    assert "shop-bastion" in sent[-1]
    assert deployed.run() == "SUCCEEDED"
    assert deployed.mails() == []


def test_a_report_killed_at_any_write_loses_nothing(deployed: DeployedOrganization) -> None:
    """Before or after each write: what is new is mailed, at most twice, and the run succeeds.

    tests/handler/organization kills it before and after every request.
    """
    deployed.run()
    deployed.mails()
    report = deployed.caller("report")
    deployed.open(SHOP, "opening", 21)
    before = len(deployed.account.calls)
    deployed.run()
    deployed.mails()
    calls = deployed.account.calls[before:]
    writes = sum((call.operation, call.caller) == ("PutObject", report) for call in calls)
    assert writes >= 3
    for skip in range(writes):
        answered = skip % 2 == 0
        deployed.open(SHOP, f"opening-{skip}", 21)
        deployed.account.faults.add(
            Fault(
                "PutObject",
                caller=report,
                kill=True,
                times=1,
                skip=skip,
                answered=answered,
            )
        )
        assert deployed.run() == "SUCCEEDED", (skip, answered)
        sent = [text_of(mail) for mail in deployed.mails()]
        deployed.account.faults.clear()
        assert len(sent) in (1, 2), (skip, answered)
        assert f"opening-{skip} " in sent[0], (skip, answered)


def test_a_start_function_killed_at_any_step_starts_one_run(deployed: DeployedOrganization) -> None:
    """Lambda delivers the event again, and what is new is mailed once."""
    starter = caller_of(deployed.outputs["functionName"])
    steps = [("PutObject", 0), ("PutObject", 1), ("StartExecution", 0)]
    for number, ((operation, skip), answered) in enumerate(product(steps, (False, True))):
        deployed.open(SHOP, f"opening-{number}", 21)
        deployed.account.faults.add(
            Fault(operation, caller=starter, kill=True, times=1, skip=skip, answered=answered)
        )
        (delivery,) = deployed.account.events.fire(deployed.outputs["scheduleRule"], REGION)
        assert [run.error for run in delivery.invocations] == ["Unhandled", None]
        assert [execution.status for execution in deployed.executions()] == ["SUCCEEDED"] * (
            number + 1
        )
        assert f"opening-{number} " in deployed.text()


@pytest.mark.parametrize(
    ("fault", "phrase"),
    [
        pytest.param(
            Fault("AssumeRole", containing=PAYMENTS, kill=True),
            "Runtime exited with error",
            id="dies",
        ),
        pytest.param(
            Fault("AssumeRole", containing=PAYMENTS, delay=inf), "Task timed out", id="times-out"
        ),
        pytest.param(
            Fault(
                "Invoke",
                containing=PAYMENTS,
                code="TooManyRequestsException",
                message="Rate Exceeded.",
                status=429,
            ),
            "its scan ended without a result",
            id="throttled-to-the-end",
        ),
    ],
)
def test_a_child_that_fails_is_said_and_stops_no_other(
    install: Install, fault: Fault, phrase: str
) -> None:
    """Its account is not read, with the reason in the mail; the others are as if nothing were."""
    deployed = install(timeout=6)
    deployed.account.faults.add(fault)
    assert deployed.run() == "FAILED"
    text = deployed.text()
    assert phrase in text
    assert "shop-bastion" in text
    deployed.account.faults.clear()
    assert deployed.run() == "SUCCEEDED"
    assert "payments-database" in deployed.text()


def test_a_team_gets_its_own_part(install: Install) -> None:
    """A refused part fails the run; the next main digest says it, and that part is full then."""
    team = "payments@example.com"
    digest = {"accounts": [PAYMENTS], "recipients": [team]}
    deployed = install(digests=[digest])
    assert deployed.run() == "SUCCEEDED"
    main, part = deployed.mails()
    assert (main.recipients, part.recipients) == (("security@example.com",), (team,))
    assert "shop-bastion" in text_of(main)
    assert "shop-bastion" not in text_of(part)
    assert "payments-database" in text_of(part)

    deployed.open(PAYMENTS, "second-database", 3306)
    refused = Fault("SendEmail", containing=team, code="MessageRejected", message="Not verified.")
    deployed.account.faults.add(refused)
    assert deployed.run() == "FAILED"
    (main,) = deployed.mails()
    assert "second-database" in text_of(main)

    deployed.account.faults.clear()
    assert deployed.run() == "SUCCEEDED"
    main, part = deployed.mails()
    assert f"The digest for {team} was not sent" in text_of(main)
    assert "payments-database" in text_of(part)
    assert "second-database" in text_of(part)


def test_a_region_enabled_in_one_account_is_read_there(install: Install) -> None:
    """All regions are those of each account."""
    deployed = install(regions=["all"])
    deployed.account.opt_in("af-south-1", TOOLS)
    deployed.open(TOOLS, "cape-town", 22, "af-south-1")
    assert deployed.run() == "SUCCEEDED"
    assert "cape-town" in deployed.text()


def test_an_account_that_refuses_is_denied_and_the_others_are_read(
    own: DeployedOrganization,
) -> None:
    """The mail has AWS's words and the account's name, and the execution fails at its end."""
    refuse(own, PAYMENTS)
    assert own.run() == "FAILED"
    text = own.text()
    assert "payments" in text
    assert "is not authorized to perform: sts:AssumeRole" in text
    assert "shop-bastion" in text
    assert "payments-database" not in text


def test_a_suspended_account_is_left_out_and_said_once(own: DeployedOrganization) -> None:
    """It is not entered, the run succeeds, and the next mail does not name it."""
    own.join("210000000004", "old-website")
    own.organization.suspend("210000000004")
    assert own.run() == "SUCCEEDED"
    assert "Left out: old-website (210000000004): its state is SUSPENDED" in own.text()
    own.open(SHOP, "opening", 21)
    assert own.run() == "SUCCEEDED"
    assert "old-website" not in own.text()


def test_a_child_whose_task_times_out_is_said_and_stops_no_other(
    own: DeployedOrganization,
) -> None:
    """Where Lambda does not answer at all, the mail has the error of Step Functions."""
    client = own.account.client("stepfunctions")
    machine = own.outputs["stateMachineArn"]
    definition = json.loads(client.describe_state_machine(stateMachineArn=machine)["definition"])
    children = definition["States"]["Scan"]["ItemProcessor"]["States"]
    assert children["Scan account"]["TimeoutSeconds"] == 360
    # Too long for a test.
    children["Scan account"]["TimeoutSeconds"] = 8
    client.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
    own.account.faults.add(Fault("Invoke", containing=PAYMENTS, delay=inf, times=1))
    assert own.run() == "FAILED"
    text = own.text()
    assert f"payments ({PAYMENTS}) (failed): its scan failed: States.Timeout" in text
    assert "shop-bastion" in text


def test_units_without_accounts_are_a_problem(own: DeployedOrganization) -> None:
    """An empty list is never taken for an organization without findings."""
    for account_id in (SHOP, PAYMENTS, TOOLS):
        own.organization.remove(account_id)
    assert own.run() == "FAILED"
    assert "no account" in own.text().lower()


def test_accounts_join_and_leave(own: DeployedOrganization) -> None:
    """An account that joins is audited in the next run; one mail reports an account that leaves."""
    own.run()
    own.mails()
    own.join("210000000004", "search", search_nodes=9200)
    own.organization.remove(PAYMENTS)
    assert own.run() == "SUCCEEDED"
    text = own.text()
    assert "search-nodes" in text
    assert f"Left out: payments ({PAYMENTS}): it is no longer among the accounts" in text
    assert "resolved" not in text.lower()
    assert own.run() == "SUCCEEDED"
    assert own.mails() == []


def test_forty_accounts_in_seventeen_regions(install: Install, project: Path) -> None:
    """A run over 40 accounts and 17 regions takes no more than 30 seconds."""

    def fill(deployed: DeployedOrganization) -> None:
        for number in range(40):
            deployed.join(f"2100000001{number:02}", f"team-{number:02}", bastion=22)

    install.remove()
    with ExitStack() as entered:
        deployed = deploy(project, fill, entered, regions=["all"])
        started = time.monotonic()
        assert deployed.run() == "SUCCEEDED"
        seconds = time.monotonic() - started
        assert "680 regions of 40 accounts read" in deployed.text()
    assert seconds < 30 or os.environ.get("CI") != "true"
