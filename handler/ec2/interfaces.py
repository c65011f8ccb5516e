"""Network interfaces: their groups, public addresses and holders.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from handler.ec2.parse import objects_in, require_object, tags_in
from handler.model.address import is_global_ipv6, parse_cidr
from handler.model.network import Holder, NetworkInterface
from handler.sanitize import clean_text, clean_texts, describe

# The interface of a database is recognised by its requester or its description. If it is attached
# to an instance, its description proves nothing:
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
# "arn:aws:ecs:REGION:ACCOUNT:attachment/ID", in any partition.
_ECS_DESCRIPTION = re.compile(r"arn:aws[a-z-]*:ecs:")
_LOAD_BALANCER_TYPES = frozenset({"network_load_balancer", "gateway_load_balancer"})


def parse_interfaces(items: Iterable[object]) -> tuple[NetworkInterface, ...]:
    """The interfaces in DescribeNetworkInterfaces, without duplicates, sorted by id.

    Raises ``ValueError`` for an interface without an id or groups.
    """
    found = {interface.id: interface for interface in map(_interface, items)}
    return tuple(found[interface_id] for interface_id in sorted(found))


def _interface(item: object) -> NetworkInterface:
    fields = require_object(item, "network interface", "NetworkInterfaceId")
    groups = fields.get("Groups")
    group_ids = [clean_text(group.get("GroupId")) for group in objects_in(fields, "Groups")]
    # Without this check, its groups would count as not attached.
    if not isinstance(groups, list) or len(groups) != len(list(filter(None, group_ids))):
        raise ValueError(
            f"a network interface must have Groups with a GroupId each, got {describe(fields)}."
        )
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
    """EC2's interface type, but lambda for old Lambda interfaces, whose type is interface."""
    interface_type = clean_text(fields.get("InterfaceType")) or "interface"
    description = clean_text(fields.get("Description")) or ""
    is_old_lambda = holder is Holder.OTHER and description.startswith(_OLD_LAMBDA_DESCRIPTION)
    return "lambda" if interface_type == "interface" and is_old_lambda else interface_type


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    """The addresses, without duplicates; one that is not a text becomes "a public address"."""
    texts = (clean_text(value) or "a public address" for value in values if value)
    return tuple(dict.fromkeys(texts))


def _cidrs(values: Iterable[object]) -> tuple[str, ...]:
    """The addresses among the values, without duplicates; ``ValueError`` for anything else."""
    texts = dict.fromkeys(clean_texts(values))
    for text in texts:
        parse_cidr(text)
    return tuple(texts)


def _global_ipv6(fields: Mapping[str, Any]) -> Iterable[str]:
    # EC2 does not list which addresses of its prefixes an instance uses.
    for key, name in (("Ipv6Addresses", "Ipv6Address"), ("Ipv6Prefixes", "Ipv6Prefix")):
        for entry in objects_in(fields, key):
            address = clean_text(entry.get(name))
            if address and is_global_ipv6(address):
                yield address


def _holder(fields: Mapping[str, Any]) -> tuple[Holder, str]:
    """What the interface belongs to, and its readable name."""
    description = clean_text(fields.get("Description")) or ""
    tags = tags_in(fields, "TagSet")
    attachment = fields.get("Attachment")
    instance = clean_text(attachment.get("InstanceId")) if isinstance(attachment, dict) else None
    is_load_balancer = clean_text(fields.get("InterfaceType")) in _LOAD_BALANCER_TYPES
    if is_load_balancer or (description.startswith(_LOAD_BALANCER) and not instance):
        # "ELB app/name/id", "ELB net/name/id" or, for a Classic Load Balancer, "ELB name".
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
