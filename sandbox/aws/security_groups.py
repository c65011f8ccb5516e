"""Security groups as AWS stores and returns them; moto differs."""

import ipaddress
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

# AWS stores these numbers as names; any other protocol stays a number and has no ports.
_NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
_WITH_PORTS = frozenset(_NAMES.values())
_PROTOCOL = re.compile(r"(IpPermissions\.\d+)\.IpProtocol")
_CIDR = re.compile(r"IpPermissions\.\d+\.(?:IpRanges|Groups|Ipv6Ranges)\.\d+\.CidrIp(?:v6)?")


def canonical_rules(body: bytes) -> bytes:
    """The form of AuthorizeSecurityGroup* and Revoke* as AWS understands it.

    Protocols by name, networks without host bits, and no ports if the protocol has none:
    moto keeps them as they were sent and fails on a protocol 50 without ports.
    """
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    for key, value in list(form.items()):
        if match := _PROTOCOL.fullmatch(key):
            protocol = _NAMES.get(value, value.lower())
            form[key] = protocol
            if protocol == "icmpv6":
                form.setdefault(f"{match[1]}.FromPort", "-1")
                form.setdefault(f"{match[1]}.ToPort", "-1")
            elif protocol not in _WITH_PORTS:
                form[f"{match[1]}.FromPort"] = form[f"{match[1]}.ToPort"] = "-1"
        elif _CIDR.fullmatch(key) and _is_network(value):
            form[key] = str(ipaddress.ip_network(value, strict=False))
    return urlencode(form).encode()


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def amend_groups(result: dict[str, Any]) -> None:
    """Leave out ports in DescribeSecurityGroups if the protocol has none.

    Moto shows the -1 that DescribeSecurityGroupRules leaves in its rules.
    """
    for group in result.get("SecurityGroups", []):
        for permission in [*group["IpPermissions"], *group["IpPermissionsEgress"]]:
            if permission["IpProtocol"] not in _WITH_PORTS:
                permission.pop("FromPort", None)
                permission.pop("ToPort", None)
