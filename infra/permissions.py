"""The stack's policy documents for IAM, S3 and SNS, as plain data."""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]

READ_ACTIONS = (
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRegions",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcBlockPublicAccessExclusions",
    "ec2:DescribeVpcBlockPublicAccessOptions",
    "ec2:GetManagedPrefixListEntries",
)
ATTRIBUTION_ACTIONS = ("cloudtrail:LookupEvents",)
EVENT_ACTIONS = ("events:PutEvents",)
EVENT_SOURCE = "security-group-audit"
LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")
# SES API v2 checks SendEmail with a raw message against both actions.
MAIL_ACTIONS = ("ses:SendEmail", "ses:SendRawEmail")
LEDGER_LIST_ACTIONS = ("s3:ListBucket",)
LEDGER_READ_ACTIONS = ("s3:GetObject",)
LEDGER_WRITE_ACTIONS = ("s3:PutObject",)
# What a run reads, and what it only writes. state.json is the ledger of older versions: while an
# update narrows the policy, their code may still write it.
LEDGER_READ_KEYS = ("head.json", "known/*", "state.json")
LEDGER_WRITE_KEYS = (*LEDGER_READ_KEYS, "aside/*", "reports/*")


def assume_role(service: str = "lambda.amazonaws.com", account: str | None = None) -> Document:
    """The trust policy of a role that only this service may assume, for this account if given."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    condition = {"Condition": {"StringEquals": {"aws:SourceAccount": account}}} if account else {}
    return document(statement | condition)


def forwarder_policy(bus_arn: str) -> Document:
    """The only permission of the role that forwards changes: put events on the bus."""
    return document(allow("ForwardChanges", EVENT_ACTIONS, bus_arn))


def function_policy(
    *,
    log_group_arn: str,
    bucket_arn: str,
    mail_arns: Sequence[str],
    sender: str,
    regions: Sequence[str],
    attribution: bool,
) -> Document:
    """The permissions of the function: read groups, send email, use its ledger, write its log.

    ``mail_arns`` are those of ``mail_resources``. ``regions`` are the only ones whose groups it may
    read; an empty sequence allows all regions. With ``attribution`` it may look up who opened what.
    """
    # LookupEvents does not support resource-level permissions:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html
    look_up = allow("LookUpWhoOpenedIt", ATTRIBUTION_ACTIONS, "*", _in_regions(regions))
    return document(
        read_groups(regions),
        *([look_up] if attribution else []),
        send_digest(mail_arns, sender),
        *use_ledger(bucket_arn),
        write_log(log_group_arn),
    )


def read_groups(regions: Sequence[str]) -> Document:
    """Lets a role read the groups of these regions; an empty sequence allows all regions."""
    # "*" because EC2 Describe actions do not support resource-level permissions, and the prefix
    # lists that rules refer to are not known in advance:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    return allow("ReadSecurityGroups", READ_ACTIONS, "*", _in_regions(regions))


def send_digest(mail_arns: Sequence[str], sender: str) -> Document:
    """Lets a role send email with these SES resources, from the sender's address only."""
    # The identities would allow every address of a domain, and every recipient's as the sender.
    condition = {"StringEquals": {"ses:FromAddress": sender}}
    return allow("SendDigest", MAIL_ACTIONS, list(mail_arns), condition)


def use_ledger(bucket_arn: str) -> tuple[Document, Document, Document]:
    """Lets a role read the ledger, and write it with the reports of its runs."""
    return (
        list_ledger(bucket_arn),
        # "/*" after a prefix: these keys contain the account, the time or the id of a run.
        allow("ReadLedger", LEDGER_READ_ACTIONS, objects(bucket_arn, LEDGER_READ_KEYS)),
        allow("WriteLedger", LEDGER_WRITE_ACTIONS, objects(bucket_arn, LEDGER_WRITE_KEYS)),
    )


def list_ledger(bucket_arn: str) -> Document:
    """Lets a role tell a missing object of the ledger from a denied one."""
    # Without s3:ListBucket, GetObject answers 403 rather than 404 for a missing object, such as the
    # head before the first run:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    return allow("ListLedger", LEDGER_LIST_ACTIONS, bucket_arn)


def write_log(log_group_arn: str) -> Document:
    """Lets a function write to a log group that exists."""
    # ":*": all log streams of this log group; Lambda chooses their names.
    return allow("WriteLog", LOG_ACTIONS, f"{log_group_arn}:*")


def publisher_policy(bus_arn: str) -> Document:
    """The permission of the function to put events on the bus, with its own source only."""
    # Nothing that looks like the event of another program.
    condition = {"StringEquals": {"events:source": EVENT_SOURCE}}
    return document(allow("PublishChanges", EVENT_ACTIONS, bus_arn, condition))


def bucket_policy(bucket_arn: str) -> Document:
    """Denies every request to the bucket that does not use TLS."""
    return document(
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            # A Deny with "*" grants nothing: it covers every principal, action and object.
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def topic_policy(topic_arn: str, account: str, alarms_arn: str) -> Document:
    """Lets nobody but the account's CloudWatch alarms publish to the topic.

    ``alarms_arn`` is the pattern of the alarms' ARNs.
    """
    return document(
        {
            "Sid": "AllowAlarmsOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {
                "ArnLike": {"aws:SourceArn": alarms_arn},
                "StringEquals": {"aws:SourceAccount": account},
            },
        },
        {
            # Without it, a principal whose own policy allows sns:Publish may publish as well. A
            # request that no service makes for a resource has no aws:SourceArn and is denied too.
            "Sid": "DenyEverybodyElse",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {"ArnNotLike": {"aws:SourceArn": alarms_arn}},
        },
    )


def copy_resources(domains: Sequence[str]) -> tuple[str, ...]:
    """The SES resources that SES's sandbox may check for email to any address of the domains."""
    return tuple(f"identity/{name}" for domain in domains for name in (domain, f"*@{domain}"))


def mail_resources(addresses: Sequence[str], *, created: bool) -> tuple[str, ...]:
    """The SES resources that SES may check for email between ``addresses``, sorted.

    The recipients' identities are among them, because the SES sandbox checks the permission on
    them as well. If the stack has created the identities (``created``), they are the addresses. If
    not, they may be an address, its domain or a parent domain; SES accepts any that is verified:
    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    if created:
        return tuple(f"identity/{address}" for address in sorted(set(addresses)))
    domains = [address.partition("@")[2].split(".") for address in addresses]
    # Top-level domains are left out: nobody can verify one.
    suffixes = {".".join(labels[start:]) for labels in domains for start in range(len(labels) - 1)}
    identities = (f"identity/{name}" for name in sorted({*addresses, *suffixes}))
    # "*": an identity of others may have a default configuration set, which SES checks as well and
    # whose name the stack does not know.
    return ("configuration-set/*", *identities)


def allow(
    sid: str, actions: Sequence[str], resources: str | list[str], condition: Document | None = None
) -> Document:
    """A statement that allows the actions on the resources, under the condition if there is one."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def _in_regions(regions: Sequence[str]) -> Document | None:
    """The condition that a request is for these regions; none for an empty sequence."""
    return {"StringEquals": {"aws:RequestedRegion": list(regions)}} if regions else None


def objects(bucket_arn: str, keys: Sequence[str]) -> list[str]:
    """The ARNs of the objects with these keys."""
    return [f"{bucket_arn}/{key}" for key in keys]


def document(*statements: Document) -> Document:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}
