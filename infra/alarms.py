"""CloudWatch alarms on failed and missing runs, the SNS topic that emails them, and metrics."""

import math
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra import permissions
from infra.config import StackConfig
from infra.location import Location

_HOUR_SECONDS = 3600
# An alarm with periods of an hour or more evaluates seven days at most:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
MAX_HOURS = 7 * 24
# The message of the function's last log line, and the fields of it that become metrics.
FINISHED = "Audit finished."
COUNTS = ("critical", "high", "medium", "low", "info", "targetsNotRead")
# The metric that counts these lines.
RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Watched:
    """What the alarms are about, and where it is; without a schedule no run is ever missing.

    With many accounts a run is an execution of the ``state_machine``.
    """

    location: Location
    function: aws.lambda_.Function
    log_group: aws.cloudwatch.LogGroup
    schedule: aws.cloudwatch.EventRule | None
    state_machine: aws.sfn.StateMachine | None


def declare_metrics(
    name: str, log_group: aws.cloudwatch.LogGroup, opts: pulumi.ResourceOptions
) -> None:
    """A CloudWatch metric for ``RUNS`` and each of ``COUNTS``, read from a run's last log line."""
    for metric, value in {RUNS: "1", **{count: f"$.{count}" for count in COUNTS}}.items():
        aws.cloudwatch.LogMetricFilter(
            f"{name}-{metric}",
            log_group_name=log_group.name,
            pattern=f'{{ $.message = "{FINISHED}" }}',
            metric_transformation={
                "namespace": _namespace(),
                "name": metric,
                "value": value,
                "unit": "Count",
            },
            opts=opts,
        )


def declare_alarms(
    name: str, config: StackConfig, watched: Watched, opts: pulumi.ResourceOptions
) -> None:
    """The alarms, emailed to the digest's recipients; none if the stack has alarms disabled."""
    if not config.alarms:
        return
    topic = _declare_topic(name, config, watched.location, opts)
    _declare_failure_alarm(f"{name}-failed", watched, topic, opts)
    if watched.state_machine:
        _declare_execution_alarms(name, watched, watched.state_machine, topic, opts)
    if watched.schedule and config.longest_gap_minutes:
        # One hour more than the schedule, because periods start on the hour and runs do not.
        hours = math.ceil(config.longest_gap_minutes / 60) + 1
        if hours <= MAX_HOURS:
            _declare_missing_run_alarm(
                f"{name}-silent", watched, watched.schedule, hours, topic, opts
            )
        else:
            pulumi.log.warn(
                f"No alarm watches whether the audit runs: an alarm looks back {MAX_HOURS} hours, "
                f"and schedule may let {hours - 1} hours pass between two runs."
            )


def _namespace() -> str:
    """The namespace of the stack's metrics: one for each stack, since stacks may share a region."""
    return f"SecurityGroupAudit/{pulumi.get_stack()}"


def _declare_topic(
    name: str, config: StackConfig, location: Location, opts: pulumi.ResourceOptions
) -> aws.sns.Topic:
    """The SNS topic of the alarms; SNS asks each recipient to confirm the subscription."""
    topic = aws.sns.Topic(name, display_name="Security-group audit", opts=opts)
    # SNS's default policy lets everybody in the account who may use SNS publish to a topic.
    # "alarm:*" because Pulumi chooses the names of the alarms, which exist only after the topic.
    document = topic.arn.apply(
        lambda arn: permissions.topic_policy(
            arn, location.account, location.arn("cloudwatch", "alarm:*")
        )
    )
    aws.sns.TopicPolicy(
        f"{name}-policy", arn=topic.arn, policy=pulumi.Output.json_dumps(document), opts=opts
    )
    for recipient in config.recipients:
        aws.sns.TopicSubscription(
            f"{name}-{recipient}",
            topic=topic.arn,
            protocol="email",
            endpoint=recipient,
            opts=opts,
        )
    return topic


def _declare_failure_alarm(
    name: str, watched: Watched, topic: aws.sns.Topic, opts: pulumi.ResourceOptions
) -> None:
    """The alarm for a run that failed, or with many accounts could not be started."""
    failed = (
        "could not be started"
        if watched.state_machine
        else "failed: something could not be read, or the digest could not be sent"
    )
    description = pulumi.Output.concat(
        f"The security-group audit of stack {pulumi.get_stack()} {failed}. See the log:\n"
        f"aws logs tail --region {watched.location.region} --since 1h --format short ",
        watched.log_group.name,
    )
    metric = ("AWS/Lambda", "Errors", {"FunctionName": watched.function.name})
    _declare_alarm_on_one(name, description, metric, topic, opts)


def _declare_execution_alarms(
    name: str,
    watched: Watched,
    state_machine: aws.sfn.StateMachine,
    topic: aws.sns.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """The alarms for a run over many accounts that did not succeed."""
    for end, words in (
        ("Failed", "failed: something could not be read, or a digest could not be sent"),
        ("TimedOut", "took too long and was ended, without a digest"),
        ("Aborted", "was stopped, without a digest"),
    ):
        description = pulumi.Output.concat(
            f"The security-group audit of stack {pulumi.get_stack()} {words}. See the log, and the "
            "execution:\n"
            f"aws logs tail --region {watched.location.region} --since 3h --format short ",
            watched.log_group.name,
            f"\naws stepfunctions list-executions --region {watched.location.region} "
            "--max-items 3 --state-machine-arn ",
            state_machine.arn,
        )
        metric = ("AWS/States", f"Executions{end}", {"StateMachineArn": state_machine.arn})
        _declare_alarm_on_one(f"{name}-execution-{end.lower()}", description, metric, topic, opts)


def _declare_alarm_on_one(
    name: str,
    description: pulumi.Output[str],
    metric: tuple[str, str, dict[str, pulumi.Output[str]]],
    topic: aws.sns.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """An alarm on one event in five minutes; the metric is namespace, name and dimensions."""
    namespace, metric_name, dimensions = metric
    aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=description,
        namespace=namespace,
        metric_name=metric_name,
        dimensions=dimensions,
        statistic="Sum",
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=1,
        period=300,
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
        opts=opts,
    )


def _declare_missing_run_alarm(
    name: str,
    watched: Watched,
    schedule: aws.cloudwatch.EventRule,
    hours: int,
    topic: aws.sns.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """The alarm for no run having finished in this many hours."""
    region = watched.location.region
    aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=pulumi.Output.concat(
            f"The security-group audit of stack {pulumi.get_stack()} has not finished a run for "
            f"{hours} hours; this is expected after the first deployment, until the first run. "
            "What the last runs did is in the log:\n"
            f"aws logs tail --region {region} --since {hours}h --format short ",
            watched.log_group.name,
            "\nIf there was none, the schedule may be missing or disabled:\n"
            f"aws events describe-rule --region {region} --name ",
            schedule.name,
        ),
        namespace=_namespace(),
        # Not Lambda's Invocations: a run that is killed or fails to start is an invocation, too.
        metric_name=RUNS,
        statistic="Sum",
        comparison_operator="LessThanThreshold",
        threshold=1,
        period=_HOUR_SECONDS,
        evaluation_periods=hours,
        datapoints_to_alarm=hours,
        # An hour without the log line has no data point.
        treat_missing_data="breaching",
        alarm_actions=[topic.arn],
        opts=opts,
    )
