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


def statement(deployment: Deployment, sid: str) -> dict[str, Any]:
    """The one statement of the function's policy with that name."""
    statements = json.loads(deployment.one(POLICY)["policy"])["Statement"]
    (found,) = [each for each in statements if each["Sid"] == sid]
    return found


def test_declares_each_part_once(deploy: Deploy) -> None:
    """A stack with one recipient is one component with eleven resources."""
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
    """Sender, recipients, regions, notify and stack reach the function."""
    deployment = deploy(
        recipients=["security@example.com", "platform@example.com"],
        regions=["us-east-1", "eu-west-1"],
        notify="always",
    )
    assert deployment.one(FUNCTION)["environment"]["variables"] == {
        "SES_SENDER": "audit@example.com",
        "SES_RECIPIENT": "security@example.com,platform@example.com",
        "AUDIT_REGIONS": "eu-west-1,us-east-1",
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
        "handler/collect.py",
        "handler/exceptions.py",
        "handler/exposure.py",
        "handler/findings.py",
        "handler/fix.py",
        "handler/interfaces.py",
        "handler/model.py",
        "handler/notify.py",
        "handler/parse.py",
        "handler/policy.py",
        "handler/report/__init__.py",
        "handler/report/csv.py",
        "handler/report/digest.py",
        "handler/report/document.py",
        "handler/report/fit.py",
        "handler/report/html.py",
        "handler/report/text.py",
        "handler/report/words.py",
        "handler/scan.py",
        "handler/services.py",
        "handler/settings.py",
        "handler/severity.py",
        "handler/together.py",
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
    """The policy has three statements and no action with a wildcard."""
    statements = json.loads(deploy().one(POLICY)["policy"])["Statement"]
    assert [each["Sid"] for each in statements] == ["ReadSecurityGroups", "SendDigest", "WriteLog"]
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


def test_failed_runs_are_not_retried(deploy: Deploy) -> None:
    """A failed run has mailed already; Lambda must not run it again."""
    retries = deploy().one(RETRIES)
    assert retries["maximumRetryAttempts"] == 0
    assert retries["maximumEventAgeInSeconds"] == 3600
