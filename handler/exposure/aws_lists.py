"""Prefix lists of AWS's own that let in more than one AWS service.

A CloudFront distribution of anybody may have any origin, so whoever lets CloudFront in lets in all
of its customers; Route 53's health checkers send the requests that any customer configures.
The lists of other services (S3, DynamoDB, EC2 Instance Connect, ...) let in nobody else.
https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from handler.model.address import Family
from handler.model.network import PrefixList, Rule
from handler.model.reach import Reach
from handler.model.traffic import LAST_PORT, Traffic

_NAME = re.compile(
    r"com\.amazonaws\.[^.]+\.(ipv6\.)?(cloudfront\.origin-facing|route53-healthchecks)"
)
# CloudFront connects to an origin's ports 80, 443 and 1024 to 65535.
_CLOUDFRONT_PORTS = ((80, 80), (443, 443), (1024, LAST_PORT))


class AwsExposure(NamedTuple):
    """What a rule with one of these lists lets in: its family, traffic and who gets in."""

    family: Family
    traffic: Traffic
    reach: Reach
    clients: str


def aws_exposures(rule: Rule, prefix_list: PrefixList | None) -> Iterator[AwsExposure]:
    """What the rule lets in; nothing for a CIDR, a customer's list and those of other services."""
    match = _NAME.fullmatch((prefix_list and prefix_list.aws_name) or "")
    if match is None:
        return
    family = Family.IPV6 if match[1] else Family.IPV4
    if match[2] == "route53-healthchecks":
        yield AwsExposure(family, rule.traffic, Reach.PUBLIC, "Route 53 health checkers get in")
        return
    for low, high in _CLOUDFRONT_PORTS:
        if traffic := rule.traffic.intersection(Traffic("tcp", low, high)):
            yield AwsExposure(family, traffic, Reach.WIDE, "any CloudFront distribution gets in")
