"""Which calls read what decides a severity, and what happens where EC2 refuses one."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from handler.ec2.region import Ec2Region
from handler.model.network import Target
from handler.model.run import CoverageStatus, Scan
from handler.policy.policy import Policy
from handler.scan import scan_target
from tests.support.network import (
    ACCOUNT,
    PUBLIC_IPV4,
    PUBLIC_TABLE,
    SSH,
    accelerator,
    acl_entry,
    block_options,
    exclusion,
    interface,
    load_balancer,
    network_acl,
)

Answer = dict[str, Any]
GROUPS = "describe_security_groups"
RULES = "describe_security_group_rules"
INTERFACES = "describe_network_interfaces"
TABLES = "describe_route_tables"
ACLS = "describe_network_acls"
OPTIONS = "describe_vpc_block_public_access_options"
EXCLUSIONS = "describe_vpc_block_public_access_exclusions"
KEYS = {
    GROUPS: "SecurityGroups",
    RULES: "SecurityGroupRules",
    INTERFACES: "NetworkInterfaces",
    TABLES: "RouteTables",
    ACLS: "NetworkAcls",
    EXCLUSIONS: "VpcBlockPublicAccessExclusions",
}
OF_GROUP = [{"Name": "group-id", "Values": ["sg-1"]}]
ENTRY_POINTS = [
    {"Name": "interface-type", "Values": ["global_accelerator_managed", "network_load_balancer"]}
]
PUBLIC = interface(public=PUBLIC_IPV4)


class Region:
    """EC2 as a script of answers; asking for anything else, or in another order, fails."""

    def __init__(self) -> None:
        self.client = boto3.client("ec2", region_name="eu-west-1")
        self.stub = Stubber(self.client)
        self.answers(GROUPS, SSH)

    def answers(self, operation: str, *items: Answer, **asked: Any) -> None:
        """The next call must be this one, and has this answer."""
        expected = asked or {"MaxResults": ANY}
        if operation == RULES:
            expected = {"MaxResults": ANY, "Filters": OF_GROUP}
        self.stub.add_response(operation, {KEYS[operation]: list(items)}, expected)

    def interfaces(
        self, *items: Answer, filters: list[Answer] = OF_GROUP, hidden: bool = True
    ) -> None:
        """The next call asks for interfaces, hidden service-managed ones included or not."""
        managed = {"IncludeManagedResources": True} if hidden else {}
        self.answers(INTERFACES, *items, Filters=filters, MaxResults=ANY, **managed)

    def refuses(self, operation: str, code: str) -> None:
        """The next call must be this one, and it fails."""
        self.stub.add_client_error(operation, code, "No.")

    def paths(self, options: Answer) -> None:
        """The next calls read tables, ACLs and the options of Block Public Access."""
        self.answers(TABLES, PUBLIC_TABLE)
        self.answers(ACLS, network_acl(acl_entry(100, "allow")))
        self.stub.add_response(OPTIONS, {"VpcBlockPublicAccessOptions": options}, {})

    def scan(self) -> Scan:
        """Scan the region, and see that every answer was asked for."""
        self.answers(RULES)
        result = scan_target(Target(ACCOUNT, "eu-west-1"), Ec2Region(self.client), Policy())
        self.stub.assert_no_pending_responses()
        return result


@pytest.fixture
def region() -> Iterator[Region]:
    """A region with SSH open to the world on sg-1."""
    script = Region()
    with script.stub:
        yield script


def test_hidden_interfaces_are_asked_for(region: Region) -> None:
    """A group on nothing, hidden interfaces included, is unattached; no path is read for it."""
    region.interfaces()
    (finding,) = region.scan().findings
    assert (finding.severity, finding.attachment) == ("medium", "unattached")


@pytest.mark.parametrize("code", ["UnknownParameter", "InvalidParameterValue"])
def test_hidden_interfaces_are_refused(region: Region, code: str) -> None:
    """Where EC2 does not know the parameter, a group on nothing may be on hidden interfaces."""
    region.refuses(INTERFACES, code)
    region.interfaces(hidden=False)
    result = region.scan()
    assert result.coverage.status is CoverageStatus.OK
    (finding,) = result.findings
    assert (finding.severity, finding.attachment) == ("critical", "unknown")


def test_a_boto3_without_hidden_interfaces(region: Region) -> None:
    """Where boto3 does not know the parameter, the call is made without it."""
    operation = region.client.meta.service_model.operation_model("DescribeNetworkInterfaces")
    del operation.input_shape.members["IncludeManagedResources"]
    # The stub compares the arguments before boto3 refuses one of them.
    region.stub.add_response(INTERFACES, {KEYS[INTERFACES]: []})
    (finding,) = region.scan().findings
    assert (finding.severity, finding.attachment) == ("critical", "unknown")


def test_refused_hidden_interfaces_and_a_visible_one(region: Region) -> None:
    """An interface that is visible is assessed as ever, and the parameter is not tried again."""
    region.refuses(INTERFACES, "UnknownParameter")
    region.interfaces(interface(), hidden=False)
    region.interfaces(filters=ENTRY_POINTS, hidden=False)
    (finding,) = region.scan().findings
    assert (finding.severity, finding.attachment) == ("medium", "internal")


def test_private_interfaces_cost_one_call_more(region: Region) -> None:
    """Without anything public only the load balancers and accelerators are asked for."""
    region.interfaces(interface())
    region.interfaces(filters=ENTRY_POINTS)
    assert region.scan().coverage.notice is None


@pytest.mark.parametrize(
    ("own", "entry_points", "severity"),
    [
        pytest.param(PUBLIC, [], "critical", id="public-address"),
        pytest.param(interface(), [load_balancer()], "high", id="public-load-balancer"),
        pytest.param(
            interface(PrivateIpAddresses=[{"Association": {"CarrierIp": "155.146.0.1"}}]),
            [],
            "high",
            id="carrier-address",
        ),
    ],
)
def test_paths_are_read_where_something_is_public(
    region: Region, own: Answer, entry_points: list[Answer], severity: str
) -> None:
    """Three calls read tables, ACLs and Block Public Access; exclusions only where it is on."""
    region.interfaces(own)
    region.interfaces(*entry_points, filters=ENTRY_POINTS)
    region.paths(block_options("off"))
    result = region.scan()
    assert result.findings[0].severity == severity
    assert (result.coverage.status, result.coverage.notice) == (CoverageStatus.OK, None)


def test_paths_are_read_for_an_accelerator(region: Region) -> None:
    """Block Public Access closes accelerators too, so it is read for their targets."""
    region.interfaces(interface())
    region.interfaces(accelerator(), filters=ENTRY_POINTS)
    region.paths(block_options())
    region.answers(EXCLUSIONS, MaxResults=ANY)
    assert region.scan().findings[0].severity == "medium"


def test_exclusions_are_read_page_by_page(region: Region) -> None:
    """An exclusion on the second page counts like one on the first."""
    region.interfaces(PUBLIC)
    region.interfaces(filters=ENTRY_POINTS)
    region.paths(block_options())
    first = {KEYS[EXCLUSIONS]: [exclusion("vpc-9")], "NextToken": "more"}
    region.stub.add_response(EXCLUSIONS, first, {"MaxResults": ANY})
    region.answers(EXCLUSIONS, exclusion("vpc-1"), MaxResults=ANY, NextToken="more")
    assert region.scan().findings[0].severity == "critical"


def test_a_repeated_page_of_exclusions_proves_nothing_and_is_said(region: Region) -> None:
    """A token that EC2 gives twice ends the reading; the severity stays, and a notice says so."""
    region.interfaces(PUBLIC)
    region.interfaces(filters=ENTRY_POINTS)
    region.paths(block_options())
    page = {KEYS[EXCLUSIONS]: [], "NextToken": "more"}
    region.stub.add_response(EXCLUSIONS, page, {"MaxResults": ANY})
    region.stub.add_response(EXCLUSIONS, page, {"MaxResults": ANY, "NextToken": "more"})
    result = region.scan()
    assert "The same next token was received twice: more." in (result.coverage.notice or "")
    assert result.findings[0].severity == "critical"


@pytest.mark.parametrize(
    ("refused", "severity"),
    [
        pytest.param(TABLES, "critical", id="route-tables"),
        # Block Public Access, which proves the same, does not rest on them.
        pytest.param(ACLS, "medium", id="network-acls"),
        pytest.param(OPTIONS, "critical", id="block-public-access"),
        pytest.param(EXCLUSIONS, "critical", id="exclusions"),
    ],
)
def test_a_refused_read_proves_nothing_and_is_said(
    region: Region, refused: str, severity: str
) -> None:
    """The severity stays, a notice names the error, and the region counts as read."""
    region.interfaces(PUBLIC)
    region.interfaces(filters=ENTRY_POINTS)
    reads: dict[str, dict[str, Any]] = {
        TABLES: {KEYS[TABLES]: [PUBLIC_TABLE]},
        ACLS: {KEYS[ACLS]: []},
        OPTIONS: {"VpcBlockPublicAccessOptions": block_options()},
        EXCLUSIONS: {KEYS[EXCLUSIONS]: []},
    }
    for operation, answer in reads.items():
        if operation == refused:
            region.refuses(operation, "UnauthorizedOperation")
        elif not (operation == EXCLUSIONS and refused == OPTIONS):
            region.stub.add_response(operation, answer)
    result = region.scan()
    assert result.coverage.status is CoverageStatus.OK
    assert "UnauthorizedOperation" in (result.coverage.notice or "")
    assert result.findings[0].severity == severity


def test_refused_entry_points_are_said(region: Region) -> None:
    """Load balancers that could not be read are in the notice, and the region counts as read."""
    region.interfaces(PUBLIC)
    region.refuses(INTERFACES, "UnauthorizedOperation")
    region.paths(block_options("off"))
    result = region.scan()
    assert result.coverage.status is CoverageStatus.OK
    assert "UnauthorizedOperation" in (result.coverage.notice or "")
    assert result.findings[0].severity == "critical"


def test_refused_entry_points_lower_nothing(region: Region) -> None:
    """A private interface may be behind a load balancer that could not be read."""
    region.interfaces(interface())
    region.refuses(INTERFACES, "UnauthorizedOperation")
    assert region.scan().findings[0].severity in {"critical", "high"}
