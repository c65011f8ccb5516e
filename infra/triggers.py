"""What invokes the function: its schedule, and API calls that may have opened something."""

import json

import pulumi
import pulumi_aws as aws

from infra.config import StackConfig

# API calls that can open more than was open: new inbound rules, changed prefix lists, another
# combination of groups on a network interface, a public address for one. Left out: calls that close
# something, which the next scheduled run reports; new groups, which have no inbound rules; and new
# instances and interfaces, which autoscaling creates by the hundred and which open only what their
# groups already allow.
OPENING_CALLS = (
    "AssignIpv6Addresses",
    "AssociateAddress",
    "AuthorizeSecurityGroupIngress",
    "ModifyInstanceAttribute",
    "ModifyManagedPrefixList",
    "ModifyNetworkInterfaceAttribute",
    "ModifySecurityGroupRules",
    "RestoreManagedPrefixListVersion",
)


def declare_schedule(
    name: str, config: StackConfig, function: aws.lambda_.Function, opts: pulumi.ResourceOptions
) -> aws.cloudwatch.EventRule | None:
    """The EventBridge rule that invokes the function on schedule; None if that is disabled."""
    if config.schedule is None:
        return None
    rule = aws.cloudwatch.EventRule(
        name,
        description=f"Runs the security-group audit (stack {pulumi.get_stack()})",
        schedule_expression=config.schedule,
        opts=opts,
    )
    _declare_target(name, rule, function, opts)
    return rule


def declare_change_rule(
    name: str, config: StackConfig, function: aws.lambda_.Function, opts: pulumi.ResourceOptions
) -> aws.cloudwatch.EventRule | None:
    """The EventBridge rule that invokes the function after ``OPENING_CALLS``; None if disabled.

    EventBridge receives CloudTrail's events in the region of the call, so this rule covers only
    the function's own region.
    """
    if not config.realtime:
        return None
    pattern = {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "eventName": list(OPENING_CALLS),
            # A call that EC2 rejected changed nothing.
            "errorCode": [{"exists": False}],
        },
    }
    rule = aws.cloudwatch.EventRule(
        name,
        description=f"Runs the security-group audit after a change (stack {pulumi.get_stack()})",
        event_pattern=json.dumps(pattern),
        opts=opts,
    )
    _declare_target(name, rule, function, opts)
    return rule


def _declare_target(
    name: str,
    rule: aws.cloudwatch.EventRule,
    function: aws.lambda_.Function,
    opts: pulumi.ResourceOptions,
) -> None:
    """The function as the rule's target, and the rule's permission to invoke it."""
    permission = aws.lambda_.Permission(
        f"{name}-permission",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=opts,
    )
    aws.cloudwatch.EventTarget(
        f"{name}-target",
        rule=rule.name,
        arn=function.arn,
        # If the rule fired before it may invoke the function, the run would be lost unnoticed.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[permission])),
    )
