"""What the digest says, as text and as HTML."""

from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from typing import Any

import pytest

from handler import VERSION
from handler.ledger.reconcile import next_state
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


def test_a_finding_in_words() -> None:
    """The text says where, what, to whom, by which rule, and how to close it."""
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


def test_nothing_open_says_what_was_read() -> None:
    """A clean account is said with the regions that were read."""
    said = as_text(reports.of(reports.read(answer()), trigger=Trigger.MANUAL))
    assert said.startswith(
        "Nothing found open in 1 region.\nThere is nothing to do.\n\nWHAT WAS READ\n  eu-west-1"
    )
    assert "started by hand" in said


def test_what_was_not_read_comes_first() -> None:
    """A region that could not be read stands above all findings, and in the subject."""
    said = build_digest(reports.of(reports.read(SSH), reports.DENIED))
    assert said.subject == "[security groups] dev: 1 critical in 1 region, 1 region not read"
    body = render_text(said)
    failure = "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>."
    assert body.index("NOT READ") < body.index(failure) < body.index("CRITICAL")


def test_the_subject_has_room_for_the_change() -> None:
    """Where not all fits, the milder severities give way to what is new."""
    ports = {"tcp": (22, 9, 443), "icmp": (5,)}
    every = [permission(name, port, port, WORLD) for name, some in ports.items() for port in some]
    read = reports.read(answer(*every))
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


def test_the_longest_subject_still_has_the_change() -> None:
    """Numbers of five digits everywhere and a long name leave room for the worst and the change."""
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
def test_the_headline_says_nothing_only_of_nothing(
    policy: dict[str, Any], opened: str | None, headline: str
) -> None:
    """What is open for a few, or by somebody's leave, is open."""
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
def test_the_subject_says_why_it_is_mailed(changes: dict[str, Any], subject: str) -> None:
    """Also where no finding has changed."""
    report = replace(reports.of(reports.read(answer())), changes=Changes(**changes))
    assert build_digest(report).subject == f"[security groups] dev: {subject}"


def test_exceptions_that_end_are_something_to_do() -> None:
    """The first thing to do, where nothing worse is open."""
    ends = {"group": "web", "ports": "tcp/22", "reason": "a", "owner": "b", "until": "2026-11-25"}
    report = reports.of(reports.read(SSH), policy=Policy.parse({"exceptions": [ends]}))
    assert build_digest(report).advice == (
        "First: renew the exceptions that expire soon, or close what they accept."
    )


@pytest.mark.parametrize(("group", "until"), [("gone", "2027-01-01"), ("web", "2026-11-01")])
def test_exceptions_without_use_are_something_to_do(group: str, until: str) -> None:
    """Nothing is to be done only where nothing is listed."""
    left = {"group": group, "ports": "tcp/22", "reason": "a", "owner": "b", "until": until}
    harmless = answer(permission("icmp", 8, -1, WORLD))
    report = reports.of(reports.read(harmless), policy=Policy.parse({"exceptions": [left]}))
    assert build_digest(report).advice == (
        "First: look at the exceptions that have run out or match nothing."
    )


def test_what_is_known_comes_before_what_may_be() -> None:
    """The first thing to close is an opening, as long as one that could not be judged is no worse.

    Else it is to find out.
    """
    unknown = answer(permission("tcp", 22, 22, "pl-1"))
    known = answer(permission("tcp", 3389, 3389, WORLD), group_id="sg-2")
    first = "First: find out whom tcp/22 (SSH) is open to on web (sg-1) in eu-west-1."
    said = build_digest(reports.of(reports.read(unknown))).advice
    assert said == first
    said = build_digest(reports.of(reports.read(unknown, known))).advice
    assert said.startswith("First: close tcp/3389 (RDP) from the whole IPv4 internet on web (sg-2)")
    low = answer(permission("tcp", 443, 443, WORLD), group_id="sg-2")
    assert build_digest(reports.of(reports.read(unknown, low))).advice == first


def test_what_is_urgent_stays_urgent() -> None:
    """A mail about a harmless change says what is worse, although it does not list it."""
    web = answer(permission("tcp", 443, 443, WORLD), group_id="sg-2")
    before = next_state(
        LedgerState(),
        reports.of(reports.read(SSH), previous=LedgerState()),
        mailed=True,
        is_full_digest=True,
    )
    report = reports.of(reports.read(SSH, web), previous=before)
    said = build_digest(report, kind=DigestKind.CHANGES)
    assert [section.severity for section in said.sections] == ["low"]
    assert said.advice.startswith("First: close tcp/22 (SSH) from the whole IPv4 internet on web ")


def test_the_address_that_can_be_reached_is_named() -> None:
    """However many interfaces there are, and however long they are described."""
    inside = [{"NetworkInterfaceId": f"eni-{n}", "Groups": [{"GroupId": "sg-1"}]} for n in range(9)]
    outside = {
        "NetworkInterfaceId": "eni-9",
        "Groups": [{"GroupId": "sg-1"}],
        "Description": "x" * 255,
        "Association": {"PublicIp": "52.9.9.9"},
    }
    said = as_text(reports.of(reports.read(SSH, NetworkInterfaces=[*inside, outside])))
    assert f"attached: internet-facing: {'x' * 80}, 52.9.9.9, eni-0, eni-1 and 7 more\n" in said


def test_rules_behind_others_are_named() -> None:
    """Closing what is named leaves them, and the reader knows."""
    rules = [
        permission("tcp", 0, 65535, WORLD),
        permission("tcp", 22, 22, WORLD, "8.8.8.0/24", "10.0.0.0/8"),
        permission("udp", 53, 53, WORLD),
    ]
    said = as_text(reports.of(reports.read(answer(*rules), SecurityGroupRules=[SSH_RULE])))
    assert (
        "tcp, all ports (SSH, RDP and 88 more on 65,536 ports) from the whole IPv4 internet; "
        "other rules open it too, or a part of it: tcp/22 from 0.0.0.0/0 (sgr-1), "
        "tcp/22 from 8.8.8.0/24\n"
    ) in said
    assert "udp/53 (DNS) from the whole IPv4 internet\n" in said


def test_all_but_a_few_are_not_all() -> None:
    """A share that is rounded up to the whole would contradict the severity."""
    read = reports.read(answer(permission("tcp", 22, 22, *ALMOST)))
    assert "from 99.99% of the IPv4 internet" in as_text(reports.of(read))


def after_a_run() -> LedgerState:
    """What is known after a run that found nothing."""
    empty = reports.of(reports.read(answer()), previous=LedgerState())
    return next_state(LedgerState(), empty, mailed=True, is_full_digest=True)


def test_nothing_read_is_not_clean() -> None:
    """When no region could be read the headline says so."""
    said = build_digest(reports.of(reports.DENIED, stack=None))
    assert said.subject == "[security groups] nothing could be read in 1 region"


def test_low_findings_are_counted() -> None:
    """What policy does not list is counted, and said to be so."""
    report = reports.of(reports.read(answer(permission("icmp", 8, -1, WORLD))))
    said = as_text(report)
    assert "INFO" not in said
    assert "Below low and therefore not listed: 1 finding.\n" in said
    assert "INFO: 1\n" in as_text(report, Policy(minimum_severity=Severity.INFO))


def test_many_findings_are_cut_worst_first() -> None:
    """As many are listed as asked for, the worst; how many more there are is said."""
    groups = [answer(permission("tcp", 9, 9, WORLD), group_id=f"sg-{n:03}") for n in range(101)]
    said = render_text(build_digest(reports.of(reports.read(*groups, SSH)), max_findings=100))
    assert said.index("CRITICAL: 1") < said.index("HIGH: 101")
    assert said.count("      close:") == 100
    assert (
        "and 2 more findings, none worse than the last one above: see the report as CSV.\n"
    ) in said


def test_html_says_what_the_text_says() -> None:
    """Each line of the text is in the page that mail programs show."""
    read = reports.read(SSH, SecurityGroupRules=[SSH_RULE])
    said = build_digest(reports.of(read, reports.DENIED))
    page = Page(render_html(said))
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
    """A group's name is no markup, no header, no terminal command and no direction."""
    said = build_digest(
        reports.of(
            reports.read(answer(permission("tcp", 22, 22, WORLD), name=HOSTILE)), stack=HOSTILE
        )
    )
    assert "script" not in Page(render_html(said)).tags
    for form in (
        said.subject,
        render_text(said).replace("\n", ""),
        render_html(said).replace("\n", ""),
    ):
        assert form.isprintable()


def test_a_hostile_id_is_no_command() -> None:
    """The command to paste quotes whatever an id holds."""
    said = as_text(
        reports.of(reports.read(answer(permission("tcp", 22, 22, WORLD), group_id="sg-1; reboot")))
    )
    assert "--group-id 'sg-1; reboot' --" in said


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
def test_traffic_in_words(traffic: Traffic, phrase: str) -> None:
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
def test_reach_in_words(source: str, phrase: str) -> None:
    """Less than the whole internet is said in figures."""
    group = answer(permission("tcp", 22, 22, source))
    assert phrase in as_text(reports.of(reports.read(group)), Policy(Severity.INFO))


def test_a_rule_that_could_not_be_judged_says_why() -> None:
    """A malformed rule is listed with its reason and without a command."""
    said = as_text(reports.of(reports.read(answer(permission("tcp", 30, 20, WORLD)))))
    assert (
        "    - tcp/30-20 from sources that could not be judged; "
        "tcp ports must be 0 to 65535 in order, got 30 to 20.\n"
    ) in said
    assert "close:" not in said


def test_long_lists_of_sources_are_cut() -> None:
    """Ten sources are named, the rest are counted."""
    sources = [f"8.0.{number}.0/32" for number in range(12)]
    group = answer(permission("tcp", 22, 22, *sources))
    said = as_text(reports.of(reports.read(group)), Policy(Severity.INFO))
    assert "8.0.8.0/32, 8.0.9.0/32 and 2 more\n" in said


def test_what_groups_open_together_is_said() -> None:
    """All groups and the interface are named, and what it is."""
    halves = [
        answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1"),
        answer(permission("tcp", 22, 22, "128.0.0.0/1"), group_id="sg-2"),
    ]
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    interfaces = [{"NetworkInterfaceId": "eni-1", "Groups": groups}]
    said = as_text(reports.of(reports.read(*halves, NetworkInterfaces=interfaces)))
    assert (
        "  web (sg-1) together with web (sg-2)  eu-west-1 / 123456789012\n"
        "    attached: internal: eni-1\n"
    ) in said
    assert "    - tcp/22 (SSH) from the whole IPv4 internet\n" in said


def test_groups_that_open_something_together_have_all_their_owners() -> None:
    """And stand once each: what a group opens alone is not torn apart by what it opens with it."""
    owners = [{"Tags": [{"Key": "Owner", "Value": ""}, {"Key": "owner", "Value": v}]} for v in "ab"]
    one = [permission("tcp", n, n, source) for n, source in ((9, WORLD), (11, WORLD))]
    groups = [
        answer(*one, permission("tcp", 10, 10, "0.0.0.0/1"), group_id="sg-1") | owners[0],
        answer(permission("tcp", 10, 10, "128.0.0.0/1"), group_id="sg-2", name=" ") | owners[1],
    ]
    both = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    interfaces = [{"NetworkInterfaceId": "eni-1", "Groups": both}]
    said = build_digest(reports.of(reports.read(*groups, NetworkInterfaces=interfaces)))
    assert [group.name for group in said.sections[0].groups] == [
        "web (sg-1)",
        "web (sg-1) together with sg-2",
    ]
    assert [dict(group.facts)["owner"] for group in said.sections[0].groups] == ["a", "a, b"]


def test_a_long_command_is_there_in_full() -> None:
    """Half of it would be no command: everything but one address, by 32 rules."""
    known = [
        SSH_RULE | {"SecurityGroupRuleId": f"sgr-{n:017}", "CidrIpv4": source}
        for n, source in enumerate(ALMOST)
    ]
    group = answer(permission("tcp", 22, 22, *(str(each["CidrIpv4"]) for each in known)))
    report = reports.of(reports.read(group, SecurityGroupRules=known))
    (command,) = [line for line in as_text(report).splitlines() if "      close: aws " in line]
    assert command.endswith(" ".join(sorted(report.findings[0].rule_ids)))


def test_what_could_not_be_read_is_always_listed() -> None:
    """A list that cannot be read is in the headline and listed, however harmless its traffic."""
    group = answer(permission("icmp", 8, -1, "pl-1"))
    said = as_text(reports.of(reports.read(group)), Policy(minimum_severity=Severity.CRITICAL))
    assert said.startswith("Nothing above info found open in 1 region, 1 source not read.\n")
    assert "prefix list pl-1 could not be read" in said
