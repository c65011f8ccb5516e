"""What people read beside a severity: managers, twins, parts, order, names and commands."""

from typing import Any

import pytest

from handler.model.attachment import Attachment
from handler.model.finding import Finding, Severity, as_openings
from handler.model.traffic import Traffic
from handler.report.json_report import finding_to_json
from tests.support.network import (
    ACCOUNT,
    OTHER_ACCOUNT,
    PUBLIC_IPV4,
    PUBLIC_IPV6,
    SSH,
    WORLD,
    WORLD_V6,
    finding_on,
    interface,
    load_balancer,
    scan_snapshot,
    snapshot,
)
from tests.support.security_groups import answer, permission

Answer = dict[str, Any]
PUBLIC = interface(public=PUBLIC_IPV4, ipv6=PUBLIC_IPV6)


@pytest.mark.parametrize(
    ("fields", "manager"),
    [
        pytest.param(
            {"Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "shop-prod"}]},
            "CloudFormation stack shop-prod",
            id="stack",
        ),
        *(
            pytest.param({"Tags": [{"Key": key, "Value": value}]}, "shop", id=key)
            for key, value in (
                ("elbv2.k8s.aws/cluster", "shop"),
                ("aws:eks:cluster-name", "shop"),
                ("kubernetes.io/cluster/shop", "owned"),
            )
        ),
        pytest.param({"Tags": [{"Key": "Name", "Value": "shop-prod"}]}, None, id="another-tag"),
        pytest.param(
            {"Tags": [{"Key": "kubernetes.io/cluster/shop", "Value": "shared"}]},
            None,
            id="shared-with-a-cluster",
        ),
        pytest.param({}, None, id="no-tags"),
    ],
)
def test_managed_by(fields: Answer, manager: str | None) -> None:
    """The tags of a stack or a controller say who manages the group, in JSON too."""
    finding = finding_on(snapshot(PUBLIC, groups=(SSH | fields,)))
    managed_by = finding_to_json(finding)["managedBy"]
    assert managed_by == finding.managed_by
    assert (manager or "") in (managed_by or "")
    assert (managed_by is None) == (manager is None)


@pytest.mark.parametrize(
    ("description", "is_managed"),
    [
        pytest.param("kubernetes.io/rule/nlb/client=a1b2", True, id="controller"),
        pytest.param("see kubernetes.io/rule/nlb", False, id="mentions-it-only"),
        pytest.param("office", False, id="another"),
    ],
)
def test_managed_by_a_controller(description: str, is_managed: bool) -> None:  # noqa: FBT001
    """A Kubernetes controller describes its rules in its own way."""
    opened = permission("tcp", 22, 22)
    opened["IpRanges"] = [{"CidrIp": WORLD, "Description": description}]
    finding = finding_on(snapshot(PUBLIC, groups=(answer(opened),)))
    assert ("Kubernetes" in (finding.managed_by or "")) == is_managed


@pytest.mark.parametrize(
    ("permissions", "lines"),
    [
        pytest.param([(22, WORLD), (22, WORLD_V6)], 1, id="both-families"),
        pytest.param([(22, WORLD), (23, WORLD_V6)], 2, id="other-port"),
        pytest.param([(22, WORLD), (22, "2600::/32")], 2, id="other-severity"),
        pytest.param([(22, WORLD)], 1, id="one-family"),
    ],
)
def test_twins(permissions: list[tuple[int, str]], lines: int) -> None:
    """The same opening for IPv4 and IPv6 is two findings with two ids, and one line."""
    opened = [permission("tcp", port, port, source) for port, source in permissions]
    findings = scan_snapshot(snapshot(PUBLIC, groups=(answer(*opened),)))
    openings = as_openings(findings)
    assert len({finding.id for finding in findings}) == len(permissions)
    assert len(openings) == lines
    assert sum(len(opening.findings) for opening in openings) == len(permissions)


def test_twins_of_two_groups() -> None:
    """The same port in two groups is two openings."""
    other = answer(permission("tcp", 22, 22, WORLD_V6), group_id="sg-2")
    on_both = interface(public=PUBLIC_IPV4, ipv6=PUBLIC_IPV6, groups=("sg-1", "sg-2"))
    assert len(as_openings(scan_snapshot(snapshot(on_both, groups=(SSH, other))))) == 2


# 56 % of the internet is critical by itself, 44 % is high.
HALVES = (
    answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1", name="low"),
    answer(permission("tcp", 22, 22, "128.0.0.0/1"), group_id="sg-2", name="high"),
)
ON_BOTH = ("sg-1", "sg-2")


def test_parts() -> None:
    """What two groups open only together is one opening, and each half is a part of it."""
    together = interface(public=PUBLIC_IPV4, groups=ON_BOTH)
    findings = scan_snapshot(snapshot(together, groups=HALVES))
    (joint,) = (finding for finding in findings if finding.group_ids)
    assert (joint.severity, joint.reach) == ("critical", "world")
    assert [finding.part_of for finding in findings if finding is not joint] == [joint.id] * 2
    assert [opening.finding for opening in as_openings(findings)] == [joint]


def test_no_parts_on_different_interfaces() -> None:
    """Groups on different interfaces open nothing together."""
    apart = [
        interface(public=PUBLIC_IPV4),
        interface("eni-2", public="52.0.0.2", groups=("sg-2",)),
    ]
    findings = scan_snapshot(snapshot(*apart, groups=HALVES))
    assert [(finding.severity, finding.part_of) for finding in findings] == [
        ("critical", None),
        ("high", None),
    ]
    assert len(as_openings(findings)) == 2


def test_a_part_that_is_worse_elsewhere_is_counted() -> None:
    """A half that is more severe on another interface than the whole here is its own opening."""
    interfaces = [interface(groups=ON_BOTH), interface("eni-2", public=PUBLIC_IPV4)]
    findings = scan_snapshot(snapshot(*interfaces, groups=HALVES))
    worse = next(finding for finding in findings if finding.attachment == "internet-facing")
    assert (worse.severity, worse.part_of) == ("critical", None)
    assert as_openings(findings)[0].finding == worse


def test_quarters_that_are_half_together() -> None:
    """Two groups that let in a quarter each are critical together, and high alone."""
    quarters = (
        answer(permission("tcp", 22, 22, "0.0.0.0/2"), group_id="sg-1"),
        answer(permission("tcp", 22, 22, "64.0.0.0/2"), group_id="sg-2"),
    )
    together = interface(public=PUBLIC_IPV4, groups=ON_BOTH)
    assert scan_snapshot(snapshot(together, groups=quarters))[0].severity == "critical"


def example(**fields: Any) -> Finding:
    """A finding in the middle of every order, with other fields."""
    finding = finding_on(snapshot(PUBLIC))._replace(
        severity=Severity.HIGH,
        attachment=Attachment.BEHIND_LOAD_BALANCER,
        traffic=Traffic("tcp", 20, 30),
        share=0.5,
        first_seen="2026-05-01T00:00:00Z",
        group_name="mmm",
        id="mmm",
    )
    return finding._replace(**fields)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param(
            {"severity": Severity.CRITICAL, "attachment": Attachment.UNATTACHED}, {}, id="severity"
        ),
        pytest.param(
            {"attachment": Attachment.INTERNET_FACING, "traffic": Traffic("tcp", 22, 22)},
            {},
            id="internet-facing-before-traffic",
        ),
        pytest.param({"traffic": Traffic("all"), "share": 0.1}, {}, id="all-traffic-before-share"),
        pytest.param({"traffic": Traffic("tcp", 20, 90), "share": 0.1}, {}, id="wider-range"),
        pytest.param({}, {"traffic": Traffic("tcp", 22, 22)}, id="range-before-one-port"),
        pytest.param(
            {"share": 0.6, "first_seen": "2026-06-01T00:00:00Z"}, {}, id="share-before-age"
        ),
        pytest.param(
            {"first_seen": "2026-04-01T00:00:00Z", "group_name": "zzz"}, {}, id="age-before-place"
        ),
        pytest.param({"group_name": "aaa", "id": "zzz"}, {}, id="place-before-id"),
        pytest.param({"id": "zzz", "group_id": "sg-0"}, {}, id="group-before-id"),
    ],
)
def test_order(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    """Severity, path, breadth of traffic, share, age and place decide, in this order."""
    assert example(**earlier).sort_key < example(**later).sort_key


@pytest.mark.parametrize(
    ("fields", "attached"),
    [
        pytest.param(
            {
                "Description": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:attachment/1a2b3c4d",
                "TagSet": [
                    {"Key": "aws:ecs:clusterName", "Value": "shop"},
                    {"Key": "aws:ecs:serviceName", "Value": "web"},
                ],
            },
            "ECS task shop/web",
            id="ecs-service",
        ),
        pytest.param(
            {
                "Description": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:attachment/1a2b3c4d",
                "TagSet": [{"Key": "aws:ecs:clusterName", "Value": "shop"}],
            },
            "ECS task shop",
            id="ecs-task-alone",
        ),
        pytest.param(
            {"Description": f"arn:aws-cn:ecs:cn-north-1:{ACCOUNT}:attachment/1a2b3c4d"},
            "ECS task",
            id="ecs-without-tags",
        ),
        pytest.param(
            {
                "Attachment": {"InstanceId": "i-1"},
                "TagSet": [{"Key": "Name", "Value": "shop-web"}],
            },
            "instance i-1 (shop-web)",
            id="instance-with-a-name",
        ),
        pytest.param(
            {"Description": "ELB app/shop/50dc6c495c0c9188"}, "load balancer shop", id="balancer"
        ),
        pytest.param({"Description": "ELB shop"}, "load balancer shop", id="classic-balancer"),
        pytest.param(
            {"Description": "ElastiCache cache-001"}, "database cache-001", id="elasticache"
        ),
        pytest.param(
            {"TagSet": [{"Key": "Name", "Value": "shop-db"}]}, "shop-db", id="name-of-a-tag"
        ),
        pytest.param({}, "eni-1", id="nothing-known"),
    ],
)
def test_names(fields: Answer, attached: str) -> None:
    """What a group is attached to has the name by which people know it, never part of an ARN."""
    assert finding_on(snapshot(interface(**fields))).attached == (attached,)


@pytest.mark.parametrize(
    ("fields", "holders"),
    [
        pytest.param({}, ("eni-1",), id="interface"),
        pytest.param(
            {
                "Attachment": {"InstanceId": "i-1"},
                "TagSet": [{"Key": "Name", "Value": "i-2 (web)"}],
            },
            ("eni-1", "i-1"),
            id="instance",
        ),
        pytest.param({"Description": "instance i-1 (web)"}, ("eni-1",), id="no-instance"),
    ],
)
def test_the_ids_of_interfaces_and_instances(fields: Answer, holders: tuple[str, ...]) -> None:
    """They come from EC2 alone, never from a name or a description."""
    assert finding_on(snapshot(interface(**fields))).holders == holders


def test_name_of_a_network_load_balancer() -> None:
    """A network load balancer is known by its name."""
    balancer = load_balancer(groups=("sg-1",))
    assert finding_on(snapshot(balancer)).attached == (f"load balancer shop, {PUBLIC_IPV4}",)


OTHERS = SSH | {"OwnerId": OTHER_ACCOUNT, "GroupId": "sg-0"}


@pytest.mark.parametrize(
    ("account", "owners", "expected"),
    [
        pytest.param(None, [SSH, OTHERS, SSH | {"GroupId": "sg-2"}], ACCOUNT, id="most-groups"),
        pytest.param(
            None,
            [OTHERS, SSH, SSH | {"GroupId": "sg-2"}],
            ACCOUNT,
            id="most-groups-whatever-comes-first",
        ),
        pytest.param(OTHER_ACCOUNT, [SSH], OTHER_ACCOUNT, id="given"),
        pytest.param(None, [SSH | {"OwnerId": None}], "unknown", id="nobody-known"),
    ],
)
def test_account_of_a_snapshot(account: str | None, owners: list[Answer], expected: str) -> None:
    """Without an Account it is the owner that most groups share."""
    findings = scan_snapshot(snapshot(groups=tuple(owners), Account=account))
    assert {finding.target.account for finding in findings} == {expected}


def saved_rule(**fields: Any) -> Answer:
    """The rule of sg-1 that opens all TCP ports, as DescribeSecurityGroupRules answers it."""
    rule = {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IpProtocol": "tcp"}
    return {**rule, "FromPort": -1, "ToPort": -1, "CidrIpv4": WORLD, **fields}


@pytest.mark.parametrize(
    ("opened", "rules", "fix"),
    [
        pytest.param(("tcp", None, None), [], None, id="tcp-without-ports"),
        pytest.param(("udp", -1, -1), [], None, id="udp-with-minus-one"),
        pytest.param(
            ("tcp", None, None),
            [saved_rule()],
            "--security-group-rule-ids sgr-1",
            id="tcp-without-ports-by-id",
        ),
        pytest.param(("tcp", 0, 65535), [], '"FromPort": 0, "ToPort": 65535', id="every-port"),
        pytest.param(("-1", None, None), [], '"IpProtocol": "-1"', id="all-traffic"),
        pytest.param(("50", None, None), [], '"IpProtocol": "50"', id="protocol-without-ports"),
    ],
)
def test_command_for_rules_without_ports(
    opened: tuple[str, int | None, int | None], rules: list[Answer], fix: str | None
) -> None:
    """EC2 matches ports exactly: a TCP or UDP rule without them is revoked by its id only."""
    groups = (answer(permission(*opened, WORLD)),)
    finding = finding_on(snapshot(PUBLIC, groups=groups, SecurityGroupRules=rules))
    assert (finding.fix is None) == (fix is None)
    assert (fix or "") in (finding.fix or "")


def test_opening_by_another_rule_is_no_part() -> None:
    """What a rule opens that the joint command does not revoke is counted by itself."""
    lower = answer(
        permission("-1", None, None, "0.0.0.0/1"), permission("tcp", 22, 22, WORLD), group_id="sg-1"
    )
    upper = answer(permission("-1", None, None, "128.0.0.0/1"), group_id="sg-2")
    both = interface(groups=("sg-1", "sg-2"), public=PUBLIC_IPV4)
    findings = scan_snapshot(snapshot(both, groups=(lower, upper)))
    (ssh,) = (finding for finding in findings if finding.traffic == Traffic("tcp", 22, 22))
    assert ssh.part_of is None
    assert ssh in [opening.finding for opening in as_openings(findings)]


def test_name_tag_makes_no_lambda_interface() -> None:
    """Anybody may write a Name tag; only the description tells an old interface of Lambda's."""
    tags = [{"Key": "Name", "Value": "AWS Lambda VPC ENI"}]
    assert finding_on(snapshot(interface(TagSet=tags))).attachment is Attachment.INTERNAL


def test_malformed_group_of_a_load_balancer_may_be_open() -> None:
    """What a malformed rule lets in is not known, and so is what the load balancer passes on."""
    malformed = answer(permission("tcp", 30, 20, WORLD), group_id="sg-2")
    balancer = load_balancer(groups=("sg-2",))
    findings = scan_snapshot(snapshot(interface(), balancer, groups=(SSH, malformed)))
    (ssh,) = (finding for finding in findings if finding.group_id == "sg-1")
    assert ssh.attachment is Attachment.BEHIND_LOAD_BALANCER


def test_rule_for_a_service_within_a_known_range() -> None:
    """A rule for all NodePorts does not lower what a rule for one service among them opens."""
    service = permission("tcp", 30013, 30013, WORLD)
    node_ports = permission("tcp", 30000, 32767, WORLD)
    (alone,) = scan_snapshot(snapshot(PUBLIC, groups=(answer(service),)))
    (both,) = scan_snapshot(snapshot(PUBLIC, groups=(answer(service, node_ports),)))
    assert (alone.severity, both.severity) == (Severity.CRITICAL, Severity.CRITICAL)
    assert "SAP HANA" in both.why


def test_a_command_says_what_else_it_revokes() -> None:
    """A rule for more than the finding's ports also opens others."""
    wide = permission("tcp", 22, 443, "52.0.0.0/8")
    group = answer(permission("tcp", 22, 22, WORLD), wide)
    ssh, rest = scan_snapshot(snapshot(PUBLIC, groups=(group,)))
    assert (ssh.traffic, rest.traffic) == (Traffic("tcp", 22, 22), Traffic("tcp", 23, 443))
    assert rest.detail == "the command also revokes tcp/22-443 from 52.0.0.0/8"


def test_an_ipv6_address_opens_no_function_to_ipv4() -> None:
    """Functions in dual-stack subnets have one, and accept no connections."""
    finding = finding_on(snapshot(interface(ipv6=PUBLIC_IPV6, InterfaceType="lambda")))
    assert (finding.attachment, finding.severity) == (Attachment.NO_INBOUND, Severity.LOW)
