"""Network interfaces: their groups, their public addresses, and what they belong to.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from handler.ec2.parse import objects_in, require_object
from handler.model.address import is_global_ipv6
from handler.model.network import Holder, NetworkInterface
from handler.sanitize import clean_text, describe

# Services that create interfaces for databases are their requester, or are known by the
# description. An interface with such a description that is attached to an instance is none:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
_DATABASE_REQUESTERS = frozenset(
    {"amazon-elasticache", "amazon-elasticsearch", "amazon-rds", "amazon-redshift", "amazon-dax"}
)
_DATABASE_DESCRIPTIONS = (
    "RDSNetworkInterface",
    "ElastiCache ",
    "ES ",
    "RedshiftNetworkInterface",
    "DAX ",
)
# "ELB app/name/id", "ELB net/name/id" and, of a classic one, "ELB name".
_LOAD_BALANCER = "ELB "
_LOAD_BALANCER_TYPES = frozenset({"network_load_balancer", "gateway_load_balancer"})


def parse_interfaces(answers: Iterable[object]) -> tuple[NetworkInterface, ...]:
    """The network interfaces of DescribeNetworkInterfaces, each once, sorted by id.

    Raises ``ValueError`` with a sentence for an answer without an id or groups.
    """
    found = {interface.id: interface for interface in map(_interface, answers)}
    return tuple(found[interface_id] for interface_id in sorted(found))


def _interface(answer: object) -> NetworkInterface:
    fields = require_object(answer, "network interface", "NetworkInterfaceId")
    groups = fields.get("Groups")
    group_ids = [clean_text(group.get("GroupId")) for group in objects_in(fields, "Groups")]
    # Without its groups they would count as attached to nothing.
    if not isinstance(groups, list) or len(groups) != len(list(filter(None, group_ids))):
        message = (
            f"a network interface must have Groups with a GroupId each, got {describe(fields)}."
        )
        raise ValueError(message)
    holder, name = _holder(fields)
    return NetworkInterface(
        id=str(clean_text(fields["NetworkInterfaceId"])),
        group_ids=tuple(map(str, group_ids)),
        public_addresses=tuple(dict.fromkeys((*_public_ipv4(fields), *_global_ipv6(fields)))),
        holder=holder,
        name=name,
    )


def _public_ipv4(fields: Mapping[str, Any]) -> Iterable[str]:
    for address in (fields, *objects_in(fields, "PrivateIpAddresses")):
        association = address.get("Association")
        public = association.get("PublicIp") if isinstance(association, Mapping) else None
        if public:
            yield clean_text(public) or "a public address"


def _global_ipv6(fields: Mapping[str, Any]) -> Iterable[str]:
    # An instance uses addresses of its prefixes, and EC2 does not know which.
    for key, name in (("Ipv6Addresses", "Ipv6Address"), ("Ipv6Prefixes", "Ipv6Prefix")):
        for entry in objects_in(fields, key):
            address = clean_text(entry.get(name))
            if address and is_global_ipv6(address):
                yield address


def _holder(fields: Mapping[str, Any]) -> tuple[Holder, str]:
    description = clean_text(fields.get("Description")) or ""
    attachment = fields.get("Attachment")
    instance = clean_text(attachment.get("InstanceId")) if isinstance(attachment, Mapping) else None
    if clean_text(fields.get("InterfaceType")) in _LOAD_BALANCER_TYPES:
        return Holder.LOAD_BALANCER, description.removeprefix(_LOAD_BALANCER)
    if clean_text(fields.get("RequesterId")) in _DATABASE_REQUESTERS:
        return Holder.DATABASE, description
    if instance:
        return Holder.INSTANCE, instance
    if description.startswith(_LOAD_BALANCER):
        return Holder.LOAD_BALANCER, description.removeprefix(_LOAD_BALANCER)
    is_database = description.startswith(_DATABASE_DESCRIPTIONS)
    return (Holder.DATABASE if is_database else Holder.OTHER), description
