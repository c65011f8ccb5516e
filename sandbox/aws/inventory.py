"""What an account holds of the kinds of things that a stack creates."""

from collections.abc import Iterator

from sandbox.aws.account import Account


def inventory(account: Account, region: str = "eu-west-1") -> frozenset[str]:
    """Each thing in the region by its kind and its name, for example ``role audit-1a2b3c4``."""
    return frozenset(_things(account, region))


def _things(account: Account, region: str) -> Iterator[str]:
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
        for thing in getattr(account.client(service, region), operation)()[key]:
            yield f"{kind} {thing[name]}"
