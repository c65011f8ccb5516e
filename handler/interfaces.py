"""Network interfaces: which groups they have, who reaches them, and what they belong to.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from handler.address import parse_cidr
from handler.model import Holder, Interface
from handler.parse import fields, objects, shown, text

# The services that make interfaces for databases sign as their requester or describe them so. What
# describes itself so and is attached to an instance of the account was made by somebody else:
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


def interfaces(answers: Iterable[object]) -> tuple[Interface, ...]:
    """The network interfaces that DescribeNetworkInterfaces tells, each once, sorted by id.

    Raises ``ValueError`` with a sentence for an answer that makes no sense.
    """
    found = {interface.id: interface for interface in map(_interface, answers)}
    return tuple(found[interface_id] for interface_id in sorted(found))


def _interface(answer: object) -> Interface:
    told = fields(answer, "network interface", "NetworkInterfaceId")
    groups = told.get("Groups")
    group_ids = [text(group.get("GroupId")) for group in objects(told, "Groups")]
    # Without its groups it would seem that they are attached to nothing.
    if not isinstance(groups, list) or len(groups) != len(list(filter(None, group_ids))):
        message = f"a network interface must have Groups with a GroupId each, got {shown(told)}."
        raise ValueError(message)
    holder, name = _holder(told)
    return Interface(
        id=str(text(told["NetworkInterfaceId"])),
        group_ids=tuple(map(str, group_ids)),
        public_addresses=tuple(dict.fromkeys((*_public_ipv4(told), *_global_ipv6(told)))),
        holder=holder,
        name=name,
    )


def _public_ipv4(told: Mapping[str, Any]) -> Iterable[str]:
    for address in (told, *objects(told, "PrivateIpAddresses")):
        association = address.get("Association")
        public = association.get("PublicIp") if isinstance(association, Mapping) else None
        if public:
            yield text(public) or "a public address"


def _global_ipv6(told: Mapping[str, Any]) -> Iterable[str]:
    addresses = [each.get("Ipv6Address") for each in objects(told, "Ipv6Addresses")]
    # An instance takes addresses from a prefix without telling EC2 which.
    prefixes = [each.get("Ipv6Prefix") for each in objects(told, "Ipv6Prefixes")]
    for address in map(text, (*addresses, *prefixes)):
        if address and _is_global(address):
            yield address


def _is_global(ipv6: str) -> bool:
    """Whether an IPv6 address is in 2000::/3; a VPC's own may be unique local."""
    _, (start, _) = parse_cidr(ipv6)
    return start >> 125 == 1


def _holder(told: Mapping[str, Any]) -> tuple[Holder, str]:
    description = text(told.get("Description")) or ""
    attachment = told.get("Attachment")
    instance = text(attachment.get("InstanceId")) if isinstance(attachment, Mapping) else None
    if text(told.get("InterfaceType")) in _LOAD_BALANCER_TYPES:
        return Holder.LOAD_BALANCER, description.removeprefix(_LOAD_BALANCER)
    if text(told.get("RequesterId")) in _DATABASE_REQUESTERS:
        return Holder.DATABASE, description
    if instance:
        return Holder.INSTANCE, instance
    if description.startswith(_LOAD_BALANCER):
        return Holder.LOAD_BALANCER, description.removeprefix(_LOAD_BALANCER)
    is_database = description.startswith(_DATABASE_DESCRIPTIONS)
    return (Holder.DATABASE if is_database else Holder.OTHER), description
