"""The parts that the component declares, and the function's inputs."""

from tests.infra.conftest import Deploy
from tests.infra.resource_types import (
    ALARM,
    BUCKET,
    BUCKET_POLICY,
    ENCRYPTION,
    FUNCTION,
    IDENTITY,
    LIFECYCLE,
    LOG_GROUP,
    METRIC,
    OWNERSHIP,
    PERMISSION,
    POLICY,
    PUBLIC_ACCESS,
    RETRIES,
    ROLE,
    RULE,
    SUBSCRIPTION,
    TARGET,
    TOPIC,
    TOPIC_POLICY,
    VERSIONING,
)


def test_default_stack_declares_each_part(deploy: Deploy) -> None:
    """A stack with one recipient and default settings declares these resources."""
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
        METRIC: 7,
        TOPIC: 1,
        TOPIC_POLICY: 1,
        SUBSCRIPTION: 1,
        ALARM: 2,
    }


def test_function_runs_on_python_and_arm(deploy: Deploy) -> None:
    """The function runs on Python 3.13 and arm64, with the memory and timeout of the config."""
    function = deploy(memorySize=1024, timeout=60).one(FUNCTION)
    assert function["runtime"] == "python3.13"
    assert function["architectures"] == ["arm64"]
    assert function["handler"] == "handler.app.lambda_handler"
    assert function["memorySize"] == 1024
    assert function["timeout"] == 60


def test_function_has_the_default_size(deploy: Deploy) -> None:
    """Without settings the function has 512 MB of memory and a timeout of 300 seconds."""
    function = deploy().one(FUNCTION)
    assert (function["memorySize"], function["timeout"]) == (512, 300)


def test_environment_passes_the_config(deploy: Deploy) -> None:
    """Sender, recipients, sorted regions, notify and others are environment variables."""
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
        "ATTRIBUTION": "true",
        "PUBLISH_EVENTS": "false",
        "COPY_ACTOR": "",
        "REALTIME_REGIONS": "",
        "STACK": "dev",
    }


def test_notify_defaults_to_changes(deploy: Deploy) -> None:
    """Without a setting NOTIFY is "changes"."""
    assert deploy().one(FUNCTION)["environment"]["variables"]["NOTIFY"] == "changes"


def test_function_logs_json_to_its_log_group(deploy: Deploy) -> None:
    """The function logs JSON to the declared log group, which has the configured retention."""
    deployment = deploy(logRetentionDays=30)
    assert deployment.one(LOG_GROUP)["retentionInDays"] == 30
    assert deployment.one(FUNCTION)["loggingConfig"] == {
        "logFormat": "JSON",
        "logGroup": "security-group-audit-log",
        "applicationLogLevel": "INFO",
        "systemLogLevel": "INFO",
    }


def test_failed_runs_are_retried_for_an_hour(deploy: Deploy) -> None:
    """Lambda retries a failed event twice, and discards events older than 3600 seconds."""
    retries = deploy().one(RETRIES)
    assert retries["maximumRetryAttempts"] == 2
    assert retries["maximumEventAgeInSeconds"] == 3600


def test_each_address_has_one_identity(deploy: Deploy) -> None:
    """An address that both sends and receives has one SES identity."""
    identities = deploy(recipients=["audit@example.com", "b@example.com"]).all(IDENTITY)
    assert [identity["emailIdentity"] for identity in identities] == [
        "audit@example.com",
        "b@example.com",
    ]


def test_identities_can_be_disabled(deploy: Deploy) -> None:
    """With createIdentities false the stack declares no SES identity."""
    assert deploy(createIdentities=False).all(IDENTITY) == []
