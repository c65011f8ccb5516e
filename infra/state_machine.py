"""The definition of the state machine that audits many accounts, as plain data.

It is in the Amazon States Language: https://states-language.net/spec.html
"""

from typing import Any

State = dict[str, Any]

# 5,000 accounts take less than two hours: ten seconds each, eight at a time.
EXECUTION_SECONDS = 10_800
# A task ends later than its function, so that the error is the function's own.
MARGIN_SECONDS = 60
# What Lambda answers while as many functions run as the account may run at a time. Ten minutes in
# all; the default concurrency leaves two of the ten functions that a new account may run.
_RETRY_THROTTLED = {
    "ErrorEquals": ["Lambda.TooManyRequestsException"],
    "IntervalSeconds": 2,
    "BackoffRate": 2.0,
    "MaxDelaySeconds": 60,
    "MaxAttempts": 14,
}
# Errors of Lambda itself that pass:
# https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
_RETRY_SERVICE = {
    "ErrorEquals": [
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
    ],
    "IntervalSeconds": 2,
    "BackoffRate": 2.0,
    "MaxAttempts": 6,
}
# A refused mail, an unreadable plan, and a function that was stopped: it may hold a claim, which
# ends after 60 seconds.
_RETRY_REPORT = {
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


def definition(
    *,
    partition: str,
    scan_arn: str,
    report_arn: str,
    scan_seconds: int,
    report_seconds: int,
    concurrency: int,
) -> State:
    """Scans every account of a plan, ``concurrency`` of them at a time, then reports.

    The input is ``{"run", "bucket", "accounts", "hasAccounts", "startedAt"}``: ``accounts`` is the
    key of the list of accounts in the bucket. The functions with the ARNs ``scan_arn`` and
    ``report_arn`` have the time limits ``scan_seconds`` and ``report_seconds``.
    """
    invoke = f"arn:{partition}:states:::lambda:invoke"
    scan = {
        **_task(invoke, scan_arn, scan_seconds, {"Payload.$": "$"}),
        # {}: the results of thousands of scans would exceed what a state may pass on.
        "OutputPath": None,
    }
    report = _task(invoke, report_arn, report_seconds, {"Payload": {"run.$": "$.run"}})
    return {
        "Comment": "Audits the security groups of many accounts",
        "StartAt": "Has accounts",
        "TimeoutSeconds": EXECUTION_SECONDS,
        "States": {
            "Has accounts": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.hasAccounts", "BooleanEquals": True, "Next": "Scan"},
                ],
                # The report says why the accounts could not be listed.
                "Default": "Report",
            },
            "Scan": {
                "Type": "Map",
                "ItemReader": {
                    "Resource": f"arn:{partition}:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.accounts"},
                },
                "ItemSelector": {
                    "run.$": "$.run",
                    "startedAt.$": "$.startedAt",
                    "item.$": "$$.Map.Item.Value",
                },
                "ItemProcessor": {
                    # A standard execution, because an express one ends after five minutes.
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Scan account",
                    "States": {
                        "Scan account": {
                            **scan,
                            "Catch": [
                                {
                                    "ErrorEquals": ["States.TaskFailed", "States.Timeout"],
                                    "ResultPath": "$.failure",
                                    "Next": "Record failure",
                                }
                            ],
                            "End": True,
                        },
                        "Record failure": {**scan, "End": True},
                    },
                },
                "MaxConcurrency": concurrency,
                # An account without a scan is reported as not read; the others are not affected.
                "ToleratedFailurePercentage": 100.0,
                "ResultPath": None,
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Report"}],
                "Next": "Report",
            },
            "Report": {
                **report,
                "Retry": [*report["Retry"], _RETRY_REPORT],
                "OutputPath": "$.Payload",
                "End": True,
            },
        },
    }


def _task(invoke: str, function_arn: str, function_seconds: int, payload: State) -> State:
    """A state that invokes a function."""
    return {
        "Type": "Task",
        "Resource": invoke,
        "Parameters": {"FunctionName": function_arn, **payload},
        "TimeoutSeconds": function_seconds + MARGIN_SECONDS,
        "Retry": [_RETRY_THROTTLED, _RETRY_SERVICE],
    }
