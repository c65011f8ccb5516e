"""Refresh sees what somebody changed in the account, and up puts it right."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.deployment.deploy import Stack, open_stack

from .conftest import written

PROGRAM = """
role = aws.iam.Role("role", name="role", assume_role_policy=trust)
aws.cloudwatch.LogGroup("log", name="log", retention_in_days=7)
aws.lambda_.Function("work", name="work", role=role.arn, runtime="python3.13", handler="app.handle",
    code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("answer = 42")}), memory_size=256,
    environment={"variables": {"SENDER": "a@example.com"}}, tags={"Owner": "me"})
aws.cloudwatch.EventRule("rule", name="rule", schedule_expression="rate(1 day)")
bucket = aws.s3.Bucket("ledger", bucket="ledger")
aws.s3.BucketPublicAccessBlock("private", bucket=bucket.bucket, block_public_acls=True)
"""
RULE = ("aws:cloudwatch/eventRule:EventRule", "rule")
FUNCTION = ("aws:lambda/function:Function", "work")
PRIVATE = ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "private")
GROUP = ("aws:cloudwatch/logGroup:LogGroup", "log")


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """One account for all tests, each of which repairs what it changes."""
    with Account() as entered:
        yield entered


@pytest.fixture(scope="module")
def deployed(account: Account, created: Path, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The program, deployed."""
    state = shutil.copytree(created, tmp_path_factory.mktemp("drift") / "state")
    folder = written(tmp_path_factory.mktemp("project"), PROGRAM)
    stack = open_stack(folder, "dev", account, state=state, engine=True)
    stack.up()
    return stack


def less_memory(account: Account) -> None:
    """Somebody halves the function's memory."""
    account.client("lambda").update_function_configuration(FunctionName="work", MemorySize=128)


def other_variables(account: Account) -> None:
    """Somebody changes one variable and adds another."""
    account.client("lambda").update_function_configuration(
        FunctionName="work", Environment={"Variables": {"SENDER": "b@example.com", "DEBUG": "1"}}
    )


def other_tags(account: Account) -> None:
    """Somebody adds a tag."""
    arn = account.client("lambda").get_function(FunctionName="work")["Configuration"]["FunctionArn"]
    account.client("lambda").tag_resource(Resource=arn, Tags={"Stray": "x"})


def disabled(account: Account) -> None:
    """Somebody switches the schedule off."""
    account.client("events").disable_rule(Name="rule")


def no_retention(account: Account) -> None:
    """Somebody lets the log grow for ever."""
    account.client("logs").delete_retention_policy(logGroupName="log")


def public(account: Account) -> None:
    """Somebody lets the bucket be public."""
    account.client("s3").put_public_access_block(
        Bucket="ledger", PublicAccessBlockConfiguration={"BlockPublicAcls": False}
    )


@pytest.mark.parametrize(
    ("drift", "resource", "paths"),
    [
        pytest.param(less_memory, FUNCTION, ("memorySize",), id="memory"),
        pytest.param(
            other_variables,
            FUNCTION,
            ("environment.variables.DEBUG", "environment.variables.SENDER"),
            id="variables",
        ),
        pytest.param(other_tags, FUNCTION, ("tags.Stray", "tagsAll.Stray"), id="tag"),
        pytest.param(disabled, RULE, ("state",), id="disabled"),
        pytest.param(public, PRIVATE, ("blockPublicAcls",), id="public"),
        pytest.param(no_retention, GROUP, ("retentionInDays",), id="retention"),
    ],
)
def test_changed_outside(
    deployed: Stack,
    account: Account,
    drift: Callable[[Account], Any],
    resource: tuple[str, str],
    paths: tuple[str, ...],
) -> None:
    """Refresh names the resource and the property, the next up restores it, then all is well."""
    drift(account)
    seen = deployed.refresh()
    assert seen.update == (resource,)
    assert seen.properties == {resource: paths}
    assert deployed.up().update == (resource,)
    assert deployed.refresh().update == ()


def test_deleted_outside(deployed: Stack, account: Account) -> None:
    """What is gone is gone from the state, and up creates it again."""
    account.client("logs").delete_log_group(logGroupName="log")
    account.client("lambda").delete_function(FunctionName="work")
    assert deployed.refresh().delete == (GROUP, FUNCTION)
    assert deployed.up().create == (GROUP, FUNCTION)
