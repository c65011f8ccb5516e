"""Who is told, by another way than the digest, that the audit fails or does not run."""

import math
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra import permissions

_HOUR_SECONDS = 3600
# An alarm of hourly periods looks back a week at most:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
MOST_HOURS = 7 * 24
# What the function's last line counts, and what it logs that line as.
FINISHED = "Audit finished."
COUNTS = ("critical", "high", "medium", "low", "info", "targetsNotRead")


def topic(name: str, recipients: Sequence[str], opts: pulumi.ResourceOptions) -> aws.sns.Topic:
    """Where alarms go: SNS mails each recipient a link to confirm, and then every alarm."""
    made = aws.sns.Topic(name, display_name="Security-group audit", opts=opts)
    # A default topic lets whoever may use SNS in the account publish.
    account = aws.get_caller_identity(opts=pulumi.InvokeOptions(parent=opts.parent)).account_id
    aws.sns.TopicPolicy(
        f"{name}-policy",
        arn=made.arn,
        policy=pulumi.Output.json_dumps(
            made.arn.apply(lambda arn: permissions.topic_policy(arn, account))
        ),
        opts=opts,
    )
    for recipient in recipients:
        aws.sns.TopicSubscription(
            f"{name}-{recipient}",
            topic=made.arn,
            protocol="email",
            endpoint=recipient,
            opts=opts,
        )
    return made


def on_failure(
    name: str,
    function: aws.lambda_.Function,
    log_group: aws.cloudwatch.LogGroup,
    mailed: aws.sns.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """The alarm that rings when a run fails."""
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
        alarm_actions=[mailed.arn],
        opts=opts,
    )


def on_silence(
    name: str,
    function: aws.lambda_.Function,
    schedule: aws.cloudwatch.EventRule,
    longest_gap: int,
    mailed: aws.sns.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """The alarm that rings when no run begins for longer than ``longest_gap`` minutes.

    None, but a warning, where that is more than an alarm can look back.
    """
    # An hour more than the schedule takes, because periods begin on the hour and runs do not.
    hours = math.ceil(longest_gap / 60) + 1
    if hours > MOST_HOURS:
        pulumi.log.warn(
            f"No alarm watches whether the audit runs: an alarm looks back {MOST_HOURS} hours, and "
            f"schedule may let {hours - 1} hours pass between two runs."
        )
        return
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
        # Lambda counts no invocations as nothing at all.
        treat_missing_data="breaching",
        alarm_actions=[mailed.arn],
        opts=opts,
    )


def metrics(name: str, log_group: aws.cloudwatch.LogGroup, opts: pulumi.ResourceOptions) -> None:
    """A metric of what each run counted, for dashboards and alarms of one's own."""
    for count in COUNTS:
        aws.cloudwatch.LogMetricFilter(
            f"{name}-{count}",
            log_group_name=log_group.name,
            pattern=f'{{ $.message = "{FINISHED}" }}',
            metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                # Stacks in one region keep their numbers apart.
                namespace=f"SecurityGroupAudit/{pulumi.get_stack()}",
                name=count,
                value=f"$.{count}",
                unit="Count",
            ),
            opts=opts,
        )
