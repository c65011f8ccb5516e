"""The table on terminals of several widths and in a pipe."""

import re
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len

from cli.formats.short_text import displayed_openings, facts, group_names, service_and_ports
from cli.formats.table import write_table
from handler.model.audit_report import Report
from handler.model.finding import Change, Opening, Previous, Severity, Status
from handler.model.reach import Reach
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from handler.sanitize import plain
from tests.cli.sample_reports import HOSTILE_TEXTS, REPORTS, hostile_report, render
from tests.support.reports import of, read
from tests.support.security_groups import answer, permission

BEFORE = Previous("1", Traffic("tcp", 23, 23), Reach.WORLD, Severity.LOW)
ANSI = re.compile(r"\x1b\[[0-9;]*m")
WORLD, WORLD6 = "0.0.0.0/0", "::/0"


class Terminal(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """True."""
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def render_on_terminal(report: Report, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The table with its escape codes, as a terminal of that many columns gets it."""
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    write_table(report, terminal)
    return terminal.getvalue()


def without_spaces(text: str) -> str:
    """The text as it can be compared across line breaks."""
    return re.sub(r"\s", "", text)


def texts(opening: Opening) -> str:
    """All that the table says about a finding, without spaces."""
    finding = opening.finding
    where = (service_and_ports(opening), group_names(finding), finding.target.region)
    return without_spaces("".join((finding.severity.upper(), *where, *facts(opening))))


@pytest.mark.parametrize("columns", [40, 80, 120, 159, 160, 240])
@pytest.mark.parametrize("name", [name for name in REPORTS if name != "many"])
def test_terminal_shows_each_finding_in_full(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, and no text of a finding is cut or left out."""
    table = ANSI.sub("", render_on_terminal(REPORTS[name], columns, monkeypatch))
    assert max(map(cell_len, table.splitlines())) <= columns
    openings = displayed_openings(REPORTS[name])
    assert without_spaces(table).startswith("".join(map(texts, openings)))


def exposed_report() -> Report:
    """24 groups with names, owners and ids as long as in a real account, on public addresses."""
    groups, interfaces = [], []
    for number in range(24):
        group_id = f"sg-0123456789abcde{number:02}"
        tags = {"Tags": [{"Key": "Owner", "Value": "platform"}]}
        name = f"orders-database-{number:02}"
        groups.append(
            answer(permission("tcp", 5432, 5432, WORLD), group_id=group_id, name=name) | tags
        )
        interfaces.append(
            {
                "NetworkInterfaceId": f"eni-{number}",
                "Groups": [{"GroupId": group_id}],
                "Association": {"PublicIp": f"52.208.10.{100 + number}"},
            }
        )
    rules = [
        {
            "SecurityGroupRuleId": f"sgr-0123456789abcde{number:02}",
            "GroupId": group["GroupId"],
            "IpProtocol": "tcp",
            "FromPort": 5432,
            "ToPort": 5432,
            "CidrIpv4": WORLD,
        }
        for number, group in enumerate(groups)
    ]
    return of(read(*groups, NetworkInterfaces=interfaces, SecurityGroupRules=rules))


CRITICAL = "CRITICAL  PostgreSQL tcp/5432  orders-database-00  eu-west-1"


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        pytest.param(
            80,
            [
                CRITICAL,
                "  public 52.208.10.100  owner: platform  sgr-0123456789abcde00",
            ],
            id="80",
        ),
        pytest.param(
            120,
            [
                f"{CRITICAL}  public 52.208.10.100",
                "  owner: platform  sgr-0123456789abcde00",
            ],
            id="120",
        ),
        pytest.param(
            160,
            [
                f"{CRITICAL}  public 52.208.10.100  owner: platform  sgr-0123456789abcde00",
            ],
            id="160",
        ),
    ],
)
def test_two_lines_for_a_finding_and_one_on_wide_terminals(
    columns: int, first: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 findings are 48 lines at 80 and 120 columns and 24 at 160, then a blank and a summary."""
    lines = ANSI.sub("", render_on_terminal(exposed_report(), columns, monkeypatch)).splitlines()
    assert lines[: len(first)] == first
    assert lines[24 * len(first) :] == [
        "",
        "1 region read: 24 groups, 24 rules.",
        "24 critical exposures to the internet",
    ]


UNREAD = "its interfaces could not be read"


@pytest.mark.parametrize(
    ("report", "line"),
    [
        pytest.param(
            REPORTS["joint"],
            "SSH tcp/22  low + high  eu-west-1  public 52.208.10.14  sg-1 +1",
            id="joint-and-its-parts",
        ),
        pytest.param(
            of(read(answer(permission("tcp", 22, 22, WORLD, WORLD6)))),
            f"SSH tcp/22 IPv4+IPv6  web  eu-west-1  {UNREAD}  sg-1",
            id="twins",
        ),
        pytest.param(
            REPORTS["ipv6"], f"SSH tcp/22 IPv6  web  eu-west-1  {UNREAD}  sg-1", id="ipv6"
        ),
        pytest.param(
            REPORTS["all-traffic"], f"all traffic  web  eu-west-1  {UNREAD}  sg-1", id="all-traffic"
        ),
        pytest.param(
            REPORTS["unreadable-list"],
            f"SSH tcp/22  web  eu-west-1  {UNREAD}  prefix list pl-1 could not be read: "
            "the snapshot does not hold its entries  sg-1",
            id="unreadable",
        ),
        pytest.param(
            REPORTS["excepted"],
            f"SSH tcp/22  web  eu-west-1  {UNREAD}  "
            "accepted until 2026-12-31 by web team: until the VPN is there  sg-1",
            id="excepted",
        ),
        pytest.param(
            of(
                read(
                    answer(permission("tcp", 22, 22, WORLD)),
                    NetworkInterfaces=[
                        {
                            "NetworkInterfaceId": "eni-1",
                            "Groups": [{"GroupId": "sg-1"}],
                            "Description": "web, 52.208.10.9 (old)",
                            "Association": {"PublicIp": "52.208.10.14"},
                        }
                    ],
                )
            ),
            "SSH tcp/22  web  eu-west-1  public 52.208.10.14  sg-1",
            id="address-in-a-name",
        ),
    ],
)
def test_finding_says_what_is_open_where_and_why(report: Report, line: str) -> None:
    """Groups that open a port together are one finding, and so are IPv4 and IPv6."""
    lines = render("table", report).splitlines()
    assert lines[:2] == [f"CRITICAL  {line}", ""]


def test_region_has_its_account_where_there_are_several() -> None:
    """In a report on two accounts, each region is followed by its account."""
    (coverage,) = REPORTS["one"].coverage
    other = coverage._replace(target=coverage.target._replace(account="210987654321"))
    lines = render("table", replace(REPORTS["one"], coverage=(coverage, other))).splitlines()
    assert lines[0].startswith("CRITICAL  SSH tcp/22  web  eu-west-1 / 123456789012  ")
    assert lines[2].startswith("All 2 regions of 2 accounts read: ")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        pytest.param({"status": Status.NEW}, "new", id="new"),
        pytest.param({"status": Status.REOPENED}, "reopened", id="reopened"),
        pytest.param({"last_seen": "2026-11-24T06:00:00Z"}, "since 2026-11-23", id="open"),
        pytest.param({"change": Change.WORSENED, "previously": (BEFORE,)}, "was low", id="worse"),
        pytest.param(
            {"change": Change.WIDENED, "previously": (BEFORE,)}, "widened, was tcp/23", id="wider"
        ),
        pytest.param({"status": Status.UNVERIFIED}, "unverified", id="unverified"),
        pytest.param({"status": Status.EXCEPTED}, "excepted", id="excepted"),
        pytest.param({"exception": "expired", "status": Status.NEW}, "expired  new", id="expired"),
        pytest.param(
            {"managed_by": "Kubernetes cluster a"}, "managed by Kubernetes cluster a", id="managed"
        ),
    ],
)
def test_finding_says_since_when_and_whose(changed: dict[str, Any], text: str) -> None:
    """A finding of the ledger has its status or its first day, and its manager."""
    (finding,) = REPORTS["one"].findings
    assert f"  {text}" not in render("table", REPORTS["one"])
    report = replace(REPORTS["one"], findings=(finding._replace(**changed),))
    assert f"  {text}" in render("table", report)


@pytest.mark.parametrize("columns", [40, 80, 120, 160])
def test_ids_are_not_broken(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group's id is on one line, where it can be copied."""
    findings = [finding._replace(exception="e" * 99) for finding in REPORTS["long"].findings]
    report = replace(REPORTS["long"], findings=tuple(findings))
    table = render_on_terminal(report, columns, monkeypatch)
    assert table.count("sg-0123456789abcdef0") == len(findings)


def test_pipe_gets_one_line_for_each_finding() -> None:
    """Without a terminal a finding is one line of any length, for grep."""
    lines = render("table", REPORTS["many"]).splitlines()
    rows = [line for line in lines if line.startswith("CRITICAL ")]
    assert len(rows) == 2000
    assert rows[0] == f"CRITICAL  SSH tcp/22  web  eu-west-1  {UNREAD}  sg-00000000000000000"


def test_columns_is_the_width_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """With COLUMNS=80 no line has more than 80 characters, for a log that cuts lines."""
    monkeypatch.setenv("COLUMNS", "80")
    text = render("table", REPORTS["one"])
    assert text.splitlines()[:2] == [f"CRITICAL  SSH tcp/22  web  eu-west-1  {UNREAD}", "  sg-1"]


def test_only_terminals_get_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Critical is red on a terminal; in a pipe or with NO_COLOR there is no escape code."""
    assert "\x1b[1;31mCRITICAL  \x1b[0m" in render_on_terminal(REPORTS["one"], 80, monkeypatch)
    assert "\x1b" not in render("table", REPORTS["one"])
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in render_on_terminal(REPORTS["one"], 80, monkeypatch)


def test_worst_comes_first_and_excepted_last() -> None:
    """A critical finding with an exception stands below a high one that is open."""
    text = render("table", REPORTS["hostile-0"])
    rows = [line for line in text.splitlines() if line.startswith(tuple(map(str.upper, Severity)))]
    assert [row.split()[0] for row in rows] == ["CRITICAL", "CRITICAL", "HIGH", "CRITICAL"]
    assert "accepted until 2026-12-31 by web team: until the VPN is there" in rows[-1]
    assert "1 finding accepted by exceptions." in text


def test_unverified_findings_are_listed_and_resolved_ones_are_not() -> None:
    """An earlier finding in an unread region may still be open."""
    (finding,) = REPORTS["one"].findings
    findings = [finding._replace(status=status) for status in (Status.UNVERIFIED, Status.RESOLVED)]
    text = render("table", replace(REPORTS["region-failed"], findings=tuple(findings)))
    assert text.count("SSH tcp/22") == 1
    assert "could not be read  unverified  sg-1" in text


def test_unread_regions_stand_below_the_findings() -> None:
    """An unread region has its full error, and is counted in the last lines."""
    assert render("table", REPORTS["region-failed"]) == (
        "Not read: what is open there is not known\n"
        "  eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.\n"
        "\n"
        "1 of 2 regions read: 0 groups, 0 rules.\n"
        "1 region not read; nothing open to the internet in 1 region\n"
    )


def test_clean_report_is_a_summary() -> None:
    """A report without findings says what was read, and that nothing is open."""
    assert render("table", REPORTS["clean"]) == (
        "1 region read: 0 groups, 0 rules.\nNothing open to the internet in 1 region\n"
    )


def test_unreadable_prefix_list_is_listed_below_the_minimum_severity() -> None:
    """A prefix list that could not be read may contain the whole internet."""
    policy = Policy(minimum_severity=Severity.CRITICAL)
    report = of(read(answer(permission("tcp", 443, 443, "pl-1"))), policy=policy)
    assert report.open[0].severity is Severity.LOW
    text = render("table", report)
    assert "prefix list pl-1 could not be read: the snapshot does not hold its entries" in text


def test_findings_below_the_minimum_severity_are_counted() -> None:
    """Below a minimum severity of critical there is one finding: not listed, but counted."""
    text = render("table", replace(REPORTS["icmp"], minimum_severity=Severity.CRITICAL))
    assert "MEDIUM" not in text
    assert "1 finding below critical not shown.\n" in text


@pytest.mark.parametrize("columns", [80, 120, 160])
@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_texts_of_an_account_have_no_control_characters(
    text: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal gets no escape code but those of the colours, and no bidirectional control."""
    table = ANSI.sub("", render_on_terminal(hostile_report(text), columns, monkeypatch))
    assert all(line.isprintable() for line in table.splitlines())
    assert max(map(cell_len, table.splitlines())) <= columns
    monkeypatch.delenv("COLUMNS")
    assert plain(text).strip() in render("table", hostile_report(text))
