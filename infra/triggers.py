"""What invokes the function: its schedule, and API calls that may have opened something."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra import permissions
from infra.config import StackConfig
from infra.config_reader import refuse
from infra.location import Location
from infra.role import declare_policy, declare_role

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
    description = f"Runs the security-group audit (stack {pulumi.get_stack()})"
    return _declare_rule(name, description, function, opts, schedule=config.schedule)


def find_realtime_regions(config: StackConfig, opts: pulumi.InvokeOptions) -> tuple[str, ...]:
    """The regions in which changes run the audit: those to audit that are enabled by now.

    Raises ``pulumi.RunError`` if the config lists one that is not.
    """
    if not config.realtime:
        return ()
    enabled = sorted(aws.get_regions(opts=opts).names)
    for region in config.regions:
        if region not in enabled:
            refuse("regions", "enabled in the account", region, "realtime needs a rule in each")
    return config.regions or tuple(enabled)


def declare_change_rule(
    name: str,
    location: Location,
    regions: Sequence[str],
    function: aws.lambda_.Function,
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.EventRule | None:
    """The EventBridge rule that invokes the function after ``OPENING_CALLS`` in these regions.

    EventBridge receives CloudTrail's events in the region of the call, so that rules in the other
    regions forward them to the function's. None without regions.
    """
    if not regions:
        return None
    if other_regions := [region for region in regions if region != location.region]:
        _declare_forwarding(name, location, other_regions, opts)
    description = f"Runs the security-group audit after a change (stack {pulumi.get_stack()})"
    return _declare_rule(name, description, function, opts, pattern=_pattern(location, regions))


def _declare_forwarding(
    name: str, location: Location, regions: Sequence[str], opts: pulumi.ResourceOptions
) -> None:
    """A rule in each of the regions that forwards changes to the bus of the function's region."""
    bus_arn = location.arn("events", "event-bus/default")
    role = declare_role(
        f"{name}-forwarder",
        f"Forwards changes to the security-group audit of stack {pulumi.get_stack()}",
        # Only this account's EventBridge forwards.
        permissions.assume_role("events.amazonaws.com", location.account),
        opts,
    )
    document = permissions.forwarder_policy(bus_arn)
    policy = declare_policy(f"{name}-forwarder-policy", role, document, opts)
    # If a rule fired before its role may forward, the change would be lost without an error.
    after_policy = pulumi.ResourceOptions(depends_on=[policy])
    for region in regions:
        rule = aws.cloudwatch.EventRule(
            f"{name}-{region}",
            region=region,
            description=f"Forwards changes to {location.region} (stack {pulumi.get_stack()})",
            # What another stack forwards to this region is not forwarded again.
            event_pattern=_pattern(location, [region]),
            opts=opts,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-{region}-target",
            region=region,
            rule=rule.name,
            arn=bus_arn,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions.merge(opts, after_policy),
        )


def _pattern(location: Location, regions: Sequence[str]) -> str:
    """Which events are calls of this account, in these regions, that may have opened something."""
    pattern = {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "account": [location.account],
        "region": list(regions),
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "eventName": list(OPENING_CALLS),
            # A call that EC2 rejected changed nothing.
            "errorCode": [{"exists": False}],
        },
    }
    return json.dumps(pattern)


def _declare_rule(
    name: str,
    description: str,
    function: aws.lambda_.Function,
    opts: pulumi.ResourceOptions,
    *,
    schedule: str | None = None,
    pattern: str | None = None,
) -> aws.cloudwatch.EventRule:
    """A rule with the function as its target, and the rule's permission to invoke it."""
    rule = aws.cloudwatch.EventRule(
        name,
        description=description,
        schedule_expression=schedule,
        event_pattern=pattern,
        opts=opts,
    )
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
        # If the rule fired before it may invoke the function, no run would start.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[permission])),
    )
    return rule
