"""The component resource that declares one security-group audit."""

import pulumi
import pulumi_aws as aws

from infra import alarms, permissions, triggers
from infra.archive import build_archive
from infra.config import StackConfig
from infra.function import FunctionSpec, SharedResources, declare_function
from infra.ledger_bucket import declare_ledger_bucket
from infra.location import look_up_location
from infra.organization import ManyAccounts
from infra.role import declare_policy


class SecurityGroupAudit(pulumi.ComponentResource):
    """The audit function with its role, log group, ledger bucket, triggers and alarms.

    For many accounts there are two more functions and the state machine that runs them.

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
        self._location = look_up_location(config.regions, lookup)
        self._realtime_regions = triggers.find_realtime_regions(config, lookup)

        identities = self._declare_identities()
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log", retention_in_days=config.log_retention_days, opts=self._child
        )
        ledger = declare_ledger_bucket(f"{name}-ledger", config, self._child)
        accounts = config.organization
        code = build_archive(config.policy, accounts.document if accounts else None)
        shared = SharedResources(code, log_group, ledger, self._child)
        many_accounts = (
            ManyAccounts(name, config, accounts, self._location, shared) if accounts else None
        )
        machine = many_accounts.state_machine if many_accounts else None
        spec = self._function_spec()
        if many_accounts:
            spec = many_accounts.as_start_function(spec)
        function, role = declare_function(name, spec, shared)
        self._declare_publisher(role)
        self._declare_retries(function)
        schedule = triggers.declare_schedule(f"{name}-schedule", config, function, self._child)
        change_rule = triggers.declare_change_rule(
            f"{name}-change", self._location, self._realtime_regions, function, self._child
        )
        alarms.declare_metrics(f"{name}-metric", log_group, self._child)
        monitored = alarms.AuditResources(self._location, function, log_group, schedule, machine)
        alarms.declare_alarms(f"{name}-alarm", config, monitored, self._child)

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
            "stateMachineArn": machine.arn if machine else None,
            "scanRoleArn": many_accounts.scan_role_arn if many_accounts else None,
            "memberRoleTemplate": many_accounts.member_role_template if many_accounts else None,
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

    def _function_spec(self) -> FunctionSpec:
        """The function that the schedule invokes, as it audits one account."""
        config = self._config
        # If regions are listed, changes in all of them start a run.
        enabled_regions = () if config.regions else self._realtime_regions
        return FunctionSpec(
            description=f"Audits security groups and mails a digest (stack {pulumi.get_stack()})",
            role_description=f"What the security-group audit of stack {pulumi.get_stack()} may do",
            handler="handler.app.lambda_handler",
            policy=config.mailing_policy(self._location),
            environment={**config.environment, "REALTIME_REGIONS": ",".join(enabled_regions)},
            memory=config.memory_size,
            timeout=config.timeout,
        )

    def _declare_publisher(self, role: aws.iam.Role) -> None:
        """Let the function publish changes, if the stack's config says so."""
        if self._config.publish_events:
            bus_arn = self._location.arn("events", "event-bus/default")
            document = permissions.publisher_policy(bus_arn)
            declare_policy(f"{self._name}-publish", role, document, self._child)

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
