"""The state machine that audits many accounts: what follows what, and what is retried."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Deploy, Deployment
from tests.infra.resource_types import FUNCTION, LOG_GROUP, NAME, STATE_MACHINE

ACCOUNTS = ["111122223333"]
SCAN = f"arn:{FUNCTION}:{NAME}-scan-function"
REPORT = f"arn:{FUNCTION}:{NAME}-report-function"
LAMBDA = "arn:aws:states:::lambda:invoke"


def states(deployment: Deployment) -> dict[str, Any]:
    """The states of the machine by name, those of an account's execution among them."""
    found: dict[str, Any] = json.loads(deployment.one(STATE_MACHINE)["definition"])["States"]
    children: dict[str, Any] = found["Scan"]["ItemProcessor"]["States"]
    return found | children


@pytest.fixture
def found(deploy: Deploy) -> dict[str, Any]:
    """The states of a stack with default settings."""
    return states(deploy(accounts=ACCOUNTS))


def test_a_run_scans_and_reports(found: dict[str, Any]) -> None:
    """With accounts they are scanned first; without, and after an error of the map, not."""
    assert found["Has accounts"]["Choices"] == [
        {"Variable": "$.hasAccounts", "BooleanEquals": True, "Next": "Scan"}
    ]
    assert found["Has accounts"]["Default"] == "Report"
    assert found["Scan"]["Next"] == "Report"
    assert found["Scan"]["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Report"}
    ]
    assert found["Report"]["End"] is True


def test_the_map_reads_the_plan(found: dict[str, Any]) -> None:
    """The accounts come from the object that the input names, each with the run's id and time."""
    scan = found["Scan"]
    assert scan["ItemReader"] == {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.accounts"},
    }
    assert scan["ItemSelector"] == {
        "run.$": "$.run",
        "startedAt.$": "$.startedAt",
        "item.$": "$$.Map.Item.Value",
    }
    assert scan["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "STANDARD",
    }
    assert (scan["ToleratedFailurePercentage"], scan["ResultPath"]) == (100.0, None)


def test_a_failed_scan_is_recorded(found: dict[str, Any]) -> None:
    """Any error of the function, or its timeout, goes to it a second time, as `failure`."""
    assert found["Scan account"]["Catch"] == [
        {
            "ErrorEquals": ["States.TaskFailed", "States.Timeout"],
            "ResultPath": "$.failure",
            "Next": "Record failure",
        }
    ]
    for name in ("Scan account", "Record failure"):
        assert found[name]["Resource"] == LAMBDA
        assert found[name]["Parameters"] == {"FunctionName": SCAN, "Payload.$": "$"}
        assert found[name]["OutputPath"] is None
        assert found[name]["End"] is True


def test_the_report_gets_the_run(found: dict[str, Any]) -> None:
    """The report function gets the run's id, and what it returns is the execution's output."""
    assert found["Report"]["Resource"] == LAMBDA
    assert found["Report"]["Parameters"] == {
        "FunctionName": REPORT,
        "Payload": {"run.$": "$.run"},
    }
    assert found["Report"]["OutputPath"] == "$.Payload"


@pytest.mark.parametrize("name", ["Scan account", "Record failure", "Report"])
def test_throttling_is_retried_for_ten_minutes(found: dict[str, Any], name: str) -> None:
    """The waits add up to 602 seconds, none is longer than a minute."""
    (retry,) = [
        retry
        for retry in found[name]["Retry"]
        if retry["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    ]
    waits = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
        for attempt in range(retry["MaxAttempts"])
    ]
    assert waits[:6] == [2, 4, 8, 16, 32, 60]
    assert sum(waits) == 602


def test_a_report_that_fails_is_retried_twice(found: dict[str, Any]) -> None:
    """After a refused mail, a plan that was not read, or a death: 90 seconds later, twice."""
    assert found["Report"]["Retry"][-1] == {
        "ErrorEquals": [
            "MailError",
            "PlanError",
            "Lambda.Unknown",
            "Runtime.ExitError",
            "Sandbox.Timedout",
        ],
        "IntervalSeconds": 90,
        "BackoffRate": 1.0,
        "MaxAttempts": 2,
    }


def test_no_error_is_retried_by_a_wildcard(found: dict[str, Any]) -> None:
    """Only errors with a name of their own are retried."""
    names = {
        name
        for state in found.values()
        for retry in state.get("Retry", ())
        for name in retry["ErrorEquals"]
    }
    assert not [name for name in names if name.startswith("States.")]


def test_tasks_wait_longer_than_their_functions(deploy: Deploy) -> None:
    """Each task gives its function a minute more than the function's own time limit."""
    deployment = deploy(accounts=ACCOUNTS, timeout=600)
    found = states(deployment)
    assert deployment.named(FUNCTION, "scan-function")["timeout"] == 600
    assert found["Scan account"]["TimeoutSeconds"] == 660
    assert found["Record failure"]["TimeoutSeconds"] == 660
    assert deployment.named(FUNCTION, "report-function")["timeout"] == 900
    assert found["Report"]["TimeoutSeconds"] == 960


@pytest.mark.parametrize(("overrides", "concurrency"), [({}, 8), ({"scanConcurrency": 40}, 40)])
def test_so_many_accounts_are_scanned_at_a_time(
    deploy: Deploy, overrides: dict[str, int], concurrency: int
) -> None:
    """The map runs eight executions at a time, or as many as scanConcurrency says."""
    assert states(deploy(accounts=ACCOUNTS, **overrides))["Scan"]["MaxConcurrency"] == concurrency


def test_an_execution_ends_after_three_hours(deploy: Deploy) -> None:
    """The time limit of an execution is 10,800 seconds."""
    definition = json.loads(deploy(accounts=ACCOUNTS).one(STATE_MACHINE)["definition"])
    assert definition["TimeoutSeconds"] == 10_800


def test_errors_are_logged(deploy: Deploy) -> None:
    """Errors go to a log group of the state machine's own, without the data of the run."""
    deployment = deploy(accounts=ACCOUNTS, logRetentionDays=30)
    assert deployment.named(LOG_GROUP, "accounts-log") == {
        "namePrefix": "/aws/vendedlogs/states/security-group-audit-accounts-",
        "retentionInDays": 30,
    }
    assert deployment.one(STATE_MACHINE)["loggingConfiguration"] == {
        "level": "ERROR",
        "includeExecutionData": False,
        "logDestination": f"arn:{LOG_GROUP}:{NAME}-accounts-log:*",
    }
