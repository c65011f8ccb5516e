"""The targets of an audit, and the scans of all of them."""

from typing import Any

import boto3
from botocore.stub import Stubber

from handler.audit import plan_targets, scan_targets
from handler.aws import Clients
from handler.model.network import Target
from handler.model.run import CoverageStatus
from handler.policy.policy import Policy


class Scripted(Clients):
    """Clients of EC2 that answer from a script, for each region."""

    def __init__(self, **regions: tuple[str, dict[str, Any]] | str) -> None:
        super().__init__()
        for name, script in regions.items():
            region = None if name == "home" else name.replace("_", "-")
            ec2, stub = self._scripted(region or "eu-west-1")
            if isinstance(script, str):
                operation = "describe_security_groups" if region else "describe_regions"
                stub.add_client_error(operation, script, "No.")
            else:
                stub.add_response(*script)
            self._clients["ec2", region] = ec2

    @staticmethod
    def _scripted(region: str) -> tuple[Any, Stubber]:
        client = boto3.client("ec2", region_name=region)
        stub = Stubber(client)
        stub.activate()
        return client, stub


ACCOUNT = "123456789012"
NOTHING: tuple[str, dict[str, Any]] = ("describe_security_groups", {"SecurityGroups": []})


def test_targets_are_sorted_and_unique() -> None:
    """Each region is one target, whatever the order and however often it is named."""
    assert plan_targets("1", ["eu-west-1", "ap-south-1", "eu-west-1"]) == [
        Target("1", "ap-south-1"),
        Target("1", "eu-west-1"),
    ]


def test_a_denied_region_does_not_affect_others() -> None:
    """One region has status denied, and the other one is read."""
    clients = Scripted(eu_west_1=NOTHING, us_east_1="UnauthorizedOperation")
    read = list(scan_targets(clients, ACCOUNT, ["us-east-1", "eu-west-1"], Policy()))
    assert [(scan.coverage.target.region, scan.coverage.status) for scan in read] == [
        ("eu-west-1", CoverageStatus.OK),
        ("us-east-1", CoverageStatus.DENIED),
    ]


def test_without_regions_all_enabled_ones_are_targets() -> None:
    """The targets are the regions that DescribeRegions returns."""
    regions = {"Regions": [{"RegionName": "us-east-1"}, {"RegionName": "eu-west-1"}]}
    clients = Scripted(home=("describe_regions", regions), eu_west_1=NOTHING, us_east_1=NOTHING)
    read = [scan.coverage.target.region for scan in scan_targets(clients, ACCOUNT, [], Policy())]
    assert read == ["eu-west-1", "us-east-1"]


def test_a_denied_list_of_regions_is_a_denied_target() -> None:
    """If DescribeRegions fails, the target "all" has its error."""
    (read,) = scan_targets(Scripted(home="UnauthorizedOperation"), ACCOUNT, [], Policy())
    assert read.coverage.target == Target(ACCOUNT, "all")
    assert (read.coverage.status, read.coverage.error) == (
        CoverageStatus.DENIED,
        "UnauthorizedOperation: No.",
    )
