"""The account's Lambda service, used with plain boto3."""

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account
from sandbox.aws.front import Call
from sandbox.aws.functions import caller_of

ECHO = "def handle(event, context): return event"
FAIL = "def handle(event, context): raise ValueError('no')"


def test_invoke_runs_the_deployed_zip(account: Account, deploy: Callable[..., str]) -> None:
    """The payload comes back."""
    deploy(ECHO)
    answer = account.client("lambda").invoke(FunctionName="trial", Payload=b'{"a": 1}')
    assert (answer["StatusCode"], json.load(answer["Payload"])) == (200, {"a": 1})
    assert "FunctionError" not in answer


def test_an_arn_names_the_function_too(account: Account, deploy: Callable[..., str]) -> None:
    """Invoke takes the ARN of a function in place of its name."""
    arn = deploy(ECHO)
    answer = account.client("lambda").invoke(FunctionName=arn, Payload=b"1")
    assert json.load(answer["Payload"]) == 1


def test_a_failing_function_is_an_answer_with_an_error(
    account: Account, deploy: Callable[..., str]
) -> None:
    """Invoke succeeds, FunctionError says that the function did not."""
    deploy(FAIL)
    answer = account.client("lambda").invoke(FunctionName="trial")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorMessage"] == "no"


def test_invoking_nothing_is_refused(account: Account) -> None:
    """An unknown function is ResourceNotFoundException."""
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        account.client("lambda").invoke(FunctionName="missing")


def test_a_function_calls_the_account_with_its_own_key(
    account: Account, deploy: Callable[..., str]
) -> None:
    """Calls of a function carry its own access key, not that of the account's owner."""
    deploy(
        "import boto3\ndef handle(event, context):\n"
        "    boto3.client('ec2', region_name='us-east-1').describe_vpcs()",
        actions=("ec2:DescribeVpcs", "logs:*"),
    )
    account.client("lambda").invoke(FunctionName="trial")
    key = caller_of("trial")
    assert [call for call in account.calls if call.caller == key] == [
        Call("ec2", "DescribeVpcs", "us-east-1", key),
        Call("logs", "CreateLogStream", "eu-west-1", key),
        Call("logs", "PutLogEvents", "eu-west-1", key),
    ]


def test_the_log_is_in_the_functions_log_group(
    account: Account, deploy: Callable[..., str]
) -> None:
    """Lines of the function and the platform are log events of one stream."""
    deploy("def handle(event, context): print('hello')")
    account.client("lambda").invoke(FunctionName="trial")
    events = account.client("logs").filter_log_events(logGroupName="/aws/lambda/trial")["events"]
    first, second, line, last = (event["message"] for event in events)
    assert line == "hello"
    assert [json.loads(message)["type"] for message in (first, second, last)] == [
        "platform.initStart",
        "platform.start",
        "platform.report",
    ]
    assert "/[$LATEST]" in events[0]["logStreamName"]


def test_no_log_group_is_made_for_a_function(account: Account, deploy: Callable[..., str]) -> None:
    """The log is lost if the log group does not exist."""
    deploy(ECHO, log_group=False)
    assert account.functions.invoke("eu-west-1", "trial", b"{}").error is None
    assert account.client("logs").describe_log_groups()["logGroups"] == []


def test_a_role_that_may_not_write_logs_writes_none(
    account: Account, deploy: Callable[..., str]
) -> None:
    """Without logs:PutLogEvents the log is lost, and the function runs."""
    deploy(ECHO, actions=("logs:CreateLogStream",))
    assert account.functions.invoke("eu-west-1", "trial", b"{}").error is None
    logs = account.client("logs").filter_log_events(logGroupName="/aws/lambda/trial")
    assert logs["events"] == []


@pytest.mark.parametrize(("retries", "runs"), [(None, 3), (0, 1), (1, 2)])
def test_an_asynchronous_run_is_tried_again(
    account: Account, deploy: Callable[..., str], retries: int | None, runs: int
) -> None:
    """Two retries by default, else as many as the event invoke config allows."""
    deploy(FAIL)
    functions = account.client("lambda")
    if retries is not None:
        functions.put_function_event_invoke_config(
            FunctionName="trial", MaximumRetryAttempts=retries
        )
    answer = functions.invoke(FunctionName="trial", InvocationType="Event", Payload=b"{}")
    account.functions.wait(30)
    assert answer["StatusCode"] == 202
    events = account.client("logs").filter_log_events(
        logGroupName="/aws/lambda/trial", filterPattern="platform.report"
    )["events"]
    assert len(events) == runs


def test_the_logging_of_a_function_is_kept(account: Account, deploy: Callable[..., str]) -> None:
    """What CreateFunction set is shown, with AWS's default levels, and can be changed."""
    deploy(ECHO, LoggingConfig={"LogFormat": "JSON"})
    functions = account.client("lambda")
    configuration = functions.get_function_configuration(FunctionName="trial")
    assert configuration["LoggingConfig"] == {
        "LogFormat": "JSON",
        "LogGroup": "/aws/lambda/trial",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "INFO",
    }
    functions.update_function_configuration(
        FunctionName="trial", LoggingConfig={"LogFormat": "Text", "LogGroup": "/other"}
    )
    shown = functions.get_function(FunctionName="trial")["Configuration"]
    assert shown["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/other"}


def test_a_changed_configuration_reaches_the_function(
    account: Account, deploy: Callable[..., str]
) -> None:
    """A warm process is not used after its environment changed."""
    deploy("import os\ndef handle(event, context): return os.environ.get('MODE')")
    functions = account.client("lambda")
    assert json.load(functions.invoke(FunctionName="trial")["Payload"]) is None
    functions.update_function_configuration(
        FunctionName="trial", Environment={"Variables": {"MODE": "b"}}
    )
    assert json.load(functions.invoke(FunctionName="trial")["Payload"]) == "b"


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
    statement = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": arn + "-2"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName="trial", PolicyName="trial", PolicyDocument=json.dumps(document))
    denied = json.loads(invoke("eu-west-1", "trial", json.dumps(arn).encode()).payload)
    assert (allowed, denied) == ("StateMachineDoesNotExist", "AccessDeniedException")
