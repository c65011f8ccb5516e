"""Which change updates a resource in place and which replaces it, type by type."""

import json
from typing import Any

import pytest

from sandbox.aws.account import Account
from sandbox.deployment import lifecycle
from sandbox.deployment.inputs import Settings, additions
from sandbox.deployment.resources import RESOURCES
from sandbox.deployment.wire import UNKNOWN, Archive, Asset

SETTINGS = Settings("eu-west-1")
Created = tuple[str, dict[str, Any], dict[str, Any]]
TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole"}]}
)


def allowing(action: str) -> str:
    """A policy that allows one action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ROLE = "arn:aws:iam::123456789012:role/role"


def code(text: str) -> Archive:
    """An archive that a text tells apart from others."""
    return Archive(text, {"assets": {"app.py": Asset(text, {"text": text})}})


def machine(name: str) -> str:
    """The definition of a state machine with one state of that name."""
    return json.dumps({"StartAt": name, "States": {name: {"Type": "Succeed"}}})


def template(name: str) -> str:
    """A template for CloudFormation with a topic of that name."""
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}
    return json.dumps({"Resources": {"Topic": topic}})


# A valid resource of every type, created in this order.
EXAMPLES: dict[str, dict[str, Any]] = {
    "aws:iam/role:Role": {"assumeRolePolicy": TRUST, "name": "role", "tags": {"Own": "1"}},
    "aws:iam/rolePolicy:RolePolicy": {
        "role": "role",
        "name": "policy",
        "policy": allowing("s3:Get*"),
    },
    "aws:cloudwatch/logGroup:LogGroup": {"name": "log", "retentionInDays": 7},
    "aws:lambda/function:Function": {
        "name": "work",
        "role": ROLE,
        "runtime": "python3.13",
        "handler": "app.handle",
        "code": code("one"),
        "architectures": ["arm64"],
        "environment": {"variables": {"A": "1", "B": "2"}},
        "loggingConfig": {"logFormat": "JSON", "logGroup": "log"},
    },
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {
        "functionName": "work",
        "maximumRetryAttempts": 0,
    },
    "aws:lambda/permission:Permission": {
        "action": "lambda:InvokeFunction",
        "function": "work",
        "principal": "events.amazonaws.com",
        "sourceArn": "arn:aws:events:eu-west-1:123456789012:rule/rule",
    },
    "aws:cloudwatch/eventRule:EventRule": {"name": "rule", "scheduleExpression": "rate(1 day)"},
    "aws:cloudwatch/eventTarget:EventTarget": {
        "rule": "rule",
        "arn": "arn:aws:lambda:eu-west-1:123456789012:function:work",
    },
    "aws:sesv2/emailIdentity:EmailIdentity": {"emailIdentity": "a@example.com"},
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": {
        "logGroupName": "log",
        "metricTransformation": {"name": "runs", "namespace": "trial", "value": "1"},
        "name": "filter",
        "pattern": '{ $.message = "Done." }',
    },
    "aws:sns/topic:Topic": {"displayName": "Alarms", "name": "topic", "tags": {"Own": "1"}},
    "aws:sns/topicPolicy:TopicPolicy": {
        "arn": "arn:aws:sns:eu-west-1:123456789012:topic",
        "policy": allowing("sns:Publish"),
    },
    "aws:sns/topicSubscription:TopicSubscription": {
        "endpoint": "a@example.com",
        "protocol": "email",
        "topic": "arn:aws:sns:eu-west-1:123456789012:topic",
    },
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
        "alarmActions": ["arn:aws:sns:eu-west-1:123456789012:topic"],
        "alarmDescription": "Look.",
        "comparisonOperator": "LessThanThreshold",
        "dimensions": {"FunctionName": "work"},
        "evaluationPeriods": 2,
        "metricName": "Errors",
        "name": "alarm",
        "namespace": "AWS/Lambda",
        "period": 300,
        "statistic": "Sum",
        "tags": {"Own": "1"},
        "threshold": 1,
        "treatMissingData": "breaching",
    },
    "aws:s3/bucket:Bucket": {"bucket": "ledger", "tags": {"Own": "1", "Team": "a"}},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "blockPublicAcls": True,
        "bucket": "ledger",
    },
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {
        "bucket": "ledger",
        "rule": {"objectOwnership": "BucketOwnerEnforced"},
    },
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
        "bucket": "ledger",
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
    },
    "aws:s3/bucketVersioning:BucketVersioning": {
        "bucket": "ledger",
        "versioningConfiguration": {"status": "Enabled"},
    },
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
        "bucket": "ledger",
        "rules": [
            {
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                "filter": {"prefix": ""},
                "id": "old",
                "noncurrentVersionExpiration": {"noncurrentDays": 30},
                "status": "Enabled",
            }
        ],
    },
    "aws:s3/bucketPolicy:BucketPolicy": {"bucket": "ledger", "policy": allowing("s3:GetObject")},
    "aws:sfn/stateMachine:StateMachine": {
        "definition": machine("one"),
        "loggingConfiguration": {"includeExecutionData": False, "level": "ERROR"},
        "name": "machine",
        "roleArn": ROLE,
        "tags": {"Own": "1"},
    },
    "aws:cloudformation/stackSet:StackSet": {
        "capabilities": ["CAPABILITY_NAMED_IAM"],
        "description": "A topic",
        "name": "everywhere",
        "tags": {"Own": "1"},
        "templateBody": template("one"),
    },
    "aws:cloudformation/stackInstances:StackInstances": {
        "accounts": ["123456789012"],
        "regions": ["eu-west-1"],
        "stackSetName": "everywhere",
    },
}


def checked(
    type_name: str, inputs: dict[str, Any], olds: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The inputs as the provider completes them."""
    kind = lifecycle.kind_of(type_name)
    return inputs | additions(kind, "x", inputs, olds or {}, SETTINGS, b"seed")


# What must be there before an example can be created.
PARENTS = {
    "aws:iam/rolePolicy:RolePolicy": "aws:iam/role:Role",
    "aws:lambda/function:Function": "aws:iam/role:Role",
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        "aws:lambda/function:Function"
    ),
    "aws:lambda/permission:Permission": "aws:lambda/function:Function",
    "aws:cloudwatch/eventTarget:EventTarget": "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": "aws:cloudwatch/logGroup:LogGroup",
    "aws:sns/topicPolicy:TopicPolicy": "aws:sns/topic:Topic",
    "aws:sns/topicSubscription:TopicSubscription": "aws:sns/topic:Topic",
    "aws:cloudformation/stackInstances:StackInstances": "aws:cloudformation/stackSet:StackSet",
} | {
    name: "aws:s3/bucket:Bucket"
    for name in EXAMPLES
    if name.startswith("aws:s3/") and name != "aws:s3/bucket:Bucket"
}


def create(account: Account, type_name: str) -> Created:
    """Create an example and what it needs; the result is its id, its inputs and its outputs."""
    if parent := PARENTS.get(type_name):
        create(account, parent)
    kind, inputs = lifecycle.kind_of(type_name), checked(type_name, EXAMPLES[type_name])
    place = lifecycle.place(account, kind.service, "eu-west-1")
    identity, outputs = lifecycle.create(kind, place, inputs)
    return identity, inputs, outputs


@pytest.fixture(scope="module")
def created() -> dict[str, Created]:
    """Every example as an account held it, for the tests that ask the account nothing more."""
    found = {}
    for type_name in EXAMPLES:
        with Account() as account:
            found[type_name] = create(account, type_name)
    return found


def test_every_type_has_an_example() -> None:
    """No resource type of the sandbox goes untested."""
    assert EXAMPLES.keys() == RESOURCES.keys()


# What AWS always has: deleting these brings back what there was before.
LASTING = {"aws:s3/bucketVersioning:BucketVersioning", "aws:sns/topicPolicy:TopicPolicy"}


@pytest.mark.parametrize("type_name", sorted(EXAMPLES.keys() - LASTING))
def test_a_deleted_resource_is_gone(account: Account, type_name: str) -> None:
    """What is deleted cannot be read any more, and deleting it again is no error."""
    kind = lifecycle.kind_of(type_name)
    identity, _, outputs = create(account, type_name)
    place = lifecycle.place(account, kind.service, "eu-west-1")
    lifecycle.delete(kind, place, identity, outputs)
    lifecycle.delete(kind, place, identity, outputs)
    assert lifecycle.read(kind, place, identity, outputs) is None


@pytest.mark.parametrize("type_name", EXAMPLES)
def test_nothing_differs_after_create(created: dict[str, Created], type_name: str) -> None:
    """What was created is what the program says."""
    _, inputs, outputs = created[type_name]
    again = checked(type_name, EXAMPLES[type_name], inputs)
    found = lifecycle.difference(lifecycle.kind_of(type_name), outputs, inputs, again)
    assert dict(found.paths) == {}


TAGGED = {"tags.Own": "update", "tagsAll.Own": "update"}
UPDATES = [
    ("aws:iam/role:Role", {"description": "x"}, {"description": "add"}),
    (
        "aws:iam/role:Role",
        {"assumeRolePolicy": TRUST.replace("Deny", "Allow")},
        {"assumeRolePolicy": "update"},
    ),
    ("aws:iam/role:Role", {"tags": {"Own": "2"}}, {"tags.Own": "update", "tagsAll.Own": "update"}),
    ("aws:iam/rolePolicy:RolePolicy", {"policy": allowing("s3:Put*")}, {"policy": "update"}),
    ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": None}, {"retentionInDays": "update"}),
    ("aws:lambda/function:Function", {"code": code("two")}, {"code": "update"}),
    ("aws:lambda/function:Function", {"memorySize": 256}, {"memorySize": "update"}),
    (
        "aws:lambda/function:Function",
        {"environment": {"variables": {"B": "3", "c.d": "4"}}},
        {
            "environment.variables.A": "delete",
            "environment.variables.B": "update",
            'environment.variables["c.d"]': "add",
        },
    ),
    (
        "aws:lambda/function:Function",
        {"loggingConfig": {"logFormat": "Text", "logGroup": "log"}},
        {"loggingConfig.logFormat": "update"},
    ),
    ("aws:lambda/function:Function", {"environment": None}, {"environment": "delete"}),
    (
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        {"maximumRetryAttempts": None},
        {"maximumRetryAttempts": "update"},
    ),
    (
        "aws:cloudwatch/eventRule:EventRule",
        {"scheduleExpression": "rate(2 days)"},
        {"scheduleExpression": "update"},
    ),
    ("aws:cloudwatch/eventRule:EventRule", {"state": "DISABLED"}, {"state": "update"}),
    ("aws:cloudwatch/eventTarget:EventTarget", {"roleArn": ROLE}, {"roleArn": "add"}),
    (
        "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        {"metricTransformation": {"name": "runs", "namespace": "trial", "value": "$.count"}},
        {"metricTransformation.value": "update"},
    ),
    ("aws:sns/topic:Topic", {"displayName": None}, {"displayName": "delete"}),
    ("aws:sns/topic:Topic", {"tags": None}, {"tags": "delete", "tagsAll": "delete"}),
    ("aws:sns/topicPolicy:TopicPolicy", {"policy": allowing("sns:*")}, {"policy": "update"}),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", {"threshold": 2}, {"threshold": "update"}),
    (
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {"treatMissingData": None, "alarmActions": None},
        {"treatMissingData": "update", "alarmActions": "delete"},
    ),
    (
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {"dimensions": {"FunctionName": "other"}},
        {"dimensions.FunctionName": "update"},
    ),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", {"tags": {"Own": "2"}}, TAGGED),
    ("aws:s3/bucket:Bucket", {"forceDestroy": True}, {"forceDestroy": "update"}),
    (
        "aws:s3/bucket:Bucket",
        {"tags": {"Own": "2"}},
        {**TAGGED, "tags.Team": "delete", "tagsAll.Team": "delete"},
    ),
    ("aws:s3/bucket:Bucket", {"tags": None}, {"tags": "delete", "tagsAll": "delete"}),
    (
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {"blockPublicAcls": None, "blockPublicPolicy": True},
        {"blockPublicAcls": "update", "blockPublicPolicy": "update"},
    ),
    (
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {"rule": {"objectOwnership": "ObjectWriter"}},
        {"rule.objectOwnership": "update"},
    ),
    (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
        {"rules": "update"},
    ),
    (
        "aws:s3/bucketVersioning:BucketVersioning",
        {"versioningConfiguration": {"status": "Suspended"}},
        {"versioningConfiguration.status": "update"},
    ),
    (
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            "rules": [
                {
                    "expiration": {"days": 1},
                    "filter": {"prefix": "a/"},
                    "id": "a",
                    "status": "Enabled",
                }
            ]
        },
        {"rules": "update"},
    ),
    (
        "aws:s3/bucketPolicy:BucketPolicy",
        {"policy": allowing("s3:PutObject")},
        {"policy": "update"},
    ),
    (
        "aws:sfn/stateMachine:StateMachine",
        {"definition": machine("two")},
        {"definition": "update"},
    ),
    (
        "aws:sfn/stateMachine:StateMachine",
        {"loggingConfiguration": {"includeExecutionData": False, "level": "ALL"}},
        {"loggingConfiguration.level": "update"},
    ),
    ("aws:sfn/stateMachine:StateMachine", {"tags": {"Own": "2"}}, TAGGED),
    (
        "aws:cloudformation/stackSet:StackSet",
        {"templateBody": template("two")},
        {"templateBody": "update"},
    ),
    ("aws:cloudformation/stackSet:StackSet", {"description": "x"}, {"description": "update"}),
    ("aws:cloudformation/stackSet:StackSet", {"tags": {"Own": "2"}}, TAGGED),
]
REPLACEMENTS = [
    ("aws:iam/role:Role", {"path": "/a/"}, "path"),
    ("aws:iam/role:Role", {"name": "b"}, "name"),
    ("aws:iam/rolePolicy:RolePolicy", {"role": UNKNOWN}, "role"),
    ("aws:cloudwatch/logGroup:LogGroup", {"name": "b"}, "name"),
    ("aws:cloudwatch/logGroup:LogGroup", {"region": "us-east-1"}, "region"),
    ("aws:lambda/function:Function", {"name": "b"}, "name"),
    (
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        {"functionName": "b"},
        "functionName",
    ),
    ("aws:lambda/permission:Permission", {"sourceArn": UNKNOWN}, "sourceArn"),
    ("aws:lambda/permission:Permission", {"principal": "s3.amazonaws.com"}, "principal"),
    ("aws:cloudwatch/eventRule:EventRule", {"name": "b"}, "name"),
    ("aws:cloudwatch/eventTarget:EventTarget", {"rule": "b"}, "rule"),
    ("aws:sesv2/emailIdentity:EmailIdentity", {"emailIdentity": "b@example.com"}, "emailIdentity"),
    ("aws:cloudwatch/logMetricFilter:LogMetricFilter", {"logGroupName": "b"}, "logGroupName"),
    ("aws:sns/topic:Topic", {"name": "b"}, "name"),
    ("aws:sns/topicPolicy:TopicPolicy", {"arn": UNKNOWN}, "arn"),
    ("aws:sns/topicSubscription:TopicSubscription", {"endpoint": "b@example.com"}, "endpoint"),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", {"name": "b"}, "name"),
    ("aws:s3/bucket:Bucket", {"bucket": "b"}, "bucket"),
    ("aws:s3/bucketPolicy:BucketPolicy", {"bucket": UNKNOWN}, "bucket"),
    ("aws:sfn/stateMachine:StateMachine", {"name": "b"}, "name"),
    ("aws:sfn/stateMachine:StateMachine", {"type": "EXPRESS"}, "type"),
    ("aws:cloudformation/stackSet:StackSet", {"name": "b"}, "name"),
    (
        "aws:cloudformation/stackSet:StackSet",
        {"autoDeployment": {"enabled": True}},
        "autoDeployment",
    ),
    ("aws:cloudformation/stackInstances:StackInstances", {"stackSetName": "b"}, "stackSetName"),
]


def changed(type_name: str, change: dict[str, Any], olds: dict[str, Any]) -> dict[str, Any]:
    """The inputs of an example with a change, completed; None removes an input."""
    wanted = {**EXAMPLES[type_name], **change}
    return checked(type_name, {k: v for k, v in wanted.items() if v is not None}, olds)


@pytest.mark.parametrize(("type_name", "change", "paths"), UPDATES)
def test_updates(
    account: Account, type_name: str, change: dict[str, Any], paths: dict[str, str]
) -> None:
    """The paths that differ are named, and the update in place leaves none that does."""
    kind = lifecycle.kind_of(type_name)
    identity, inputs, outputs = create(account, type_name)
    news = changed(type_name, change, inputs)
    found = lifecycle.difference(kind, outputs, inputs, news)
    assert dict(found.paths) == paths
    assert found.replaces == frozenset()
    place = lifecycle.place(account, kind.service, "eu-west-1")
    updated = lifecycle.update(kind, place, identity, news, outputs, inputs)
    assert dict(lifecycle.difference(kind, updated, news, news).paths) == {}


@pytest.mark.parametrize(("type_name", "change", "name"), REPLACEMENTS)
def test_replacements(
    created: dict[str, Created], type_name: str, change: dict[str, Any], name: str
) -> None:
    """The change needs another resource."""
    _, inputs, outputs = created[type_name]
    news = changed(type_name, change, inputs)
    found = lifecycle.difference(lifecycle.kind_of(type_name), outputs, inputs, news)
    assert found.replaces == {name}


@pytest.mark.parametrize(
    ("type_name", "change"),
    [
        ("aws:iam/role:Role", {"assumeRolePolicy": json.dumps(json.loads(TRUST), indent=4)}),
        ("aws:lambda/function:Function", {"code": code("one")}),
        ("aws:lambda/function:Function", {"architectures": None}),
        ("aws:lambda/function:Function", {"description": ""}),
        ("aws:lambda/function:Function", {"memorySize": 128}),
    ],
)
def test_no_change(created: dict[str, Created], type_name: str, change: dict[str, Any]) -> None:
    """Another layout, the same files, or a default written out is no change."""
    _, inputs, outputs = created[type_name]
    news = changed(type_name, change, inputs)
    found = lifecycle.difference(lifecycle.kind_of(type_name), outputs, inputs, news)
    assert dict(found.paths) == {}
