"""The data sources of pulumi_aws that a program may read."""
# ruff: noqa: ARG001 - every lookup takes the same arguments

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sandbox.deployment.resources.base import Place
from sandbox.deployment.wire import Properties


@dataclass(frozen=True, slots=True)
class Lookup:
    """A data source: its service, and the function that reads it."""

    service: str
    answer: Callable[[Place, Properties], Properties]


def _caller_identity(place: Place, arguments: Properties) -> Properties:
    return {"accountId": place.client.get_caller_identity()["Account"]}


def _organization(place: Place, arguments: Properties) -> Properties:
    organization = place.client.describe_organization()["Organization"]
    return {"id": organization["Id"], "masterAccountId": organization["MasterAccountId"]}


def _partition(place: Place, arguments: Properties) -> Properties:
    return {"partition": "aws"}


def _region(place: Place, arguments: Properties) -> Properties:
    return {"region": place.region}


def _regions(place: Place, arguments: Properties) -> Properties:
    regions = place.client.describe_regions()["Regions"]
    return {"names": sorted(region["RegionName"] for region in regions)}


LOOKUPS: Final = {
    "aws:index/getCallerIdentity:getCallerIdentity": Lookup("sts", _caller_identity),
    "aws:index/getPartition:getPartition": Lookup("sts", _partition),
    "aws:index/getRegion:getRegion": Lookup("ec2", _region),
    "aws:index/getRegions:getRegions": Lookup("ec2", _regions),
    "aws:organizations/getOrganization:getOrganization": Lookup("organizations", _organization),
}
