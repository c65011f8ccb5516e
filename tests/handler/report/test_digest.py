"""The digest as text and as HTML."""

from dataclasses import replace
from typing import Any

import pytest

from handler import VERSION
from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.model.audit_report import Changes, Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Change, Previous, Severity, Status
from handler.model.network import Target
from handler.model.run import Coverage, CoverageStatus
from handler.model.totals import AccountResult
from handler.policy.policy import Policy
from handler.report.digest import Digest, Section, build_digest
from handler.report.html import render_html
from handler.report.text import render_text
from tests.support import reports
from tests.support.html_page import Page
from tests.support.security_groups import answer, permission
from tests.support.stack import unwrapped

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


def known(*groups: dict[str, Any]) -> LedgerState:
    """What is known after a run that found these groups."""
    report = reports.of(reports.read(*groups), previous=LedgerState())
    return next_state(LedgerState(), report, Policy(), DigestKind.FULL)


def ports(*numbers: int, **more: str) -> dict[str, Any]:
    """A group that opens these ports to the internet."""
    return answer(*(permission("tcp", number, number, WORLD) for number in numbers), **more)


OTHER_COMMANDS = "Other commands are in the CSV."


def titles(sections: tuple[Section, ...]) -> list[str]:
    """The headings of sections."""
    return [section.title for section in sections]


def lines(digest: Digest, title: str) -> tuple[str, ...]:
    """The lines under a heading; none without the heading."""
    return next((section.lines for section in digest.sections if section.title == title), ())


def test_a_finding_as_text() -> None:
    """The text has start, counts, group, commands in safe order, coverage, exception, run."""
    read = reports.read(SSH, SecurityGroupRules=[SSH_RULE], NetworkInterfaces=[INSTANCE])
    assert render_text(build_digest(reports.of(read))) == (
        "SSH on web is open to the internet\n"
        "1 critical \N{MIDDLE DOT} dev \N{MIDDLE DOT} account 123456789012 \N{MIDDLE DOT} "
        "23 Nov 2026 06:00 UTC\n"
        "\n"
        "CRITICAL (1)\n"
        "\n"
        "  SSH \N{MIDDLE DOT} tcp/22\n"
        "    web (sg-1) \N{MIDDLE DOT} eu-west-1 \N{MIDDLE DOT} instance i-1, 8.8.8.8 "
        "\N{MIDDLE DOT} owner: shop team\n"
        "    1. Allow your range\n"
        "      aws ec2 authorize-security-group-ingress \\\n"
        "        --region eu-west-1 \\\n"
        "        --group-id sg-1 \\\n"
        "        --protocol tcp \\\n"
        "        --port 22 \\\n"
        "        --cidr YOUR-RANGE\n"
        "    2. Revoke\n"
        "      aws ec2 revoke-security-group-ingress \\\n"
        "        --region eu-west-1 \\\n"
        "        --group-id sg-1 \\\n"
        "        --security-group-rule-ids sgr-1\n"
        "\n"
        "1 region read: 1 group, 1 rule.\n"
        'Is web open on purpose? Add to exceptions: {"group": "sg-1", "ports":\n'
        '"tcp/22", "reason": "WHY", "owner": "WHO", "until": "2027-02-21"}\n'
        f"Scheduled run run-1, security-group-audit {VERSION}.\n"
    )


def test_only_critical_entries_have_their_commands() -> None:
    """The others have theirs in the CSV; a change mail has those of all that is new."""
    report = reports.of(reports.read(ports(22, 9, 443)), previous=known())
    full = build_digest(report)
    assert [len(section.entries[0].commands) for section in full.sections] == [2, 0, 0]
    changes = build_digest(report, DigestKind.CHANGES)
    assert [len(entry.commands) for entry in changes.sections[0].entries] == [2, 1, 1]


def test_sections_of_changes() -> None:
    """New, worse or wider, reopened, resolved, narrowed, no longer listed; the rest is counted."""
    report = reports.of(reports.read(ports(22, 3389, 5432, 6379, 80, 443)), previous=known(SSH))
    rest = report.findings[0]
    before = (Previous("1", rest.traffic, rest.reach, Severity.HIGH),)
    first, second, third, fourth, low, lower = report.findings
    findings = (
        first._replace(status=Status.NEW),
        second._replace(status=Status.OPEN, change=Change.WIDENED, previously=before),
        third._replace(status=Status.REOPENED),
        fourth._replace(status=Status.OPEN, change=Change.NARROWED, previously=before),
        low._replace(status=Status.RESOLVED),
        lower._replace(status=Status.OPEN),
    )
    changes = Changes(unlisted=(rest._replace(severity=Severity.INFO, status=Status.OPEN),))
    digest = build_digest(replace(report, findings=findings, changes=changes), DigestKind.CHANGES)
    assert titles(digest.sections) == [
        "New (1)", "Worse or wider (1)", "Reopened (1)", "Resolved (1)", "Narrowed (1)",
        "No longer listed (1)",
    ]  # fmt: skip
    assert digest.summary[0] == (
        "1 new, 1 worse or wider, 1 reopened, 1 resolved, 1 narrowed, 1 still open"
    )
    assert digest.in_csv == ("Still open: 2 (1 critical, 1 low), in the CSV.",)


def test_a_full_digest_labels_what_has_changed() -> None:
    """What was open before has no label, and neither has anything in the first mail."""
    report = reports.of(reports.read(ports(22, 3389)), previous=known(ports(22)))
    (section,) = build_digest(report).sections
    assert [entry.label for entry in section.entries] == ["", "New"]
    first = reports.of(reports.read(ports(22, 3389)), previous=LedgerState())
    (section,) = build_digest(first).sections
    assert [entry.label for entry in section.entries] == ["", ""]


@pytest.mark.parametrize(
    ("groups", "policy", "advice"),
    [
        pytest.param(
            [ports(22, 3389)], {}, "Start with web: SSH is open to the internet.", id="critical"
        ),
        pytest.param([ports(22)], {}, "", id="one-that-the-headline-names"),
        pytest.param([ports(80, 443)], {}, "No critical or high findings.", id="low"),
        pytest.param([answer()], {}, "Nothing to do.", id="nothing"),
        pytest.param(
            [answer(permission("tcp", 22, 22, "pl-1"))],
            {},
            "Start with web: SSH is open to unknown sources.",
            id="unreadable",
        ),
        pytest.param(
            [answer(permission("tcp", 22, 22, "pl-1")), ports(3389, group_id="sg-2", name="rdp")],
            {},
            "Start with rdp: RDP is open to the internet.",
            id="rather-what-is-open",
        ),
        pytest.param(
            [ports(22)],
            {"group": "web", "ports": "tcp/22", "until": "2026-11-25"},
            "Renew the exceptions that expire soon, or close what they accept.",
            id="expiring",
        ),
        pytest.param(
            [answer()],
            {"group": "gone", "ports": "tcp/22", "until": "2027-01-01"},
            "Review the exceptions that have expired or match nothing.",
            id="unused",
        ),
    ],
)
def test_the_advice(groups: list[dict[str, Any]], policy: dict[str, str], advice: str) -> None:
    """It says where to start: the worst that is open, else exceptions that need attention."""
    exceptions = [policy | {"reason": "a", "owner": "b"}] if policy else []
    parsed = Policy.parse({"exceptions": exceptions})
    assert build_digest(reports.of(reports.read(*groups), policy=parsed)).advice == advice


def test_many_accounts() -> None:
    """The advice names the account, and accounts are listed where any of them has findings."""
    report = reports.of(reports.read(ports(22, 3389)))
    account = report.findings[0].target.account
    found = (
        AccountResult(account, "shop", {Severity.CRITICAL: 1}, is_complete=True),
        AccountResult("222233334444", "bank", {}, is_complete=True),
    )
    digest = build_digest(replace(report, accounts=found))
    assert digest.advice == "Start with web in shop: SSH is open to the internet."
    assert lines(digest, "Worst accounts") == (
        f"shop ({account}): 1 critical",
        "1 account without findings.",
    )
    clean = replace(reports.of(reports.read(ports(443))), accounts=found[1:])
    assert lines(build_digest(clean), "Worst accounts") == ()


@pytest.mark.parametrize(
    ("before", "after", "advice"),
    [
        pytest.param(ports(22), ports(22, 3389), "", id="one-new"),
        pytest.param(
            ports(80), ports(22, 3389), "Start with web: SSH is open to the internet.", id="two-new"
        ),
        pytest.param(ports(22, 80), ports(22), "", id="resolved"),
        pytest.param(ports(22), answer(), "Nothing to do.", id="all-resolved"),
    ],
)
def test_the_advice_of_changes(before: dict[str, Any], after: dict[str, Any], advice: str) -> None:
    """It is about what is new, and missing where the headline says as much."""
    report = reports.of(reports.read(after), previous=known(before))
    assert build_digest(report, DigestKind.CHANGES).advice == advice


def test_the_advice_without_all_regions() -> None:
    """If nothing urgent is open, it is to read what could not be read."""
    assert build_digest(reports.of(reports.read(), reports.DENIED)).advice == (
        "Start with what could not be read."
    )


def test_unread_targets_come_first() -> None:
    """A region that could not be read stands above all findings, with the error."""
    body = render_text(build_digest(reports.of(reports.read(SSH), reports.DENIED)))
    failure = "eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>."
    assert body.index("NOT READ") < body.index(failure) < body.index("CRITICAL")


@pytest.mark.parametrize(
    ("scans", "line"),
    [
        ([reports.read(SSH)], "1 region read: 1 group, 1 rule."),
        (
            [reports.read(SSH), reports.read(target=reports.FRANKFURT)],
            "All 2 regions read: 1 group, 1 rule.",
        ),
        ([reports.read(SSH), reports.DENIED], "1 of 2 regions read: 1 group, 1 rule."),
    ],
)
def test_the_coverage_is_one_line(scans: list[Any], line: str) -> None:
    """How many regions were read of how many, and what is in them."""
    assert build_digest(reports.of(*scans)).coverage == line


def test_several_accounts() -> None:
    """Their number stands beside the stack, and each entry has its account."""
    elsewhere = reports.read(SSH, target=Target("210987654321", "eu-west-1"))
    digest = build_digest(reports.of(reports.read(SSH), elsewhere))
    assert "2 accounts" in digest.summary
    assert [entry.place for entry in digest.sections[0].entries] == [
        "eu-west-1 / 123456789012",
        "eu-west-1 / 210987654321",
    ]


@pytest.mark.parametrize(
    ("minimum", "in_csv", "notes"),
    [
        (Severity.LOW, (OTHER_COMMANDS,), ("1 informational finding not shown.",)),
        (Severity.HIGH, (), ("2 findings below high not shown.",)),
        (Severity.INFO, (OTHER_COMMANDS,), ()),
    ],
)
def test_findings_below_the_minimum_severity_are_counted(
    minimum: Severity, in_csv: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    """They are not listed, and their number is given."""
    group = answer(permission("icmp", 8, -1, WORLD), permission("tcp", 443, 443, WORLD))
    report = replace(reports.of(reports.read(group)), minimum_severity=minimum)
    digest = build_digest(report)
    assert (digest.in_csv, digest.notes) == (in_csv, notes)


def test_other_notes() -> None:
    """Findings that were not verified, and openings that are accepted, are counted."""
    report = reports.of(
        reports.read(ports(22, 23, 443)), policy=Policy.parse({"authorizedPorts": ["tcp/443"]})
    )
    first, second = report.findings
    findings = (first._replace(status=Status.UNVERIFIED), second._replace(status=Status.EXCEPTED))
    assert build_digest(replace(report, findings=findings)).notes == (
        "1 earlier finding not verified by this run.",
        "1 finding accepted by exceptions.",
        "1 opening on authorized ports in 1 group.",
    )


@pytest.mark.parametrize(
    ("dropped", "line"),
    [
        (1, "Settings changed: 1 finding is no longer listed."),
        (3, "Settings changed: 3 findings are no longer listed."),
    ],
)
def test_new_settings_are_a_notice(dropped: int, line: str) -> None:
    """It says how many findings are not listed any more."""
    changes = Changes(has_new_settings=True, dropped=dropped)
    digest = build_digest(replace(reports.of(reports.read()), changes=changes))
    assert lines(digest, "Notes") == (line,)


def test_what_limits_a_run_is_a_notice() -> None:
    """What could not be read to lower a severity is said with its place."""
    coverage = Coverage(reports.IRELAND, CoverageStatus.OK, notice="Route tables were not read.")
    report = replace(reports.of(reports.read()), coverage=(coverage,))
    assert lines(build_digest(report), "Notes") == (
        "eu-west-1 / 123456789012: Route tables were not read.",
    )


def test_how_to_accept_what_is_meant_to_be_open() -> None:
    """An exception for the first finding, and the web ports of a public load balancer."""
    balancer = {
        "NetworkInterfaceId": "eni-2",
        "Groups": [{"GroupId": "sg-2"}],
        "Description": "ELB app/shop/50dc6c495c0c9188",
        "Association": {"PublicIp": "8.8.4.4"},
    }
    web = ports(80, 443, group_id="sg-2", name="shop")
    read = reports.read(SSH, web, NetworkInterfaces=[INSTANCE, balancer])
    exception = '{"group": "sg-1", "ports": "tcp/22", "reason": "WHY", "owner": "WHO", '
    assert build_digest(reports.of(read)).purpose == (
        f'Is web open on purpose? Add to exceptions: {exception}"until": "2027-02-21"}}',
        "Public web servers? Add tcp/80 and tcp/443 to authorizedPorts.",
    )
    elsewhere = reports.read(web, NetworkInterfaces=[INSTANCE | {"Groups": [{"GroupId": "sg-2"}]}])
    assert len(build_digest(reports.of(elsewhere)).purpose) == 1


def test_the_worst_findings_are_listed() -> None:
    """At most max_findings are listed, the worst; the number of the others is given."""
    groups = [ports(9, group_id=f"sg-{number:03}") for number in range(101)]
    digest = build_digest(reports.of(reports.read(*groups, SSH)), max_findings=100)
    assert titles(digest.sections) == ["Critical (1)", "High (101)"]
    assert sum(len(section.entries) for section in digest.sections) == 100
    assert digest.in_csv == ("And 2 more findings in the CSV.", OTHER_COMMANDS)


def test_the_last_resolved_findings_are_counted() -> None:
    """At most max_lines are listed."""
    report = reports.of(reports.read(), previous=known(ports(22, 23, 3389)))
    (section,) = build_digest(report, DigestKind.CHANGES, max_lines=2).sections
    assert (section.title, len(section.entries)) == ("Resolved (3)", 2)
    assert section.lines == ("and 1 more finding in the CSV.",)


def test_redundant_rules_are_listed() -> None:
    """Rules that stay open after the command are listed with the finding."""
    rules = [
        permission("tcp", 0, 65535, WORLD),
        permission("tcp", 22, 22, WORLD, "8.8.8.0/24", "10.0.0.0/8"),
        permission("udp", 53, 53, WORLD),
    ]
    read = reports.read(answer(*rules), SecurityGroupRules=[SSH_RULE])
    text = unwrapped(render_text(build_digest(reports.of(read))))
    assert (
        "other rules open it too, or a part of it: tcp/22 from 0.0.0.0/0 (sgr-1), "
        "tcp/22 from 8.8.8.0/24"
    ) in text


def test_an_unreadable_list_is_always_listed() -> None:
    """It is in the headline and listed, even below the minimum severity."""
    group = answer(permission("icmp", 8, -1, "pl-1"))
    report = replace(reports.of(reports.read(group)), minimum_severity=Severity.CRITICAL)
    text = render_text(build_digest(report))
    assert text.startswith("1 source not read; 1 info finding\n")
    assert "prefix list pl-1 could not be read" in text


HOSTILE = "<script>alert(1)</script>\x1b[31m\r\nBcc: x@example.com\u202e"


def test_hostile_names_do_no_harm() -> None:
    """A group's name adds no markup, header, terminal command or text direction."""
    group = answer(permission("tcp", 22, 22, WORLD), name=HOSTILE)
    digest = build_digest(reports.of(reports.read(group), stack=HOSTILE))
    assert "script" not in Page(render_html(digest)).tags
    for form in (digest.subject, render_text(digest), render_html(digest)):
        assert form.replace("\n", "").isprintable()


def test_a_hostile_id_gives_no_command() -> None:
    """An id that is not one of EC2's is shown, and is in no command."""
    group = answer(permission("tcp", 22, 22, WORLD), group_id="sg-1; reboot")
    text = render_text(build_digest(report_of(group)))
    assert "sg-1; reboot" in text
    assert "aws ec2" not in text


def report_of(*groups: dict[str, Any]) -> Report:
    """The report on these groups."""
    return reports.of(reports.read(*groups))
