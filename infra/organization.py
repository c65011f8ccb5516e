"""What a stack needs to audit many accounts: two more functions, a state machine, member roles."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws

from handler.organization.configuration import Organization
from infra import organization_permissions, permissions, state_machine
from infra.config import StackConfig
from infra.function import FunctionSpec, SharedResources, declare_function
from infra.location import Location, look_up_organization
from infra.member_role import member_role_template
from infra.role import declare_policy, declare_role

# A run has one report, of all accounts: with this much memory Lambda gives it a whole CPU, and the
# time is the longest that Lambda allows.
REPORT_MEMORY, REPORT_TIMEOUT = 1769, 900
# By default CloudFormation deploys to one account after the other, and ends with the first failure.
# An account without the role is reported as not read.
# Any, because the SDK has a type for each of the two resources.
_ALL_AT_ONCE: Any = {"failure_tolerance_percentage": 100, "max_concurrent_percentage": 100}


class ManyAccounts:
    """The resources for many accounts, except the function that the schedule invokes.

    ``ready`` are those that must exist before the first execution of the ``state_machine``.
    """

    def __init__(
        self,
        name: str,
        config: StackConfig,
        accounts: Organization,
        location: Location,
        shared: SharedResources,
    ) -> None:
        self._name, self._config, self._accounts = name, config, accounts
        self._location, self._shared = location, shared
        invoke = pulumi.InvokeOptions(parent=shared.opts.parent)
        organization = look_up_organization(invoke) if accounts.units else None
        self._organization_id = organization.id if organization else None
        self.scan_role_arn = location.role_arn(accounts.scan_role)
        self.member_role_template = json.dumps(
            member_role_template(accounts, location, self._organization_id)
        )
        if organization and config.deploy_member_role:
            is_management = organization.master_account_id == location.account
            self._declare_member_roles("SELF" if is_management else "DELEGATED_ADMIN")
        self.state_machine, self.ready = self._declare_state_machine(
            self._declare_scan(), self._declare_report()
        )

    def as_start_function(self, spec: FunctionSpec) -> FunctionSpec:
        """The spec of the single account's function, changed to start the state machine."""
        lists_units = bool(self._accounts.units)
        return replace(
            spec,
            policy=partial(organization_permissions.start_policy, lists_units=lists_units),
            arns={"state_machine_arn": self.state_machine.arn},
            environment={**spec.environment, "STATE_MACHINE": self.state_machine.arn},
            depends_on=self.ready,
        )

    def _declare_scan(self) -> aws.lambda_.Function:
        """The function that enters an account and reads its groups."""
        config, accounts = self._config, self._accounts
        # "*" as the account: an ARN for each would exceed what a policy may have. The policy limits
        # the accounts by a condition.
        member_role_arn = self._location.role_arn(accounts.member_role, account="*")
        spec = FunctionSpec(
            description=f"Reads the security groups of one account (stack {pulumi.get_stack()})",
            role_description=f"Enters the accounts that stack {pulumi.get_stack()} audits",
            role_name=accounts.scan_role,
            handler="handler.organization.scan_account.lambda_handler",
            policy=partial(
                organization_permissions.scan_policy,
                member_role_arn=member_role_arn,
                accounts=accounts.accounts,
                organization_id=self._organization_id,
                regions=config.regions,
            ),
            environment={"AUDIT_REGIONS": config.environment["AUDIT_REGIONS"]},
            memory=config.memory_size,
            timeout=config.timeout,
        )
        function, _ = declare_function(f"{self._name}-scan", spec, self._shared)
        return function

    def _declare_report(self) -> aws.lambda_.Function:
        """The function that compares and mails what the scans found."""
        config = self._config
        spec = FunctionSpec(
            description=f"Reports many accounts and mails digests (stack {pulumi.get_stack()})",
            role_description=f"Reports and mails what stack {pulumi.get_stack()} has audited",
            handler="handler.organization.report_accounts.lambda_handler",
            policy=config.mailing_policy(self._location),
            environment=config.environment,
            memory=max(config.memory_size, REPORT_MEMORY),
            timeout=REPORT_TIMEOUT,
        )
        function, _ = declare_function(f"{self._name}-report", spec, self._shared)
        return function

    def _declare_state_machine(
        self, scan: aws.lambda_.Function, report: aws.lambda_.Function
    ) -> tuple[aws.sfn.StateMachine, Sequence[pulumi.Resource]]:
        """The state machine, and the resources that must exist before it is started."""
        name, opts = f"{self._name}-accounts", self._shared.opts
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log",
            # Log groups with another prefix fill up a resource policy of limited size:
            # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
            name_prefix=f"/aws/vendedlogs/states/{name}-",
            retention_in_days=self._config.log_retention_days,
            opts=opts,
        )
        role = declare_role(
            f"{name}-role",
            f"Runs the functions of stack {pulumi.get_stack()}",
            permissions.assume_role("states.amazonaws.com"),
            opts,
        )
        arns = pulumi.Output.all(self._shared.ledger.bucket.arn, scan.arn, report.arn)
        document = arns.apply(
            lambda arns: organization_permissions.state_machine_policy(
                bucket_arn=arns[0], function_arns=arns[1:]
            )
        )
        policy = declare_policy(f"{name}-policy", role, document, opts)
        definition = arns.apply(
            lambda arns: state_machine.definition(
                partition=self._location.partition,
                scan_arn=arns[1],
                report_arn=arns[2],
                scan_seconds=self._config.timeout,
                report_seconds=REPORT_TIMEOUT,
                concurrency=self._config.scan_concurrency,
            )
        )
        machine = aws.sfn.StateMachine(
            name,
            role_arn=role.arn,
            definition=pulumi.Output.json_dumps(definition),
            logging_configuration=aws.sfn.StateMachineLoggingConfigurationArgs(
                level="ERROR",
                include_execution_data=False,
                # All log streams of the log group.
                log_destination=pulumi.Output.concat(log_group.arn, ":*"),
            ),
            # Step Functions refuses a state machine whose role may not write its log.
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[policy])),
        )
        # A policy of its own, because it names the state machine, which is created after the other.
        document = machine.arn.apply(organization_permissions.children_policy)
        children = declare_policy(f"{name}-children", role, document, opts)
        return machine, (policy, children)

    def _declare_member_roles(self, call_as: str) -> None:
        """The StackSet that creates the member role in all accounts of the units.

        CloudFormation leaves out the management account.
        """
        name, opts = f"{self._name}-member-role", self._shared.opts
        stack_set = aws.cloudformation.StackSet(
            name,
            description=f"The role by which stack {pulumi.get_stack()} audits an account",
            template_body=self.member_role_template,
            capabilities=["CAPABILITY_NAMED_IAM"],
            permission_model="SERVICE_MANAGED",
            auto_deployment={"enabled": True, "retain_stacks_on_account_removal": False},
            call_as=call_as,
            operation_preferences=_ALL_AT_ONCE,
            # CloudFormation fills it in, and older providers remove it with every update:
            # https://github.com/hashicorp/terraform-provider-aws/issues/23464
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(ignore_changes=["administrationRoleArn"])
            ),
        )
        # One for all units: several would each show the accounts of the others as a difference.
        # One region, because IAM is global.
        aws.cloudformation.StackInstances(
            f"{name}-units",
            stack_set_name=stack_set.name,
            call_as=call_as,
            deployment_targets={"organizational_unit_ids": list(self._accounts.units)},
            regions=[self._location.region],
            operation_preferences=_ALL_AT_ONCE,
            opts=opts,
        )
