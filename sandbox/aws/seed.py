"""Puts the sample account's groups, interfaces and networks into an account, or several."""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.aws.account import Account
from sandbox.aws.members import Member, Organization
from sandbox.aws.sample import (
    REGIONS,
    SUBNETS,
    WORLD,
    WORLD6,
    SeedInterface,
    SeedRegion,
    SeedRule,
    tcp,
)
from sandbox.aws.sample_organization import ACCOUNTS, SUSPENDED, UNITS


def change(account: Account | Member) -> None:
    """Change a seeded account: close one port, open another."""
    ec2 = account.client("ec2", "eu-west-1")
    groups = {
        group["GroupName"]: group for group in ec2.describe_security_groups()["SecurityGroups"]
    }
    bastion, database = groups["bastion"], groups["orders-database"]
    ec2.revoke_security_group_ingress(
        GroupId=bastion["GroupId"], IpPermissions=bastion["IpPermissions"]
    )
    permission = _permission(tcp(3306, WORLD, description="for the migration"), {}, {})
    ec2.authorize_security_group_ingress(GroupId=database["GroupId"], IpPermissions=[permission])


def open_elsewhere(account: Account, user: str) -> str:
    """Let a user open SSH on a group in us-east-1; returns the group's name."""
    iam, name = account.client("iam"), "build-runner"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    ec2 = account.client("ec2", "us-east-1", key=key)
    group_id = ec2.create_security_group(GroupName=name, Description="Builds")["GroupId"]
    permission = _permission(tcp(22, WORLD, description="just a test"), {}, {})
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    iam.delete_access_key(UserName=user, AccessKeyId=key)
    iam.delete_user(UserName=user)
    return name


def seed(account: Account | Member, regions: Mapping[str, SeedRegion] = REGIONS) -> None:
    """Fill an empty account: a VPC for each region, and what belongs into it."""
    for name, region in regions.items():
        _seed_region(account, account.client("ec2", name), region)


def seed_organization(account: Account) -> Organization:
    """Make the account the management account of the sample organization."""
    organization = Organization(account)
    for name, parent in UNITS.items():
        organization.add_unit(name, parent)
    for sample in ACCOUNTS:
        seed(organization.add_account(sample.id, sample.name, sample.unit), sample.regions)
    organization.suspend(SUSPENDED)
    return organization


def _seed_region(account: Account | Member, ec2: Any, region: SeedRegion) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    lists = {
        prefix_list["PrefixListName"]: prefix_list["PrefixListId"]
        for prefix_list in ec2.describe_managed_prefix_lists()["PrefixLists"]
    }
    for name, networks in region.prefix_lists:
        created = ec2.create_managed_prefix_list(
            PrefixListName=name,
            AddressFamily="IPv4",
            MaxEntries=20,
            Entries=[{"Cidr": network} for network in networks],
        )
        lists[name] = created["PrefixList"]["PrefixListId"]
    groups: dict[str, str] = {}
    for group in region.groups:
        tags = (*((("Owner", group.owner),) if group.owner else ()), *group.tags)
        specification = {
            "ResourceType": "security-group",
            "Tags": [{"Key": key, "Value": value} for key, value in tags],
        }
        created = ec2.create_security_group(
            GroupName=group.name,
            Description=group.description,
            VpcId=vpc,
            **({"TagSpecifications": [specification]} if tags else {}),
        )
        groups[group.name] = created["GroupId"]
    for group in region.groups:
        ec2.authorize_security_group_ingress(
            GroupId=groups[group.name],
            IpPermissions=[_permission(rule, lists, groups) for rule in group.rules],
        )
    kinds = sorted({interface.subnet for interface in region.interfaces})
    subnets = {kind: _seed_subnet(ec2, vpc, kind) for kind in kinds}
    for interface in region.interfaces:
        interface_id = _seed_interface(ec2, interface, subnets[interface.subnet], groups)
        attachment = {"DeviceIndex": 0, "InstanceOwnerId": account.id, "Status": "attached"}
        account.networks.override(
            interface_id, **{"Status": "in-use", "Attachment": attachment, **interface.fields}
        )


def _seed_subnet(ec2: Any, vpc: str, kind: str) -> str:
    subnet = str(ec2.create_subnet(VpcId=vpc, CidrBlock=SUBNETS[kind])["Subnet"]["SubnetId"])
    if kind == "private":
        return subnet
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    if kind == "carrier":
        carrier = ec2.create_carrier_gateway(VpcId=vpc)["CarrierGateway"]["CarrierGatewayId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, CarrierGatewayId=carrier)
        return subnet
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, GatewayId=gateway)
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock=WORLD6, GatewayId=gateway)
    return subnet


def _seed_interface(ec2: Any, interface: SeedInterface, subnet: str, groups: dict[str, str]) -> str:
    created = ec2.create_network_interface(
        SubnetId=subnet,
        Description=interface.description,
        Groups=[groups[name] for name in interface.groups],
    )
    interface_id = str(created["NetworkInterface"]["NetworkInterfaceId"])
    if interface.public:
        address = ec2.allocate_address(Domain="vpc", Address=interface.public)
        ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface_id)
    return interface_id


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
