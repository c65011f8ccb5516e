"""AWS-managed prefix lists whose services connect on behalf of any customer.

Any customer may use any origin for a CloudFront distribution, and may configure Route 53 health
checks of any endpoint. The lists of other services (S3, DynamoDB, EC2 Instance Connect, ...) let
only the service itself in.
https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html
"""

from collections.abc import Iterator
from typing import NamedTuple

from handler.model.address import Family
from handler.model.network import AWS_LIST_NAME, PrefixList, Rule
from handler.model.reach import Reach
from handler.model.traffic import LAST_PORT, Traffic

# CloudFront connects to an origin's ports 80, 443 and 1024 to 65535.
_CLOUDFRONT_PORTS = ((80, 80), (443, 443), (1024, LAST_PORT))
_ANY_DISTRIBUTION = "only CloudFront gets in, for any customer"
_HEALTH_CHECKERS = "only Route 53 health checkers get in"


class AwsExposure(NamedTuple):
    """The family and traffic that a rule with such a list opens, and who gets in."""

    family: Family
    traffic: Traffic
    reach: Reach
    clients: str


def aws_exposures(rule: Rule, prefix_list: PrefixList | None) -> Iterator[AwsExposure]:
    """What the rule opens to any customer; nothing if its source is not one of these lists."""
    match = AWS_LIST_NAME.fullmatch((prefix_list and prefix_list.aws_name) or "")
    if match is None:
        return
    family = Family.IPV6 if match[1] else Family.IPV4
    if match[2] == "route53-healthchecks":
        yield AwsExposure(family, rule.traffic, Reach.PUBLIC, _HEALTH_CHECKERS)
    elif match[2] == "cloudfront.origin-facing":
        for low, high in _CLOUDFRONT_PORTS:
            if traffic := rule.traffic.intersection(Traffic("tcp", low, high)):
                yield AwsExposure(family, traffic, Reach.WIDE, _ANY_DISTRIBUTION)
