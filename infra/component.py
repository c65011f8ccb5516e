"""The component that declares one security-group audit."""

import pulumi
import pulumi_aws as aws

from infra import alarms, permissions, triggers
from infra.archive import archive
from infra.config import ALL_REGIONS, StackConfig
from infra.ledger_bucket import Ledger, ledger


class SecurityGroupAudit(pulumi.ComponentResource):
    """A function that audits security groups, what it may do and remembers, and what runs it.

    Outputs: ``function_name``, ``function_arn``, ``role_arn``, ``log_group_name``,
    ``ledger_bucket``, ``schedule_rule`` and ``change_rule`` (the rules' names, None without a
    schedule and without realtime) and ``sender_identity`` (the SES identity's ARN, None when the
    stack does not create it).
    """

    def __init__(
        self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sgaudit:index:SecurityGroupAudit", name, None, opts)
        self._name = name
        self._config = config
        self._child = pulumi.ResourceOptions(parent=self)

        identities = self._identities()
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log", retention_in_days=config.log_retention_days, opts=self._child
        )
        role = aws.iam.Role(
            f"{name}-role",
            description=f"What the security-group audit of stack {pulumi.get_stack()} may do",
            assume_role_policy=pulumi.Output.json_dumps(permissions.assume_role()),
            opts=self._child,
        )
        kept = ledger(
            f"{name}-ledger",
            delete_reports=config.delete_reports,
            report_retention_days=config.report_retention_days,
            opts=self._child,
        )
        policy = self._policy(role, log_group, kept.bucket)
        function = self._function(role, log_group, policy, kept)
        aws.lambda_.FunctionEventInvokeConfig(
            f"{name}-retries",
            function_name=function.name,
            # The ledger knows which event has been mailed: tried again, a run whose mail failed
            # mails, and one that mailed does not. An hour later the event is of no use.
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=3600,
            opts=self._child,
        )
        schedule = (
            triggers.on_schedule(f"{name}-schedule", config.schedule, function, self._child)
            if config.schedule
            else None
        )
        change = (
            triggers.on_change(f"{name}-change", function, self._child) if config.realtime else None
        )
        alarms.metrics(f"{name}-metric", log_group, self._child)
        if config.alarms:
            self._alarms(function, log_group, schedule)

        self.function_name = function.name
        self.function_arn = function.arn
        self.role_arn = role.arn
        self.log_group_name = log_group.name
        self.ledger_bucket = kept.bucket.bucket
        self.schedule_rule = schedule.name if schedule else None
        self.change_rule = change.name if change else None
        self.sender_identity = identities[config.sender].arn if identities else None
        self.register_outputs(
            {
                "functionName": self.function_name,
                "functionArn": self.function_arn,
                "roleArn": self.role_arn,
                "logGroupName": self.log_group_name,
                "ledgerBucket": self.ledger_bucket,
                "scheduleRule": self.schedule_rule,
                "changeRule": self.change_rule,
                "senderIdentity": self.sender_identity,
            }
        )

    @property
    def _addresses(self) -> tuple[str, ...]:
        return (self._config.sender, *self._config.recipients)

    def _identities(self) -> dict[str, aws.sesv2.EmailIdentity]:
        """The SES identity of each address; AWS mails each a link to confirm."""
        if not self._config.create_identities:
            return {}
        return {
            address: aws.sesv2.EmailIdentity(
                f"{self._name}-{address}", email_identity=address, opts=self._child
            )
            for address in sorted(set(self._addresses))
        }

    def _policy(
        self, role: aws.iam.Role, log_group: aws.cloudwatch.LogGroup, bucket: aws.s3.Bucket
    ) -> aws.iam.RolePolicy:
        config = self._config
        own = pulumi.InvokeOptions(parent=self)
        account = aws.get_caller_identity(opts=own).account_id
        prefix = (
            f"arn:{aws.get_partition(opts=own).partition}:ses:{aws.get_region(opts=own).region}"
        )
        document = pulumi.Output.all(log_group.arn, bucket.arn).apply(
            lambda arns: permissions.function_policy(
                log_group_arn=arns[0],
                bucket_arn=arns[1],
                identity_arns=[
                    f"{prefix}:{account}:identity/{identity}"
                    for identity in permissions.identities(
                        self._addresses, created=config.create_identities
                    )
                ],
                regions=[] if config.regions == (ALL_REGIONS,) else config.regions,
            )
        )
        return aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=self._child,
        )

    def _function(
        self,
        role: aws.iam.Role,
        log_group: aws.cloudwatch.LogGroup,
        policy: aws.iam.RolePolicy,
        kept: Ledger,
    ) -> aws.lambda_.Function:
        config = self._config
        return aws.lambda_.Function(
            f"{self._name}-function",
            description=f"Audits security groups and mails a digest (stack {pulumi.get_stack()})",
            runtime="python3.13",
            architectures=["arm64"],
            handler="handler.app.lambda_handler",
            code=archive(config.policy),
            role=role.arn,
            memory_size=config.memory_size,
            timeout=config.timeout,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={
                    "SES_SENDER": config.sender,
                    "SES_RECIPIENT": ",".join(config.recipients),
                    "AUDIT_REGIONS": ",".join(config.regions),
                    "LEDGER_BUCKET": kept.bucket.bucket,
                    "NOTIFY": config.notify,
                    "STACK": pulumi.get_stack(),
                }
            ),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                log_group=log_group.name,
                application_log_level="INFO",
                system_log_level="INFO",
            ),
            # A run before the policy stands could neither read nor log, and what it wrote before
            # the bucket is closed would lie there open.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *kept.protection]),
        )

    def _alarms(
        self,
        function: aws.lambda_.Function,
        log_group: aws.cloudwatch.LogGroup,
        schedule: aws.cloudwatch.EventRule | None,
    ) -> None:
        config, name, own = self._config, f"{self._name}-alarm", self._child
        topic = alarms.topic(name, config.recipients, own)
        alarms.on_failure(f"{name}-failed", function, log_group, topic, own)
        if schedule and config.longest_gap:
            gap = config.longest_gap
            alarms.on_silence(f"{name}-silent", function, schedule, gap, topic, own)
