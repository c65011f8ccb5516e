"""Security groups as DescribeSecurityGroups answers them, and as the model has them."""

from typing import Any

from handler.ec2.parse import parse_security_group
from handler.model.network import SecurityGroup


def permission(protocol: str, low: int | None, high: int | None, *sources: str) -> dict[str, Any]:
    """An IpPermission as DescribeSecurityGroups answers it; ports of None are left out."""
    ports = {} if low is None else {"FromPort": low, "ToPort": high}
    lists = [source for source in sources if source.startswith("pl-")]
    ipv6 = [source for source in sources if ":" in source]
    ipv4 = [source for source in sources if source not in {*lists, *ipv6}]
    return {
        "IpProtocol": protocol,
        **ports,
        "IpRanges": [{"CidrIp": cidr} for cidr in ipv4],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in ipv6],
        "PrefixListIds": [{"PrefixListId": list_id} for list_id in lists],
        "UserIdGroupPairs": [],
    }


def answer(
    *permissions: dict[str, Any], group_id: str = "sg-1", name: str = "web"
) -> dict[str, Any]:
    """A security group as DescribeSecurityGroups answers it."""
    return {
        "GroupId": group_id,
        "GroupName": name,
        "VpcId": "vpc-1",
        "OwnerId": "123456789012",
        "IpPermissions": list(permissions),
    }


def group(*permissions: dict[str, Any]) -> SecurityGroup:
    """A security group of the model."""
    return parse_security_group(answer(*permissions))
