"""What the account records of the requests that reach it."""

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account
from sandbox.aws.callers import OWNER
from sandbox.aws.front import Call


def test_an_account_starts_empty_every_time() -> None:
    """What one account held is gone in the next."""
    with Account() as first:
        first.client("iam").create_role(RoleName="left", AssumeRolePolicyDocument="{}")
    with Account() as second:
        assert second.client("iam").list_roles()["Roles"] == []


def test_an_account_that_was_left_answers_nothing() -> None:
    """A call after the account was left fails with status 503."""
    with Account() as account:
        iam = account.client("iam")
    with pytest.raises(ClientError) as caught:
        iam.list_roles()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.parametrize(
    ("service", "method", "arguments", "operation"),
    [
        pytest.param("ec2", "describe_vpcs", {}, "DescribeVpcs", id="ec2"),
        pytest.param("ses", "list_identities", {}, "ListIdentities", id="query"),
        pytest.param("sesv2", "list_email_identities", {}, "ListEmailIdentities", id="rest-json"),
        pytest.param("lambda", "list_functions", {}, "ListFunctions", id="rest-json-lambda"),
        pytest.param("logs", "describe_log_groups", {}, "DescribeLogGroups", id="json"),
        pytest.param("s3", "list_buckets", {}, "ListBuckets", id="rest-xml"),
        pytest.param("cloudwatch", "describe_alarms", {}, "DescribeAlarms", id="cloudwatch"),
    ],
)
def test_a_call_is_recorded_as_aws_names_it(
    account: Account, service: str, method: str, arguments: dict[str, str], operation: str
) -> None:
    """Service, operation, region and caller are recorded for every wire format."""
    getattr(account.client(service, "us-east-1"), method)(**arguments)
    assert account.calls == [Call(service, operation, "us-east-1", OWNER)]


def test_s3_operations_on_one_path_are_told_apart(account: Account) -> None:
    """A query string or a header decides between operations of S3."""
    s3 = account.client("s3", "us-east-1")
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="bucket", Key="a/b", Body=b"x")
    s3.copy_object(Bucket="bucket", Key="c", CopySource="bucket/a/b")
    s3.list_objects_v2(Bucket="bucket")
    assert [call.operation for call in account.calls] == [
        "CreateBucket",
        "PutBucketVersioning",
        "PutObject",
        "CopyObject",
        "ListObjectsV2",
    ]


def test_the_environment_names_the_endpoint_and_the_region(account: Account) -> None:
    """Another process finds the account by environment variables."""
    environment = account.environment("us-west-2")
    assert environment["AWS_ENDPOINT_URL"] == account.endpoint
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-west-2"
    assert account.endpoint.startswith("http://127.0.0.1:")


def test_moto_failing_is_said_to_the_client(account: Account) -> None:
    """An operation moto does not have answers an error that names the operation."""
    ec2 = account.client("ec2")
    with pytest.raises(ec2.exceptions.ClientError, match="GetSerialConsoleAccessStatus") as caught:
        ec2.get_serial_console_access_status()
    assert caught.value.response["Error"]["Code"] == "InternalFailure"
