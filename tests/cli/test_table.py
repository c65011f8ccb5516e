"""The table on terminals of several widths and in a pipe, read back by its columns."""

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len

from cli.formats.finding_text import attached, displayed_openings, status
from cli.formats.table import write_table
from handler.model.finding import Opening, Severity, Status
from handler.model.run import Report
from handler.policy.policy import Policy
from handler.report import phrases
from handler.sanitize import plain
from tests.cli.sample_reports import HOSTILE_TEXTS, REPORTS, hostile_report, render
from tests.support.reports import of, read
from tests.support.security_groups import answer, permission

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PLAIN = [
    *("clean", "one", "region-failed", "excepted", "unreadable-list", "ipv6", "icmp"),
    *("all-traffic", "malformed", "joint", "china", "long"),
]


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


def findings(text: str) -> list[str]:
    """The findings of a table, each joined from its columns, without spaces."""
    lines = ANSI.sub("", text).splitlines()
    header = next(
        (number for number, line in enumerate(lines) if line.startswith("severity")), None
    )
    if header is None:
        return []
    starts = [0, *(gap.end() for gap in re.finditer(r" {2,}(?=\S)", lines[header]))]
    rows: list[list[str]] = []
    for line in lines[header + 1 : lines.index("", header)]:
        if not line.startswith(" "):
            rows.append([""] * len(starts))
        for column, (start, end) in enumerate(zip(starts, [*starts[1:], None], strict=True)):
            rows[-1][column] += line[start:end]
    return [re.sub(r"\s", "", "".join(row)) for row in rows]


def expected_findings(report: Report) -> list[str]:
    """The text of each row, without white space."""
    return [re.sub(r"\s", "", "".join(cells(opening))) for opening in displayed_openings(report)]


def cells(opening: Opening) -> tuple[str, ...]:
    """The cells of a row."""
    finding = opening.finding
    return (
        finding.severity,
        phrases.place(finding.target),
        phrases.groups(finding),
        phrases.opening_with_detail(finding, opening.twin),
        attached(finding),
        status(finding),
        finding.why,
    )


@pytest.mark.parametrize("columns", [80, 100, 140, 199, 200, 240])
@pytest.mark.parametrize("name", PLAIN)
def test_terminal_shows_each_finding_in_full(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is longer than the terminal is wide, and no text of a finding is cut."""
    table = render_on_terminal(REPORTS[name], columns, monkeypatch)
    assert max(len(ANSI.sub("", line)) for line in table.splitlines()) <= columns
    assert findings(table) == expected_findings(REPORTS[name])


@pytest.mark.parametrize("columns", [80, 120])
def test_group_id_is_not_wrapped(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group id is on one line, where it can be copied, also in 80 columns."""
    findings = [replace(finding, exception="e" * 99) for finding in REPORTS["long"].findings]
    report = replace(REPORTS["long"], findings=tuple(findings))
    assert "(sg-0123456789abcdef0)" in render_on_terminal(report, columns, monkeypatch)


def test_pipe_gets_one_line_for_each_finding() -> None:
    """Without a terminal a finding is one line of any length, for grep."""
    lines = render("table", REPORTS["many"]).splitlines()
    rows = [line for line in lines if line.startswith("critical ")]
    assert len(rows) == 2000
    assert len({len(line) for line in rows}) == 1
    assert re.fullmatch(
        r"critical  eu-west-1 / 123456789012  web \(sg-00000000000000000\)  "
        r"tcp/22 \(SSH\) from the whole IPv4 internet  not known  open    "
        r"Critical: SSH is open to the internet \(EC2\.19, CIS\); "
        r"its interfaces could not be read\.",
        rows[0],
    )


def test_columns_is_the_width_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """With COLUMNS=80 no line has more than 80 characters, for a log that cuts lines."""
    monkeypatch.setenv("COLUMNS", "80")
    text = render("table", REPORTS["one"])
    assert max(map(len, text.splitlines())) <= 80
    assert findings(text) == expected_findings(REPORTS["one"])


def test_only_terminals_get_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Critical is red on a terminal; in a pipe or with NO_COLOR there is no escape code."""
    assert "\x1b[1;31mcritical\x1b[0m" in render_on_terminal(REPORTS["one"], 80, monkeypatch)
    assert "\x1b" not in render("table", REPORTS["one"])
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in render_on_terminal(REPORTS["one"], 80, monkeypatch)


def test_worst_comes_first_and_excepted_last() -> None:
    """A critical finding with an exception stands below a high one that is open."""
    text = render("table", REPORTS["hostile-0"])
    rows = [line for line in text.splitlines() if line.startswith(tuple(Severity))]
    assert [row.split()[0] for row in rows] == ["critical", "critical", "high", "critical"]
    assert "excepted: accepted until 2026-12-31 by web team: until the VPN is there" in rows[-1]
    assert "1 finding accepted by exceptions." in text


def test_unverified_findings_are_listed_and_resolved_ones_are_not() -> None:
    """An earlier finding in an unread region may still be open."""
    (finding,) = REPORTS["one"].findings
    findings = [replace(finding, status=status) for status in (Status.UNVERIFIED, Status.RESOLVED)]
    text = render("table", replace(REPORTS["region-failed"], findings=tuple(findings)))
    assert text.count("web (sg-1)") == 1
    assert "not known  unverified  Critical: SSH is open to the internet" in text


def test_unread_regions_stand_below_the_table() -> None:
    """An unread region has its full error, a row in the coverage and a word in the last lines."""
    text = render("table", REPORTS["region-failed"])
    assert (
        "Not read: what is open there is not known\n"
        "  eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.\n"
    ) in text
    assert "eu-central-1 / 123456789012  denied  0       0\n" in text
    assert text.endswith(
        "1 region not read; nothing open to the internet in 1 region\n"
        "Start with what could not be read: what is open there is not known.\n"
    )


def test_clean_report_has_no_table_of_findings() -> None:
    """A report without findings is the table of coverage and the headline."""
    assert render("table", REPORTS["clean"]) == (
        "region / account          read  groups  rules\n"
        "eu-west-1 / 123456789012  ok    0       0\n"
        "\n"
        "Nothing open to the internet in 1 region\n"
        "Nothing to do.\n"
    )


def test_unreadable_prefix_list_is_listed_below_the_minimum_severity() -> None:
    """A prefix list that could not be read may contain the whole internet."""
    policy = Policy(minimum_severity=Severity.CRITICAL)
    report = of(read(answer(permission("tcp", 443, 443, "pl-1"))), policy=policy)
    assert report.open[0].severity is Severity.LOW
    text = render("table", report)
    assert "prefix list pl-1 could not be read: the snapshot does not hold its entries." in text


def test_findings_below_the_minimum_severity_are_counted() -> None:
    """Below a minimum severity of critical there is one finding: not listed, but counted."""
    text = render("table", replace(REPORTS["icmp"], minimum_severity=Severity.CRITICAL))
    assert "severity  " not in text
    assert "1 finding below critical not shown.\n" in text


@pytest.mark.parametrize("columns", [80, 200])
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
