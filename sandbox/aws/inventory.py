"""Lists the resources of an account that a stack may have created."""

from collections.abc import Iterator

from moto.organizations.models import organizations_backends

from sandbox.aws.account import Account


def inventory(account: Account, region: str = "eu-west-1") -> frozenset[str]:
    """The resources in the region by kind and name, for example ``role audit-1a2b3c4``.

    Of the organization's other accounts, only the roles: ``role 111122223333/audit``.
    """
    return frozenset(_resources(account, region))


def _resources(account: Account, region: str) -> Iterator[str]:
    for kind, service, operation, key, name in (
        ("alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        ("bucket", "s3", "list_buckets", "Buckets", "Name"),
        ("function", "lambda", "list_functions", "Functions", "FunctionName"),
        ("identity", "sesv2", "list_email_identities", "EmailIdentities", "IdentityName"),
        ("log group", "logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("metric filter", "logs", "describe_metric_filters", "metricFilters", "filterName"),
        ("role", "iam", "list_roles", "Roles", "RoleName"),
        ("rule", "events", "list_rules", "Rules", "Name"),
        ("subscription", "sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        ("topic", "sns", "list_topics", "Topics", "TopicArn"),
    ):
        for resource in getattr(account.client(service, region), operation)()[key]:
            yield f"{kind} {resource[name]}"
    for name in account.state_machines.names(region):
        yield f"state machine {name}"
    for stack_set in account.client("cloudformation", region).list_stack_sets()["Summaries"]:
        if stack_set["Status"] == "ACTIVE":  # moto lists the others, too
            yield f"stack set {stack_set['StackSetName']}"
    for member in organizations_backends.master_accounts:
        for role in account.client("iam", region, member).list_roles()["Roles"]:
            yield f"role {member}/{role['RoleName']}"
