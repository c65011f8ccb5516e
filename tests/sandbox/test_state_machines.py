"""Step Functions: a distributed map over a list in S3, with a function for each item."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account
from sandbox.aws.faults import Fault
from sandbox.aws.functions import caller_of
from tests.sandbox.conftest import create

RUN = {"bucket": "plans", "key": "items.json"}
# The function stores each item by its name, and counts how often it is called for it.
STORE = """
import boto3
def handle(event, context):
    boto3.client("s3").put_object(Bucket="plans", Key="done/" + event["item"], Body=b"")
"""
ROLE = "arn:aws:iam::123456789012:role/machine"


def definition(function: str) -> str:
    """A machine that runs the function for each item, and once more after an error."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "Retry": [
            {
                "ErrorEquals": ["Lambda.TooManyRequestsException"],
                "IntervalSeconds": 60,
                "MaxAttempts": 2,
            }
        ],
        "Catch": [
            {
                "ErrorEquals": ["Runtime.ExitError", "Sandbox.Timedout"],
                "ResultPath": "$.failure",
                "Next": "Note",
            }
        ],
        "ResultSelector": {},
        "End": True,
    }
    note = {key: task[key] for key in ("Type", "Resource", "ResultSelector", "End")}
    noted = {"item.$": "States.Format('{}-{}', $.item, $.failure.Error)"}
    note["Parameters"] = {"FunctionName": function, "Payload": noted}
    machine = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"},
                },
                "ItemSelector": {"item.$": "$$.Map.Item.Value"},
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Store",
                    "States": {"Store": task, "Note": note},
                },
                "MaxConcurrency": 2,
                "ToleratedFailurePercentage": 100.0,
                "ResultPath": None,
                "End": True,
            }
        },
    }
    return json.dumps(machine)


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    """A statement that allows an action."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.fixture(scope="module")
def function(shared_account: Account) -> str:
    """The function, beside a bucket for the items and a role for the machine; its ARN."""
    place = {"LocationConstraint": "eu-west-1"}
    shared_account.client("s3").create_bucket(Bucket="plans", CreateBucketConfiguration=place)
    iam = shared_account.client("iam")
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument="{}")
    return create(shared_account, STORE, actions=("s3:PutObject", "logs:*"), Timeout=3)


@pytest.fixture
def account(shared_account: Account) -> Account:
    """The account without what earlier tests stored and let go wrong."""
    shared_account.faults.clear()
    shared_account.calls.clear()
    return shared_account


@pytest.fixture
def machine(account: Account, function: str) -> Iterator[str]:
    """The ARN of a state machine that only this test uses."""
    states = account.client("stepfunctions")
    created = states.create_state_machine(
        name="machine", definition=definition(function), roleArn=ROLE
    )
    yield created["stateMachineArn"]
    states.delete_state_machine(stateMachineArn=created["stateMachineArn"])


@pytest.fixture
def run(account: Account, function: str, machine: str) -> Callable[..., tuple[str, list[str]]]:
    """Executes the machine over items; the result is its status and which items are stored."""
    s3, states = account.client("s3"), account.client("stepfunctions")
    for item in s3.list_objects_v2(Bucket="plans").get("Contents", ()):
        s3.delete_object(Bucket="plans", Key=item["Key"])

    def execute(items: list[str], *statements: dict[str, Any]) -> tuple[str, list[str]]:
        granted = statements or (allow("lambda:InvokeFunction", function), allow("s3:GetObject"))
        document = {"Version": "2012-10-17", "Statement": list(granted)}
        account.client("iam").put_role_policy(
            RoleName="machine", PolicyName="machine", PolicyDocument=json.dumps(document)
        )
        s3.put_object(Bucket="plans", Key="items.json", Body=json.dumps(items).encode())
        states.start_execution(stateMachineArn=machine, name="once", input=json.dumps(RUN))
        (execution,) = account.state_machines.wait()
        stored = s3.list_objects_v2(Bucket="plans", Prefix="done/").get("Contents", ())
        return execution.status, [item["Key"].removeprefix("done/") for item in stored]

    return execute


Run = Callable[..., tuple[str, list[str]]]


def test_a_map_runs_its_function_for_each_item(account: Account, run: Run) -> None:
    """The list is read and the function invoked with the role of the state machine."""
    assert run(["a", "b", "c"]) == ("SUCCEEDED", ["a", "b", "c"])
    calls = [(call.operation, call.caller) for call in account.calls]
    assert calls.count(("Invoke", caller_of(ROLE))) == 3
    assert ("GetObject", caller_of(ROLE)) in calls


def test_a_worker_takes_any_number_of_items(account: Account, run: Run, machine: str) -> None:
    """1,200 items for one worker are no more than AWS takes."""
    changed = json.loads(definition("unused"))
    passing = {"Type": "Pass", "End": True}
    changed["States"]["Each"]["ItemProcessor"]["States"]["Store"] = passing
    changed["States"]["Each"]["MaxConcurrency"] = 1
    states = account.client("stepfunctions")
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(changed))
    assert run([str(number) for number in range(1200)]) == ("SUCCEEDED", [])


@pytest.mark.parametrize("action", ["s3:GetObject", "lambda:InvokeFunction"])
def test_the_role_of_the_machine_decides(run: Run, action: str) -> None:
    """Without permission for the list or the function no item is stored."""
    assert run(["a"], allow(action))[1] == []


@pytest.mark.parametrize(
    ("fault", "stored"),
    [
        pytest.param(
            Fault("Invoke", containing='"b"', code="TooManyRequestsException", times=2),
            ["a", "b", "c"],
            id="throttled-twice",
        ),
        pytest.param(
            Fault("Invoke", containing='"b"', code="TooManyRequestsException", times=3),
            ["a", "c"],
            id="throttled-to-the-end",
        ),
        pytest.param(
            Fault("PutObject", containing="done/b", kill=True, times=1),
            ["a", "b-Runtime.ExitError", "c"],
            id="dies-before",
        ),
        pytest.param(
            Fault("PutObject", containing="done/b", kill=True, answered=True, times=1),
            ["a", "b", "b-Runtime.ExitError", "c"],
            id="dies-after",
        ),
        pytest.param(
            Fault("PutObject", containing="done/b", delay=10, times=1),
            ["a", "b-Sandbox.Timedout", "c"],
            id="times-out",
        ),
    ],
)
def test_a_fault_of_one_child_leaves_the_others(
    account: Account, run: Run, fault: Fault, stored: list[str]
) -> None:
    """A child is retried or caught as the definition says, and one that fails is tolerated."""
    account.faults.add(fault)
    assert run(["a", "b", "c"]) == ("SUCCEEDED", stored)


def test_an_execution_is_started_once(account: Account, run: Run, machine: str) -> None:
    """The name of an execution that has ended is taken."""
    run([])
    states = account.client("stepfunctions")
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="once", input=json.dumps(RUN))
