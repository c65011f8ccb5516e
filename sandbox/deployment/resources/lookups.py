"""What a program may ask about the account: pulumi_aws's data sources."""
# ruff: noqa: ARG001 - every lookup takes the same arguments

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sandbox.deployment.resources.base import Place
from sandbox.deployment.wire import Properties


@dataclass(frozen=True, slots=True)
class Lookup:
    """A data source: the service it asks and how."""

    service: str
    answer: Callable[[Place, Properties], Properties]


def _caller_identity(place: Place, arguments: Properties) -> Properties:
    caller = place.client.get_caller_identity()
    return {
        "accountId": caller["Account"],
        "arn": caller["Arn"],
        "id": caller["Account"],
        "userId": caller["UserId"],
    }


def _organization(place: Place, arguments: Properties) -> Properties:
    held = place.client.describe_organization()["Organization"]
    return {
        "accounts": [],
        "arn": held["Arn"],
        "awsServiceAccessPrincipals": [],
        "enabledPolicyTypes": [],
        "featureSet": held["FeatureSet"],
        "id": held["Id"],
        "masterAccountArn": held["MasterAccountArn"],
        "masterAccountEmail": held["MasterAccountEmail"],
        "masterAccountId": held["MasterAccountId"],
        "masterAccountName": "",
        "nonMasterAccounts": [],
        "returnOrganizationOnly": True,
        "roots": [],
    }


def _partition(place: Place, arguments: Properties) -> Properties:
    return {
        "dnsSuffix": "amazonaws.com",
        "id": "aws",
        "partition": "aws",
        "reverseDnsPrefix": "com.amazonaws",
    }


def _region(place: Place, arguments: Properties) -> Properties:
    return {
        "description": place.region,
        "endpoint": f"ec2.{place.region}.amazonaws.com",
        "id": place.region,
        "name": place.region,
        "region": place.region,
    }


def _regions(place: Place, arguments: Properties) -> Properties:
    regions = place.client.describe_regions()["Regions"]
    return {"id": "aws", "names": sorted(region["RegionName"] for region in regions)}


LOOKUPS: Final = {
    "aws:index/getCallerIdentity:getCallerIdentity": Lookup("sts", _caller_identity),
    "aws:index/getPartition:getPartition": Lookup("sts", _partition),
    "aws:index/getRegion:getRegion": Lookup("ec2", _region),
    "aws:index/getRegions:getRegions": Lookup("ec2", _regions),
    "aws:organizations/getOrganization:getOrganization": Lookup("organizations", _organization),
}
