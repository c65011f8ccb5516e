"""The component resource that declares one security-group audit."""

import json

import pulumi
import pulumi_aws as aws

from handler.model.network import ALL_REGIONS
from infra import alarms, permissions, triggers
from infra.archive import build_archive
from infra.config import StackConfig
from infra.ledger_bucket import LedgerBucket, declare_ledger_bucket
from infra.location import look_up_location


class SecurityGroupAudit(pulumi.ComponentResource):
    """The audit function with its role, log group, ledger bucket, triggers and alarms.

    ``outputs`` are the stack's exports by name; an output whose resource the stack's config
    leaves out is None.
    """

    def __init__(
        self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sgaudit:index:SecurityGroupAudit", name, None, opts)
        self._name = name
        self._config = config
        self._child = pulumi.ResourceOptions(parent=self)
        lookup = pulumi.InvokeOptions(parent=self)
        self._location = look_up_location(lookup)
        self._realtime_regions = triggers.find_realtime_regions(config, lookup)

        identities = self._declare_identities()
        log_group = self._declare_log_group()
        role = self._declare_role()
        ledger = declare_ledger_bucket(f"{name}-ledger", config, self._child)
        policy = self._declare_role_policy(role, log_group, ledger.bucket)
        function = self._declare_function(role, policy, log_group, ledger)
        self._declare_retries(function)
        schedule = triggers.declare_schedule(f"{name}-schedule", config, function, self._child)
        change_rule = triggers.declare_change_rule(
            f"{name}-change", self._location, self._realtime_regions, function, self._child
        )
        alarms.declare_metrics(f"{name}-metric", log_group, self._child)
        watched = alarms.Watched(self._location, function, log_group, schedule)
        alarms.declare_alarms(f"{name}-alarm", config, watched, self._child)

        self.outputs = {
            "region": self._location.region,
            "functionName": function.name,
            "functionArn": function.arn,
            "roleArn": role.arn,
            "logGroupName": log_group.name,
            "ledgerBucket": ledger.bucket.bucket,
            "scheduleRule": schedule.name if schedule else None,
            "changeRule": change_rule.name if change_rule else None,
            "senderIdentity": identities[config.sender].arn if identities else None,
        }
        self.register_outputs(self.outputs)

    def _declare_identities(self) -> dict[str, aws.sesv2.EmailIdentity]:
        """The SES identity of each address, unless others create them.

        SES sends each address a link to confirm.
        """
        if not self._config.create_identities:
            return {}
        return {
            address: aws.sesv2.EmailIdentity(
                f"{self._name}-{address}", email_identity=address, opts=self._child
            )
            for address in sorted(set(self._config.addresses))
        }

    def _declare_log_group(self) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._name}-log",
            retention_in_days=self._config.log_retention_days,
            opts=self._child,
        )

    def _declare_role(self) -> aws.iam.Role:
        return aws.iam.Role(
            f"{self._name}-role",
            description=f"What the security-group audit of stack {pulumi.get_stack()} may do",
            assume_role_policy=pulumi.Output.json_dumps(permissions.assume_role()),
            opts=self._child,
        )

    def _declare_role_policy(
        self, role: aws.iam.Role, log_group: aws.cloudwatch.LogGroup, bucket: aws.s3.Bucket
    ) -> aws.iam.RolePolicy:
        config, mail_arns = self._config, self._mail_arns()
        document = pulumi.Output.all(log_group.arn, bucket.arn).apply(
            lambda arns: permissions.function_policy(
                log_group_arn=arns[0],
                bucket_arn=arns[1],
                mail_arns=mail_arns,
                sender=config.sender,
                regions=[] if ALL_REGIONS in config.regions else config.regions,
                attribution=config.attribution,
            )
        )
        if config.publish_events:
            aws.iam.RolePolicy(
                f"{self._name}-publish",
                role=role.name,
                policy=json.dumps(
                    permissions.publisher_policy(self._location.arn("events", "event-bus/default"))
                ),
                opts=self._child,
            )
        return aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=self._child,
        )

    def _mail_arns(self) -> list[str]:
        """The ARNs of the SES resources that the function may use, in its account and region."""
        return [self._location.arn("ses", resource) for resource in self._config.mail_resources]

    def _declare_function(
        self,
        role: aws.iam.Role,
        policy: aws.iam.RolePolicy,
        log_group: aws.cloudwatch.LogGroup,
        ledger: LedgerBucket,
    ) -> aws.lambda_.Function:
        config = self._config
        # Where regions are listed, changes in all of them start a run.
        enabled_regions = self._realtime_regions if ALL_REGIONS in config.regions else ()
        return aws.lambda_.Function(
            f"{self._name}-function",
            description=f"Audits security groups and mails a digest (stack {pulumi.get_stack()})",
            runtime="python3.13",
            architectures=["arm64"],
            handler="handler.app.lambda_handler",
            code=build_archive(config.policy),
            role=role.arn,
            memory_size=config.memory_size,
            timeout=config.timeout,
            environment={
                "variables": {
                    **config.environment,
                    "LEDGER_BUCKET": ledger.bucket.bucket,
                    "STACK": pulumi.get_stack(),
                    "REALTIME_REGIONS": ",".join(enabled_regions),
                }
            },
            logging_config={
                "log_format": "JSON",
                "log_group": log_group.name,
                "application_log_level": "INFO",
                "system_log_level": "INFO",
            },
            # A run before its policy exists could neither read nor log, and a report written
            # before the bucket is protected would be exposed.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *ledger.protections]),
        )

    def _declare_retries(self, function: aws.lambda_.Function) -> None:
        aws.lambda_.FunctionEventInvokeConfig(
            f"{self._name}-retries",
            function_name=function.name,
            # A retry emails the digest only if the failed run did not: the ledger records which
            # events have been reported. After an hour the event is of no use.
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=3600,
            opts=self._child,
        )
