"""What VPC Block Public Access proves, and which exclusions and VPCs it does not hold for.

SSH open to the world is critical; medium is two steps lower.
"""

from typing import Any

import pytest

from tests.support.network import (
    OTHER_ACCOUNT,
    PUBLIC_IPV4,
    PUBLIC_TABLE,
    SSH,
    WORLD,
    accelerator,
    block_options,
    exclusion,
    finding_on,
    interface,
    load_balancer,
    network_acl,
    snapshot,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
PUBLIC = interface(public=PUBLIC_IPV4)
CARRIER = interface(PrivateIpAddresses=[{"Association": {"CarrierIp": "155.146.0.1"}}])
SNMP = answer(permission("udp", 161, 161, WORLD))


def blocked(*interfaces: Answer, exclusions: Any = (), **fields: Any) -> Answer:
    """A network in which Block Public Access is on, unless the fields say otherwise."""
    reads = {
        "RouteTables": [PUBLIC_TABLE],
        "VpcBlockPublicAccessOptions": block_options(),
        "VpcBlockPublicAccessExclusions": list(exclusions),
    }
    return snapshot(*interfaces, **{**reads, **fields})


@pytest.mark.parametrize(
    ("mode", "state", "severity"),
    [
        pytest.param("block-bidirectional", "update-complete", "medium", id="bidirectional"),
        pytest.param("block-ingress", "update-complete", "medium", id="ingress"),
        pytest.param("block-bidirectional", "default-state", "medium", id="default-state"),
        pytest.param("off", "update-complete", "critical", id="off"),
        pytest.param("block-bidirectional", "update-in-progress", "critical", id="in-progress"),
        pytest.param("block-everything", "update-complete", "critical", id="unknown-mode"),
    ],
)
def test_mode_and_state(mode: str, state: str, severity: str) -> None:
    """It holds in a mode that blocks what comes in, once it is set."""
    network = blocked(PUBLIC, VpcBlockPublicAccessOptions=block_options(mode, state))
    finding = finding_on(network)
    assert finding.severity == severity
    assert ("VPC Block Public Access" in finding.why) == (severity == "medium")


@pytest.mark.parametrize(
    ("mode", "zone", "severity"),
    [
        pytest.param("block-ingress", "us-east-1-bos-1a", "critical", id="ingress-local-zone"),
        pytest.param("block-ingress", "eu-west-1a", "medium", id="ingress-availability-zone"),
        pytest.param("block-ingress", "us-gov-west-1b", "medium", id="ingress-govcloud"),
        pytest.param("block-ingress", None, "critical", id="ingress-unknown-zone"),
        pytest.param("block-bidirectional", "us-east-1-bos-1a", "medium", id="both-local-zone"),
    ],
)
def test_local_zones(mode: str, zone: str | None, severity: str) -> None:
    """Ingress alone is not blocked in Local Zones."""
    public = PUBLIC | {"AvailabilityZone": zone}
    network = blocked(public, VpcBlockPublicAccessOptions=block_options(mode))
    assert finding_on(network).severity == severity


@pytest.mark.parametrize(
    ("excluded", "severity"),
    [
        pytest.param(exclusion("vpc-1"), "critical", id="vpc"),
        pytest.param(exclusion("vpc-2"), "medium", id="another-vpc"),
        pytest.param(exclusion("subnet-1"), "critical", id="its-subnet"),
        pytest.param(exclusion("subnet-2"), "critical", id="another-subnet-of-the-vpc"),
        pytest.param(exclusion("subnet-20"), "medium", id="a-subnet-of-another-vpc"),
        pytest.param(exclusion("subnet-99"), "critical", id="a-subnet-nobody-knows"),
        pytest.param(exclusion("vpc-1", "allow-egress"), "medium", id="egress-only"),
        *(
            pytest.param(exclusion("vpc-1", state=state), "critical", id=state)
            for state in (
                "create-in-progress",
                "update-in-progress",
                "update-complete",
                "delete-in-progress",
                "disable-in-progress",
                "a-new-state",
            )
        ),
        *(
            pytest.param(exclusion("vpc-1", state=state), "medium", id=state)
            for state in ("delete-complete", "disable-complete", "create-failed")
        ),
    ],
)
def test_exclusions(excluded: Answer, severity: str) -> None:
    """A VPC is open where it or any of its subnets is excluded and may have inbound traffic."""
    acls = [
        network_acl(subnets=("subnet-1", "subnet-2")),
        network_acl(acl_id="acl-2", vpc_id="vpc-2", subnets=("subnet-20",)),
    ]
    network = blocked(PUBLIC, exclusions=[excluded], NetworkAcls=acls)
    assert finding_on(network).severity == severity


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"RouteTables": [PUBLIC_TABLE | {"OwnerId": OTHER_ACCOUNT}]}, id="shared-vpc"),
        pytest.param({"RouteTables": None}, id="tables-not-read"),
        pytest.param({"RouteTables": []}, id="owner-not-known"),
        pytest.param({"VpcBlockPublicAccessOptions": None}, id="options-not-read"),
        pytest.param({"VpcBlockPublicAccessOptions": {}}, id="options-not-in-ec2s-form"),
        pytest.param(
            {"VpcBlockPublicAccessExclusions": None},
            id="exclusions-not-read",
        ),
        pytest.param({"VpcBlockPublicAccessExclusions": [{}]}, id="exclusion-not-in-ec2s-form"),
    ],
)
def test_no_proof(fields: Answer) -> None:
    """Of a VPC that another account owns, and of what was not read, nothing is proved."""
    assert finding_on(blocked(PUBLIC, **fields)).severity == "critical"


@pytest.mark.parametrize(
    "interfaces",
    [
        pytest.param([CARRIER], id="carrier-address"),
        pytest.param([interface(), load_balancer()], id="load-balancer"),
        pytest.param([PUBLIC, accelerator()], id="accelerator-and-public-address"),
        pytest.param([PUBLIC, accelerator(SubnetId="subnet-2")], id="accelerator-in-the-vpc"),
        pytest.param(
            [interface(), accelerator()],
            id="accelerator-and-private-target",
        ),
    ],
)
def test_closes_other_ways_too(interfaces: list[Answer]) -> None:
    """It closes carrier addresses, load balancers and accelerators, too."""
    finding = finding_on(blocked(*interfaces))
    assert (finding.severity, finding.attachment) == ("medium", "internal")


@pytest.mark.parametrize(
    ("group", "severity"),
    [pytest.param(SSH, "medium", id="tcp"), pytest.param(SNMP, "medium", id="udp")],
)
def test_packets_do_not_arrive(group: Answer, severity: str) -> None:
    """Two steps for every protocol: nothing arrives at all."""
    assert finding_on(blocked(PUBLIC, groups=(group,))).severity == severity
