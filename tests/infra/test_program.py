"""What the program declares for a stack."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import Deploy, Deployment

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
EXCEPTION = {
    "group": "shop",
    "ports": "tcp/8443",
    "reason": "partners",
    "owner": "web",
    "until": "2100-01-01",
}
FUNCTION = "aws:lambda/function:Function"
RETRIES = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
PERMISSION = "aws:lambda/permission:Permission"
IDENTITY = "aws:sesv2/emailIdentity:EmailIdentity"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
METRIC = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
NAME = "security-group-audit"


def statement(deployment: Deployment, sid: str) -> dict[str, Any]:
    """The one statement of the function's policy with that name."""
    statements = json.loads(deployment.one(POLICY)["policy"])["Statement"]
    (found,) = [each for each in statements if each["Sid"] == sid]
    return found


def test_declares_each_part_once(deploy: Deploy) -> None:
    """What a stack with one recipient consists of."""
    deployment = deploy()
    assert {kind: len(resources) for kind, resources in deployment.resources.items()} == {
        "sgaudit:index:SecurityGroupAudit": 1,
        ROLE: 1,
        POLICY: 1,
        LOG_GROUP: 1,
        FUNCTION: 1,
        RETRIES: 1,
        PERMISSION: 1,
        IDENTITY: 2,
        RULE: 1,
        TARGET: 1,
        BUCKET: 1,
        BUCKET_POLICY: 1,
        ENCRYPTION: 1,
        LIFECYCLE: 1,
        OWNERSHIP: 1,
        PUBLIC_ACCESS: 1,
        VERSIONING: 1,
        METRIC: 6,
        TOPIC: 1,
        TOPIC_POLICY: 1,
        SUBSCRIPTION: 1,
        ALARM: 2,
    }


def test_function_runs_on_python_and_arm(deploy: Deploy) -> None:
    """The function has the runtime, handler and size that the stack says."""
    function = deploy(memorySize=1024, timeout=60).one(FUNCTION)
    assert function["runtime"] == "python3.13"
    assert function["architectures"] == ["arm64"]
    assert function["handler"] == "handler.app.lambda_handler"
    assert function["memorySize"] == 1024
    assert function["timeout"] == 60


def test_function_has_the_default_size(deploy: Deploy) -> None:
    """Without settings the function has 512 MB and 300 seconds."""
    function = deploy().one(FUNCTION)
    assert (function["memorySize"], function["timeout"]) == (512, 300)


def test_environment_carries_the_wiring(deploy: Deploy) -> None:
    """Sender, recipients, regions, notify, ledger and stack reach the function."""
    deployment = deploy(
        recipients=["security@example.com", "platform@example.com"],
        regions=["us-east-1", "eu-west-1"],
        notify="always",
    )
    assert deployment.one(FUNCTION)["environment"]["variables"] == {
        "SES_SENDER": "audit@example.com",
        "SES_RECIPIENT": "security@example.com,platform@example.com",
        "AUDIT_REGIONS": "eu-west-1,us-east-1",
        "LEDGER_BUCKET": "security-group-audit-ledger",
        "NOTIFY": "always",
        "STACK": "dev",
    }


def test_archive_is_the_handler_and_its_policy(deploy: Deploy, project: Path) -> None:
    """The zip holds the handler's modules under their own paths, the policy, and nothing else."""
    assets = deploy().one(FUNCTION)["code"].assets
    assert sorted(assets) == [
        "handler/__init__.py",
        "handler/address.py",
        "handler/answer.py",
        "handler/app.py",
        "handler/audit.py",
        "handler/aws.py",
        "handler/clock.py",
        "handler/collect.py",
        "handler/event.py",
        "handler/exceptions.py",
        "handler/exposure.py",
        "handler/findings.py",
        "handler/fix.py",
        "handler/interfaces.py",
        "handler/ledger.py",
        "handler/memory.py",
        "handler/model.py",
        "handler/notify.py",
        "handler/parse.py",
        "handler/policy.py",
        "handler/report/__init__.py",
        "handler/report/csv.py",
        "handler/report/digest.py",
        "handler/report/document.py",
        "handler/report/fit.py",
        "handler/report/headline.py",
        "handler/report/html.py",
        "handler/report/text.py",
        "handler/report/words.py",
        "handler/scan.py",
        "handler/services.py",
        "handler/settings.py",
        "handler/severity.py",
        "handler/state.py",
        "handler/store.py",
        "handler/together.py",
        "handler/written.py",
        "policy.json",
    ]
    assert assets["handler/app.py"].path == str(project / "handler" / "app.py")


def test_archive_holds_the_stacks_policy(deploy: Deploy) -> None:
    """What counts travels in the zip."""
    deployment = deploy(
        minimumSeverity="high",
        trustedCidrs=["198.51.100.0/24"],
        authorizedPorts=["tcp/443"],
        exceptions=[EXCEPTION],
    )
    policy = deployment.one(FUNCTION)["code"].assets["policy.json"]
    assert json.loads(policy.text) == {
        "minimumSeverity": "high",
        "trustedCidrs": ["198.51.100.0/24"],
        "authorizedPorts": ["tcp/443"],
        "exceptions": [EXCEPTION],
    }


def test_role_is_for_lambda_alone(deploy: Deploy) -> None:
    """Only Lambda may assume the function's role."""
    (trust,) = json.loads(deploy().one(ROLE)["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_function_may_only_read_send_and_log(deploy: Deploy) -> None:
    """The policy has five statements and no action with a wildcard."""
    statements = json.loads(deploy().one(POLICY)["policy"])["Statement"]
    assert [each["Sid"] for each in statements] == [
        "ReadSecurityGroups",
        "SendDigest",
        "KeepLedger",
        "SeeWhatTheLedgerLacks",
        "WriteLog",
    ]
    assert not [action for each in statements for action in each["Action"] if "*" in action]


def test_reading_everywhere_has_no_condition(deploy: Deploy) -> None:
    """An audit of all regions may read in all regions."""
    assert "Condition" not in statement(deploy(), "ReadSecurityGroups")


def test_reading_is_bound_to_the_regions(deploy: Deploy) -> None:
    """An audit of some regions may read in those only."""
    read = statement(deploy(regions=["us-east-1", "eu-west-1"]), "ReadSecurityGroups")
    assert read["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}
    }


def test_mail_is_bound_to_the_identities(deploy: Deploy) -> None:
    """The function may send for the stack's own identities, the recipients' included."""
    send = statement(deploy(), "SendDigest")
    assert send["Action"] == ["ses:SendEmail", "ses:SendRawEmail"]
    assert send["Resource"] == [
        "arn:aws:ses:eu-west-1:123456789012:identity/audit@example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/security@example.com",
    ]


def test_foreign_identities_may_be_domains(deploy: Deploy) -> None:
    """Identities of others may cover an address by its domain or a parent of that."""
    send = statement(deploy(createIdentities=False, sender="a@mail.example.com"), "SendDigest")
    assert send["Resource"] == [
        "arn:aws:ses:eu-west-1:123456789012:identity/a@mail.example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/mail.example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/security@example.com",
    ]


def test_logging_is_bound_to_the_own_group(deploy: Deploy) -> None:
    """The function may write streams of its own log group and create no group."""
    log = statement(deploy(), "WriteLog")
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert log["Resource"] == f"arn:{LOG_GROUP}:security-group-audit-log:*"


def test_log_is_json_in_the_stacks_group(deploy: Deploy) -> None:
    """The function logs JSON into the group whose retention the stack decides."""
    deployment = deploy(logRetentionDays=30)
    assert deployment.one(LOG_GROUP)["retentionInDays"] == 30
    assert deployment.one(FUNCTION)["loggingConfig"] == {
        "logFormat": "JSON",
        "logGroup": "security-group-audit-log",
        "applicationLogLevel": "INFO",
        "systemLogLevel": "INFO",
    }


def test_identities_cover_sender_and_recipients(deploy: Deploy) -> None:
    """Each address has one identity, even one that both sends and receives."""
    identities = deploy(recipients=["audit@example.com", "b@example.com"]).all(IDENTITY)
    assert [each["emailIdentity"] for each in identities] == ["audit@example.com", "b@example.com"]


def test_identities_can_be_left_to_others(deploy: Deploy) -> None:
    """With createIdentities false the stack creates none."""
    assert deploy(createIdentities=False).all(IDENTITY) == []


def test_schedule_runs_the_function(deploy: Deploy) -> None:
    """The rule's target is the function, and only that rule may invoke it."""
    deployment = deploy(schedule="rate(12 hours)")
    rule_arn = f"arn:{RULE}:security-group-audit-schedule"
    function_arn = f"arn:{FUNCTION}:security-group-audit-function"
    assert deployment.one(RULE)["scheduleExpression"] == "rate(12 hours)"
    assert deployment.one(TARGET)["arn"] == function_arn
    assert deployment.one(PERMISSION) == {
        "action": "lambda:InvokeFunction",
        "function": "security-group-audit-function",
        "principal": "events.amazonaws.com",
        "sourceArn": rule_arn,
    }


@pytest.mark.parametrize("kind", [RULE, TARGET, PERMISSION])
def test_disabled_schedule_leaves_nothing(deploy: Deploy, kind: str) -> None:
    """Without a schedule there is no rule, no target and no permission."""
    assert deploy(schedule="disabled").all(kind) == []


def test_failed_runs_are_retried_within_the_hour(deploy: Deploy) -> None:
    """Lambda runs a failed event twice more, and none that is older than an hour."""
    retries = deploy().one(RETRIES)
    assert retries["maximumRetryAttempts"] == 2
    assert retries["maximumEventAgeInSeconds"] == 3600


def test_scheduled_runs_mail_changes(deploy: Deploy) -> None:
    """Without a setting a scheduled run mails what has changed."""
    assert deploy().one(FUNCTION)["environment"]["variables"]["NOTIFY"] == "changes"


def test_ledger_is_private_encrypted_and_versioned(deploy: Deploy) -> None:
    """The bucket has no name of its own and lets nobody in but through its owner's policies."""
    deployment = deploy()
    assert deployment.one(BUCKET) == {"forceDestroy": True}
    bucket = {"bucket": f"{NAME}-ledger"}
    assert deployment.one(PUBLIC_ACCESS) == bucket | {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert deployment.one(OWNERSHIP) == bucket | {
        "rule": {"objectOwnership": "BucketOwnerEnforced"}
    }
    assert deployment.one(VERSIONING) == bucket | {"versioningConfiguration": {"status": "Enabled"}}
    assert deployment.one(ENCRYPTION) == bucket | {
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    }


def test_ledger_wants_tls(deploy: Deploy) -> None:
    """Nobody reaches bucket or objects without TLS."""
    arn = f"arn:{BUCKET}:{NAME}-ledger"
    assert json.loads(deploy().one(BUCKET_POLICY)["policy"])["Statement"] == [
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_ledger_forgets(deploy: Deploy) -> None:
    """Reports go after the days of the stack, versions and abandoned uploads sooner."""
    old, reports = deploy(reportRetentionDays=30).one(LIFECYCLE)["rules"]
    assert old["filter"] == {"prefix": ""}
    assert old["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert old["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert "expiration" not in old
    assert reports["filter"] == {"prefix": "reports/"}
    assert reports["expiration"] == {"days": 30}
    assert {old["status"], reports["status"]} == {"Enabled"}


def test_reports_can_outlive_the_stack(deploy: Deploy) -> None:
    """With deleteReports false a bucket that holds something is not destroyed."""
    assert deploy(deleteReports=False).one(BUCKET) == {"forceDestroy": False}


def test_function_keeps_its_own_ledger_only(deploy: Deploy) -> None:
    """Objects may be read and written in the one bucket, and nothing deleted."""
    deployment = deploy()
    arn = f"arn:{BUCKET}:{NAME}-ledger"
    keep = statement(deployment, "KeepLedger")
    assert (keep["Action"], keep["Resource"]) == (["s3:GetObject", "s3:PutObject"], f"{arn}/*")
    look = statement(deployment, "SeeWhatTheLedgerLacks")
    assert (look["Action"], look["Resource"]) == (["s3:ListBucket"], arn)


def test_a_failed_run_rings(deploy: Deploy) -> None:
    """One error of the function is enough, and no runs are no errors."""
    alarm = deploy().resources[ALARM][f"{NAME}-alarm-failed"]
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["dimensions"] == {"FunctionName": f"{NAME}-function"}
    assert (alarm["statistic"], alarm["threshold"], alarm["period"]) == ("Sum", 1, 300)
    assert alarm["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["treatMissingData"] == "notBreaching"
    assert alarm["alarmActions"] == [f"arn:{TOPIC}:{NAME}-alarm"]
    assert alarm["alarmDescription"] == (
        "The security-group audit of stack dev failed: something could not be read, or the digest "
        "could not be sent. What it was is in the log: "
        "aws logs tail security-group-audit-log --since 1h --format short"
    )


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("rate(5 minutes)", 2),
        ("rate(1 day)", 25),
        ("cron(0 6 ? * MON-FRI *)", 73),
        ("rate(167 hours)", 168),
    ],
)
def test_silence_rings_after_the_longest_gap(deploy: Deploy, schedule: str, hours: int) -> None:
    """No run in the hours that the schedule may take, and one more, is an alarm."""
    alarm = deploy(schedule=schedule).resources[ALARM][f"{NAME}-alarm-silent"]
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Lambda", "Invocations")
    assert alarm["dimensions"] == {"FunctionName": f"{NAME}-function"}
    assert (alarm["statistic"], alarm["threshold"], alarm["period"]) == ("Sum", 1, 3600)
    assert alarm["comparisonOperator"] == "LessThanThreshold"
    assert (alarm["evaluationPeriods"], alarm["datapointsToAlarm"]) == (hours, hours)
    assert alarm["treatMissingData"] == "breaching"
    assert f"has not run for {hours} hours" in alarm["alarmDescription"]
    assert alarm["alarmDescription"].endswith("describe-rule --name security-group-audit-schedule")
    assert alarm["alarmActions"] == [f"arn:{TOPIC}:{NAME}-alarm"]


def test_longer_silence_cannot_ring(deploy: Deploy, caplog: pytest.LogCaptureFixture) -> None:
    """Where a week may pass between two runs there is no such alarm, and a warning says so."""
    assert list(deploy(schedule="rate(7 days)").resources[ALARM]) == [f"{NAME}-alarm-failed"]
    (message,) = caplog.messages
    assert message == (
        "No alarm watches whether the audit runs: an alarm looks back 168 hours, and schedule may "
        "let 168 hours pass between two runs."
    )


def test_without_a_schedule_silence_is_well(
    deploy: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    """A disabled schedule has no alarm for its silence, and no warning either."""
    assert list(deploy(schedule="disabled").resources[ALARM]) == [f"{NAME}-alarm-failed"]
    assert caplog.messages == []


def test_every_recipient_hears_alarms(deploy: Deploy) -> None:
    """Each recipient of the digest is asked to confirm a subscription."""
    subscriptions = deploy(recipients=["a@example.com", "b@example.com"]).all(SUBSCRIPTION)
    assert subscriptions == [
        {"topic": f"arn:{TOPIC}:{NAME}-alarm", "protocol": "email", "endpoint": "a@example.com"},
        {"topic": f"arn:{TOPIC}:{NAME}-alarm", "protocol": "email", "endpoint": "b@example.com"},
    ]


def test_only_alarms_of_the_account_publish(deploy: Deploy) -> None:
    """The topic takes nothing from others."""
    assert json.loads(deploy().one(TOPIC_POLICY)["policy"])["Statement"] == [
        {
            "Sid": "AlarmsOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": f"arn:{TOPIC}:{NAME}-alarm",
            "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        }
    ]


@pytest.mark.parametrize("kind", [ALARM, TOPIC, TOPIC_POLICY, SUBSCRIPTION])
def test_alarms_can_be_left_out(deploy: Deploy, kind: str) -> None:
    """With alarms false there is neither an alarm nor what carries it."""
    assert deploy(alarms=False).all(kind) == []


def test_counts_become_metrics_of_the_stack(deploy: Deploy) -> None:
    """Each count of the last line is a metric in a namespace of the stack's own."""
    filters = deploy(alarms=False).all(METRIC)
    assert {each["pattern"] for each in filters} == {'{ $.message = "Audit finished." }'}
    assert {each["logGroupName"] for each in filters} == {f"{NAME}-log"}
    assert [each["metricTransformation"] for each in filters] == [
        {
            "namespace": "SecurityGroupAudit/dev",
            "name": count,
            "value": f"$.{count}",
            "unit": "Count",
        }
        for count in ("critical", "high", "medium", "low", "info", "targetsNotRead")
    ]


def test_realtime_runs_the_function_after_a_change(deploy: Deploy) -> None:
    """The rule takes successful calls of EC2 that open something, and may invoke the function."""
    deployment = deploy(realtime=True, schedule="disabled")
    pattern = json.loads(deployment.one(RULE)["eventPattern"])
    assert pattern == {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "eventName": [
                "AssociateAddress",
                "AuthorizeSecurityGroupIngress",
                "CreateSecurityGroup",
                "ModifyInstanceAttribute",
                "ModifyManagedPrefixList",
                "ModifyNetworkInterfaceAttribute",
                "ModifySecurityGroupRules",
                "RestoreManagedPrefixListVersion",
            ],
            "errorCode": [{"exists": False}],
        },
    }
    assert deployment.one(TARGET)["arn"] == f"arn:{FUNCTION}:{NAME}-function"
    assert deployment.one(PERMISSION)["sourceArn"] == f"arn:{RULE}:{NAME}-change"


def test_realtime_is_off(deploy: Deploy) -> None:
    """Without a setting only the schedule runs the function."""
    assert list(deploy().resources[RULE]) == [f"{NAME}-schedule"]
