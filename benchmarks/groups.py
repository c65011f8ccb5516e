"""Synthetic security groups, the same in every run, as EC2 writes them in XML.

A group is 3.7 KB of XML and has 5.6 rules. One in ten is open to the internet: most through
0.0.0.0/0, some through ::/0, and one in six of them through two halves. One in a hundred names a
prefix list. The others are private; or every second group lets in a single public address too, as
those of real accounts do.
"""

from collections.abc import Iterable
from dataclasses import dataclass

OPEN_EVERY = 10
"""One group in so many is open."""
PREFIX_LISTS = tuple(f"pl-{number:017x}" for number in range(5))
_LIST_EVERY = 100
_OWNER = "111122223333"
# EC2 indents its answers; a third of them is white space.
_INDENT = " " * 12
_OPEN_PORTS = (22, 3389, 443, 5432, 80, 8080, 9200)


@dataclass(frozen=True, slots=True)
class Permission:
    """A run of tcp or udp ports and who may use them."""

    protocol: str
    from_port: int
    to_port: int
    sources: tuple[str, ...]


def group_id(index: int) -> str:
    """The id of a group."""
    return f"sg-{index:017x}"


def index_of(identifier: str) -> int:
    """The index of the group with the id."""
    return int(identifier.removeprefix("sg-"), 16)


def is_open(index: int) -> bool:
    """Whether the internet reaches the group."""
    return index % OPEN_EVERY == 0


def permissions(index: int, *, single_addresses: bool = False) -> list[Permission]:
    """The inbound rules of a group, 5 or 6 of them."""
    high, low = divmod(index, 256)
    first = 52 if single_addresses and index % 2 else 10
    inbound = [
        Permission("tcp", 443, 443, (f"10.{index % 64}.0.0/16", f"172.16.{low}.0/24")),
        # An address of its own, as a bastion or a monitor has.
        Permission("tcp", 22, 22, (f"{first}.{high}.{low}.7/32",)),
        Permission("tcp", 5432, 5432, (f"10.{index % 200}.{index * 7 % 256}.0/24",)),
        Permission("tcp", 8000, 8100, (f"192.168.{low}.0/24",)),
    ]
    if is_open(index):
        port = _OPEN_PORTS[index // OPEN_EVERY % len(_OPEN_PORTS)]
        inbound[-1] = Permission("tcp", port, port, _open_sources(index))
    if index % _LIST_EVERY == 1:
        name = PREFIX_LISTS[index // _LIST_EVERY % len(PREFIX_LISTS)]
        inbound.append(Permission("tcp", 8443, 8443, (name,)))
    elif index % 5 not in {0, 2}:
        inbound.append(Permission("udp", 53, 53, ("fd12:3456:789a::/48",)))
    return inbound


def group_xml(index: int, *, single_addresses: bool = False) -> str:
    """An item of DescribeSecurityGroups."""
    identifier = group_id(index)
    inbound = "".join(map(_permission, permissions(index, single_addresses=single_addresses)))
    outbound = _permission(Permission("-1", -1, -1, ("0.0.0.0/0",)))
    pair = _item(_element("userId", _OWNER), _element("groupId", identifier))
    reference = _permission(Permission("tcp", 0, 65_535, ()), pair)
    return _item(
        _element("ownerId", _OWNER),
        _element("groupId", identifier),
        _element("groupName", f"service-{index % 97}-production-{index:06}"),
        _element("groupDescription", f"Managed by the platform team for service {index % 97}"),
        _element("vpcId", f"vpc-{index % 12:017x}"),
        _element("securityGroupArn", f"arn:aws:ec2:eu-west-1:{_OWNER}:security-group/{identifier}"),
        f"<ipPermissions>{inbound}{reference}</ipPermissions>",
        f"<ipPermissionsEgress>{outbound}</ipPermissionsEgress>",
        f"<tagSet>{''.join(_tags(index))}</tagSet>",
    )


def rules_xml(index: int, *, single_addresses: bool = False) -> list[str]:
    """A group's items of DescribeSecurityGroupRules, the outbound one last."""
    inbound = [
        (permission, source)
        for permission in permissions(index, single_addresses=single_addresses)
        for source in permission.sources
    ]
    outbound = (Permission("-1", -1, -1, ("0.0.0.0/0",)), "0.0.0.0/0")
    return [
        _item(
            _element("securityGroupRuleId", f"sgr-{index:012x}{number:05x}"),
            _element("groupId", group_id(index)),
            _element("groupOwnerId", _OWNER),
            _element("isEgress", str(number == len(inbound)).lower()),
            _element("ipProtocol", permission.protocol),
            _element("fromPort", permission.from_port),
            _element("toPort", permission.to_port),
            _element(_source_name(source, "cidrIpv4"), source),
            _element("description", "asked for in a ticket"),
        )
        for number, (permission, source) in enumerate((*inbound, outbound))
    ]


def interfaces_xml(index: int) -> list[str]:
    """Items of DescribeNetworkInterfaces: two interfaces that carry the group."""
    member = _item(_element("groupId", group_id(index)), _element("groupName", f"group-{index}"))
    return [
        _item(
            _element("networkInterfaceId", f"eni-{index:012x}{number:05x}"),
            _element("vpcId", f"vpc-{index % 12:017x}"),
            _element("status", "in-use"),
            f"<groupSet>{member}</groupSet>",
            f"<association>{_element('publicIp', f'192.0.2.{index % 256}')}</association>",
        )
        for number in range(2)
    ]


def prefix_list_xml(identifier: str) -> str:
    """An item of DescribeManagedPrefixLists."""
    return _item(
        _element("prefixListId", identifier),
        _element("prefixListName", "offices"),
        _element("ownerId", _OWNER),
        _element("addressFamily", "IPv4"),
    )


def entries_xml() -> Iterable[str]:
    """The items of GetManagedPrefixListEntries, the same for every list: private networks."""
    return (_item(_element("cidr", f"10.{number}.0.0/16")) for number in range(20))


def _open_sources(index: int) -> tuple[str, ...]:
    match index // OPEN_EVERY % 6:
        case 0:
            return ("0.0.0.0/1", "128.0.0.0/1")
        case 1:
            return ("::/0",)
    return ("0.0.0.0/0",)


def _permission(permission: Permission, references: str = "") -> str:
    sources = permission.sources
    return _item(
        _element("ipProtocol", permission.protocol),
        _element("fromPort", permission.from_port),
        _element("toPort", permission.to_port),
        f"<groups>{references}</groups>",
        _sources("ipRanges", "cidrIp", sources),
        _sources("ipv6Ranges", "cidrIpv6", sources),
        _sources("prefixListIds", "prefixListId", sources),
    )


def _sources(container: str, name: str, sources: Iterable[str]) -> str:
    items = "".join(
        _item(_element(name, source), _element("description", "asked for in a ticket"))
        for source in sources
        if _source_name(source, "cidrIp") == name
    )
    return f"<{container}>{items}</{container}>"


def _source_name(source: str, ipv4_name: str) -> str:
    if source.startswith("pl-"):
        return "prefixListId"
    return "cidrIpv6" if ":" in source else ipv4_name


def _tags(index: int) -> Iterable[str]:
    tags = {
        "Name": f"service-{index % 97}-production",
        "team": f"team-{index % 23}",
        "cost-centre": f"{index % 41:05}",
        "managed-by": "infrastructure-as-code",
    }
    return (_item(_element("key", key), _element("value", tags[key])) for key in tags)


def _item(*elements: str) -> str:
    return f"{_INDENT}<item>\n{''.join(elements)}{_INDENT}</item>\n"


def _element(name: str, value: object) -> str:
    return f"{_INDENT}<{name}>{value}</{name}>\n"
