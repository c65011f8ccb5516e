"""Step Functions: a distributed map over a list in S3, with a function for each item."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account
from sandbox.aws.faults import Fault
from sandbox.aws.functions import caller_of

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


@pytest.fixture
def run(account: Account, deploy: Callable[..., str]) -> Callable[..., tuple[str, list[str]]]:
    """Executes the machine over items; the result is its status and which items are stored."""
    function = deploy(STORE, actions=("s3:PutObject", "logs:*"), Timeout=3)
    s3, states = account.client("s3"), account.client("stepfunctions")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    account.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument="{}")
    machine = states.create_state_machine(
        name="machine", definition=definition(function), roleArn=ROLE
    )["stateMachineArn"]

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


def test_a_worker_takes_any_number_of_items(account: Account, run: Run) -> None:
    """1,200 items for one worker are no more than AWS takes."""
    machine = json.loads(definition("unused"))
    passing = {"Type": "Pass", "End": True}
    machine["States"]["Each"]["ItemProcessor"]["States"]["Store"] = passing
    machine["States"]["Each"]["MaxConcurrency"] = 1
    states = account.client("stepfunctions")
    (known,) = states.list_state_machines()["stateMachines"]
    states.update_state_machine(
        stateMachineArn=known["stateMachineArn"], definition=json.dumps(machine)
    )
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


def test_an_execution_is_started_once(account: Account, run: Run) -> None:
    """The name of an execution that has ended is taken."""
    run([])
    states = account.client("stepfunctions")
    (machine,) = states.list_state_machines()["stateMachines"]
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(
            stateMachineArn=machine["stateMachineArn"], name="once", input=json.dumps(RUN)
        )


def test_a_function_starts_executions_its_role_allows(
    account: Account, deploy: Callable[..., str]
) -> None:
    """states:StartExecution is needed on the state machine."""
    source = (
        "import boto3\nfrom botocore.exceptions import ClientError\n"
        "def handle(event, context):\n    try:\n"
        "        boto3.client('stepfunctions').start_execution(stateMachineArn=event)\n"
        "    except ClientError as error:\n        return error.response['Error']['Code']"
    )
    deploy(source, actions=("states:StartExecution", "logs:*"))
    iam, arn = account.client("iam"), "arn:aws:states:eu-west-1:123456789012:stateMachine:x"
    invoke = account.functions.invoke
    allowed = json.loads(invoke("eu-west-1", "trial", json.dumps(arn).encode()).payload)
    document = {"Version": "2012-10-17", "Statement": [allow("states:StartExecution", arn + "-2")]}
    iam.put_role_policy(RoleName="trial", PolicyName="trial", PolicyDocument=json.dumps(document))
    denied = json.loads(invoke("eu-west-1", "trial", json.dumps(arn).encode()).payload)
    assert (allowed, denied) == ("StateMachineDoesNotExist", "AccessDeniedException")
