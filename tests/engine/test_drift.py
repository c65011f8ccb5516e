"""Refresh sees what somebody changed in the account, and up puts it right."""

import pytest

from sandbox.aws.account import Account
from sandbox.deployment.deploy import Stack

from .conftest import Declare, Open

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


@pytest.fixture
def deployed(stack: Open, declare: Declare) -> Stack:
    """The program, deployed."""
    declare(PROGRAM)
    opened = stack()
    opened.up()
    return opened


def change(account: Account) -> None:
    """Change the function, the schedule, the log group and the bucket outside Pulumi."""
    functions = account.client("lambda")
    functions.update_function_configuration(
        FunctionName="work",
        MemorySize=128,
        Environment={"Variables": {"SENDER": "b@example.com", "DEBUG": "1"}},
    )
    (arn,) = (function["FunctionArn"] for function in functions.list_functions()["Functions"])
    functions.tag_resource(Resource=arn, Tags={"Stray": "x"})
    account.client("events").disable_rule(Name="rule")
    account.client("logs").delete_retention_policy(logGroupName="log")
    account.client("s3").put_public_access_block(
        Bucket="ledger", PublicAccessBlockConfiguration={"BlockPublicAcls": False}
    )


def test_changed_and_deleted_outside(deployed: Stack, account: Account) -> None:
    """Refresh names what differs, and the next up restores it and creates what is gone."""
    change(account)
    seen = deployed.refresh()
    assert seen.properties == {
        RULE: ("state",),
        GROUP: ("retentionInDays",),
        FUNCTION: (
            "environment.variables.DEBUG",
            "environment.variables.SENDER",
            "memorySize",
            "tags.Stray",
            "tagsAll.Stray",
        ),
        PRIVATE: ("blockPublicAcls",),
    }
    assert seen.update == deployed.up().update == (RULE, GROUP, FUNCTION, PRIVATE)
    assert deployed.refresh().update == ()

    account.client("logs").delete_log_group(logGroupName="log")
    account.client("lambda").delete_function(FunctionName="work")
    assert deployed.refresh().delete == (GROUP, FUNCTION)
    assert deployed.up().create == (GROUP, FUNCTION)
