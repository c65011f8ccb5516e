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


def test_other_regions_are_not_described(account: Account) -> None:
    """A request for all regions is an error, not the answer for the enabled ones."""
    with pytest.raises(ClientError, match="describes its enabled regions only"):
        account.client("ec2").describe_regions(AllRegions=True)


def test_ec2_refuses_calls_in_a_region_not_opted_in(account: Account) -> None:
    """EC2 answers AuthFailure with status 401."""
    with pytest.raises(ClientError) as caught:
        account.client("ec2", "af-south-1").describe_security_groups()
    assert caught.value.response["Error"]["Code"] == "AuthFailure"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401
