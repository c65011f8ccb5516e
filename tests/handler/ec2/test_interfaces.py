"""What an interface belongs to, as DescribeNetworkInterfaces tells it."""

from typing import Any

import pytest

from handler.ec2.interfaces import parse_interfaces
from handler.model.network import Holder


@pytest.mark.parametrize(
    ("fields", "holder", "name"),
    [
        pytest.param({"Attachment": {"InstanceId": "i-1"}}, Holder.INSTANCE, "i-1", id="instance"),
        pytest.param(
            {"Description": "ELB app/shop/50dc6c", "RequesterId": "amazon-elb"},
            Holder.LOAD_BALANCER,
            "shop",
            id="application-load-balancer",
        ),
        pytest.param(
            {"Description": "ELB shop"}, Holder.LOAD_BALANCER, "shop", id="classic-load-balancer"
        ),
        pytest.param(
            {"InterfaceType": "network_load_balancer", "Description": "inner"},
            Holder.LOAD_BALANCER,
            "inner",
            id="network-load-balancer",
        ),
        pytest.param(
            {"Description": "RDSNetworkInterface", "RequesterId": "123456789012"},
            Holder.DATABASE,
            "",
            id="rds-by-description",
        ),
        pytest.param(
            {"RequesterId": "amazon-rds", "Attachment": {"InstanceOwnerId": "amazon-rds"}},
            Holder.DATABASE,
            "",
            id="rds-by-requester",
        ),
        pytest.param(
            {"Description": "ElastiCache cache-001"},
            Holder.DATABASE,
            "cache-001",
            id="elasticache",
        ),
        pytest.param({"Description": "ES search"}, Holder.DATABASE, "search", id="opensearch"),
        pytest.param(
            {"Description": "ES web front", "Attachment": {"InstanceId": "i-1"}},
            Holder.INSTANCE,
            "i-1",
            id="an-instance-that-somebody-describes-so",
        ),
        pytest.param({"Description": "AWS Lambda VPC ENI"}, Holder.OTHER, "AWS Lambda VPC ENI"),
        pytest.param({"Attachment": None, "Description": None}, Holder.OTHER, "", id="nothing"),
        pytest.param({"Attachment": "i-1", "Description": 7}, Holder.OTHER, "", id="nonsense"),
    ],
)
def test_what_an_interface_belongs_to(fields: dict[str, Any], holder: Holder, name: str) -> None:
    """The services that make interfaces say so in their own ways."""
    (read,) = parse_interfaces([{"NetworkInterfaceId": "eni-1", "Groups": [], **fields}])
    assert (read.holder, read.name) == (holder, name)


@pytest.mark.parametrize("groups", [None, "x", {}, [7], [None], [{}], [{"GroupName": "web"}]])
def test_an_interface_without_its_groups_makes_no_sense(groups: object) -> None:
    """Groups would seem to be attached to nothing."""
    with pytest.raises(ValueError, match="a network interface must have Groups with a GroupId"):
        parse_interfaces([{"NetworkInterfaceId": "eni-1", "Groups": groups}])
    with pytest.raises(ValueError, match="a network interface must have Groups with a GroupId"):
        parse_interfaces([{"NetworkInterfaceId": "eni-1"}])


def test_public_addresses_are_named_once() -> None:
    """Every public IPv4 and global IPv6 address is named; private and local ones are not."""
    told = {
        "NetworkInterfaceId": "eni-1",
        "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}],
        "Association": {"PublicIp": "52.0.0.1"},
        "PrivateIpAddresses": [
            {"PrivateIpAddress": "10.0.0.1", "Association": {"PublicIp": "52.0.0.1"}},
            {"PrivateIpAddress": "10.0.0.2", "Association": {"PublicIp": "52.0.0.2"}},
        ],
        "Ipv6Addresses": [{"Ipv6Address": "2600::1"}, {"Ipv6Address": "fd00::1"}],
        "Ipv6Prefixes": [{"Ipv6Prefix": "2600:1f18::/80"}, {"Ipv6Prefix": "fd00:1::/80"}],
    }
    (interface,) = parse_interfaces([told, told])
    assert interface.public_ipv4 == ("52.0.0.1", "52.0.0.2")
    assert interface.public_ipv6 == ("2600::1", "2600:1f18::/80")
    assert interface.group_ids == ("sg-1", "sg-2")
