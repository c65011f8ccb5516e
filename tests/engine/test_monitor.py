"""Without the engine the mock monitor creates and deletes the same resources."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.aws.account import Account
from sandbox.deployment.deploy import open_stack
from sandbox.deployment.stack import DeployError, Stack

from .conftest import Declare
from .test_deploy import DECLARED, WHOLE


@pytest.fixture
def lines() -> list[str]:
    """What the stack says."""
    return []


@pytest.fixture
def monitored(
    bare_machine: Path, account: Account, folder: Path, lines: list[str]
) -> Iterator[Stack]:
    """A stack on a machine that cannot have the engine."""
    assert not bare_machine.exists()
    stack = open_stack(folder, "dev", account, on_output=lines.append)
    yield stack
    stack.destroy()


def test_says_what_it_is(monitored: Stack, lines: list[str]) -> None:
    """The reason is printed, and the engine's name says how to get the real one."""
    assert lines == ["There is no Pulumi CLI on this machine; `make engine` builds one."]
    assert monitored.engine == ("Pulumi's mock monitor (no Pulumi CLI; `make engine` builds one)")


def test_creates_and_deletes(declare: Declare, monitored: Stack, account: Account) -> None:
    """Everything is created with the config's defaults and really there, then gone."""
    declare(WHOLE)
    assert monitored.up().create == DECLARED
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7
    (function,) = account.client("lambda").list_functions()["Functions"]
    assert monitored.outputs == {"functionName": function["FunctionName"], "password": "hush"}
    assert len(monitored.resources) == 9
    assert monitored.destroy().delete == DECLARED
    assert account.client("iam").list_roles()["Roles"] == []
    assert account.client("lambda").list_functions()["Functions"] == []


def test_changes_need_the_engine(declare: Declare, monitored: Stack) -> None:
    """A second up, a preview and a refresh are refused, not answered with "no changes"."""
    declare('aws.cloudwatch.LogGroup("log")')
    monitored.up()
    for verb in (monitored.up, monitored.preview, monitored.refresh):
        with pytest.raises(DeployError, match="the Pulumi engine: install the Pulumi CLI,"):
            verb()


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        pytest.param('raise pulumi.RunError("No.")', "No.", id="the program refuses"),
        pytest.param(
            'aws.cloudwatch.EventRule("rule", schedule_expression="daily")',
            "creating rule: PutRule: ValidationException: "
            "Parameter ScheduleExpression is not valid.",
            id="AWS refuses",
        ),
        pytest.param(
            'aws.lambda_.Function("work", role="r", kms_key_arn="k")',
            "creating work: The sandbox does not carry out the property kmsKeyArn of "
            "aws:lambda/function:Function.",
            id="property that is not emulated",
        ),
    ],
)
def test_failures(declare: Declare, monitored: Stack, program: str, sentence: str) -> None:
    """A failed up raises DeployError with the sentence that the engine would show."""
    declare(program)
    with pytest.raises(DeployError) as failure:
        monitored.up()
    assert str(failure.value) == sentence


def test_missing_config(declare: Declare, monitored: Stack, folder: Path) -> None:
    """A missing config value raises DeployError in the engine's words."""
    declare('aws.cloudwatch.LogGroup("log")')
    (folder / "Pulumi.dev.yaml").write_text("config: {}")
    with pytest.raises(DeployError) as failure:
        monitored.up()
    assert str(failure.value) == "Stack 'dev' is missing configuration value 'sender'"


@pytest.mark.usefixtures("bare_machine")
def test_engine_can_be_required(account: Account, folder: Path) -> None:
    """With engine=True a machine without CLI and Go raises DeployError with the reason."""
    with pytest.raises(DeployError, match="no Go to build one with"):
        open_stack(folder, "dev", account, engine=True)
