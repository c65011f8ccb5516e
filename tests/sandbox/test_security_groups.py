"""Security groups and interfaces in the shape AWS gives them."""

from typing import Any

import pytest

from sandbox.aws.account import Account


@pytest.mark.parametrize(
    ("permission", "stored"),
    [
        pytest.param(
            {"IpProtocol": "-1"}, {"IpProtocol": "-1", "From": None, "Rule": (-1, -1)}, id="all"
        ),
        pytest.param(
            {"IpProtocol": "50"}, {"IpProtocol": "50", "From": None, "Rule": (-1, -1)}, id="esp"
        ),
        pytest.param(
            {"IpProtocol": "50", "FromPort": 22, "ToPort": 22},
            {"IpProtocol": "50", "From": None, "Rule": (-1, -1)},
            id="esp-with-ports-that-mean-nothing",
        ),
        pytest.param(
            {"IpProtocol": "6", "FromPort": 22, "ToPort": 23},
            {"IpProtocol": "tcp", "From": 22, "Rule": (22, 23)},
            id="tcp-by-number",
        ),
        pytest.param(
            {"IpProtocol": "58"},
            {"IpProtocol": "icmpv6", "From": -1, "Rule": (-1, -1)},
            id="icmpv6-without-range",
        ),
    ],
)
def test_protocols_and_ports(
    account: Account, permission: dict[str, Any], stored: dict[str, Any]
) -> None:
    """Groups leave meaningless ports out, rules say -1, protocols are named."""
    ec2 = account.client("ec2")
    group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**permission, "IpRanges": [{"CidrIp": "10.1.2.3/8"}]}]
    )
    condition = {"Name": "group-id", "Values": [group]}
    rules = ec2.describe_security_group_rules(Filters=[condition])["SecurityGroupRules"]
    (rule,) = (rule for rule in rules if not rule["IsEgress"])
    assert (rule["FromPort"], rule["ToPort"]) == stored["Rule"]
    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    (found,) = described["IpPermissions"]
    assert found["IpProtocol"] == stored["IpProtocol"]
    assert found.get("FromPort") == stored["From"]
    assert found["IpRanges"] == [{"CidrIp": "10.0.0.0/8"}]


def test_a_rule_is_revoked_as_it_was_written(account: Account) -> None:
    """The same permission with host bits and a protocol number revokes the rule."""
    ec2 = account.client("ec2")
    group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    permission = {"IpProtocol": "50", "IpRanges": [{"CidrIp": "10.1.2.3/8"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission])
    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert described["IpPermissions"] == []


def test_a_public_address_stands_on_its_private_address(account: Account) -> None:
    """DescribeNetworkInterfaces shows an association in both places."""
    ec2 = account.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    address = ec2.allocate_address(Domain="vpc", Address="52.208.10.11")
    ec2.associate_address(
        AllocationId=address["AllocationId"], NetworkInterfaceId=interface["NetworkInterfaceId"]
    )
    (found,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert found["Association"]["PublicIp"] == "52.208.10.11"
    assert found["PrivateIpAddresses"][0]["Association"]["PublicIp"] == "52.208.10.11"
