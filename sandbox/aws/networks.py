"""Fields of interfaces, routes and network ACLs that moto lacks, and Block Public Access."""

import threading
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

from moto.core.models import DEFAULT_ACCOUNT_ID

from sandbox.aws.protocol import Operation

_Key: TypeAlias = tuple[str, str]  # an account and a region

# The key of the resources in an answer, and that of their ids.
_RESOURCES = {
    "DescribeNetworkInterfaces": ("NetworkInterfaces", "NetworkInterfaceId"),
    "DescribeNetworkAcls": ("NetworkAcls", "NetworkAclId"),
    "DescribeRouteTables": ("RouteTables", "RouteTableId"),
}
# Moto refuses a filter by type, and wants every group of an interface to be among those asked for.
_INTERFACE_FILTERS: dict[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {
    "group-id": lambda interface: (group["GroupId"] for group in interface["Groups"]),
    "interface-type": lambda interface: (interface["InterfaceType"],),
}


class Networks:
    """The settings of the account's networks that moto lacks."""

    def __init__(self) -> None:
        self._fields: dict[str, dict[str, Any]] = {}
        self._options: dict[_Key, dict[str, Any]] = {}
        self._exclusions: dict[_Key, tuple[dict[str, Any], ...]] = {}
        self._prepared: set[_Key] = set()
        self._lock = threading.Lock()

    def override(self, resource_id: str, **fields: Any) -> None:
        """Show these fields of an interface, a route table or a network ACL instead of moto's.

        They are named as EC2 names them in its answers, for example ``Status="in-use"``.
        """
        self._fields.setdefault(resource_id, {}).update(fields)

    def block_public_access(
        self,
        region: str,
        *,
        account_id: str = DEFAULT_ACCOUNT_ID,
        exclusions: Iterable[dict[str, Any]] = (),
        **options: Any,
    ) -> None:
        """Set VPC Block Public Access in a region: options and exclusions as EC2 answers them."""
        self._options[account_id, region] = {"State": "update-complete", **options}
        self._exclusions[account_id, region] = tuple(exclusions)

    def prepare(self, ec2: Any) -> None:
        """Give the default VPC of a region, by moto's backend, the internet gateway it has in AWS.

        https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
        """
        with self._lock:
            key = (ec2.account_id, ec2.region_name)
            if key in self._prepared:
                return
            self._prepared.add(key)
            gateway = ec2.create_internet_gateway()
            ec2.attach_internet_gateway(gateway.id, ec2.default_vpc.id)
            main = {"vpc-id": [ec2.default_vpc.id], "association.main": ["true"]}
            (table,) = ec2.describe_route_tables(filters=main)
            ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)

    def amend(self, operation: Operation, result: dict[str, Any]) -> None:
        """Set the overridden fields, and leave out interfaces that were not requested.

        A public address is also set on the primary private one. An interface that is hidden by
        default is only shown to a request that includes managed resources.
        """
        if operation.name not in _RESOURCES:
            return
        key, id_key = _RESOURCES[operation.name]
        for resource in result[key]:
            resource.update(self._fields.get(resource[id_key], {}))
        if operation.name == "DescribeNetworkInterfaces":
            for interface in result[key]:
                _show_association(interface)
            result[key] = [
                interface for interface in result[key] if _is_requested(interface, operation)
            ]

    def serve(self, operation: Operation) -> dict[str, Any] | None:
        """The complete answer of a call that moto lacks; None for another call.

        Exclusions are not filtered here: a request for some of them stays with moto, which fails.
        """
        key = (operation.account, operation.region)
        match operation.name, operation.parameters:
            case "DescribeVpcBlockPublicAccessOptions", _:
                options = {
                    "AwsAccountId": operation.account,
                    "AwsRegion": operation.region,
                    "State": "default-state",
                    "InternetGatewayBlockMode": "off",
                    "ManagedBy": "account",
                    "ExclusionsAllowed": "allowed",
                    **self._options.get(key, {}),
                }
                return {"VpcBlockPublicAccessOptions": options}
            case "DescribeVpcBlockPublicAccessExclusions", parameters if not (
                parameters.get("Filters") or parameters.get("ExclusionIds")
            ):
                exclusions = self._exclusions.get(key, ())
                return {"VpcBlockPublicAccessExclusions": list(exclusions)}
        return None


def without_interface_filters(body: bytes) -> bytes:
    """The form of DescribeNetworkInterfaces with filters that all interfaces pass.

    They replace those that ``Networks.amend`` applies.
    """
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    for key in [key for key, value in form.items() if value in _INTERFACE_FILTERS]:
        values = f"{key.removesuffix('.Name')}.Value."
        form = {name: value for name, value in form.items() if not name.startswith(values)}
        form |= {key: "network-interface-id", f"{values}1": "*"}
    return urlencode(form).encode()


def _show_association(interface: Mapping[str, Any]) -> None:
    if association := interface.get("Association"):
        for address in interface["PrivateIpAddresses"]:
            if address.get("Primary"):
                address["Association"] = association


def _is_requested(interface: Mapping[str, Any], operation: Operation) -> bool:
    is_hidden = interface.get("Operator", {}).get("HiddenByDefault", False)
    if is_hidden and not operation.parameters.get("IncludeManagedResources"):
        return False
    return all(
        any(
            fnmatchcase(value, pattern)
            for value in _INTERFACE_FILTERS[condition["Name"]](interface)
            for pattern in condition["Values"]
        )
        for condition in operation.parameters.get("Filters", ())
        if condition["Name"] in _INTERFACE_FILTERS
    )
