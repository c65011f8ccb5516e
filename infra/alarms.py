"""CloudWatch alarms on failed and missing runs, the SNS topic that emails them, and metrics."""

import math
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra import permissions
from infra.config import StackConfig
from infra.location import Location

# An alarm with periods of an hour or more evaluates seven days at most:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
MAX_HOURS = 7 * 24
# The message of the function's last log line, and the fields of it that become metrics.
FINISHED = "Audit finished."
COUNTS = ("critical", "high", "medium", "low", "info", "targetsNotRead")
# The metric that counts these lines.
RUNS = "runs"


@dataclass(frozen=True, slots=True)
class AuditResources:
    """The resources of an audit that alarms monitor; without a schedule no run is ever missing.

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
    name: str, config: StackConfig, monitored: AuditResources, opts: pulumi.ResourceOptions
) -> None:
    """The alarms, emailed to the digest's recipients; none if the stack has alarms disabled."""
    if not config.alarms:
        return
    alarms = _Alarms(name, monitored, _declare_topic(name, config, monitored.location, opts), opts)
    if monitored.state_machine:
        alarms.declare_executions(monitored.state_machine)
    failed = "failed: something could not be read, or the digest could not be sent"
    alarms.declare_failure("could not be started" if monitored.state_machine else failed)
    if monitored.schedule and config.longest_gap_minutes:
        # One hour more than the schedule, because periods start on the hour and runs do not.
        hours = math.ceil(config.longest_gap_minutes / 60) + 1
        if hours <= MAX_HOURS:
            alarms.declare_missing_run(monitored.schedule, hours)
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


@dataclass(frozen=True, slots=True)
class _Alarms:
    """What the alarms share; each method declares some of them."""

    name: str
    monitored: AuditResources
    topic: aws.sns.Topic
    opts: pulumi.ResourceOptions

    def declare_failure(self, failed: str) -> None:
        """The alarm for a run that failed, or with many accounts could not be started."""
        self._declare_on_one(
            "failed",
            self._description(f"{failed}. See the log:", 1),
            ("AWS/Lambda", "Errors", {"FunctionName": self.monitored.function.name}),
        )

    def declare_executions(self, state_machine: aws.sfn.StateMachine) -> None:
        """The alarms for a run over many accounts that did not succeed."""
        for end, words in (
            ("Failed", "failed: something could not be read, or a digest could not be sent"),
            ("TimedOut", "took too long and was ended, without a digest"),
            ("Aborted", "was stopped, without a digest"),
        ):
            description = self._description(f"{words}. See the log, and the execution:", 3)
            command = (
                f"\naws stepfunctions list-executions --region {self.monitored.location.region} "
                "--max-items 3 --state-machine-arn "
            )
            self._declare_on_one(
                f"execution-{end.lower()}",
                pulumi.Output.concat(description, command, state_machine.arn),
                ("AWS/States", f"Executions{end}", {"StateMachineArn": state_machine.arn}),
            )

    def declare_missing_run(self, schedule: aws.cloudwatch.EventRule, hours: int) -> None:
        """The alarm for no run having finished in this many hours."""
        description = self._description(
            f"has not finished a run for {hours} hours; this is expected after the first "
            "deployment, until the first run. What the last runs did is in the log:",
            hours,
        )
        command = (
            "\nIf there was none, the schedule may be missing or disabled:\n"
            f"aws events describe-rule --region {self.monitored.location.region} --name "
        )
        aws.cloudwatch.MetricAlarm(
            f"{self.name}-silent",
            alarm_description=pulumi.Output.concat(description, command, schedule.name),
            namespace=_namespace(),
            # Not Lambda's Invocations: a run that is killed or fails to start is an invocation,
            # too.
            metric_name=RUNS,
            statistic="Sum",
            comparison_operator="LessThanThreshold",
            threshold=1,
            period=3600,
            evaluation_periods=hours,
            datapoints_to_alarm=hours,
            # An hour without the log line has no data point.
            treat_missing_data="breaching",
            alarm_actions=[self.topic.arn],
            opts=self.opts,
        )

    def _description(self, words: str, hours: int) -> pulumi.Output[str]:
        """What happened to the audit, and the command that prints the log of the last hours."""
        return pulumi.Output.concat(
            f"The security-group audit of stack {pulumi.get_stack()} {words}\n"
            f"aws logs tail --region {self.monitored.location.region} --since {hours}h "
            "--format short ",
            self.monitored.log_group.name,
        )

    def _declare_on_one(
        self,
        suffix: str,
        description: pulumi.Output[str],
        metric: tuple[str, str, dict[str, pulumi.Output[str]]],
    ) -> None:
        """An alarm on one event in five minutes; the metric is namespace, name and dimensions."""
        namespace, metric_name, dimensions = metric
        aws.cloudwatch.MetricAlarm(
            f"{self.name}-{suffix}",
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
            alarm_actions=[self.topic.arn],
            opts=self.opts,
        )
