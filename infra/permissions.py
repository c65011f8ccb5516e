"""The IAM documents of the stack, as plain data."""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]

READ_ACTIONS = (
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRegions",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "ec2:GetManagedPrefixListEntries",
)
LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")
# A raw message sent through SendEmail of SES's second API is checked against both names.
MAIL_ACTIONS = ("ses:SendEmail", "ses:SendRawEmail")
LEDGER_ACTIONS = ("s3:GetObject", "s3:PutObject")
# Without it S3 answers that an object is denied when it does not exist, as on the first run.
LEDGER_LOOKUP_ACTIONS = ("s3:ListBucket",)


def assume_role() -> Document:
    """Who may be the function: Lambda."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    )


def function_policy(
    *, log_group_arn: str, bucket_arn: str, identity_arns: Sequence[str], regions: Sequence[str]
) -> Document:
    """What the function may do: read groups, send mail, keep its ledger, write its own log.

    ``regions`` are the only ones it may read; an empty sequence means every region.
    """
    read: Document = {
        "Sid": "ReadSecurityGroups",
        "Effect": "Allow",
        "Action": list(READ_ACTIONS),
        # EC2's Describe actions know no resource-level permissions, and which prefix lists the
        # groups will name is not known.
        "Resource": "*",
    }
    if regions:
        read["Condition"] = {"StringEquals": {"aws:RequestedRegion": list(regions)}}
    mail = {
        "Sid": "SendDigest",
        "Effect": "Allow",
        "Action": list(MAIL_ACTIONS),
        # The recipients' identities too: SES's sandbox checks the permission on them as well.
        "Resource": list(identity_arns),
    }
    keep = {
        "Sid": "KeepLedger",
        "Effect": "Allow",
        "Action": list(LEDGER_ACTIONS),
        "Resource": f"{bucket_arn}/*",
    }
    look = {
        "Sid": "SeeWhatTheLedgerLacks",
        "Effect": "Allow",
        "Action": list(LEDGER_LOOKUP_ACTIONS),
        "Resource": bucket_arn,
    }
    log = {
        "Sid": "WriteLog",
        "Effect": "Allow",
        "Action": list(LOG_ACTIONS),
        # The log streams of this one group; Lambda makes up their names.
        "Resource": f"{log_group_arn}:*",
    }
    return _document(read, mail, keep, look, log)


def bucket_policy(bucket_arn: str) -> Document:
    """Nobody, whatever else allows it, reaches the bucket but through TLS."""
    return _document(
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def topic_policy(topic_arn: str, account: str) -> Document:
    """Only CloudWatch's alarms of this account may publish to the topic."""
    return _document(
        {
            "Sid": "AlarmsOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
    )


def identities(addresses: Sequence[str], *, created: bool) -> tuple[str, ...]:
    """The SES identities that mail between ``addresses`` may be checked against, sorted.

    Those that the stack creates are the addresses themselves. Others may be the address, its
    domain or a parent domain, which SES takes for the address when it is verified.
    """
    if created:
        return tuple(sorted(set(addresses)))
    domains = {address.partition("@")[2] for address in addresses}
    labels = [domain.split(".") for domain in domains]
    parents = {".".join(parts[start:]) for parts in labels for start in range(len(parts) - 1)}
    return tuple(sorted({*addresses, *parents}))


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
