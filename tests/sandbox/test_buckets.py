"""Buckets: policies, encryption and missing objects, in which moto differs from S3."""

import json

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account

IRELAND = {"LocationConstraint": "eu-west-1"}


def denying(**condition: object) -> str:
    """A bucket policy that denies everybody everything."""
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::ledger/*",
        **condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


WITHOUT_TLS = denying(Condition={"Bool": {"aws:SecureTransport": "false"}})


def test_plain_http_stands_for_tls(account: Account) -> None:
    """A policy against requests without TLS is kept as it is, and stops none here."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="ledger", CreateBucketConfiguration=IRELAND)
    s3.put_bucket_policy(Bucket="ledger", Policy=WITHOUT_TLS)
    s3.put_object(Bucket="ledger", Key="a", Body=b"x")
    assert s3.get_object(Bucket="ledger", Key="a")["Body"].read() == b"x"
    assert s3.get_bucket_policy(Bucket="ledger")["Policy"] == WITHOUT_TLS


def test_other_denials_hold(account: Account) -> None:
    """A policy that denies everything denies."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="ledger", CreateBucketConfiguration=IRELAND)
    s3.put_bucket_policy(Bucket="ledger", Policy=denying())
    with pytest.raises(ClientError, match="Forbidden"):
        s3.put_object(Bucket="ledger", Key="a", Body=b"x")


def test_a_deleted_policy_is_gone(account: Account) -> None:
    """A bucket whose policy was deleted has none."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="ledger", CreateBucketConfiguration=IRELAND)
    s3.put_bucket_policy(Bucket="ledger", Policy=WITHOUT_TLS)
    s3.delete_bucket_policy(Bucket="ledger")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="ledger")


def test_what_head_does_not_find_is_not_found(account: Account) -> None:
    """An answer without a body is no sign of an operation that moto lacks."""
    s3 = account.client("s3")
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket="missing")
    assert caught.value.response["Error"]["Code"] == "404"


def test_a_missing_object_is_missing(account: Account) -> None:
    """Whoever may list a bucket is told that an object is not there."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="ledger", CreateBucketConfiguration=IRELAND)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="ledger", Key="missing")


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}},
        {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C", "NONE"]}},
    ],
)
def test_blocked_encryption_types_are_kept(account: Account, rule: dict[str, object]) -> None:
    """A bucket's encryption returns its blocked types."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket="ledger", CreateBucketConfiguration=IRELAND)
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(
        Bucket="ledger", ServerSideEncryptionConfiguration={"Rules": [default | rule]}
    )
    answer = s3.get_bucket_encryption(Bucket="ledger")["ServerSideEncryptionConfiguration"]
    assert answer["Rules"] == [default | rule | {"BucketKeyEnabled": False}]
