"""A function may do what its role allows, and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.aws.account import Account
from tests.sandbox.conftest import create

CALLER = """
import boto3
from botocore.exceptions import ClientError
def handle(event, context):
    client = boto3.client(event["service"], region_name=event.get("region"))
    try:
        getattr(client, event["call"])(**event["parameters"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""
LEDGER = "arn:aws:s3:::ledger"
SES = "arn:aws:ses:eu-west-1:123456789012"

Call = Callable[..., str]


def allow(action: str, *resources: str, **condition: str) -> dict[str, Any]:
    """A statement that allows an action if condition keys have these values."""
    statement = {"Effect": "Allow", "Action": [action], "Resource": list(resources)}
    equal = {key.replace("__", ":"): value for key, value in condition.items()}
    return statement | ({"Condition": {"StringEquals": equal}} if equal else {})


@pytest.fixture(scope="module")
def call(shared_account: Account) -> Call:
    """Lets a function whose role has some statements make one call; the result is its error code.

    There are a bucket with one object, and the identities example.org and b@example.com.
    """
    account = shared_account
    create(account, CALLER)
    s3, ses = account.client("s3"), account.client("sesv2")
    s3.create_bucket(Bucket="ledger", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="ledger", Key="head.json", Body=b"{}")
    ses.create_configuration_set(ConfigurationSetName="default")
    ses.create_email_identity(EmailIdentity="b@example.com")
    ses.create_email_identity(EmailIdentity="example.org", ConfigurationSetName="default")

    def run(
        statements: list[dict[str, Any]],
        service: str,
        name: str,
        region: str = "eu-west-1",
        **parameters: object,
    ) -> str:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        account.client("iam").put_role_policy(
            RoleName="trial", PolicyName="more", PolicyDocument=document
        )
        event = {"service": service, "call": name, "region": region, "parameters": parameters}
        payload = account.functions.invoke("eu-west-1", "trial", json.dumps(event).encode()).payload
        return str(json.loads(payload))

    return run


@pytest.mark.parametrize(
    ("statement", "operation", "key", "result"),
    [
        (allow("s3:GetObject", f"{LEDGER}/head.json"), "get_object", "head.json", "allowed"),
        (allow("s3:GetObject", f"{LEDGER}/known/*"), "get_object", "head.json", "AccessDenied"),
        (allow("s3:GetObject", f"{LEDGER}/head.json"), "put_object", "head.json", "AccessDenied"),
        (allow("s3:PutObject", f"{LEDGER}/known/*"), "put_object", "known/1/a.json", "allowed"),
        (allow("s3:*", f"{LEDGER}/known/*"), "delete_object", "known/1/a.json", "allowed"),
        (allow("s3:PutObject", f"{LEDGER}/known/*"), "put_object", "known", "AccessDenied"),
        (allow("s3:GetObject", f"{LEDGER}/*"), "get_object", "missing", "AccessDenied"),
        (allow("s3:*", f"{LEDGER}*"), "get_object", "missing", "NoSuchKey"),
    ],
)
def test_s3_judges_action_and_key(
    call: Call, statement: dict[str, Any], operation: str, key: str, result: str
) -> None:
    """An object needs its action on its key; without ListBucket a missing one is denied."""
    assert call([statement], "s3", operation, Bucket="ledger", Key=key) == result


@pytest.mark.parametrize(
    ("header", "result"), [({"IfNoneMatch": "*"}, "allowed"), ({}, "AccessDenied")]
)
def test_s3_judges_if_none_match(call: Call, header: dict[str, str], result: str) -> None:
    """A statement with the key s3:if-none-match allows no write that could overwrite."""
    write = allow("s3:PutObject", f"{LEDGER}/*")
    write["Condition"] = {"Null": {"s3:if-none-match": "false"}}
    assert call([write], "s3", "put_object", Bucket="ledger", Key="new", **header) == result


@pytest.mark.parametrize(
    ("region", "result"), [("us-east-1", "allowed"), ("us-east-2", "UnauthorizedOperation")]
)
def test_ec2_judges_the_region(call: Call, region: str, result: str) -> None:
    """aws:RequestedRegion is the region of the call."""
    read = allow("ec2:DescribeSecurityGroups", "*", aws__RequestedRegion="us-east-1")
    assert call([read], "ec2", "describe_security_groups", region) == result


@pytest.mark.parametrize(
    ("resources", "sender", "result"),
    [
        (["identity/example.org", "identity/b@example.com"], "a@example.org", "AccessDenied"),
        (["configuration-set/*", "identity/example.org"], "a@example.org", "AccessDenied"),
        (["configuration-set/*", "identity/*"], "a@example.org", "allowed"),
        (["configuration-set/*", "identity/*"], "A <a@example.org>", "allowed"),
        (["configuration-set/*", "identity/*"], "x@example.org", "AccessDenied"),
    ],
    ids=["no-configuration-set", "no-recipient", "all", "display-name", "another-sender"],
)
def test_ses_judges_sender_identities_and_configuration_set(
    call: Call, resources: list[str], sender: str, result: str
) -> None:
    """Email needs the sender's identity, its default configuration set and the recipients'."""
    arns = [f"{SES}:{resource}" for resource in resources]
    send = [
        allow(f"ses:{action}", *arns, ses__FromAddress="a@example.org")
        for action in ("SendEmail", "SendRawEmail")
    ]
    content = {"Raw": {"Data": "Subject: s\n\nx"}}
    to = {"ToAddresses": ["b@example.com"]}
    answer = call(
        send, "sesv2", "send_email", FromEmailAddress=sender, Destination=to, Content=content
    )
    assert answer.removesuffix("Exception") == result


def test_a_denial_goes_before_what_is_allowed(call: Call) -> None:
    """A statement that denies a call wins over one that allows it."""
    deny = allow("s3:GetObject", f"{LEDGER}/head.json") | {"Effect": "Deny"}
    statements = [allow("s3:*", f"{LEDGER}*"), deny]
    assert call(statements, "s3", "get_object", Bucket="ledger", Key="head.json") == "AccessDenied"


def test_a_role_needs_no_permission_to_ask_who_it_is(call: Call) -> None:
    """GetCallerIdentity is allowed to everybody."""
    assert call([allow("s3:GetObject", LEDGER)], "sts", "get_caller_identity") == "allowed"
