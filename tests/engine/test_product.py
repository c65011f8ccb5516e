"""What becomes of reports and of older stacks, and what a change in the account does."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.aws.inventory import inventory
from sandbox.deployment.deploy import open_stack
from sandbox.deployment.stack import Changes, DeployError

from .conftest import Open
from .test_project import fill

NAME = "security-group-audit"
# The program before it had a ledger, alarms, metrics and realtime: its resources, by the same
# names, with inputs that differ as an older version's would.
BEFORE = """
import pulumi
import pulumi_aws as aws
from infra import permissions

NAME = "security-group-audit"
audit = pulumi.ComponentResource("sgaudit:index:SecurityGroupAudit", NAME)
child = pulumi.ResourceOptions(parent=audit)
for address in ("audit@example.com", "security@example.com"):
    aws.sesv2.EmailIdentity(f"{NAME}-{address}", email_identity=address, opts=child)
log = aws.cloudwatch.LogGroup(f"{NAME}-log", retention_in_days=90, opts=child)
role = aws.iam.Role(f"{NAME}-role",
    description=f"What the security-group audit of stack {pulumi.get_stack()} may do",
    assume_role_policy=pulumi.Output.json_dumps(permissions.assume_role()), opts=child)
aws.iam.RolePolicy(f"{NAME}-policy", role=role.name, policy=pulumi.Output.json_dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeRegions",
     "Resource": "*"}]}), opts=child)
function = aws.lambda_.Function(f"{NAME}-function",
    description=f"Audits security groups and mails a digest (stack {pulumi.get_stack()})",
    runtime="python3.13", architectures=["arm64"], handler="handler.app.lambda_handler",
    code=pulumi.AssetArchive({"handler/app.py": pulumi.StringAsset("older = True")}), role=role.arn,
    memory_size=512, timeout=300,
    environment={"variables": {"SES_SENDER": "audit@example.com", "NOTIFY": "findings"}},
    logging_config={"log_format": "JSON", "log_group": log.name, "application_log_level": "INFO",
        "system_log_level": "INFO"}, opts=child)
aws.lambda_.FunctionEventInvokeConfig(f"{NAME}-retries", function_name=function.name,
    maximum_retry_attempts=0, maximum_event_age_in_seconds=3600, opts=child)
rule = aws.cloudwatch.EventRule(f"{NAME}-schedule", schedule_expression="rate(1 day)",
    description=f"Runs the security-group audit (stack {pulumi.get_stack()})", opts=child)
aws.lambda_.Permission(f"{NAME}-schedule-permission", action="lambda:InvokeFunction",
    function=function.name, principal="events.amazonaws.com", source_arn=rule.arn, opts=child)
aws.cloudwatch.EventTarget(f"{NAME}-schedule-target", rule=rule.name, arn=function.arn, opts=child)
"""


def unchanged(changes: Changes) -> bool:
    """Whether everything is as it was."""
    return bool(changes.same) and not (
        changes.create or changes.update or changes.replace or changes.delete
    )


def test_nothing_is_left_without_the_engine(project: Path, account: Account) -> None:
    """Without the engine destroy deletes the bucket with its reports, too."""
    stack = open_stack(project, "dev", account, engine=False)
    stack.up()
    fill(account, stack.outputs["ledgerBucket"])
    stack.destroy()
    assert inventory(account) == frozenset()


def test_reports_can_be_kept(product: Open, account: Account) -> None:
    """With deleteReports false the bucket stays as protected as it was, and the reports in it.

    Once it is emptied, destroy deletes it, too.
    """
    deployed = product(deleteReports=False)
    deployed.up()
    bucket = deployed.outputs["ledgerBucket"]
    fill(account, bucket)
    with pytest.raises(DeployError) as failure:
        deployed.destroy()
    assert str(failure.value) == (
        "deleting security-group-audit-ledger: DeleteBucket: BucketNotEmpty: "
        "The bucket you tried to delete is not empty"
    )
    s3 = account.client("s3")
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 2
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"

    listed = s3.list_object_versions(Bucket=bucket)
    for version in (*listed["Versions"], *listed["DeleteMarkers"]):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    deployed.destroy()
    assert inventory(account) == frozenset()


def test_an_older_stack_is_brought_up_to_date(
    product: Open, account: Account, project: Path, tmp_path: Path
) -> None:
    """A stack from before the ledger gets what it lacks; what it has is changed in place."""
    older = tmp_path / "older"
    older.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(project / name, older)
    shutil.copytree(project / "infra", older / "infra")
    (older / "__main__.py").write_text(BEFORE)
    product(older).up()
    before = inventory(account)

    deployed = product()
    changes = deployed.preview()
    assert (changes.replace, changes.delete) == ((), ())
    assert [name for _, name in changes.update] == [
        f"{NAME}-policy",
        f"{NAME}-function",
        f"{NAME}-retries",
    ]
    kept_types = {
        "aws:iam/role:Role",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:lambda/function:Function",
    }
    assert kept_types.isdisjoint(kind for kind, _ in changes.create)
    deployed.up()
    assert before < inventory(account)
    assert unchanged(deployed.up())


def call(name: str, region: str = "eu-west-1", **more: str) -> dict[str, Any]:
    """CloudTrail's event of a call to EC2."""
    return {
        "source": "aws.ec2",
        "detail-type": "AWS API Call via CloudTrail",
        "account": Account.id,
        "region": region,
        "detail": {"eventSource": "ec2.amazonaws.com", "eventName": name, **more},
    }


def test_a_change_runs_the_function_at_once(project: Path, account: Account) -> None:
    """With realtime a call that opens something starts a run; a failed or a closing one does not.

    The engine adds nothing here, so that the quick way deploys.
    """
    config = {"realtime": True, "schedule": "disabled", "alarms": False, "regions": ["eu-west-1"]}
    stack = open_stack(project, "dev", account, config=config, engine=False)
    stack.up()
    assert "scheduleRule" not in stack.outputs
    rule = account.client("events").describe_rule(Name=stack.outputs["changeRule"])
    assert (
        "AuthorizeSecurityGroupIngress" in json.loads(rule["EventPattern"])["detail"]["eventName"]
    )
    (delivery,) = account.events.deliver(call("AuthorizeSecurityGroupIngress"), "eu-west-1")
    assert (delivery.delivered, delivery.reason) == (True, None)
    assert delivery.target == stack.outputs["functionArn"]
    assert any('"trigger": "change"' in line for line in delivery.invocations[0].log)
    refused = call("AuthorizeSecurityGroupIngress", errorCode="Client.UnauthorizedOperation")
    assert account.events.deliver(refused, "eu-west-1") == ()
    assert account.events.deliver(call("RevokeSecurityGroupIngress"), "eu-west-1") == ()
    other = call("AuthorizeSecurityGroupIngress") | {"account": "210987654321"}
    assert account.events.deliver(other, "eu-west-1") == ()


def test_realtime_in_three_regions(product: Open, account: Account) -> None:
    """Two regions forward to the function's; one left out, and destroy, leave nothing there."""
    regions = ["eu-west-1", "eu-central-1", "us-east-1"]
    config = {"realtime": True, "schedule": "disabled", "alarms": False}
    deployed = product(**config, regions=regions)
    created = [name for _, name in deployed.up().create]
    assert [name for name in created if "us-east-1" in name] == [
        f"{NAME}-change-us-east-1",
        f"{NAME}-change-us-east-1-target",
    ]
    assert unchanged(deployed.up())
    assert {region: len(rules(account, region)) for region in regions} == dict.fromkeys(regions, 1)

    changes = product(**config, regions=regions[:2]).up()
    assert sorted(name for _, name in changes.delete) == [
        f"{NAME}-change-us-east-1",
        f"{NAME}-change-us-east-1-target",
    ]
    assert rules(account, "us-east-1") == []
    deployed.destroy()
    assert [inventory(account, region) for region in regions] == [frozenset()] * 3


def test_two_stacks_do_not_feed_each_other(project: Path, account: Account) -> None:
    """Each forwards to its own region what happens in the other's, and nothing comes back."""
    arns = {}
    for region in ("eu-west-1", "us-east-1"):
        config = {"aws:region": region, "realtime": True, "regions": ["eu-west-1", "us-east-1"]}
        more = {"schedule": "disabled", "alarms": False, "createIdentities": False}
        stack = open_stack(project, "dev", account, config={**config, **more}, engine=False)
        stack.up()
        arns[region] = stack.outputs["functionArn"]
    event = call("AuthorizeSecurityGroupIngress", "us-east-1")
    deliveries = account.events.deliver(event, "us-east-1")
    bus = f"arn:aws:events:eu-west-1:{Account.id}:event-bus/default"
    assert sorted(d.target for d in deliveries) == sorted([*arns.values(), bus])
    assert [d.reason for d in deliveries] == [None] * 3


def rules(account: Account, region: str) -> list[str]:
    """The EventBridge rules of a region."""
    return [thing for thing in inventory(account, region) if thing.startswith("rule ")]
