"""The project itself with many accounts, on the real engine: switched on, off, and destroyed."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sandbox.aws.account import Account
from sandbox.aws.inventory import inventory
from sandbox.aws.members import Organization
from sandbox.deployment.deploy import open_stack

from .conftest import Open
from .test_product import unchanged

NAME = "security-group-audit"
ACCOUNTS = {"accounts": ["111122223333", "444455556666"]}
ADDED = {
    "LogGroup": 1,
    "Role": 3,
    "RolePolicy": 4,
    "Function": 2,
    "StateMachine": 1,
    "MetricAlarm": 3,
}


def kinds(resources: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """How many resources there are of each type, without the names of modules."""
    return dict(Counter(kind.rsplit(":", 1)[-1] for kind, _ in resources))


def state_machines(account: Account) -> list[dict[str, Any]]:
    """The state machines of the account."""
    machines: list[dict[str, Any]] = account.client("stepfunctions").list_state_machines()[
        "stateMachines"
    ]
    return machines


def member_roles(account: Account) -> set[str]:
    """The roles in the other accounts of the organization, as ``role 111122223333/audit``."""
    return {thing for thing in inventory(account) if thing.startswith("role ") and "/" in thing}


def test_switched_on_and_off_again(product: Open, account: Account) -> None:
    """Accounts add a state machine and what it runs, change the function; without they go."""
    product().up()
    before = inventory(account)

    with_accounts = product(**ACCOUNTS)
    changes = with_accounts.up()
    assert kinds(changes.create) == ADDED
    assert (changes.replace, changes.delete) == ((), ())
    assert [name for _, name in changes.update] == [
        f"{NAME}-alarm-failed",
        f"{NAME}-policy",
        f"{NAME}-function",
        f"{NAME}-ledger-lifecycle",
    ]
    assert unchanged(with_accounts.up())
    assert unchanged(with_accounts.refresh())

    without = product()
    changes = without.up()
    assert kinds(changes.delete) == ADDED
    assert (changes.create, changes.replace) == ((), ())
    assert inventory(account) == before
    assert unchanged(without.up())


def test_a_stack_of_many_accounts(project: Path, account: Account) -> None:
    """The start function knows the state machine, which runs the others; destroy leaves nothing."""
    stack = open_stack(project, "dev", account, config=ACCOUNTS, engine=False)
    stack.up()
    (machine,) = state_machines(account)
    assert stack.outputs["stateMachineArn"] == machine["stateMachineArn"]
    assert (
        stack.outputs["scanRoleArn"] == "arn:aws:iam::123456789012:role/security-group-audit-scan"
    )
    trusted = json.loads(stack.outputs["memberRoleTemplate"])["Resources"]["SecurityGroupAuditRole"]
    assert trusted["Properties"]["RoleName"] == "security-group-audit"
    function = account.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["functionName"]
    )
    variables = function["Environment"]["Variables"]
    assert variables["STATE_MACHINE"] == machine["stateMachineArn"]
    held = account.client("stepfunctions").describe_state_machine(
        stateMachineArn=machine["stateMachineArn"]
    )
    functions = account.client("lambda").list_functions()["Functions"]
    handlers = {
        function["Handler"]: function["FunctionArn"] in held["definition"] for function in functions
    }
    assert handlers == {
        "handler.app.lambda_handler": False,
        "handler.organization.scan_account.lambda_handler": True,
        "handler.organization.report_accounts.lambda_handler": True,
    }
    s3 = account.client("s3")
    for key in ("plans/1/plan.json", "scans/1/111122223333.json.gz"):
        s3.put_object(Bucket=stack.outputs["ledgerBucket"], Key=key, Body=b"{}")
    stack.destroy()
    assert inventory(account) == frozenset()


def test_the_role_is_deployed_to_the_units(product: Open, account: Account) -> None:
    """The accounts of the units have the role, and none is left when the stack is destroyed."""
    organization = Organization(account)
    unit = organization.add_unit("workloads")
    organization.add_unit("production", "workloads")
    organization.add_account("111122223333", "shop", "production")
    organization.add_account("444455556666", "elsewhere")
    stack = product(organizationalUnits=[unit], deployMemberRole=True)
    stack.up()
    assert member_roles(account) == {"role 111122223333/security-group-audit"}
    assert unchanged(stack.up())
    # An account that joins gets the role without the stack, and is no change of the stack.
    organization.add_account("777788889999", "tools", "workloads")
    assert member_roles(account) == {
        "role 111122223333/security-group-audit",
        "role 777788889999/security-group-audit",
    }
    assert unchanged(stack.refresh())
    stack.destroy()
    assert inventory(account) == frozenset()
