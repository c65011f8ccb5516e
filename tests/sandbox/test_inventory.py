"""The list of an account's resources."""

import json

from sandbox.aws.account import Account
from sandbox.aws.inventory import inventory
from sandbox.aws.members import Organization


def test_an_empty_account_holds_nothing(account: Account) -> None:
    """What AWS itself puts into an account does not count."""
    assert inventory(account) == frozenset()


def test_things_are_listed_by_kind_and_name(account: Account) -> None:
    """Buckets, topics and alarms count as roles do."""
    location = {"LocationConstraint": "eu-west-1"}
    account.client("s3").create_bucket(Bucket="ledger", CreateBucketConfiguration=location)
    topic = account.client("sns").create_topic(Name="alarms")["TopicArn"]
    account.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="failed",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Period=60,
        Statistic="Sum",
        Threshold=0,
    )
    account.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    account.client("logs").create_log_group(logGroupName="log")
    contents = inventory(account)
    assert {thing for thing in contents if not thing.startswith("subscription ")} == {
        "alarm failed",
        "bucket ledger",
        "log group log",
        "role role",
        f"topic {topic}",
    }
    assert len(contents) == 6
    assert inventory(account, "us-east-1") == {"bucket ledger", "role role"}


def test_an_organization_counts(account: Account) -> None:
    """State machines and stack sets count, and the roles of members with the member's id."""
    organization = Organization(account)
    member = organization.add_account("111122223333", "shop")
    before = inventory(account)
    member.client("iam").create_role(RoleName="audit", AssumeRolePolicyDocument="{}")
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    account.client("cloudformation").create_stack_set(
        StackSetName="roles", TemplateBody=json.dumps({"Resources": {"Role": role}})
    )
    machine = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    account.client("stepfunctions").create_state_machine(
        name="audit", definition=json.dumps(machine), roleArn="arn:aws:iam::123456789012:role/a"
    )
    assert inventory(account) - before == {
        "role 111122223333/audit",
        "stack set roles",
        "state machine audit",
    }
