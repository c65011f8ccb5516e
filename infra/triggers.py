"""What runs the function: its schedule, and changes that may have opened something."""

import json

import pulumi
import pulumi_aws as aws

# What opens more than was open: new groups, inbound rules, the prefix lists that they name, groups
# that come together on a network interface, and a public address for one. Not among them: what
# closes, which can wait for the schedule; and new instances and interfaces, which come by the
# hundred where something scales and open what their groups say.
OPENING_CALLS = (
    "AssociateAddress",
    "AuthorizeSecurityGroupIngress",
    "CreateSecurityGroup",
    "ModifyInstanceAttribute",
    "ModifyManagedPrefixList",
    "ModifyNetworkInterfaceAttribute",
    "ModifySecurityGroupRules",
    "RestoreManagedPrefixListVersion",
)


def on_schedule(
    name: str, expression: str, function: aws.lambda_.Function, opts: pulumi.ResourceOptions
) -> aws.cloudwatch.EventRule:
    """The rule that runs the function at its times."""
    rule = aws.cloudwatch.EventRule(
        name,
        description=f"Runs the security-group audit (stack {pulumi.get_stack()})",
        schedule_expression=expression,
        opts=opts,
    )
    _run(name, rule, function, opts)
    return rule


def on_change(
    name: str, function: aws.lambda_.Function, opts: pulumi.ResourceOptions
) -> aws.cloudwatch.EventRule:
    """The rule that runs the function when somebody changes what may open something.

    CloudTrail's events arrive in the region where the call was made: in the function's own.
    """
    pattern = {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "eventName": list(OPENING_CALLS),
            # A call that AWS refused changed nothing.
            "errorCode": [{"exists": False}],
        },
    }
    rule = aws.cloudwatch.EventRule(
        name,
        description=f"Runs the security-group audit after a change (stack {pulumi.get_stack()})",
        event_pattern=json.dumps(pattern),
        opts=opts,
    )
    _run(name, rule, function, opts)
    return rule


def _run(
    name: str,
    rule: aws.cloudwatch.EventRule,
    function: aws.lambda_.Function,
    opts: pulumi.ResourceOptions,
) -> None:
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
        # A rule that fires before it may call the function would fail unseen.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[permission])),
    )
