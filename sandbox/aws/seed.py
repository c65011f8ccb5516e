"""A seeded account: groups that show every kind of openness, in three regions.

The table below is the data; `seed` puts it into an account. Names and descriptions keep AWS's rule
for security groups (letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*), so hostile text that needs
other characters stands where EC2 takes any: in tags, prefix list names and interfaces'
descriptions. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.aws.account import Account

WORLD = "0.0.0.0/0"
WORLD6 = "::/0"
AWS_LIST = "com.amazonaws.global.cloudfront.origin-facing"
HOSTILE_TAG = "<script>alert(1)</script>"
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
MULTICAST = "224.0.0.0/3"


def everything_but_private() -> tuple[str, ...]:
    """The thirty networks that make up unicast IPv4 without the private networks of RFC 1918."""
    rest = [ipaddress.IPv4Network(WORLD)]
    for private in map(ipaddress.IPv4Network, (*PRIVATE, MULTICAST)):
        rest = [
            part
            for network in rest
            for part in (
                network.address_exclude(private) if private.subnet_of(network) else [network]
            )
        ]
    return tuple(str(network) for network in sorted(rest))


@dataclass(frozen=True, slots=True)
class SeedRule:
    """One permission; a source is a network, a group in this table or a prefix list by name."""

    protocol: str
    from_port: int | None
    to_port: int | None
    sources: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class SeedGroup:
    """One security group; the owner goes into its Owner tag."""

    name: str
    description: str
    rules: tuple[SeedRule, ...]
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class SeedInterface:
    """One network interface with its groups; `public` is the elastic address on it."""

    description: str
    groups: tuple[str, ...]
    public: str | None = None


@dataclass(frozen=True, slots=True)
class SeedRegion:
    """What one region holds: prefix lists by name, groups, and interfaces."""

    prefix_lists: tuple[tuple[str, tuple[str, ...]], ...]
    groups: tuple[SeedGroup, ...]
    interfaces: tuple[SeedInterface, ...]


def tcp(port: int, *sources: str, to: int | None = None, description: str = "") -> SeedRule:
    """A rule on one tcp port or a range of them."""
    return SeedRule("tcp", port, port if to is None else to, sources, description)


REGIONS: dict[str, SeedRegion] = {
    "eu-west-1": SeedRegion(
        prefix_lists=(("partners <img src=x onerror=alert(1)>", (WORLD,)),),
        groups=(
            SeedGroup("bastion", "SSH for administrators", (tcp(22, WORLD),), "platform"),
            SeedGroup(
                "windows-jump-host",
                "Remote desktop for support",
                (tcp(3389, WORLD, WORLD6, description="support staff at home"),),
                "support",
            ),
            SeedGroup(
                "legacy-erp", "Do not touch", (SeedRule("-1", None, None, (WORLD,)),), "finance"
            ),
            SeedGroup(
                "shop-load-balancer",
                "Public web shop",
                (tcp(80, WORLD, WORLD6), tcp(443, WORLD, WORLD6)),
                "web",
            ),
            SeedGroup("file-transfer", "FTP to mail", (tcp(20, WORLD, to=25),)),
            SeedGroup(
                "orders-database",
                "PostgreSQL, written as two halves",
                (tcp(5432, "0.0.0.0/1", "128.0.0.0/1"),),
                "orders",
            ),
            SeedGroup(
                "session-cache",
                "Redis, everything but RFC 1918",
                (tcp(6379, *everything_but_private()),),
                "web",
            ),
            SeedGroup(
                "search-cluster",
                "Elasticsearch for partners",
                (tcp(9200, "partners <img src=x onerror=alert(1)>"),),
                HOSTILE_TAG,
            ),
            SeedGroup("cloudfront-origin", "HTTPS from CloudFront only", (tcp(443, AWS_LIST),)),
            SeedGroup("intranet", "Private only", (tcp(443, "10.0.0.0/8", "192.168.0.0/16"),)),
            SeedGroup(
                "office-ssh", "SSH from the office", (tcp(22, "93.184.216.34/32"),), "platform"
            ),
            SeedGroup("application", "From the load balancer", (tcp(8080, "shop-load-balancer"),)),
            SeedGroup(
                "=SUM(1+1)*cmd()!A0",
                "@SUM(1+1) ;rm -rf /; {{7*7}} $(id)",
                (tcp(2375, WORLD, description="=HYPERLINK(http://example.com/)"),),
                "=cmd|' /C calc'!A0",
            ),
            # Neither of the two opens the port to the world; on one interface they do.
            SeedGroup("mongo-low", "Lower half", (tcp(27017, "0.0.0.0/1"),), "data"),
            SeedGroup("mongo-high", "Upper half", (tcp(27017, "128.0.0.0/1"),), "data"),
        ),
        interfaces=(
            SeedInterface("bastion host", ("bastion",), "52.208.10.11"),
            SeedInterface("jump host", ("windows-jump-host",), "52.208.10.16"),
            SeedInterface("ELB app/shop/50dc6c495c0c9188", ("shop-load-balancer",), "52.208.10.12"),
            SeedInterface("<b>erp</b>", ("legacy-erp",), "52.208.10.13"),
            SeedInterface("mongo 1", ("mongo-low", "mongo-high"), "52.208.10.14"),
            SeedInterface("RDSNetworkInterface", ("orders-database",), "52.208.10.15"),
            SeedInterface("cache", ("session-cache", "application")),
        ),
    ),
    "us-east-1": SeedRegion(
        prefix_lists=(("offices", ("93.184.216.0/24", "8.8.4.0/24")),),
        groups=(
            SeedGroup("resolver", "Open DNS", (SeedRule("udp", 53, 53, (WORLD,)),), "network"),
            SeedGroup(
                "ping",
                "Echo request and too big",
                (SeedRule("icmp", 8, -1, (WORLD,)), SeedRule("icmp", 3, 4, (WORLD,))),
            ),
            SeedGroup("vpn-esp", "IPsec", (SeedRule("50", None, None, (WORLD,)),), "network"),
            SeedGroup("offices", "Two offices", (tcp(22, "offices"),), "platform"),
            SeedGroup("partner-range", "A wide range", (tcp(8443, "52.0.0.0/11"),), "partners"),
        ),
        interfaces=(
            SeedInterface("resolver", ("resolver", "ping"), "54.160.10.11"),
            SeedInterface("vpn gateway", ("vpn-esp",), "54.160.10.12"),
        ),
    ),
    "ap-southeast-2": SeedRegion(
        prefix_lists=(),
        groups=(
            SeedGroup("metrics", "Grafana over IPv6 only", (tcp(3000, WORLD6),), "observability"),
            SeedGroup("unused", "Left over", (tcp(22, WORLD),)),
        ),
        interfaces=(SeedInterface("metrics", ("metrics",)),),
    ),
}


def change(account: Account) -> None:
    """What happens in a seeded account from one day to the next: one port closes, another opens."""
    ec2 = account.client("ec2", "eu-west-1")
    groups = {
        group["GroupName"]: group for group in ec2.describe_security_groups()["SecurityGroups"]
    }
    bastion, database = groups["bastion"], groups["orders-database"]
    ec2.revoke_security_group_ingress(
        GroupId=bastion["GroupId"], IpPermissions=bastion["IpPermissions"]
    )
    opened = _permission(tcp(3306, WORLD, description="for the migration"), {}, {})
    ec2.authorize_security_group_ingress(GroupId=database["GroupId"], IpPermissions=[opened])


def seed(account: Account) -> None:
    """Fill an empty account with the table: a VPC for each region, and what belongs into it."""
    for name, region in REGIONS.items():
        _seed_region(account.client("ec2", name), region)


def _seed_region(ec2: Any, region: SeedRegion) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
    lists = {
        known["PrefixListName"]: known["PrefixListId"]
        for known in ec2.describe_managed_prefix_lists()["PrefixLists"]
    }
    for name, networks in region.prefix_lists:
        made = ec2.create_managed_prefix_list(
            PrefixListName=name,
            AddressFamily="IPv4",
            MaxEntries=20,
            Entries=[{"Cidr": network} for network in networks],
        )
        lists[name] = made["PrefixList"]["PrefixListId"]
    groups: dict[str, str] = {}
    for group in region.groups:
        tags = [{"Key": "Owner", "Value": group.owner}] if group.owner else []
        specification = {"ResourceType": "security-group", "Tags": tags}
        made = ec2.create_security_group(
            GroupName=group.name,
            Description=group.description,
            VpcId=vpc,
            **({"TagSpecifications": [specification]} if tags else {}),
        )
        groups[group.name] = made["GroupId"]
    for group in region.groups:
        ec2.authorize_security_group_ingress(
            GroupId=groups[group.name],
            IpPermissions=[_permission(rule, lists, groups) for rule in group.rules],
        )
    for interface in region.interfaces:
        _seed_interface(ec2, interface, subnet, groups)


def _seed_interface(
    ec2: Any, interface: SeedInterface, subnet: str, groups: dict[str, str]
) -> None:
    made = ec2.create_network_interface(
        SubnetId=subnet,
        Description=interface.description,
        Groups=[groups[name] for name in interface.groups],
    )
    if interface.public:
        address = ec2.allocate_address(Domain="vpc", Address=interface.public)
        ec2.associate_address(
            AllocationId=address["AllocationId"],
            NetworkInterfaceId=made["NetworkInterface"]["NetworkInterfaceId"],
        )


def _permission(rule: SeedRule, lists: dict[str, str], groups: dict[str, str]) -> dict[str, Any]:
    permission: dict[str, Any] = {"IpProtocol": rule.protocol}
    if rule.from_port is not None:
        permission |= {"FromPort": rule.from_port, "ToPort": rule.to_port}
    note = {"Description": rule.description} if rule.description else {}
    for kind, key, value in _sources(rule, lists, groups):
        permission.setdefault(kind, []).append({key: value, **note})
    return permission


def _sources(
    rule: SeedRule, lists: dict[str, str], groups: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Each source of a rule as the list it belongs into, its key there and its value."""
    for source in rule.sources:
        if source in lists:
            yield "PrefixListIds", "PrefixListId", lists[source]
        elif source in groups:
            yield "UserIdGroupPairs", "GroupId", groups[source]
        elif ":" in source:
            yield "Ipv6Ranges", "CidrIpv6", source
        else:
            yield "IpRanges", "CidrIp", source
