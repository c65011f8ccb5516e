"""CloudWatch alarms on failed and missing runs, the SNS topic that emails them, and metrics."""

import math

import pulumi
import pulumi_aws as aws

from infra import permissions
from infra.config import StackConfig

_HOUR_SECONDS = 3600
# An alarm with periods of an hour or more evaluates seven days at most:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
MAX_HOURS = 7 * 24
# The message of the function's last log line, and the fields of it that become metrics.
FINISHED = "Audit finished."
COUNTS = ("critical", "high", "medium", "low", "info", "targetsNotRead")


def declare_metrics(
    name: str, log_group: aws.cloudwatch.LogGroup, opts: pulumi.ResourceOptions
) -> None:
    """A CloudWatch metric for each of ``COUNTS``, read from the log of each finished run."""
    for count in COUNTS:
        aws.cloudwatch.LogMetricFilter(
            f"{name}-{count}",
            log_group_name=log_group.name,
            pattern=f'{{ $.message = "{FINISHED}" }}',
            metric_transformation={
                # One namespace for each stack, since stacks may share a region.
                "namespace": f"SecurityGroupAudit/{pulumi.get_stack()}",
                "name": count,
                "value": f"$.{count}",
                "unit": "Count",
            },
            opts=opts,
        )


def declare_alarms(
    name: str,
    config: StackConfig,
    function: aws.lambda_.Function,
    log_group: aws.cloudwatch.LogGroup,
    schedule: aws.cloudwatch.EventRule | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """The alarms, emailed to the digest's recipients; none if the stack has alarms disabled.

    Without a schedule no run is ever missing, so that only failed runs have an alarm.
    """
    if not config.alarms:
        return
    topic = _declare_topic(name, config, opts)
    _declare_failure_alarm(f"{name}-failed", function, log_group, topic, opts)
    if schedule and config.longest_gap_minutes:
        # One hour more than the schedule, because periods start on the hour and runs do not.
        hours = math.ceil(config.longest_gap_minutes / 60) + 1
        if hours <= MAX_HOURS:
            _declare_missing_run_alarm(f"{name}-silent", function, schedule, hours, topic, opts)
        else:
            pulumi.log.warn(
                f"No alarm watches whether the audit runs: an alarm looks back {MAX_HOURS} hours, "
                f"and schedule may let {hours - 1} hours pass between two runs."
            )


def _declare_topic(name: str, config: StackConfig, opts: pulumi.ResourceOptions) -> aws.sns.Topic:
    """The SNS topic of the alarms; SNS asks each recipient to confirm the subscription."""
    topic = aws.sns.Topic(name, display_name="Security-group audit", opts=opts)
    # SNS's default policy lets everybody in the account who may use SNS publish to a topic.
    account = aws.get_caller_identity(opts=pulumi.InvokeOptions(parent=opts.parent)).account_id
    document = topic.arn.apply(lambda arn: permissions.topic_policy(arn, account))
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
    name: str,
    function: aws.lambda_.Function,
    log_group: aws.cloudwatch.LogGroup,
    topic: aws.sns.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """The alarm for a run that failed."""
    aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=pulumi.Output.concat(
            f"The security-group audit of stack {pulumi.get_stack()} failed: something could not "
            "be read, or the digest could not be sent. What it was is in the log: "
            "aws logs tail ",
            log_group.name,
            " --since 1h --format short",
        ),
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions={"FunctionName": function.name},
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
    function: aws.lambda_.Function,
    schedule: aws.cloudwatch.EventRule,
    hours: int,
    topic: aws.sns.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """The alarm for no run having started in this many hours."""
    aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=pulumi.Output.concat(
            f"The security-group audit of stack {pulumi.get_stack()} has not run for {hours} "
            "hours; after its first deployment that is so until the first run. Is its schedule "
            "there and enabled? aws events describe-rule --name ",
            schedule.name,
        ),
        namespace="AWS/Lambda",
        metric_name="Invocations",
        dimensions={"FunctionName": function.name},
        statistic="Sum",
        comparison_operator="LessThanThreshold",
        threshold=1,
        period=_HOUR_SECONDS,
        evaluation_periods=hours,
        datapoints_to_alarm=hours,
        # Lambda publishes no data point for an hour without invocations.
        treat_missing_data="breaching",
        alarm_actions=[topic.arn],
        opts=opts,
    )
