"""The functions of a stack with many accounts may do exactly what they do."""

from collections.abc import Iterator

import pytest

from sandbox.aws.account import Account
from sandbox.aws.functions import caller_of
from sandbox.aws.members import Organization
from sandbox.aws.seed import seed
from sandbox.deployment.deploy import open_stack
from tests.conftest import PROJECT
from tests.contract.test_permissions import ACTIONS

# Services whose permissions begin with another name.
SERVICES = {"stepfunctions": "states"}


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An organization with an account in a unit, after a run that has read it and its own."""
    with Account() as account:
        seed(account)
        organization = Organization(account)
        unit = organization.add_unit("workloads")
        organization.add_account("111122223333", "shop", "workloads")
        config = {"organizationalUnits": [unit, organization.root], "deployMemberRole": True}
        # Its exclusions are read only where Block Public Access is on.
        account.networks.block_public_access("eu-west-1", InternetGatewayBlockMode="block-ingress")
        stack = open_stack(PROJECT, "dev", account, config=config, engine=False)
        stack.up()
        account.events.fire(stack.outputs["scheduleRule"], "eu-west-1")
        account.state_machines.wait()
        yield account


@pytest.mark.parametrize(
    "module", ["app", "organization.scan_account", "organization.report_accounts"]
)
def test_role_allows_exactly_the_actions_of_a_run(account: Account, module: str) -> None:
    """A run uses each action that the role of a function allows, and no other one."""
    (function,) = [
        function
        for function in account.client("lambda").list_functions()["Functions"]
        if function["Handler"] == f"handler.{module}.lambda_handler"
    ]
    called = {
        action
        for call in account.calls
        if call.caller == caller_of(function["FunctionName"])
        for action in ACTIONS.get(
            (call.service, call.operation),
            (f"{SERVICES.get(call.service, call.service)}:{call.operation}",),
        )
    }
    iam = account.client("iam")
    role = function["Role"].rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    allowed = {action for statement in document["Statement"] for action in statement["Action"]}
    assert called == allowed
