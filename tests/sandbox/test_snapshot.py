"""A region of the account as a snapshot."""

import json
from typing import Any

import pytest

from cli.snapshot_file import Snapshot
from sandbox.aws.account import Account
from sandbox.aws.seed import seed
from sandbox.aws.snapshot import take_snapshot


@pytest.fixture
def snapshot(account: Account) -> dict[str, Any]:
    """A snapshot of a seeded account's region: public access blocked, all interfaces hidden."""
    seed(account)
    for interface in account.client("ec2", "us-east-1").describe_network_interfaces()[
        "NetworkInterfaces"
    ]:
        account.networks.override(
            interface["NetworkInterfaceId"], Operator={"Managed": True, "HiddenByDefault": True}
        )
    exclusion = {"ExclusionId": "vpcbpa-exclude-0", "State": "create-complete"}
    account.networks.block_public_access(
        "us-east-1", exclusions=[exclusion], InternetGatewayBlockMode="block-ingress"
    )
    return take_snapshot(account, "us-east-1")


def test_a_snapshot_holds_all_that_an_audit_asks_for(snapshot: dict[str, Any]) -> None:
    """The snapshot has every key, and as many of each as the region."""
    assert (snapshot.pop("Account"), snapshot.pop("Region")) == ("123456789012", "us-east-1")
    options = snapshot.pop("VpcBlockPublicAccessOptions")
    assert options["InternetGatewayBlockMode"] == "block-ingress"
    assert {key: len(found) for key, found in snapshot.items()} == {
        "SecurityGroups": 8,
        "SecurityGroupRules": 15,
        "RouteTables": 4,
        "NetworkAcls": 2,
        "VpcBlockPublicAccessExclusions": 1,
        "NetworkInterfaces": 3,
        "PrefixLists": 7,
    }


def test_an_audit_reads_a_snapshot(snapshot: dict[str, Any]) -> None:
    """Groups, interfaces and the entries of prefix lists come out of the file."""
    read = Snapshot(json.dumps(snapshot).encode())
    groups = {group.name: group for group in read.security_groups()}
    (interface,) = read.interfaces([groups["edge-node"].id]) or ()
    (rule,) = groups["offices"].rules
    assert interface.name == "edge node"
    assert read.prefix_lists([rule.source])[rule.source].cidrs == ("93.184.216.0/24", "8.8.4.0/24")
