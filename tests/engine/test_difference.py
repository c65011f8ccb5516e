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


ROLE_ARN = "arn:aws:iam::123456789012:role/role"


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


ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
FUNCTION = "aws:lambda/function:Function"
RETRIES = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
PERMISSION = "aws:lambda/permission:Permission"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
IDENTITY = "aws:sesv2/emailIdentity:EmailIdentity"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
BUCKET = "aws:s3/bucket:Bucket"
PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
MACHINE = "aws:sfn/stateMachine:StateMachine"
STACK_SET = "aws:cloudformation/stackSet:StackSet"
INSTANCES = "aws:cloudformation/stackInstances:StackInstances"
# A valid resource of every type, created in this order.
EXAMPLES: dict[str, dict[str, Any]] = {
    ROLE: {"assumeRolePolicy": TRUST, "name": "role", "tags": {"Own": "1"}},
    ROLE_POLICY: {
        "role": "role",
        "name": "policy",
        "policy": allowing("s3:Get*"),
    },
    LOG_GROUP: {"name": "log", "retentionInDays": 7},
    FUNCTION: {
        "name": "work",
        "role": ROLE_ARN,
        "runtime": "python3.13",
        "handler": "app.handle",
        "code": code("one"),
        "architectures": ["arm64"],
        "environment": {"variables": {"A": "1", "B": "2"}},
        "loggingConfig": {"logFormat": "JSON", "logGroup": "log"},
    },
    RETRIES: {
        "functionName": "work",
        "maximumRetryAttempts": 0,
    },
    PERMISSION: {
        "action": "lambda:InvokeFunction",
        "function": "work",
        "principal": "events.amazonaws.com",
        "sourceArn": "arn:aws:events:eu-west-1:123456789012:rule/rule",
    },
    RULE: {"name": "rule", "scheduleExpression": "rate(1 day)"},
    TARGET: {
        "rule": "rule",
        "arn": "arn:aws:lambda:eu-west-1:123456789012:function:work",
    },
    IDENTITY: {"emailIdentity": "a@example.com"},
    FILTER: {
        "logGroupName": "log",
        "metricTransformation": {"name": "runs", "namespace": "trial", "value": "1"},
        "name": "filter",
        "pattern": '{ $.message = "Done." }',
    },
    TOPIC: {"displayName": "Alarms", "name": "topic", "tags": {"Own": "1"}},
    TOPIC_POLICY: {
        "arn": "arn:aws:sns:eu-west-1:123456789012:topic",
        "policy": allowing("sns:Publish"),
    },
    SUBSCRIPTION: {
        "endpoint": "a@example.com",
        "protocol": "email",
        "topic": "arn:aws:sns:eu-west-1:123456789012:topic",
    },
    ALARM: {
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
    BUCKET: {"bucket": "ledger", "tags": {"Own": "1", "Team": "a"}},
    PUBLIC_ACCESS: {
        "blockPublicAcls": True,
        "bucket": "ledger",
    },
    OWNERSHIP: {
        "bucket": "ledger",
        "rule": {"objectOwnership": "BucketOwnerEnforced"},
    },
    ENCRYPTION: {
        "bucket": "ledger",
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
    },
    VERSIONING: {
        "bucket": "ledger",
        "versioningConfiguration": {"status": "Enabled"},
    },
    LIFECYCLE: {
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
    BUCKET_POLICY: {"bucket": "ledger", "policy": allowing("s3:GetObject")},
    MACHINE: {
        "definition": machine("one"),
        "loggingConfiguration": {"includeExecutionData": False, "level": "ERROR"},
        "name": "machine",
        "roleArn": ROLE_ARN,
        "tags": {"Own": "1"},
    },
    STACK_SET: {
        "capabilities": ["CAPABILITY_NAMED_IAM"],
        "description": "A topic",
        "name": "everywhere",
        "tags": {"Own": "1"},
        "templateBody": template("one"),
    },
    INSTANCES: {
        "accounts": ["123456789012"],
        "regions": ["eu-west-1"],
        "stackSetName": "everywhere",
    },
}


def checked(
    type_name: str, inputs: dict[str, Any], old: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The inputs as the provider completes them."""
    kind = lifecycle.kind_of(type_name)
    return inputs | additions(kind, "x", inputs, old or {}, SETTINGS, b"seed")


# What must be there before an example can be created.
PARENTS = {
    ROLE_POLICY: ROLE,
    FUNCTION: ROLE,
    RETRIES: (FUNCTION),
    PERMISSION: FUNCTION,
    TARGET: RULE,
    FILTER: LOG_GROUP,
    TOPIC_POLICY: TOPIC,
    SUBSCRIPTION: TOPIC,
    INSTANCES: STACK_SET,
} | {name: BUCKET for name in EXAMPLES if name.startswith("aws:s3/") and name != BUCKET}


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
    examples = {}
    for type_name in EXAMPLES:
        with Account() as account:
            examples[type_name] = create(account, type_name)
    return examples


def test_every_type_has_an_example() -> None:
    """No resource type of the sandbox goes untested."""
    assert EXAMPLES.keys() == RESOURCES.keys()


# What AWS always has: deleting these brings back what there was before.
LASTING = {VERSIONING, TOPIC_POLICY}


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
    difference = lifecycle.difference(lifecycle.kind_of(type_name), outputs, inputs, again)
    assert dict(difference.paths) == {}


TAGGED = {"tags.Own": "update", "tagsAll.Own": "update"}
UPDATES = [
    (ROLE, {"description": "x"}, {"description": "add"}),
    (ROLE, {"assumeRolePolicy": TRUST.replace("Deny", "Allow")}, {"assumeRolePolicy": "update"}),
    (ROLE, {"tags": {"Own": "2"}}, {"tags.Own": "update", "tagsAll.Own": "update"}),
    (ROLE_POLICY, {"policy": allowing("s3:Put*")}, {"policy": "update"}),
    (LOG_GROUP, {"retentionInDays": None}, {"retentionInDays": "update"}),
    (FUNCTION, {"code": code("two")}, {"code": "update"}),
    (FUNCTION, {"memorySize": 256}, {"memorySize": "update"}),
    (
        FUNCTION,
        {"environment": {"variables": {"B": "3", "c.d": "4"}}},
        {
            "environment.variables.A": "delete",
            "environment.variables.B": "update",
            'environment.variables["c.d"]': "add",
        },
    ),
    (
        FUNCTION,
        {"loggingConfig": {"logFormat": "Text", "logGroup": "log"}},
        {"loggingConfig.logFormat": "update"},
    ),
    (FUNCTION, {"environment": None}, {"environment": "delete"}),
    (RETRIES, {"maximumRetryAttempts": None}, {"maximumRetryAttempts": "update"}),
    (RULE, {"scheduleExpression": "rate(2 days)"}, {"scheduleExpression": "update"}),
    (RULE, {"state": "DISABLED"}, {"state": "update"}),
    (TARGET, {"roleArn": ROLE_ARN}, {"roleArn": "add"}),
    (
        FILTER,
        {"metricTransformation": {"name": "runs", "namespace": "trial", "value": "$.count"}},
        {"metricTransformation.value": "update"},
    ),
    (TOPIC, {"displayName": None}, {"displayName": "delete"}),
    (TOPIC, {"tags": None}, {"tags": "delete", "tagsAll": "delete"}),
    (TOPIC_POLICY, {"policy": allowing("sns:*")}, {"policy": "update"}),
    (ALARM, {"threshold": 2}, {"threshold": "update"}),
    (
        ALARM,
        {"treatMissingData": None, "alarmActions": None},
        {"treatMissingData": "update", "alarmActions": "delete"},
    ),
    (ALARM, {"dimensions": {"FunctionName": "other"}}, {"dimensions.FunctionName": "update"}),
    (ALARM, {"tags": {"Own": "2"}}, TAGGED),
    (BUCKET, {"forceDestroy": True}, {"forceDestroy": "update"}),
    (BUCKET, {"tags": {"Own": "2"}}, {**TAGGED, "tags.Team": "delete", "tagsAll.Team": "delete"}),
    (BUCKET, {"tags": None}, {"tags": "delete", "tagsAll": "delete"}),
    (
        PUBLIC_ACCESS,
        {"blockPublicAcls": None, "blockPublicPolicy": True},
        {"blockPublicAcls": "update", "blockPublicPolicy": "update"},
    ),
    (OWNERSHIP, {"rule": {"objectOwnership": "ObjectWriter"}}, {"rule.objectOwnership": "update"}),
    (
        ENCRYPTION,
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
        {"rules": "update"},
    ),
    (
        VERSIONING,
        {"versioningConfiguration": {"status": "Suspended"}},
        {"versioningConfiguration.status": "update"},
    ),
    (
        LIFECYCLE,
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
    (BUCKET_POLICY, {"policy": allowing("s3:PutObject")}, {"policy": "update"}),
    (MACHINE, {"definition": machine("two")}, {"definition": "update"}),
    (
        MACHINE,
        {"loggingConfiguration": {"includeExecutionData": False, "level": "ALL"}},
        {"loggingConfiguration.level": "update"},
    ),
    (MACHINE, {"tags": {"Own": "2"}}, TAGGED),
    (STACK_SET, {"templateBody": template("two")}, {"templateBody": "update"}),
    (STACK_SET, {"description": "x"}, {"description": "update"}),
    (STACK_SET, {"tags": {"Own": "2"}}, TAGGED),
]
REPLACEMENTS = [
    (ROLE, {"path": "/a/"}, "path"),
    (ROLE, {"name": "b"}, "name"),
    (ROLE_POLICY, {"role": UNKNOWN}, "role"),
    (LOG_GROUP, {"name": "b"}, "name"),
    (LOG_GROUP, {"region": "us-east-1"}, "region"),
    (FUNCTION, {"name": "b"}, "name"),
    (RETRIES, {"functionName": "b"}, "functionName"),
    (PERMISSION, {"sourceArn": UNKNOWN}, "sourceArn"),
    (PERMISSION, {"principal": "s3.amazonaws.com"}, "principal"),
    (RULE, {"name": "b"}, "name"),
    (TARGET, {"rule": "b"}, "rule"),
    (IDENTITY, {"emailIdentity": "b@example.com"}, "emailIdentity"),
    (FILTER, {"logGroupName": "b"}, "logGroupName"),
    (TOPIC, {"name": "b"}, "name"),
    (TOPIC_POLICY, {"arn": UNKNOWN}, "arn"),
    (SUBSCRIPTION, {"endpoint": "b@example.com"}, "endpoint"),
    (ALARM, {"name": "b"}, "name"),
    (BUCKET, {"bucket": "b"}, "bucket"),
    (BUCKET_POLICY, {"bucket": UNKNOWN}, "bucket"),
    (MACHINE, {"name": "b"}, "name"),
    (MACHINE, {"type": "EXPRESS"}, "type"),
    (STACK_SET, {"name": "b"}, "name"),
    (STACK_SET, {"autoDeployment": {"enabled": True}}, "autoDeployment"),
    (INSTANCES, {"stackSetName": "b"}, "stackSetName"),
]


def changed(type_name: str, change: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """The inputs of an example with a change, completed; None removes an input."""
    inputs = {**EXAMPLES[type_name], **change}
    return checked(type_name, {k: v for k, v in inputs.items() if v is not None}, old)


@pytest.mark.parametrize(("type_name", "change", "paths"), UPDATES)
def test_updates(
    account: Account, type_name: str, change: dict[str, Any], paths: dict[str, str]
) -> None:
    """The paths that differ are named, and the update in place leaves none that does."""
    kind = lifecycle.kind_of(type_name)
    identity, inputs, outputs = create(account, type_name)
    new = changed(type_name, change, inputs)
    difference = lifecycle.difference(kind, outputs, inputs, new)
    assert dict(difference.paths) == paths
    assert difference.replaces == frozenset()
    place = lifecycle.place(account, kind.service, "eu-west-1")
    updated = lifecycle.update(kind, place, identity, new, outputs, inputs)
    assert dict(lifecycle.difference(kind, updated, new, new).paths) == {}


@pytest.mark.parametrize(("type_name", "change", "name"), REPLACEMENTS)
def test_replacements(
    created: dict[str, Created], type_name: str, change: dict[str, Any], name: str
) -> None:
    """The change needs another resource."""
    _, inputs, outputs = created[type_name]
    new = changed(type_name, change, inputs)
    difference = lifecycle.difference(lifecycle.kind_of(type_name), outputs, inputs, new)
    assert difference.replaces == {name}


@pytest.mark.parametrize(
    ("type_name", "change"),
    [
        (ROLE, {"assumeRolePolicy": json.dumps(json.loads(TRUST), indent=4)}),
        (FUNCTION, {"code": code("one")}),
        (FUNCTION, {"architectures": None}),
        (FUNCTION, {"description": ""}),
        (FUNCTION, {"memorySize": 128}),
    ],
)
def test_no_change(created: dict[str, Created], type_name: str, change: dict[str, Any]) -> None:
    """Another layout, the same files, or a default written out is no change."""
    _, inputs, outputs = created[type_name]
    new = changed(type_name, change, inputs)
    difference = lifecycle.difference(lifecycle.kind_of(type_name), outputs, inputs, new)
    assert dict(difference.paths) == {}
