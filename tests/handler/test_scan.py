"""What is read of a target, page by page, and what a failure on the way leaves."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from handler.ec2.region import Ec2Region
from handler.model.finding import Kind, Severity
from handler.model.network import Target
from handler.model.run import CoverageStatus, Scan
from handler.policy.policy import Policy
from handler.scan import scan_target
from tests.support.security_groups import answer, permission

TARGET = Target("123456789012", "eu-west-1")
WORLD = "0.0.0.0/0"
ANY = {"Filters": [{"Name": "group-id", "Values": ["sg-1"]}], "MaxResults": 1000}
GROUPS = "describe_security_groups"
RULES = "describe_security_group_rules"
INTERFACES = "describe_network_interfaces"
LISTS = "describe_managed_prefix_lists"
ENTRIES = "get_managed_prefix_list_entries"


class Ec2:
    """EC2 as a script of answers; asking for anything else, or in another order, fails.

    Rules are read last, whenever the script names them.
    """

    def __init__(self) -> None:
        self.client = boto3.client("ec2", region_name="eu-west-1")
        self.stub = Stubber(self.client)
        self._last: list[Callable[[], None]] = []

    def says(self, operation: str, asked: dict[str, Any], **said: Any) -> None:
        """The next call must be this one, and this is its answer."""
        self._next(operation, partial(self.stub.add_response, operation, said, asked))

    def refuses(self, operation: str, code: str, message: str = "No.") -> None:
        """The next call must be this one, and it fails."""
        self._next(operation, partial(self.stub.add_client_error, operation, code, message))

    def _next(self, operation: str, add: Callable[[], None]) -> None:
        if operation == RULES:
            self._last.append(add)
        else:
            add()

    def groups(self, *groups: dict[str, Any]) -> None:
        """The next call reads the groups, which fit into one page."""
        self.says(GROUPS, {"MaxResults": 500}, SecurityGroups=list(groups))

    def rules(self, *rules: dict[str, Any], of: list[str]) -> None:
        """The next calls read the rules of some groups, and then that they have no interfaces."""
        filters = [{"Name": "group-id", "Values": of}]
        asked = {"Filters": filters, "MaxResults": 1000}
        self.says(RULES, asked, SecurityGroupRules=list(rules))

        self.interfaces(of=of)

    def interfaces(self, *interfaces: dict[str, Any], of: list[str]) -> None:
        """The next call reads the interfaces that have some groups."""
        filters = [{"Name": "group-id", "Values": of}]
        asked = {"Filters": filters, "MaxResults": 1000, "IncludeManagedResources": True}
        self.says(INTERFACES, asked, NetworkInterfaces=list(interfaces))
        if interfaces:
            types = ["global_accelerator_managed", "network_load_balancer"]
            filters = [{"Name": "interface-type", "Values": types}]
            self.says(INTERFACES, asked | {"Filters": filters}, NetworkInterfaces=[])

    def paths(self) -> None:
        """The next calls find no route table, no network ACL, and no blocked public access."""
        self.says("describe_route_tables", {"MaxResults": 100}, RouteTables=[])
        self.says("describe_network_acls", {"MaxResults": 1000}, NetworkAcls=[])
        options = {"InternetGatewayBlockMode": "off", "State": "default-state"}
        operation = "describe_vpc_block_public_access_options"
        self.says(operation, {}, VpcBlockPublicAccessOptions=options)

    def scan(self, policy: Policy | None = None) -> Scan:
        """Scan the region, and see that every answer was asked for."""
        for add in self._last:
            add()
        result = scan_target(TARGET, Ec2Region(self.client), policy or Policy())
        self.stub.assert_no_pending_responses()
        return result


@pytest.fixture
def ec2() -> Iterator[Ec2]:
    """EC2 that has been told nothing."""
    script = Ec2()
    with script.stub:
        yield script


def rule(rule_id: str, source: str, port: int = 22, *, egress: bool = False) -> dict[str, Any]:
    """A rule on a tcp port of sg-1 as DescribeSecurityGroupRules answers it."""
    return {
        "SecurityGroupRuleId": rule_id,
        "GroupId": "sg-1",
        "IsEgress": egress,
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "CidrIpv4": source,
    }


def test_an_empty_region_is_read(ec2: Ec2) -> None:
    """No groups is an answer, and asks for nothing else."""
    ec2.groups()
    result = ec2.scan()
    assert (result.coverage.status, result.coverage.groups) == (CoverageStatus.OK, 0)
    assert result.findings == ()


def test_rule_ids_are_asked_for_open_groups_only(ec2: Ec2) -> None:
    """The ids of an open group's rules are in its finding; closed groups cost no call."""
    ec2.groups(
        answer(permission("tcp", 22, 22, WORLD, "10.0.0.0/8")),
        answer(permission("tcp", 22, 22, "10.0.0.0/8"), group_id="sg-2"),
    )
    ec2.rules(
        rule("sgr-out", WORLD, egress=True),
        rule("sgr-private", "10.0.0.0/8"),
        rule("sgr-0a", WORLD),
        of=["sg-1"],
    )
    (finding,) = ec2.scan().findings
    assert finding.rule_ids == ("sgr-0a",)
    assert finding.fix == (
        "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1 "
        "--security-group-rule-ids sgr-0a"
    )


def test_every_page_is_read(ec2: Ec2) -> None:
    """Groups on a second page count like those on the first."""
    first, second = answer(group_id="sg-1"), answer(group_id="sg-2")
    ec2.says(GROUPS, {"MaxResults": 500}, SecurityGroups=[first], NextToken="more")
    ec2.says(GROUPS, {"MaxResults": 500, "NextToken": "more"}, SecurityGroups=[second])
    assert ec2.scan().coverage.groups == 2


def test_more_open_groups_than_a_filter_takes(ec2: Ec2) -> None:
    """Rule ids are asked for 200 groups at a time."""
    ids = [f"sg-{number:03}" for number in range(201)]
    ec2.groups(*(answer(permission("tcp", 22, 22, WORLD), group_id=each) for each in ids))
    batches = [
        {"Filters": [{"Name": "group-id", "Values": batch}], "MaxResults": 1000}
        for batch in (ids[:200], ids[200:])
    ]
    for asked in batches:
        ec2.says(RULES, asked, SecurityGroupRules=[])
    for asked in batches:
        ec2.says(INTERFACES, asked | {"IncludeManagedResources": True}, NetworkInterfaces=[])
    assert len(ec2.scan().findings) == 201


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UnauthorizedOperation", CoverageStatus.DENIED),
        ("AccessDenied", CoverageStatus.DENIED),
        ("AuthFailure", CoverageStatus.DISABLED),
        ("OptInRequired", CoverageStatus.DISABLED),
        ("InternalError", CoverageStatus.FAILED),
    ],
)
def test_a_refusal_is_coverage(ec2: Ec2, code: str, status: CoverageStatus) -> None:
    """A region that may not be read says so, with AWS's own words."""
    ec2.refuses(GROUPS, code, "You are not\n authorized.")
    coverage = ec2.scan().coverage
    assert (coverage.status, coverage.error) == (status, f"{code}: You are not authorized.")


def test_what_was_read_before_a_failure_is_assessed(ec2: Ec2) -> None:
    """A failure on the second page leaves the findings of the first, and is said."""
    open_group = answer(permission("tcp", 22, 22, WORLD))
    ec2.says(GROUPS, {"MaxResults": 500}, SecurityGroups=[open_group], NextToken="more")
    ec2.refuses(GROUPS, "InternalError")
    ec2.rules(of=["sg-1"])
    result = ec2.scan()
    assert (result.coverage.status, result.coverage.groups) == (CoverageStatus.FAILED, 1)
    (finding,) = result.findings
    assert finding.severity is Severity.MEDIUM


def test_without_rule_ids_the_fix_names_the_rule(ec2: Ec2) -> None:
    """When the ids cannot be read the finding stays, and its fix revokes the exact rule."""
    ec2.groups(answer(permission("tcp", 22, 22, WORLD, "10.0.0.0/8")))
    ec2.refuses(RULES, "UnauthorizedOperation")
    ec2.interfaces(of=["sg-1"])
    result = ec2.scan()
    assert result.coverage.status is CoverageStatus.DENIED
    (finding,) = result.findings
    assert finding.rule_ids == ()
    assert finding.fix == (
        "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1 "
        '--ip-permissions \'[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, '
        '"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]\''
    )


def test_an_answer_without_sense_is_coverage(ec2: Ec2) -> None:
    """An interface without an id is a failure of the region, with a sentence."""
    ec2.groups(answer(permission("tcp", 22, 22, WORLD)))
    ec2.says(RULES, ANY, SecurityGroupRules=[])
    asked = ANY | {"IncludeManagedResources": True}
    ec2.says(INTERFACES, asked, NetworkInterfaces=[{"Description": "web"}])
    coverage = ec2.scan().coverage
    assert coverage.status is CoverageStatus.FAILED
    assert coverage.error == (
        "a network interface must have a NetworkInterfaceId, got {'Description': 'web'}."
    )


def test_an_answer_without_groups_is_coverage(ec2: Ec2) -> None:
    """An answer that lacks its list is no empty list."""
    ec2.says(GROUPS, {"MaxResults": 500})
    coverage = ec2.scan().coverage
    assert coverage.status is CoverageStatus.FAILED
    assert (
        coverage.error == "describe_security_groups must answer with SecurityGroups, and did not."
    )


def test_several_failures_are_all_said(ec2: Ec2) -> None:
    """What was denied and what failed are both in the coverage, which failed."""
    ec2.groups(answer(permission("tcp", 22, 22, WORLD)))
    ec2.refuses(RULES, "UnauthorizedOperation")
    ec2.refuses(INTERFACES, "InternalError")
    coverage = ec2.scan().coverage
    assert coverage.status is CoverageStatus.FAILED
    assert coverage.error == "InternalError: No. UnauthorizedOperation: No."


def test_a_region_out_of_reach_is_coverage() -> None:
    """No answer at all is a failure, not an exception."""

    class Unreachable:
        meta = boto3.client("ec2", region_name="us-east-1").meta

        def get_paginator(self, _operation: str) -> None:
            raise ReadTimeoutError(endpoint_url="https://ec2.example.com")

    coverage = scan_target(TARGET, Ec2Region(Unreachable()), Policy()).coverage
    assert coverage.status is CoverageStatus.FAILED
    assert coverage.error == 'Read timeout on endpoint URL: "https://ec2.example.com".'


def lists(*ids: str) -> dict[str, Any]:
    """What is asked to learn who owns some lists."""
    return {"Filters": [{"Name": "prefix-list-id", "Values": list(ids)}], "MaxResults": 100}


def test_lists_are_read_once(ec2: Ec2) -> None:
    """A list that two groups name is asked for once, with all its pages."""
    open_by_list = permission("tcp", 22, 22, "pl-1")
    ec2.says(
        GROUPS,
        {"MaxResults": 500},
        SecurityGroups=[answer(open_by_list), answer(open_by_list, group_id="sg-2")],
    )
    ec2.says(LISTS, lists("pl-1"), PrefixLists=[{"PrefixListId": "pl-1", "OwnerId": "1"}])
    asked = {"PrefixListId": "pl-1", "MaxResults": 100}
    ec2.says(ENTRIES, asked, Entries=[{"Cidr": "0.0.0.0/1"}], NextToken="more")
    ec2.says(ENTRIES, asked | {"NextToken": "more"}, Entries=[{"Cidr": "128.0.0.0/1"}])
    ec2.rules(of=["sg-1", "sg-2"])
    findings = ec2.scan().findings
    assert [(each.group_id, each.reach, each.prefix_lists) for each in findings] == [
        ("sg-1", "world", ("pl-1",)),
        ("sg-2", "world", ("pl-1",)),
    ]


def test_lists_of_aws_are_not_the_internet(ec2: Ec2) -> None:
    """The list of a known service opens nothing, and its entries are not even read."""
    ec2.groups(answer(permission("tcp", 443, 443, "pl-1")))
    s3 = {"PrefixListId": "pl-1", "OwnerId": "AWS", "PrefixListName": "com.amazonaws.eu-west-1.s3"}
    ec2.says(LISTS, lists("pl-1"), PrefixLists=[s3])
    assert ec2.scan().findings == ()


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        pytest.param("UnauthorizedOperation", "UnauthorizedOperation: No.", id="denied"),
        pytest.param([{"Cidr": "any"}], "'any' is not a CIDR, for example", id="nonsense"),
    ],
)
def test_an_unreadable_list_is_a_finding(
    ec2: Ec2, entries: str | list[dict[str, str]], error: str
) -> None:
    """Ports that a list opens which cannot be read are reported with list and error."""
    ec2.groups(answer(permission("tcp", 22, 22, "pl-1")))
    ec2.says(LISTS, lists("pl-1"), PrefixLists=[{"PrefixListId": "pl-1", "OwnerId": "1"}])
    if isinstance(entries, str):
        ec2.refuses(ENTRIES, entries)
    else:
        ec2.says(ENTRIES, {"PrefixListId": "pl-1", "MaxResults": 100}, Entries=entries)
    ec2.rules(of=["sg-1"])
    (finding,) = ec2.scan().findings
    assert (finding.kind, finding.reach) == (Kind.UNREADABLE, "unknown")
    assert (finding.detail or "").startswith(f"prefix list pl-1 could not be read: {error}")


def test_a_list_that_is_gone_is_a_finding(ec2: Ec2) -> None:
    """A list that the account does not know is not an empty one."""
    ec2.groups(answer(permission("tcp", 22, 22, "pl-1")))
    ec2.says(LISTS, lists("pl-1"), PrefixLists=[])
    ec2.rules(of=["sg-1"])
    (finding,) = ec2.scan().findings
    assert finding.detail == (
        "prefix list pl-1 could not be read: "
        "this account has no such list, and none is shared with it."
    )


def test_lists_that_may_not_be_described_are_findings(ec2: Ec2) -> None:
    """Without the right to describe lists every one of them is unreadable."""
    ec2.groups(answer(permission("tcp", 22, 22, "pl-1", "pl-2")))
    ec2.refuses(LISTS, "UnauthorizedOperation")
    ec2.rules(of=["sg-1"])
    assert [each.kind for each in ec2.scan().findings] == [Kind.UNREADABLE, Kind.UNREADABLE]


def test_malformed_rules_are_findings(ec2: Ec2) -> None:
    """A rule that makes no sense is reported as high, with what is wrong."""
    ec2.groups(answer(permission("tcp", 30, 20, WORLD)))
    ec2.rules(of=["sg-1"])
    (finding,) = ec2.scan().findings
    assert (finding.kind, finding.severity) == (Kind.MALFORMED, Severity.HIGH)
    assert finding.detail == "tcp ports must be 0 to 65535 in order, got 30 to 20."


def test_trusted_sources_open_nothing(ec2: Ec2) -> None:
    """The policy's trusted ranges are no strangers."""
    ec2.groups(answer(permission("tcp", 22, 22, "8.8.8.0/24")))
    assert ec2.scan(Policy(trusted_cidrs=("8.8.0.0/16",))).findings == ()


@pytest.mark.parametrize(
    ("fields", "attachment", "has_public_address"),
    [
        pytest.param(
            {"Association": {"PublicIp": "52.0.0.1"}}, "internet-facing", True, id="elastic"
        ),
        pytest.param(
            {"PrivateIpAddresses": [{"Association": {"PublicIp": "52.0.0.1"}}]},
            "internet-facing",
            True,
            id="second-address",
        ),
        pytest.param(
            {"Ipv6Addresses": [{"Ipv6Address": "2600:1f00::1"}]}, "internal", True, id="ipv6-only"
        ),
        pytest.param(
            {"Ipv6Addresses": [{"Ipv6Address": "fd00::1"}]}, "internal", False, id="local-ipv6"
        ),
        pytest.param({"PrivateIpAddresses": [{}]}, "internal", False, id="private"),
    ],
)
def test_the_attachment_is_the_interfaces(
    ec2: Ec2, fields: dict[str, Any], attachment: str, *, has_public_address: bool
) -> None:
    """A public address of the rule's family makes a group face the internet."""
    ec2.groups(answer(permission("tcp", 22, 22, WORLD)))
    ec2.says(RULES, ANY, SecurityGroupRules=[])
    interface = {"NetworkInterfaceId": "eni-1", "Groups": [{"GroupId": "sg-1"}], **fields}
    ec2.interfaces(interface, of=["sg-1"])
    if has_public_address:
        ec2.paths()
    (finding,) = ec2.scan().findings
    assert (finding.attachment, finding.interfaces) == (attachment, ("eni-1",))


def test_a_group_on_no_interface_is_unattached(ec2: Ec2) -> None:
    """When interfaces could be read and none has the group, it is attached to nothing."""
    ec2.groups(answer(permission("tcp", 22, 22, WORLD)))
    ec2.rules(of=["sg-1"])
    (finding,) = ec2.scan().findings
    assert finding.attachment == "unattached"


def test_interfaces_that_may_not_be_read_are_said(ec2: Ec2) -> None:
    """Without the right to read interfaces the attachment is unknown, and the region not read."""
    ec2.groups(answer(permission("tcp", 22, 22, WORLD)))
    ec2.says(RULES, ANY, SecurityGroupRules=[])
    ec2.refuses(INTERFACES, "UnauthorizedOperation")
    result = ec2.scan()
    assert result.coverage.status is CoverageStatus.DENIED
    assert result.findings[0].attachment == "unknown"


def test_each_fault_of_a_rule_is_a_finding_of_its_own(ec2: Ec2) -> None:
    """Two sources that make no sense are two findings with two ids."""
    ec2.groups(answer(permission("tcp", 22, 22, "x", "y")))
    ec2.rules(of=["sg-1"])
    assert len({finding.id for finding in ec2.scan().findings}) == 2


def test_malformed_icmp_has_no_ports(ec2: Ec2) -> None:
    """An icmp type that does not exist is no port."""
    ec2.groups(answer(permission("icmp", 256, -1, WORLD)))
    ec2.rules(of=["sg-1"])
    (finding,) = ec2.scan().findings
    assert (finding.traffic.from_port, finding.traffic.to_port) == (None, None)
