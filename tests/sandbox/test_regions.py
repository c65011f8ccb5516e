"""Regions: enabled by default or not opted in."""

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account


def test_only_enabled_regions_are_described(account: Account) -> None:
    """Seventeen regions are enabled by default, and Cape Town is not one of them."""
    regions = account.client("ec2").describe_regions()["Regions"]
    assert len(regions) == 17
    assert {region["OptInStatus"] for region in regions} == {"opt-in-not-required"}
    assert "af-south-1" not in {region["RegionName"] for region in regions}


def test_all_regions_are_described_on_request(account: Account) -> None:
    """With AllRegions the answer has regions that are not opted in, with that status."""
    regions = account.client("ec2").describe_regions(AllRegions=True)["Regions"]
    status = {region["RegionName"]: region["OptInStatus"] for region in regions}
    assert status["af-south-1"] == "not-opted-in"
    assert status["eu-west-1"] == "opt-in-not-required"


def test_regions_can_be_filtered(account: Account) -> None:
    """A filter by region name takes wildcards."""
    condition = {"Name": "region-name", "Values": ["eu-west-*"]}
    regions = account.client("ec2").describe_regions(Filters=[condition])["Regions"]
    assert [region["RegionName"] for region in regions] == ["eu-west-1", "eu-west-2", "eu-west-3"]


def test_an_unknown_region_is_refused(account: Account) -> None:
    """A region name that does not exist is an error, not an empty answer."""
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        account.client("ec2").describe_regions(RegionNames=["eu-west-9"])


def test_ec2_refuses_calls_in_a_region_not_opted_in(account: Account) -> None:
    """EC2 answers AuthFailure with status 401."""
    with pytest.raises(ClientError) as caught:
        account.client("ec2", "af-south-1").describe_security_groups()
    assert caught.value.response["Error"]["Code"] == "AuthFailure"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401
