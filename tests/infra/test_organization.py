"""What a stack with many accounts declares besides, and what each function knows."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Deploy, Deployment
from tests.infra.resource_types import (
    ALARM,
    FUNCTION,
    IDENTITY,
    LIFECYCLE,
    LOG_GROUP,
    NAME,
    POLICY,
    RETRIES,
    ROLE,
    STACK_SET,
    STATE_MACHINE,
    SUBSCRIPTION,
)

ACCOUNT = "111122223333"
UNIT = "ou-ab12-cd34ef56"
TEAM = {"accounts": [ACCOUNT], "recipients": ["shop-team@example.com"]}
MACHINE = f"arn:{STATE_MACHINE}:{NAME}-accounts"


def counts(deployment: Deployment) -> dict[str, int]:
    """How many resources there are of each type."""
    return {kind: len(resources) for kind, resources in deployment.resources.items()}


def test_accounts_add_resources(deploy: Deploy) -> None:
    """Accounts add a state machine with role and log, two functions with roles, three alarms."""
    single, many = counts(deploy()), counts(deploy(accounts=[ACCOUNT]))
    added = {kind: many[kind] - single.get(kind, 0) for kind in many}
    assert {kind: number for kind, number in added.items() if number} == {
        STATE_MACHINE: 1,
        LOG_GROUP: 1,
        ROLE: 3,
        POLICY: 4,
        FUNCTION: 2,
        ALARM: 3,
    }


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({}, id="not-set"),
        pytest.param({"accounts": [], "organizationalUnits": [], "digests": []}, id="empty"),
    ],
)
def test_a_single_account_has_none_of_it(deploy: Deploy, overrides: dict[str, Any]) -> None:
    """Without accounts there is one function with its archive of before, and no state machine."""
    deployment = deploy(**overrides)
    assert sorted(name.removeprefix(f"{NAME}-") for name in deployment.resources[ROLE]) == ["role"]
    assert list(deployment.resources[FUNCTION]) == [f"{NAME}-function"]
    assert "STATE_MACHINE" not in deployment.one(FUNCTION)["environment"]["variables"]
    assert "organization.json" not in deployment.one(FUNCTION)["code"].assets
    assert {rule["id"] for rule in deployment.one(LIFECYCLE)["rules"]} == {
        "old-versions",
        "reports",
        "known",
    }
    assert deployment.all(STATE_MACHINE) == deployment.all(STACK_SET) == []


def test_archive_holds_the_organization(deploy: Deploy) -> None:
    """All three functions have one archive, with organization.json; ids are sorted."""
    deployment = deploy(
        accounts=["444455556666", ACCOUNT],
        organizationalUnits=[UNIT],
        externalId="our-audit",
        digests=[TEAM],
    )
    archives = [function["code"].assets for function in deployment.all(FUNCTION)]
    assert len(archives) == 3
    for assets in archives:
        assert json.loads(assets["organization.json"].text) == {
            "accounts": [ACCOUNT, "444455556666"],
            "organizationalUnits": [UNIT],
            "memberRoleName": "security-group-audit",
            "externalId": "our-audit",
            "digests": [TEAM],
        }
        assert assets["policy.json"].text == archives[0]["policy.json"].text


def test_organization_json_without_an_external_id(deploy: Deploy) -> None:
    """Without externalId the file says null, and without digests an empty list."""
    assets = deploy(accounts=[ACCOUNT]).named(FUNCTION, "scan-function")["code"].assets
    document = json.loads(assets["organization.json"].text)
    assert (document["externalId"], document["digests"]) == (None, [])


@pytest.mark.parametrize(
    ("name", "handler", "more"),
    [
        (
            "function",
            "handler.app.lambda_handler",
            {"REALTIME_REGIONS": "", "STATE_MACHINE": MACHINE},
        ),
        ("report-function", "handler.organization.report_accounts.lambda_handler", {}),
    ],
)
def test_start_function_and_report_know_how_to_mail(
    deploy: Deploy, name: str, handler: str, more: dict[str, str]
) -> None:
    """Both have the variables of a single account, and the start function the state machine's ARN.

    Who opened a finding is not looked up, whatever the config says.
    """
    function = deploy(accounts=[ACCOUNT], attribution=True).named(FUNCTION, name)
    assert function["handler"] == handler
    assert function["environment"]["variables"] == {
        "SES_SENDER": "audit@example.com",
        "SES_RECIPIENT": "security@example.com",
        "AUDIT_REGIONS": "all",
        "LEDGER_BUCKET": f"{NAME}-ledger",
        "NOTIFY": "changes",
        "ATTRIBUTION": "false",
        "PUBLISH_EVENTS": "false",
        "COPY_ACTOR": "",
        "STACK": "dev",
        **more,
    }


def test_scan_knows_its_regions(deploy: Deploy) -> None:
    """The scan function knows regions, bucket and stack, and no address."""
    function = deploy(accounts=[ACCOUNT], regions=["eu-west-1"]).named(FUNCTION, "scan-function")
    assert function["handler"] == "handler.organization.scan_account.lambda_handler"
    assert function["environment"]["variables"] == {
        "AUDIT_REGIONS": "eu-west-1",
        "LEDGER_BUCKET": f"{NAME}-ledger",
        "STACK": "dev",
    }


def test_functions_have_their_sizes(deploy: Deploy) -> None:
    """The report has a CPU of its own and the longest time; the others are as configured."""
    deployment = deploy(accounts=[ACCOUNT], memorySize=1024, timeout=600)
    sizes = {
        name.removeprefix(f"{NAME}-"): (function["memorySize"], function["timeout"])
        for name, function in deployment.resources[FUNCTION].items()
    }
    assert sizes == {
        "function": (1024, 600),
        "scan-function": (1024, 600),
        "report-function": (1769, 900),
    }
    large = deploy(accounts=[ACCOUNT], memorySize=3000)
    assert large.named(FUNCTION, "report-function")["memorySize"] == 3000


def test_functions_share_one_log_group(deploy: Deploy) -> None:
    """All functions log JSON to the same log group."""
    groups = [f["loggingConfig"]["logGroup"] for f in deploy(accounts=[ACCOUNT]).all(FUNCTION)]
    assert groups == [f"{NAME}-log"] * 3


def test_only_the_start_function_has_events(deploy: Deploy) -> None:
    """Only the start function has settings for failed events: the state machine retries others."""
    assert deploy(accounts=[ACCOUNT]).one(RETRIES)["functionName"] == f"{NAME}-function"


def test_plans_and_scans_expire(deploy: Deploy) -> None:
    """With accounts the objects of a run expire after 30 days."""
    rules = deploy(accounts=[ACCOUNT]).one(LIFECYCLE)["rules"]
    assert rules[-2:] == [
        {
            "id": name,
            "status": "Enabled",
            "filter": {"prefix": f"{name}/"},
            "expiration": {"days": 30},
        }
        for name in ("plans", "scans")
    ]


def test_recipients_of_all_digests_have_identities(deploy: Deploy) -> None:
    """SES knows the team's address as well; the alarms go to the main recipients only."""
    deployment = deploy(accounts=[ACCOUNT], digests=[TEAM])
    assert {identity["emailIdentity"] for identity in deployment.all(IDENTITY)} == {
        "audit@example.com",
        "security@example.com",
        "shop-team@example.com",
    }
    assert deployment.one(SUBSCRIPTION)["endpoint"] == "security@example.com"


@pytest.mark.parametrize(
    ("alarm", "metric", "words"),
    [
        ("failed", "ExecutionsFailed", "failed: something could not be read, or a digest could"),
        ("timedout", "ExecutionsTimedOut", "took too long and was ended, without a digest"),
        ("aborted", "ExecutionsAborted", "was stopped, without a digest"),
    ],
)
def test_execution_that_does_not_succeed_triggers_an_alarm(
    deploy: Deploy, alarm: str, metric: str, words: str
) -> None:
    """An execution that fails, times out or is aborted triggers an alarm with the commands."""
    found = deploy(accounts=[ACCOUNT]).named(ALARM, f"alarm-execution-{alarm}")
    assert (found["namespace"], found["metricName"]) == ("AWS/States", metric)
    assert found["dimensions"] == {"StateMachineArn": MACHINE}
    assert (found["statistic"], found["threshold"], found["period"]) == ("Sum", 1, 300)
    assert found["treatMissingData"] == "notBreaching"
    description = found["alarmDescription"]
    assert description.startswith(f"The security-group audit of stack dev {words}")
    assert description.endswith(
        "\naws stepfunctions list-executions --region eu-west-1 --max-items 3 "
        f"--state-machine-arn {MACHINE}"
    )


def test_failed_start_function_says_that_nothing_started(deploy: Deploy) -> None:
    """The alarm for the start function's errors says that the audit could not be started."""
    description = deploy(accounts=[ACCOUNT]).named(ALARM, "alarm-failed")["alarmDescription"]
    assert description.startswith("The security-group audit of stack dev could not be started. ")
