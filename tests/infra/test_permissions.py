"""The policy documents of role, bucket and topic."""

import json
from typing import Any

import pytest

from handler.event_bus import SOURCE
from tests.infra.conftest import Deploy, Deployment
from tests.infra.resource_types import (
    BUCKET,
    BUCKET_POLICY,
    FUNCTION,
    LOG_GROUP,
    NAME,
    POLICY,
    ROLE,
    TOPIC,
    TOPIC_POLICY,
)

LEDGER = f"arn:{BUCKET}:{NAME}-ledger"


def policy_statement(deployment: Deployment, sid: str) -> dict[str, Any]:
    """The only statement with this Sid in the function's policy."""
    statements: list[dict[str, Any]] = json.loads(deployment.one(POLICY)["policy"])["Statement"]
    (match,) = [statement for statement in statements if statement["Sid"] == sid]
    return match


def test_only_lambda_may_assume_the_role(deploy: Deploy) -> None:
    """The trust policy names Lambda as the only principal."""
    (trust,) = json.loads(deploy().one(ROLE)["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_function_policy_has_seven_statements(deploy: Deploy) -> None:
    """The role policy has these seven statements and no action with a wildcard."""
    statements = json.loads(deploy().one(POLICY)["policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == [
        "ReadSecurityGroups",
        "LookUpWhoOpenedIt",
        "SendDigest",
        "ListLedger",
        "ReadLedger",
        "WriteLedger",
        "WriteLog",
    ]
    assert not [
        action for statement in statements for action in statement["Action"] if "*" in action
    ]


def test_all_regions_may_be_read_by_default(deploy: Deploy) -> None:
    """With regions [all] the read statement has no condition."""
    assert "Condition" not in policy_statement(deploy(), "ReadSecurityGroups")


@pytest.mark.parametrize("sid", ["ReadSecurityGroups", "LookUpWhoOpenedIt"])
def test_only_configured_regions_may_be_read(deploy: Deploy, sid: str) -> None:
    """With two regions what reads is limited to them by aws:RequestedRegion."""
    read = policy_statement(deploy(regions=["us-east-1", "eu-west-1"]), sid)
    assert read["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}
    }


def test_without_attribution_no_event_may_be_looked_up(deploy: Deploy) -> None:
    """With attribution false the action is dropped, and the function is told."""
    deployment = deploy(attribution=False)
    assert "cloudtrail" not in deployment.one(POLICY)["policy"]
    assert deployment.one(FUNCTION)["environment"]["variables"]["ATTRIBUTION"] == "false"


def test_only_events_of_the_audit_may_be_published(deploy: Deploy) -> None:
    """With publishEvents a second policy allows one source on the default bus of the region."""
    (publish,) = json.loads(
        deploy(publishEvents=True).resources[POLICY][f"{NAME}-publish"]["policy"]
    )["Statement"]
    assert publish["Action"] == ["events:PutEvents"]
    assert publish["Resource"] == "arn:aws:events:eu-west-1:123456789012:event-bus/default"
    assert publish["Condition"] == {"StringEquals": {"events:source": SOURCE}}
    assert list(deploy().resources[POLICY]) == [f"{NAME}-policy"]


def test_email_is_limited_to_the_stacks_identities(deploy: Deploy) -> None:
    """The function may send from the sender only, with the identities of all its addresses."""
    send = policy_statement(deploy(), "SendDigest")
    assert send["Action"] == ["ses:SendEmail", "ses:SendRawEmail"]
    assert send["Resource"] == [
        "arn:aws:ses:eu-west-1:123456789012:identity/audit@example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/security@example.com",
    ]
    assert send["Condition"] == {"StringEquals": {"ses:FromAddress": "audit@example.com"}}


def test_copies_may_go_to_any_address_of_the_domains(deploy: Deploy) -> None:
    """With copyActor the domain and its addresses are added; the sender stays the same."""
    send = policy_statement(deploy(copyActor=["Example.org"]), "SendDigest")
    identity = "arn:aws:ses:eu-west-1:123456789012:identity"
    assert send["Resource"][2:] == [f"{identity}/example.org", f"{identity}/*@example.org"]
    assert send["Condition"] == {"StringEquals": {"ses:FromAddress": "audit@example.com"}}


def test_identities_of_others_may_be_domains(deploy: Deploy) -> None:
    """With createIdentities false, domains, parent domains and configuration sets are added."""
    send = policy_statement(
        deploy(createIdentities=False, sender="a@mail.example.com"), "SendDigest"
    )
    assert send["Resource"] == [
        "arn:aws:ses:eu-west-1:123456789012:configuration-set/*",
        "arn:aws:ses:eu-west-1:123456789012:identity/a@mail.example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/mail.example.com",
        "arn:aws:ses:eu-west-1:123456789012:identity/security@example.com",
    ]


@pytest.mark.parametrize(
    ("sid", "action", "resources"),
    [
        ("ListLedger", "s3:ListBucket", LEDGER),
        (
            "ReadLedger",
            "s3:GetObject",
            [f"{LEDGER}/head.json", f"{LEDGER}/known/*", f"{LEDGER}/state.json"],
        ),
        (
            "WriteLedger",
            "s3:PutObject",
            [
                f"{LEDGER}/head.json",
                f"{LEDGER}/known/*",
                f"{LEDGER}/state.json",
                f"{LEDGER}/aside/*",
                f"{LEDGER}/reports/*",
            ],
        ),
    ],
)
def test_function_may_use_only_its_ledger(
    deploy: Deploy, sid: str, action: str, resources: str | list[str]
) -> None:
    """The function may list its bucket, read head and state, write these and reports, no more."""
    statement = policy_statement(deploy(), sid)
    assert (statement["Action"], statement["Resource"]) == ([action], resources)


def test_function_may_write_only_its_log_group(deploy: Deploy) -> None:
    """The function may create log streams in its own log group, and no log group."""
    log = policy_statement(deploy(), "WriteLog")
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert log["Resource"] == f"arn:{LOG_GROUP}:security-group-audit-log:*"


def test_bucket_denies_requests_without_tls(deploy: Deploy) -> None:
    """The bucket policy denies every action on bucket and objects without TLS."""
    assert json.loads(deploy().one(BUCKET_POLICY)["policy"])["Statement"] == [
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [LEDGER, f"{LEDGER}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_only_alarms_of_the_account_may_publish(deploy: Deploy) -> None:
    """The topic policy allows alarms of this account to publish and denies everybody else."""
    topic, alarms = f"arn:{TOPIC}:{NAME}-alarm", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"
    assert json.loads(deploy().one(TOPIC_POLICY)["policy"])["Statement"] == [
        {
            "Sid": "AllowAlarmsOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "ArnLike": {"aws:SourceArn": alarms},
                "StringEquals": {"aws:SourceAccount": "123456789012"},
            },
        },
        {
            "Sid": "DenyEverybodyElse",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"ArnNotLike": {"aws:SourceArn": alarms}},
        },
    ]
