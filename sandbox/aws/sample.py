"""The sample account: groups that show every kind of openness, in three regions.

Names and descriptions keep AWS's rule for security groups (letters, digits, spaces and
._-:/()#,@[]+=&;{}!$*).
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WORLD = "0.0.0.0/0"
WORLD6 = "::/0"
AWS_LIST = "com.amazonaws.global.cloudfront.origin-facing"
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
MULTICAST = "224.0.0.0/3"
# By kind: a subnet with a default route to an internet gateway, with none, or to a carrier gateway.
SUBNETS = {"public": "10.20.1.0/24", "private": "10.20.2.0/24", "carrier": "10.20.3.0/24"}


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
    """One security group; the owner goes into its Owner tag, beside the other tags."""

    name: str
    description: str
    rules: tuple[SeedRule, ...]
    owner: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SeedInterface:
    """One network interface with its groups, in use and in a subnet of the given kind.

    ``public`` is the elastic address on it, ``fields`` are more of it as EC2 answers them.
    """

    description: str
    groups: tuple[str, ...]
    public: str | None = None
    subnet: str = "public"
    fields: Mapping[str, Any] = field(default_factory=dict)


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
        prefix_lists=(("partners", (WORLD,)),),
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
                (tcp(9200, "partners"),),
                "search",
            ),
            SeedGroup("cloudfront-origin", "HTTPS from CloudFront only", (tcp(443, AWS_LIST),)),
            SeedGroup("intranet", "Private only", (tcp(443, "10.0.0.0/8", "192.168.0.0/16"),)),
            SeedGroup(
                "office-ssh", "SSH from the office", (tcp(22, "93.184.216.34/32"),), "platform"
            ),
            SeedGroup("application", "From the load balancer", (tcp(8080, "shop-load-balancer"),)),
            SeedGroup(
                "docker-host",
                "Docker API for the build server",
                (tcp(2375, WORLD, description="remote builds"),),
                "platform",
            ),
            # Neither of the two opens the port to the world; on one interface they do.
            SeedGroup("mongo-low", "Lower half", (tcp(27017, "0.0.0.0/1"),), "data"),
            SeedGroup("mongo-high", "Upper half", (tcp(27017, "128.0.0.0/1"),), "data"),
            SeedGroup("build-agent", "SSH for developers", (tcp(22, WORLD),), "platform"),
            SeedGroup(
                "invoice-function",
                "Function in a VPC",
                (SeedRule("-1", None, None, (WORLD,)),),
                tags=(("aws:cloudformation:stack-name", "invoices-prod"),),
            ),
        ),
        interfaces=(
            SeedInterface("bastion host", ("bastion",), "52.208.10.11"),
            SeedInterface(
                "jump host",
                ("windows-jump-host",),
                "52.208.10.16",
                fields={"Ipv6Addresses": [{"Ipv6Address": "2a05:d018:10::16"}]},
            ),
            SeedInterface(
                "ELB app/shop/50dc6c495c0c9188",
                ("shop-load-balancer",),
                "52.208.10.12",
                fields={"Ipv6Addresses": [{"Ipv6Address": "2a05:d018:10::12"}]},
            ),
            SeedInterface("erp", ("legacy-erp",), "52.208.10.13"),
            SeedInterface("mongo 1", ("mongo-low", "mongo-high"), "52.208.10.14"),
            SeedInterface("RDSNetworkInterface", ("orders-database",), "52.208.10.15"),
            SeedInterface("cache", ("session-cache", "application"), subnet="private"),
            SeedInterface("build agent", ("build-agent",), "52.208.10.17", subnet="private"),
            SeedInterface(
                "AWS Lambda VPC ENI-invoices-5f2b7c1e",
                ("invoice-function",),
                subnet="private",
                fields={"InterfaceType": "lambda", "RequesterManaged": True},
            ),
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
            SeedGroup(
                "edge-node",
                "Node in a Wavelength Zone",
                (tcp(22, WORLD),),
                tags=(("kubernetes.io/cluster/edge", "owned"),),
            ),
        ),
        interfaces=(
            SeedInterface("resolver", ("resolver", "ping"), "54.160.10.11"),
            SeedInterface("vpn gateway", ("vpn-esp",), "54.160.10.12"),
            SeedInterface(
                "edge node",
                ("edge-node",),
                subnet="carrier",
                fields={
                    "AvailabilityZone": "us-east-1-wl1-bos-wlz-1",
                    "Association": {"CarrierIp": "155.146.10.11"},
                },
            ),
        ),
    ),
    "ap-southeast-2": SeedRegion(
        prefix_lists=(),
        groups=(
            SeedGroup("metrics", "Grafana over IPv6 only", (tcp(3000, WORLD6),), "observability"),
            SeedGroup("unused", "Left over", (tcp(22, WORLD),)),
            SeedGroup("checkout", "Behind the load balancer", (tcp(8080, WORLD),), "web"),
        ),
        interfaces=(
            SeedInterface("metrics", ("metrics",), subnet="private"),
            # A network load balancer may have no groups, and hands on the clients' addresses.
            SeedInterface(
                "ELB net/checkout/6a5b4c3d2e1f0a9b",
                (),
                "13.54.10.11",
                fields={"InterfaceType": "network_load_balancer", "Groups": []},
            ),
            SeedInterface(
                "arn:aws:ecs:ap-southeast-2:123456789012:attachment/9d3c5b7a",
                ("checkout",),
                subnet="private",
                fields={
                    "TagSet": [
                        {"Key": "aws:ecs:clusterName", "Value": "shop"},
                        {"Key": "aws:ecs:serviceName", "Value": "checkout"},
                    ]
                },
            ),
        ),
    ),
}
