"""The regions that an account may use: the default ones, and those it has opted in to."""

from http import HTTPStatus

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


class Regions:
    """The regions that accounts have opted in to, besides the default ones."""

    def __init__(self) -> None:
        self._opted_in: set[tuple[str, str]] = set()

    def opt_in(self, account_id: str, region: str) -> None:
        """Enable a region in an account."""
        self._opted_in.add((account_id, region))

    def refuse_disabled(self, operation: Operation) -> Response | None:
        """The refusal EC2 gives in a region that the account has not opted in to, else None."""
        is_opted_in = (operation.account, operation.region) in self._opted_in
        is_enabled = operation.region in ENABLED or is_opted_in
        if operation.service != "ec2" or is_enabled:
            return None
        return operation.refusal(
            "AuthFailure", "AWS was not able to validate the provided access credentials", 401
        )

    def describe(self, operation: Operation) -> Response:
        """DescribeRegions without filters: the regions that the account may use."""
        if operation.parameters:
            message = "This account describes its enabled regions only, and all of them."
            return operation.refusal("InternalFailure", message, HTTPStatus.NOT_IMPLEMENTED)
        opted_in = {name for account, name in self._opted_in if account == operation.account}
        regions = [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": "opted-in" if name in opted_in else "opt-in-not-required",
            }
            for name in sorted(ENABLED | opted_in)
        ]
        return operation.answer({"Regions": regions})
