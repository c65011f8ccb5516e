"""Network interfaces: their groups, their public addresses, and what they belong to.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from handler.ec2.parse import objects_in, require_object
from handler.model.address import is_global_ipv6, parse_cidr
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
_LOAD_BALANCER = "ELB "
_OLD_LAMBDA_DESCRIPTION = "AWS Lambda VPC ENI"
# "arn:aws:ecs:REGION:ACCOUNT:attachment/ID", in each partition.
_ECS_DESCRIPTION = re.compile(r"arn:aws[a-z-]*:ecs:")
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
    addresses = [fields, *objects_in(fields, "PrivateIpAddresses")]
    values = (entry.get("Association") for entry in addresses)
    associations = [association for association in values if isinstance(association, dict)]
    return NetworkInterface(
        id=str(clean_text(fields["NetworkInterfaceId"])),
        group_ids=tuple(map(str, group_ids)),
        public_ipv4=_texts(association.get("PublicIp") for association in associations),
        public_ipv6=() if fields.get("DenyAllIgwTraffic") is True else tuple(_global_ipv6(fields)),
        holder=holder,
        name=name,
        type=_type(fields, holder),
        vpc_id=clean_text(fields.get("VpcId")),
        subnet_id=clean_text(fields.get("SubnetId")),
        zone=clean_text(fields.get("AvailabilityZone")) or "",
        private_ipv4=_cidrs(entry.get("PrivateIpAddress") for entry in addresses),
        is_in_use=fields.get("Status") != "available",
        has_carrier_address=any(association.get("CarrierIp") for association in associations),
    )


def _type(fields: Mapping[str, Any], holder: Holder) -> str:
    """EC2's type; an old interface of Lambda's is one of its interfaces too."""
    interface_type = clean_text(fields.get("InterfaceType")) or "interface"
    description = clean_text(fields.get("Description")) or ""
    is_old_lambda = holder is Holder.OTHER and description.startswith(_OLD_LAMBDA_DESCRIPTION)
    return "lambda" if interface_type == "interface" and is_old_lambda else interface_type


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    """The values, each once; what is no text stands for a public address all the same."""
    texts = (clean_text(value) or "a public address" for value in values if value)
    return tuple(dict.fromkeys(texts))


def _cidrs(values: Iterable[object]) -> tuple[str, ...]:
    """The addresses among the values, each once."""
    texts = dict.fromkeys(text for value in values if (text := clean_text(value)))
    for text in texts:
        parse_cidr(text)
    return tuple(texts)


def _global_ipv6(fields: Mapping[str, Any]) -> Iterable[str]:
    # An instance uses addresses of its prefixes, and EC2 does not know which.
    for key, name in (("Ipv6Addresses", "Ipv6Address"), ("Ipv6Prefixes", "Ipv6Prefix")):
        for entry in objects_in(fields, key):
            address = clean_text(entry.get(name))
            if address and is_global_ipv6(address):
                yield address


def _holder(fields: Mapping[str, Any]) -> tuple[Holder, str]:
    """What an interface belongs to, and the name by which people know it."""
    description = clean_text(fields.get("Description")) or ""
    tags = {
        clean_text(tag.get("Key")): clean_text(tag.get("Value"))
        for tag in objects_in(fields, "TagSet")
    }
    attachment = fields.get("Attachment")
    instance = clean_text(attachment.get("InstanceId")) if isinstance(attachment, dict) else None
    is_load_balancer = clean_text(fields.get("InterfaceType")) in _LOAD_BALANCER_TYPES
    if is_load_balancer or (description.startswith(_LOAD_BALANCER) and not instance):
        # "ELB app/name/id", "ELB net/name/id" and, of a classic one, "ELB name".
        parts = description.removeprefix(_LOAD_BALANCER).split("/")
        return Holder.LOAD_BALANCER, parts[1] if len(parts) > 1 else parts[0]
    is_database = description.startswith(_DATABASE_DESCRIPTIONS) and not instance
    if is_database or clean_text(fields.get("RequesterId")) in _DATABASE_REQUESTERS:
        _, _, name = description.partition(" ")
        return Holder.DATABASE, name
    if instance:
        named = f" ({tags['Name']})" if tags.get("Name") else ""
        return Holder.INSTANCE, f"{instance}{named}"
    if _ECS_DESCRIPTION.match(description):
        names = (tags.get("aws:ecs:clusterName"), tags.get("aws:ecs:serviceName"))
        return Holder.TASK, "/".join(filter(None, names))
    return Holder.OTHER, tags.get("Name") or description
