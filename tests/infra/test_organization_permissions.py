"""What each role of a stack with many accounts may do, and who may assume it."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Deploy, Deployment
from tests.infra.resource_types import (
    BUCKET,
    FUNCTION,
    LOG_GROUP,
    NAME,
    POLICY,
    ROLE,
    STATE_MACHINE,
)

ACCOUNT = "111122223333"
UNIT = "ou-ab12-cd34ef56"
TEAM = {"accounts": [ACCOUNT], "recipients": ["shop-team@example.com"]}
LEDGER = f"arn:{BUCKET}:{NAME}-ledger"
MACHINE = f"arn:{STATE_MACHINE}:{NAME}-accounts"
MEMBER_ROLE = "arn:aws:iam::*:role/security-group-audit"


def statements(deployment: Deployment, policy: str) -> dict[str, dict[str, Any]]:
    """The statements of a role's policy by their Sid."""
    document = json.loads(deployment.named(POLICY, policy)["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def actions(deployment: Deployment, policy: str) -> set[str]:
    """The actions that a role's policy allows."""
    found = statements(deployment, policy).values()
    return {action for statement in found for action in statement["Action"]}


def test_start_function_lists_plans_and_starts(deploy: Deploy) -> None:
    """It lists accounts, stores plans once, and starts the state machine; nothing else."""
    deployment = deploy(organizationalUnits=[UNIT])
    found = statements(deployment, "policy")
    assert {sid: statement["Resource"] for sid, statement in found.items()} == {
        "ListAccounts": "*",
        "ListLedger": LEDGER,
        "ReadPlans": [f"{LEDGER}/plans/*"],
        "WritePlans": [f"{LEDGER}/plans/*"],
        "StartExecution": MACHINE,
        "WriteLog": f"arn:{LOG_GROUP}:{NAME}-log:*",
    }
    assert found["ListAccounts"]["Action"] == [
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    ]
    assert found["StartExecution"]["Action"] == ["states:StartExecution"]


@pytest.mark.parametrize(
    ("policy", "sid"), [("policy", "WritePlans"), ("scan-policy", "WriteScans")]
)
def test_plans_and_scans_cannot_be_replaced(deploy: Deploy, policy: str, sid: str) -> None:
    """Each write must name If-None-Match, with which S3 refuses to overwrite an object."""
    statement = statements(deploy(accounts=[ACCOUNT]), policy)[sid]
    assert statement["Action"] == ["s3:PutObject"]
    assert statement["Condition"] == {"Null": {"s3:if-none-match": "false"}}


def test_start_function_of_listed_accounts_asks_no_organization(deploy: Deploy) -> None:
    """With accounts alone the start function may not list the organization."""
    assert "ListAccounts" not in statements(deploy(accounts=[ACCOUNT]), "policy")


def test_scan_can_neither_mail_nor_write_the_ledger(deploy: Deploy) -> None:
    """What enters accounts writes scans and its log; it reads groups, and assumes one role."""
    deployment = deploy(accounts=[ACCOUNT])
    found = statements(deployment, "scan-policy")
    assert {sid: statement["Resource"] for sid, statement in found.items()} == {
        "ReadSecurityGroups": "*",
        "EnterAccounts": MEMBER_ROLE,
        "WriteScans": [f"{LEDGER}/scans/*"],
        "WriteLog": f"arn:{LOG_GROUP}:{NAME}-log:*",
    }
    assert found["WriteScans"]["Action"] == ["s3:PutObject"]
    allowed = {
        action
        for action in actions(deployment, "scan-policy")
        if not action.startswith(("ec2:Describe", "ec2:Get", "logs:"))
    }
    assert allowed == {"sts:AssumeRole", "s3:PutObject"}


@pytest.mark.parametrize(
    ("overrides", "conditions"),
    [
        pytest.param(
            {"accounts": [ACCOUNT]},
            {"EnterAccounts": {"aws:ResourceAccount": [ACCOUNT]}},
            id="accounts",
        ),
        pytest.param(
            {"organizationalUnits": [UNIT]},
            {"EnterOrganization": {"aws:ResourceOrgID": "o-ab12cd34ef"}},
            id="units",
        ),
        pytest.param(
            {"accounts": [ACCOUNT], "organizationalUnits": [UNIT]},
            {
                "EnterAccounts": {"aws:ResourceAccount": [ACCOUNT]},
                "EnterOrganization": {"aws:ResourceOrgID": "o-ab12cd34ef"},
            },
            id="both",
        ),
    ],
)
def test_scan_enters_only_these_accounts(
    deploy: Deploy, overrides: dict[str, Any], conditions: dict[str, Any]
) -> None:
    """The role may be assumed in the listed accounts, or in those of the organization."""
    found = statements(deploy(**overrides), "scan-policy")
    assert {
        sid: statement["Condition"]["StringEquals"]
        for sid, statement in found.items()
        if statement["Action"] == ["sts:AssumeRole"]
    } == conditions


def test_scan_policy_of_the_longest_list_is_short_enough(deploy: Deploy) -> None:
    """With 500 accounts and ten regions the inline policy stays below IAM's 10,240 characters."""
    deployment = deploy(
        accounts=[f"{number:012}" for number in range(500)],
        memberRoleName=59 * "r",
        regions=[f"eu-{place}-{n}" for place in ("west", "central", "south") for n in (1, 2)],
    )
    policy = json.loads(deployment.named(POLICY, "scan-policy")["policy"])
    # The mocks' ARNs are shorter than AWS's.
    assert len(json.dumps(policy, separators=(",", ":"))) < 10_240 - 500


def test_scan_reads_only_configured_regions(deploy: Deploy) -> None:
    """In its own account the scan function is limited to the stack's regions."""
    found = statements(deploy(accounts=[ACCOUNT], regions=["eu-west-1"]), "scan-policy")
    assert found["ReadSecurityGroups"]["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}
    }


def test_report_mails_and_writes_the_ledger(deploy: Deploy) -> None:
    """The report function reads plan and scans, uses the ledger and mails; it enters nothing."""
    deployment = deploy(accounts=[ACCOUNT], digests=[TEAM])
    found = statements(deployment, "report-policy")
    assert {sid: statement["Resource"] for sid, statement in found.items()} == {
        "SendDigest": [
            f"arn:aws:ses:eu-west-1:123456789012:identity/{address}"
            for address in ("audit@example.com", "security@example.com", "shop-team@example.com")
        ],
        "ReadScans": [f"{LEDGER}/plans/*", f"{LEDGER}/scans/*"],
        "ListLedger": LEDGER,
        "ReadLedger": [f"{LEDGER}/{key}" for key in ("head.json", "known/*", "state.json")],
        "WriteLedger": [
            f"{LEDGER}/{key}"
            for key in ("head.json", "known/*", "state.json", "aside/*", "reports/*")
        ],
        "WriteLog": f"arn:{LOG_GROUP}:{NAME}-log:*",
    }
    assert found["SendDigest"]["Condition"] == {
        "StringEquals": {"ses:FromAddress": "audit@example.com"}
    }


def test_state_machine_runs_two_functions(deploy: Deploy) -> None:
    """The state machine invokes scan and report, reads plans, and writes its log."""
    found = statements(deploy(accounts=[ACCOUNT]), "accounts-policy")
    assert found["InvokeFunctions"]["Action"] == ["lambda:InvokeFunction"]
    assert {sid: statement["Resource"] for sid, statement in found.items()} == {
        "InvokeFunctions": [
            f"arn:{FUNCTION}:{NAME}-scan-function",
            f"arn:{FUNCTION}:{NAME}-report-function",
        ],
        "ReadPlans": [f"{LEDGER}/plans/*"],
        "DeliverLog": "*",
    }


def test_state_machine_starts_executions_of_its_own(deploy: Deploy) -> None:
    """It may start itself, for the executions of its map, and watch and stop these."""
    found = statements(deploy(accounts=[ACCOUNT]), "accounts-children")
    assert {sid: (item["Action"], item["Resource"]) for sid, item in found.items()} == {
        "StartChildren": (["states:StartExecution"], MACHINE),
        "ManageChildren": (
            ["states:DescribeExecution", "states:StopExecution"],
            [f"{MACHINE}:*", f"{MACHINE}/*"],
        ),
    }


@pytest.mark.parametrize("policy", ["policy", "scan-policy", "report-policy", "accounts-policy"])
def test_no_action_has_a_wildcard(deploy: Deploy, policy: str) -> None:
    """Every action is named in full."""
    deployment = deploy(organizationalUnits=[UNIT], accounts=[ACCOUNT])
    assert not [action for action in actions(deployment, policy) if "*" in action]


def test_scan_role_has_a_fixed_name(deploy: Deploy) -> None:
    """The role that accounts trust is memberRoleName with -scan; the others have no fixed name."""
    roles = deploy(accounts=[ACCOUNT], memberRoleName="audit-prod").resources[ROLE]
    names = {name.removeprefix(f"{NAME}-"): role.get("name") for name, role in roles.items()}
    assert names == {
        "role": None,
        "scan-role": "audit-prod-scan",
        "report-role": None,
        "accounts-role": None,
    }


def test_states_may_assume_the_role_of_the_state_machine(deploy: Deploy) -> None:
    """Step Functions assumes the state machine's role, Lambda the three others."""
    roles = deploy(accounts=[ACCOUNT]).resources[ROLE]
    principals = {
        name.removeprefix(f"{NAME}-"): json.loads(role["assumeRolePolicy"])["Statement"][0][
            "Principal"
        ]["Service"]
        for name, role in roles.items()
    }
    assert principals == {
        "role": "lambda.amazonaws.com",
        "scan-role": "lambda.amazonaws.com",
        "report-role": "lambda.amazonaws.com",
        "accounts-role": "states.amazonaws.com",
    }
