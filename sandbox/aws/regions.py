"""Which regions an account may use: the default ones, because nobody opted in to another."""

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


def refuse_disabled(operation: Operation) -> Response | None:
    """The refusal EC2 gives in a region that the account has not opted in to, else None."""
    if operation.service != "ec2" or operation.region in ENABLED:
        return None
    return operation.refusal(
        "AuthFailure", "AWS was not able to validate the provided access credentials", 401
    )


def describe_regions(operation: Operation) -> Response:
    """DescribeRegions: enabled regions, and the others only with AllRegions."""
    parameters = operation.parameters
    shown = EXISTING if parameters.get("AllRegions") else ENABLED
    wanted = parameters.get("RegionNames", [])
    if unknown := sorted(set(wanted) - shown):
        return operation.refusal("InvalidParameterValue", f"Invalid region: {unknown}")
    regions = [_region(name) for name in sorted(shown) if not wanted or name in wanted]
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


def _region(name: str) -> dict[str, Any]:
    return {
        "RegionName": name,
        "Endpoint": f"ec2.{name}.amazonaws.com",
        "OptInStatus": "opt-in-not-required" if name in ENABLED else "not-opted-in",
    }
