"""Faults: boto3 raises the same error for a fault as for the real failure."""

from math import inf

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from sandbox.aws.account import Account
from sandbox.aws.callers import OWNER
from sandbox.aws.faults import Fault
from sandbox.aws.functions import SECRETS


@pytest.mark.parametrize(
    ("service", "operation", "method"),
    [
        pytest.param("ec2", "DescribeVpcs", "describe_vpcs", id="ec2"),
        pytest.param("ses", "ListIdentities", "list_identities", id="query"),
        pytest.param("sesv2", "GetAccount", "get_account", id="rest-json"),
        pytest.param("logs", "DescribeLogGroups", "describe_log_groups", id="json"),
        pytest.param("s3", "ListBuckets", "list_buckets", id="rest-xml"),
        pytest.param("cloudwatch", "DescribeAlarms", "describe_alarms", id="cloudwatch"),
    ],
)
def test_a_fault_has_its_code_in_every_wire_format(
    account: Account, service: str, operation: str, method: str
) -> None:
    """boto3 raises a ClientError with the fault's code, message and status."""
    account.faults.add(Fault(operation, code="Broken", message="It <is> broken.", status=418))
    with pytest.raises(ClientError) as caught:
        getattr(account.client(service, "us-east-1"), method)()
    assert caught.value.response["Error"]["Code"] == "Broken"
    assert caught.value.response["Error"]["Message"] == "It <is> broken."
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418


def test_throttling_ends_after_the_given_number_of_times(account: Account) -> None:
    """Two requests are throttled, the third is answered."""
    account.faults.throttle("DescribeVpcs", times=2)
    ec2 = account.client("ec2")
    for _ in range(2):
        with pytest.raises(ClientError, match="RequestLimitExceeded"):
            ec2.describe_vpcs()
    assert len(ec2.describe_vpcs()["Vpcs"]) == 1


def test_a_fault_may_come_late_and_concern_some_requests(account: Account) -> None:
    """Of the requests with a text the first is answered, the second fails, and so on; no others."""
    vpc = {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]}
    account.faults.add(Fault("DescribeVpcs", code="Broken", skip=1, times=1, containing="vpc-1"))
    ec2 = account.client("ec2")
    ec2.describe_vpcs(**vpc)
    ec2.describe_vpcs()
    with pytest.raises(ClientError, match="Broken"):
        ec2.describe_vpcs(**vpc)
    ec2.describe_vpcs(**vpc)


def test_a_request_may_be_carried_out_and_fail(account: Account) -> None:
    """With ``answered`` the client gets an error, and the bucket is there."""
    account.faults.add(Fault("CreateBucket", code="InternalError", status=500, answered=True))
    s3 = account.client("s3", "us-east-1")
    with pytest.raises(ClientError, match="InternalError"):
        s3.create_bucket(Bucket="ledger")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["ledger"]


def test_a_denial_holds_in_its_region_only(account: Account) -> None:
    """A fault of one region leaves another region's answers alone."""
    account.faults.deny("DescribeVpcs", "eu-west-1")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        account.client("ec2", "eu-west-1").describe_vpcs()
    account.client("ec2", "us-east-1").describe_vpcs()


def test_a_fault_may_concern_one_caller(account: Account) -> None:
    """The owner's own requests are answered while another key is denied."""
    account.faults.deny("*", caller="ASIAOTHER00000000000")
    account.client("ec2").describe_vpcs()
    account.faults.deny("*", caller=OWNER)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        account.client("ec2").describe_vpcs()


def test_a_garbled_answer_cannot_be_parsed(account: Account) -> None:
    """With ``garble`` the answer is successful and not XML."""
    account.faults.add(Fault("DescribeVpcs", garble=True))
    with pytest.raises(ResponseParserError, match="Unable to parse"):
        account.client("ec2").describe_vpcs()


def test_clearing_removes_all_faults(account: Account) -> None:
    """After clear() a denied operation is answered."""
    account.faults.deny("*")
    account.faults.clear()
    account.client("ec2").describe_vpcs()


def test_a_time_out_hangs_until_the_client_gives_up(account: Account) -> None:
    """The client's read time-out is what ends the request."""
    account.faults.add(Fault("DescribeVpcs", delay=inf))
    ec2 = boto3.client(
        "ec2",
        region_name="eu-west-1",
        endpoint_url=account.endpoint,
        aws_access_key_id=OWNER,
        aws_secret_access_key=SECRETS["AWS_SECRET_ACCESS_KEY"],
        config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(ReadTimeoutError):
        ec2.describe_vpcs()


def test_a_dropped_connection_has_no_answer(account: Account) -> None:
    """A dropped request raises ConnectionClosedError, as often as the fault says."""
    account.faults.drop("DescribeVpcs", times=1)
    with pytest.raises(ConnectionClosedError):
        account.client("ec2").describe_vpcs()
    account.client("ec2").describe_vpcs()
