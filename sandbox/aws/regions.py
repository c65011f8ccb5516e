"""Which regions an account may use: the default ones, and those it has opted in to."""

from fnmatch import fnmatchcase
from typing import Any

from botocore.session import Session
from werkzeug.wrappers import Response

from sandbox.aws.protocol import Operation

# https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
ENABLED = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
# Deaf to AWS_PROFILE, which may name a profile that is not there.
_SESSION = Session({"profile": (None, None, None, None)})
EXISTING = ENABLED | frozenset(_SESSION.get_available_regions("ec2"))


class Regions:
    """The regions that accounts have opted in to beside the default ones."""

    def __init__(self) -> None:
        self._opted_in: set[tuple[str, str]] = set()

    def opt_in(self, account_id: str, region: str) -> None:
        """Enable a region in an account."""
        self._opted_in.add((account_id, region))

    def refuse_disabled(self, operation: Operation) -> Response | None:
        """The refusal EC2 gives in a region that the account has not opted in to, else None."""
        is_enabled = operation.region in ENABLED or self._has_opted_in(operation, operation.region)
        if operation.service != "ec2" or is_enabled:
            return None
        return operation.refusal(
            "AuthFailure", "AWS was not able to validate the provided access credentials", 401
        )

    def describe(self, operation: Operation) -> Response:
        """DescribeRegions: enabled regions, and the others only with AllRegions."""
        parameters = operation.parameters
        regions = [self._describe_region(operation, name) for name in sorted(EXISTING)]
        if not parameters.get("AllRegions"):
            regions = [item for item in regions if item["OptInStatus"] != "not-opted-in"]
        wanted = parameters.get("RegionNames", [])
        if unknown := sorted(set(wanted) - {item["RegionName"] for item in regions}):
            return operation.refusal("InvalidParameterValue", f"Invalid region: {unknown}")
        regions = [item for item in regions if not wanted or item["RegionName"] in wanted]
        for condition in parameters.get("Filters", []):
            key = {
                "region-name": "RegionName",
                "endpoint": "Endpoint",
                "opt-in-status": "OptInStatus",
            }.get(condition["Name"])
            if key is None:
                return operation.refusal(
                    "InvalidParameterValue", f"The filter '{condition['Name']}' is invalid"
                )
            regions = [
                region
                for region in regions
                if any(fnmatchcase(region[key], value) for value in condition["Values"])
            ]
        return operation.answer({"Regions": regions})

    def _describe_region(self, operation: Operation, name: str) -> dict[str, Any]:
        status = "opt-in-not-required" if name in ENABLED else "not-opted-in"
        return {
            "RegionName": name,
            "Endpoint": f"ec2.{name}.amazonaws.com",
            "OptInStatus": "opted-in" if self._has_opted_in(operation, name) else status,
        }

    def _has_opted_in(self, operation: Operation, region: str) -> bool:
        return (operation.account, region) in self._opted_in
