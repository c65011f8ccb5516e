"""The digest as text and as HTML."""

from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from typing import Any

import pytest

from handler import VERSION
from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.model.finding import Kind, Severity, Status
from handler.model.run import Changes, PolicyException, Report, Trigger
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from handler.report import phrases
from handler.report.digest import DigestKind, build_digest
from handler.report.html import render_html
from handler.report.text import render_text
from tests.support import reports
from tests.support.html_page import Page
from tests.support.security_groups import answer, permission

WORLD = "0.0.0.0/0"
SSH = answer(permission("tcp", 22, 22, WORLD)) | {
    "Tags": [{"Key": "owner", "Value": "shop team"}, {"Key": "Name", "Value": "x"}]
}
INSTANCE = {
    "NetworkInterfaceId": "eni-1",
    "Groups": [{"GroupId": "sg-1"}],
    "Attachment": {"InstanceId": "i-1"},
    "Association": {"PublicIp": "8.8.8.8"},
}
SSH_RULE = {
    "SecurityGroupRuleId": "sgr-1",
    "GroupId": "sg-1",
    "IpProtocol": "tcp",
    "FromPort": 22,
    "ToPort": 22,
    "CidrIpv4": WORLD,
}


ENDING = PolicyException("sg-1", "tcp/22", Traffic("tcp", 22, 22), "a", "b", date(2026, 11, 25))
# All addresses but one.
ALMOST = [str(network) for network in IPv4Network(WORLD).address_exclude(IPv4Network("8.8.8.8/32"))]


def as_text(report: Report, policy: Policy | None = None) -> str:
    """The text part of the digest."""
    if policy:
        report = replace(report, minimum_severity=policy.minimum_severity)
    return render_text(build_digest(report))


def test_a_finding_as_text() -> None:
    """The text has place, group, traffic, sources, rules, reason and the command that closes it."""
    read = reports.read(SSH, SecurityGroupRules=[SSH_RULE], NetworkInterfaces=[INSTANCE])
    assert as_text(reports.of(read)) == (
        "1 critical in 1 region.\n"
        "First: close tcp/22 (SSH) from the whole IPv4 internet on web (sg-1) in eu-west-1.\n"
        "\n"
        "CRITICAL: 1\n"
        "  web (sg-1)  eu-west-1 / 123456789012\n"
        "    attached: internet-facing: instance i-1, 8.8.8.8\n"
        "    owner: shop team\n"
        "    console: https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1"
        "#SecurityGroup:groupId=sg-1\n"
        "    - tcp/22 (SSH) from the whole IPv4 internet\n"
        "      sources: 0.0.0.0/0\n"
        "      rules: sgr-1\n"
        "      why: Critical: SSH is open to the internet (EC2.19, CIS); the interface has the "
        "public address 8.8.8.8.\n"
        "      close: aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1 "
        "--security-group-rule-ids sgr-1\n"
        "      and let one range in instead: aws ec2 authorize-security-group-ingress "
        "--region eu-west-1 --group-id sg-1 --ip-permissions "
        """'[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, """
        """"IpRanges": [{"CidrIp": "YOUR-RANGE"}]}]'\n"""
        "\n"
        "WHAT WAS READ\n"
        "  eu-west-1 / 123456789012  ok, groups 1, rules 1\n"
        "\n"
        "Audit of stack dev, started by its schedule at 2026-11-23T06:00:00Z, took 7 seconds, "
        f"run run-1, security-group-audit {VERSION}.\n"
    )


def test_nothing_open_lists_the_coverage() -> None:
    """Without findings the text lists the regions that were read."""
    text = as_text(reports.of(reports.read(answer()), trigger=Trigger.MANUAL))
    assert text.startswith(
        "Nothing found open in 1 region.\nThere is nothing to do.\n\nWHAT WAS READ\n  eu-west-1"
    )
    assert "started by hand" in text


def test_unread_targets_come_first() -> None:
    """A region that could not be read is in the subject and above all findings."""
    digest = build_digest(reports.of(reports.read(SSH), reports.DENIED))
    assert digest.subject == "[security groups] dev: 1 critical in 1 region, 1 region not read"
    body = render_text(digest)
    failure = "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>."
    assert body.index("NOT READ") < body.index(failure) < body.index("CRITICAL")


def test_the_subject_always_has_the_changes() -> None:
    """Where not all fits, the lowest severities are left out rather than the number of changes."""
    ports = {"tcp": (22, 9, 443), "icmp": (5,)}
    permissions = [
        permission(name, port, port, WORLD) for name, numbers in ports.items() for port in numbers
    ]
    read = reports.read(answer(*permissions))
    long = build_digest(reports.of(read, reports.DENIED, stack="a" * 24, previous=after_a_run()))
    assert long.subject == (
        "[security groups] aaaaaaaaaaaaaaaaaaaaaaaa: 1 critical in 1 region, 1 not read (4 new)"
    )
    short = build_digest(reports.of(read, stack="prod", previous=after_a_run()))
    assert short.subject == (
        "[security groups] prod: 1 critical, 1 high, 1 medium, 1 low in 1 region (4 new)"
    )
    middle = build_digest(reports.of(read, stack="production-europe", previous=after_a_run()))
    assert middle.subject == (
        "[security groups] production-europe: 1 critical, 1 high, 1 medium in 1 region (4 new)"
    )
    assert middle.headline == "1 critical, 1 high, 1 medium, 1 low in 1 region (4 new)."


def test_the_longest_subject_has_the_changes() -> None:
    """Numbers of five digits and a long stack name leave room for worst severity and changes."""
    report = reports.of(reports.read(SSH), stack="b" * 99, previous=after_a_run())
    (finding,) = report.findings
    resolved = replace(finding, status=Status.RESOLVED)
    unread = replace(finding, kind=Kind.UNREADABLE, status=Status.REOPENED)
    many = replace(
        report,
        findings=(finding,) * 12_345 + (resolved,) * 12_345 + (unread,) * 12_345,
        coverage=report.coverage + (reports.DENIED.coverage,) * 1_234,
    )
    assert build_digest(many, max_findings=1).subject == (
        "[security groups] bbbbbbbbbbbbb...: 24,690 critical, 13,579 not read (37,035 changes)"
    )


@pytest.mark.parametrize(
    ("policy", "opened", "headline"),
    [
        pytest.param({}, None, "Nothing found open in 1 region.", id="nothing"),
        pytest.param({}, "5.0.0.0/24", "Nothing above info found open in 1 region.", id="info"),
        pytest.param(
            {"authorizedPorts": ["tcp/22"]},
            WORLD,
            "Nothing found open but what is accepted in 1 region.",
            id="authorized",
        ),
        pytest.param(
            {
                "exceptions": [
                    {"group": "web", "ports": "tcp/22", "reason": "a", "owner": "b"}
                    | {"until": "2027-01-01"}
                ]
            },
            WORLD,
            "Nothing found open but what is accepted in 1 region.",
            id="excepted",
        ),
    ],
)
def test_the_headline_of_a_report_without_listed_findings(
    policy: dict[str, Any], opened: str | None, headline: str
) -> None:
    """It distinguishes nothing found, only info findings and only accepted ones."""
    group = answer(permission("tcp", 22, 22, opened)) if opened else answer()
    report = reports.of(reports.read(group), policy=Policy.parse(policy))
    assert build_digest(report).headline == headline


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"ending": (ENDING,)}, "nothing found open in 1 region (1 exception ending)"),
        ({"ending": (ENDING, ENDING)}, "nothing found open in 1 region (2 exceptions ending)"),
        ({"regained": (reports.IRELAND,)}, "nothing found open in 1 region (1 read again)"),
        ({"left_out": (reports.IRELAND,)}, "nothing found open in 1 region (1 left out)"),
    ],
)
def test_the_subject_names_changes_other_than_findings(
    changes: dict[str, Any], subject: str
) -> None:
    """Ending exceptions and changed coverage are in the subject if no finding has changed."""
    report = replace(reports.of(reports.read(answer())), changes=Changes(**changes))
    assert build_digest(report).subject == f"[security groups] dev: {subject}"


def test_expiring_exceptions_give_the_advice() -> None:
    """If nothing worse is open, the advice is to renew them."""
    ends = {"group": "web", "ports": "tcp/22", "reason": "a", "owner": "b", "until": "2026-11-25"}
    report = reports.of(reports.read(SSH), policy=Policy.parse({"exceptions": [ends]}))
    assert build_digest(report).advice == (
        "First: renew the exceptions that expire soon, or close what they accept."
    )


@pytest.mark.parametrize(("group", "until"), [("gone", "2027-01-01"), ("web", "2026-11-01")])
def test_unused_and_expired_exceptions_give_the_advice(group: str, until: str) -> None:
    """If nothing else is listed, the advice is to look at them."""
    left = {"group": group, "ports": "tcp/22", "reason": "a", "owner": "b", "until": until}
    harmless = answer(permission("icmp", 8, -1, WORLD))
    report = reports.of(reports.read(harmless), policy=Policy.parse({"exceptions": [left]}))
    assert build_digest(report).advice == (
        "First: look at the exceptions that have run out or match nothing."
    )


def test_the_advice_prefers_exposures_to_unreadable_findings() -> None:
    """The advice names an exposure unless an unreadable finding is more severe."""
    unknown = answer(permission("tcp", 22, 22, "pl-1"))
    known = answer(permission("tcp", 3389, 3389, WORLD), group_id="sg-2")
    first = "First: find out whom tcp/22 (SSH) is open to on web (sg-1) in eu-west-1."
    advice = build_digest(reports.of(reports.read(unknown))).advice
    assert advice == first
    advice = build_digest(reports.of(reports.read(unknown, known))).advice
    assert advice.startswith(
        "First: close tcp/3389 (RDP) from the whole IPv4 internet on web (sg-2)"
    )
    low = answer(permission("tcp", 443, 443, WORLD), group_id="sg-2")
    assert build_digest(reports.of(reports.read(unknown, low))).advice == first


def test_the_advice_names_the_worst_open_finding() -> None:
    """It does so in a digest of changes that does not list that finding."""
    web = answer(permission("tcp", 443, 443, WORLD), group_id="sg-2")
    first = reports.of(reports.read(SSH), previous=LedgerState())
    before = next_state(None, first, Policy(), DigestKind.FULL)
    report = reports.of(reports.read(SSH, web), previous=before)
    digest = build_digest(report, kind=DigestKind.CHANGES)
    assert [section.severity for section in digest.sections] == ["low"]
    assert digest.advice.startswith(
        "First: close tcp/22 (SSH) from the whole IPv4 internet on web "
    )


def test_an_interface_with_a_public_address_is_listed_first() -> None:
    """It is listed however many interfaces there are, with its description cut to 80 characters."""
    inside = [{"NetworkInterfaceId": f"eni-{n}", "Groups": [{"GroupId": "sg-1"}]} for n in range(9)]
    outside = {
        "NetworkInterfaceId": "eni-9",
        "Groups": [{"GroupId": "sg-1"}],
        "Description": "x" * 255,
        "Association": {"PublicIp": "52.9.9.9"},
    }
    text = as_text(reports.of(reports.read(SSH, NetworkInterfaces=[*inside, outside])))
    assert f"attached: internet-facing: {'x' * 80}, 52.9.9.9, eni-0, eni-1 and 7 more\n" in text


def test_redundant_rules_are_listed() -> None:
    """Rules that stay open after the command are listed with the finding."""
    rules = [
        permission("tcp", 0, 65535, WORLD),
        permission("tcp", 22, 22, WORLD, "8.8.8.0/24", "10.0.0.0/8"),
        permission("udp", 53, 53, WORLD),
    ]
    text = as_text(reports.of(reports.read(answer(*rules), SecurityGroupRules=[SSH_RULE])))
    assert (
        "tcp, all ports (SSH, RDP and 88 more on 65,536 ports) from the whole IPv4 internet; "
        "other rules open it too, or a part of it: tcp/22 from 0.0.0.0/0 (sgr-1), "
        "tcp/22 from 8.8.8.0/24\n"
    ) in text
    assert "udp/53 (DNS) from the whole IPv4 internet\n" in text


def test_a_share_below_all_is_not_rounded_to_100_percent() -> None:
    """All addresses but one are less than 100%."""
    read = reports.read(answer(permission("tcp", 22, 22, *ALMOST)))
    assert "from 99.99% of the IPv4 internet" in as_text(reports.of(read))


def after_a_run() -> LedgerState:
    """What is known after a run that found nothing."""
    empty = reports.of(reports.read(answer()), previous=LedgerState())
    return next_state(None, empty, Policy(), DigestKind.FULL)


def test_the_headline_if_nothing_could_be_read() -> None:
    """If no region could be read, the subject says so."""
    digest = build_digest(reports.of(reports.DENIED, stack=None))
    assert digest.subject == "[security groups] nothing could be read in 1 region"


def test_findings_below_the_minimum_severity_are_counted() -> None:
    """They are not listed, and their number is given."""
    report = reports.of(reports.read(answer(permission("icmp", 8, -1, WORLD))))
    text = as_text(report)
    assert "INFO" not in text
    assert "Below low and therefore not listed: 1 finding.\n" in text
    assert "INFO: 1\n" in as_text(report, Policy(minimum_severity=Severity.INFO))


def test_the_worst_findings_are_listed() -> None:
    """At most max_findings are listed, the worst; the number of the others is given."""
    groups = [answer(permission("tcp", 9, 9, WORLD), group_id=f"sg-{n:03}") for n in range(101)]
    text = render_text(build_digest(reports.of(reports.read(*groups, SSH)), max_findings=100))
    assert text.index("CRITICAL: 1") < text.index("HIGH: 101")
    assert text.count("      close:") == 100
    assert (
        "and 2 more findings, none worse than the last one above: see the report as CSV.\n"
    ) in text


def test_html_has_the_phrases_of_the_text() -> None:
    """Headline, failures, findings and the last line are in the page."""
    read = reports.read(SSH, SecurityGroupRules=[SSH_RULE])
    digest = build_digest(reports.of(read, reports.DENIED))
    page = Page(render_html(digest))
    for phrase in (
        "1 critical in 1 region, 1 region not read.",
        "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.",
        "tcp/22 (SSH) from the whole IPv4 internet",
        "web (sg-1) eu-west-1 / 123456789012",
        "owner:  shop team",
        "--security-group-rule-ids sgr-1",
        "Audit of stack dev, started by its schedule",
    ):
        assert phrase in page.text


HOSTILE = "<script>alert(1)</script>\x1b[31m\r\nBcc: x@example.com\u202e"


def test_hostile_names_do_no_harm() -> None:
    """A group's name adds no markup, header, terminal command or text direction."""
    digest = build_digest(
        reports.of(
            reports.read(answer(permission("tcp", 22, 22, WORLD), name=HOSTILE)), stack=HOSTILE
        )
    )
    assert "script" not in Page(render_html(digest)).tags
    for form in (
        digest.subject,
        render_text(digest).replace("\n", ""),
        render_html(digest).replace("\n", ""),
    ):
        assert form.isprintable()


def test_a_hostile_id_is_quoted_in_the_command() -> None:
    """An id with shell characters is one quoted argument."""
    text = as_text(
        reports.of(reports.read(answer(permission("tcp", 22, 22, WORLD), group_id="sg-1; reboot")))
    )
    assert "--group-id 'sg-1; reboot' --" in text


@pytest.mark.parametrize(
    ("traffic", "phrase"),
    [
        (Traffic("all"), "all traffic"),
        (Traffic("tcp", 0, 65535), "tcp, all ports"),
        (Traffic("tcp", 20, 25), "tcp/20-25"),
        (Traffic("icmp"), "icmp"),
        (Traffic("icmp", icmp_type=3), "icmp type 3"),
        (Traffic("icmp", icmp_type=3, icmp_code=4), "icmp type 3 code 4"),
        (Traffic("50"), "protocol 50"),
    ],
)
def test_the_phrase_for_traffic(traffic: Traffic, phrase: str) -> None:
    """Every kind of traffic has a short phrase."""
    assert phrases.traffic(traffic, None) == phrase


@pytest.mark.parametrize(
    ("source", "phrase"),
    [
        ("0.0.0.0/1", "tcp/22 (SSH) from 56.53% of the IPv4 internet"),
        ("8.8.8.8/32", "tcp/22 (SSH) from 1 public address (IPv4)"),
        ("2600::/100", "tcp/22 (SSH) from 268,435,456 public addresses (IPv6)"),
    ],
)
def test_the_phrase_for_reach(source: str, phrase: str) -> None:
    """Less than the whole internet is a percentage or a number of addresses."""
    group = answer(permission("tcp", 22, 22, source))
    assert phrase in as_text(reports.of(reports.read(group)), Policy(Severity.INFO))


def test_a_malformed_rule_has_its_reason() -> None:
    """A malformed rule is listed with its reason and without a command."""
    text = as_text(reports.of(reports.read(answer(permission("tcp", 30, 20, WORLD)))))
    assert (
        "    - tcp/30-20 from sources that could not be judged; "
        "tcp ports must be 0 to 65535 in order, got 30 to 20.\n"
    ) in text
    assert "close:" not in text


def test_long_lists_of_sources_are_cut() -> None:
    """Ten sources are listed, the rest are counted."""
    sources = [f"8.0.{number}.0/32" for number in range(12)]
    group = answer(permission("tcp", 22, 22, *sources))
    text = as_text(reports.of(reports.read(group)), Policy(Severity.INFO))
    assert "8.0.8.0/32, 8.0.9.0/32 and 2 more\n" in text


def test_a_joint_finding_names_groups_and_interface() -> None:
    """Both groups are in the heading, the interface is below it."""
    halves = [
        answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1"),
        answer(permission("tcp", 22, 22, "128.0.0.0/1"), group_id="sg-2"),
    ]
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    interfaces = [{"NetworkInterfaceId": "eni-1", "Groups": groups}]
    text = as_text(reports.of(reports.read(*halves, NetworkInterfaces=interfaces)))
    assert (
        "  web (sg-1) together with web (sg-2)  eu-west-1 / 123456789012\n"
        "    attached: internal: eni-1\n"
    ) in text
    assert "    - tcp/22 (SSH) from the whole IPv4 internet\n" in text


def test_a_joint_finding_has_the_owners_of_all_groups() -> None:
    """The joint finding has its own heading after all findings of its first group."""
    owners = [{"Tags": [{"Key": "Owner", "Value": ""}, {"Key": "owner", "Value": v}]} for v in "ab"]
    odd_ports = [permission("tcp", port, port, WORLD) for port in (9, 11)]
    groups = [
        answer(*odd_ports, permission("tcp", 10, 10, "0.0.0.0/1"), group_id="sg-1") | owners[0],
        answer(permission("tcp", 10, 10, "128.0.0.0/1"), group_id="sg-2", name=" ") | owners[1],
    ]
    members = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    interfaces = [{"NetworkInterfaceId": "eni-1", "Groups": members}]
    digest = build_digest(reports.of(reports.read(*groups, NetworkInterfaces=interfaces)))
    assert [group.name for group in digest.sections[0].groups] == [
        "web (sg-1)",
        "web (sg-1) together with sg-2",
    ]
    assert [dict(group.facts)["owner"] for group in digest.sections[0].groups] == ["a", "a, b"]


def test_a_long_command_is_not_cut() -> None:
    """A command for 32 rules has the ids of all of them."""
    known = [
        SSH_RULE | {"SecurityGroupRuleId": f"sgr-{n:017}", "CidrIpv4": source}
        for n, source in enumerate(ALMOST)
    ]
    group = answer(permission("tcp", 22, 22, *(str(rule["CidrIpv4"]) for rule in known)))
    report = reports.of(reports.read(group, SecurityGroupRules=known))
    (command,) = [line for line in as_text(report).splitlines() if "      close: aws " in line]
    assert command.endswith(" ".join(sorted(report.findings[0].rule_ids)))


def test_an_unreadable_list_is_always_listed() -> None:
    """It is in the headline and listed, even below the minimum severity."""
    group = answer(permission("icmp", 8, -1, "pl-1"))
    text = as_text(reports.of(reports.read(group)), Policy(minimum_severity=Severity.CRITICAL))
    assert text.startswith("Nothing above info found open in 1 region, 1 source not read.\n")
    assert "prefix list pl-1 could not be read" in text
