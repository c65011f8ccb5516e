"""Which path leads from the internet to a group's interfaces: their addresses, use and types.

SSH open to the world is critical; high is one step lower, medium two and low three.
"""

from typing import Any

import pytest

from tests.support.network import (
    OTHER_ACCOUNT,
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    SSH,
    SSH_V6,
    finding_on,
    interface,
    snapshot,
)

Answer = dict[str, Any]
PUBLIC = interface(public=PUBLIC_IPV4)
PUBLIC_V6 = interface(ipv6=PUBLIC_IPV6)
PRIVATE = interface()


@pytest.mark.parametrize(
    ("interfaces", "severity", "attachment"),
    [
        pytest.param([PUBLIC], "critical", "internet-facing", id="public"),
        pytest.param([PRIVATE], "medium", "internal", id="private"),
        pytest.param(
            [PRIVATE, interface("eni-2", public=PUBLIC_IPV4)],
            "critical",
            "internet-facing",
            id="one-public-one-private",
        ),
        pytest.param(
            [PUBLIC, interface("eni-2", SubnetId="subnet-2")],
            "critical",
            "internet-facing",
            id="in-two-subnets",
        ),
        pytest.param(
            [
                interface(
                    PrivateIpAddresses=[{}, {"Association": {"PublicIp": PUBLIC_IPV4}}],
                )
            ],
            "critical",
            "internet-facing",
            id="second-address",
        ),
        pytest.param(
            [PUBLIC | {"Status": "available"}], "medium", "unattached", id="public-and-not-in-use"
        ),
        pytest.param(
            [PUBLIC | {"Status": "available"}, interface("eni-2")],
            "medium",
            "internal",
            id="public-one-not-in-use",
        ),
        *(
            pytest.param(
                [PUBLIC | {"Status": status}], "critical", "internet-facing", id=f"status-{status}"
            )
            for status in ("associated", "attaching", "detaching", "pending")
        ),
        pytest.param([PUBLIC_V6], "medium", "internal", id="ipv6-address-under-an-ipv4-rule"),
        pytest.param(
            [interface(PrivateIpAddresses=[{"Association": {"CustomerOwnedIp": PUBLIC_IPV4}}])],
            "medium",
            "internal",
            id="customer-owned-address",
        ),
        pytest.param(
            [interface(PrivateIpAddresses=[{"Association": {"CarrierIp": "155.146.0.1"}}])],
            "high",
            "carrier",
            id="carrier-address",
        ),
        pytest.param(
            [
                interface(
                    PrivateIpAddresses=[{"Association": {"CarrierIp": "155.146.0.1"}}],
                    AvailabilityZone="eu-west-3-wl1-cdg-wlz-1",
                )
            ],
            "critical",
            "carrier",
            id="carrier-address-in-paris",
        ),
        pytest.param(
            [
                interface(
                    PrivateIpAddresses=[{"Association": {"CarrierIp": "155.146.0.1"}}],
                    AvailabilityZone="us-east-1-wl1-bos-wlz-1",
                )
            ],
            "high",
            "carrier",
            id="carrier-address-in-boston",
        ),
    ],
)
def test_addresses_and_use(interfaces: list[Answer], severity: str, attachment: str) -> None:
    """The worst interface in use decides, by its public addresses of the finding's family."""
    finding = finding_on(snapshot(*interfaces))
    assert (finding.severity, finding.attachment) == (severity, attachment)


@pytest.mark.parametrize(
    ("fields", "severity", "attachment"),
    [
        pytest.param({"ipv6": PUBLIC_IPV6}, "critical", "internet-facing", id="address"),
        pytest.param(
            {"Ipv6Prefixes": [{"Ipv6Prefix": "2600:1f18::/80"}]},
            "critical",
            "internet-facing",
            id="prefix",
        ),
        pytest.param({"ipv6": "fd00::1"}, "medium", "internal", id="unique-local"),
        pytest.param({"public": PUBLIC_IPV4}, "medium", "internal", id="public-ipv4-only"),
        pytest.param(
            {"ipv6": PUBLIC_IPV6, "DenyAllIgwTraffic": True}, "medium", "internal", id="deny-igw"
        ),
        pytest.param(
            {"ipv6": PUBLIC_IPV6, "DenyAllIgwTraffic": False},
            "critical",
            "internet-facing",
            id="deny-igw-off",
        ),
        pytest.param(
            {"PrivateIpAddresses": [{"Association": {"CarrierIp": "155.146.0.1"}}]},
            "medium",
            "internal",
            id="carrier-address",
        ),
    ],
)
def test_ipv6_addresses(fields: Answer, severity: str, attachment: str) -> None:
    """An IPv6 rule reaches global IPv6 addresses, where internet gateway traffic is allowed."""
    finding = finding_on(snapshot(interface(**fields), groups=(SSH_V6,)))
    assert (finding.severity, finding.attachment) == (severity, attachment)
    assert ("no public IPv6 address" in finding.why) == (attachment == "internal")


@pytest.mark.parametrize(
    ("fields", "severity", "attachment"),
    [
        *(
            pytest.param({"InterfaceType": kind}, "low", "no-inbound", id=kind)
            for kind in (
                "lambda",
                "quicksight",
                "api_gateway_managed",
                "iot_rules_managed",
                "aws_codestar_connections_managed",
                "ec2_instance_connect_endpoint",
            )
        ),
        pytest.param(
            {"InterfaceType": "lambda", "public": PUBLIC_IPV4},
            "critical",
            "internet-facing",
            id="lambda-with-a-public-address",
        ),
        *(
            pytest.param(
                {"Description": description},
                "low",
                "no-inbound",
                id=description,
            )
            for description in ("AWS Lambda VPC ENI", "AWS Lambda VPC ENI-shop-1")
        ),
        pytest.param(
            {"Description": "AWS Lambda VPC ENI", "Attachment": {"InstanceId": "i-1"}},
            "medium",
            "internal",
            id="an-instance-that-somebody-describes-so",
        ),
        pytest.param(
            {"Description": "AWS Lambda VPC ENI", "public": PUBLIC_IPV4},
            "critical",
            "internet-facing",
            id="lambda-of-old-with-a-public-address",
        ),
        *(
            pytest.param({"InterfaceType": kind}, "medium", "internal", id=kind)
            for kind in ("efs", "vpc_endpoint", "efa-only", "branch", "trunk", "evs", "new-kind")
        ),
        *(
            pytest.param(
                {"InterfaceType": kind, "public": PUBLIC_IPV4},
                "critical",
                "internet-facing",
                id=f"public-{kind}",
            )
            for kind in ("branch", "trunk", "efa", "load_balancer", "new-kind")
        ),
    ],
)
def test_interface_types(fields: Answer, severity: str, attachment: str) -> None:
    """Some services only open connections; every other type follows the ordinary rule."""
    finding = finding_on(snapshot(interface(**fields)))
    assert (finding.severity, finding.attachment) == (severity, attachment)


@pytest.mark.parametrize(
    ("fields", "interfaces", "severity", "attachment", "phrase"),
    [
        pytest.param({}, [], "medium", "unattached", "not attached", id="on-nothing"),
        pytest.param({}, None, "critical", "unknown", "could not be read", id="not-read"),
        pytest.param({"GroupName": "default"}, [], "high", "unattached", "default", id="default"),
        pytest.param(
            {"GroupName": "default"},
            [PUBLIC | {"Status": "available"}],
            "high",
            "unattached",
            "eni-1",
            id="default-group-on-an-interface-not-in-use",
        ),
        pytest.param(
            {"GroupName": "default"},
            [PRIVATE],
            "medium",
            "internal",
            "no public IPv4 address",
            id="default-group-in-use",
        ),
        pytest.param({"VpcId": None}, [], "critical", "unknown", "", id="without-a-vpc"),
        pytest.param(
            {"OwnerId": OTHER_ACCOUNT}, [], "critical", "unknown", OTHER_ACCOUNT, id="shared"
        ),
    ],
)
def test_groups_without_interfaces(
    fields: Answer, interfaces: list[Answer] | None, severity: str, attachment: str, phrase: str
) -> None:
    """A group on nothing is two steps lower, a default group one; what is not known is none."""
    network = snapshot(groups=(SSH | fields,), NetworkInterfaces=interfaces)
    finding = finding_on(network)
    assert (finding.severity, finding.attachment) == (severity, attachment)
    assert phrase in finding.why
