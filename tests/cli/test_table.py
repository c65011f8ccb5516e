"""The table: read back by its columns, on terminals of several widths and in a pipe."""

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len

from cli.formats.finding_text import displayed_findings, status
from cli.formats.table import write_table
from handler.model.finding import Severity, Status
from handler.model.run import Report
from handler.policy.policy import Policy
from handler.report import phrases
from handler.sanitize import plain
from tests.cli.forms import HOSTILE, REPORTS, hostile, written
from tests.support.reports import of, read
from tests.support.security_groups import answer, permission

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PLAIN = [
    *("clean", "one", "region-failed", "excepted", "unreadable-list", "ipv6", "icmp"),
    *("all-traffic", "malformed", "together", "china", "long"),
]


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def on_terminal(report: Report, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the terminal is sent."""
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    write_table(report, terminal)
    return terminal.getvalue()


def findings(text: str) -> list[str]:
    """Each finding of a table put together again from its columns, without spaces."""
    lines = ANSI.sub("", text).splitlines()
    header = next((n for n, line in enumerate(lines) if line.startswith("severity")), None)
    if header is None:
        return []
    starts = [0, *(each.end() for each in re.finditer(r" {2,}(?=\S)", lines[header]))]
    rows: list[list[str]] = []
    for line in lines[header + 1 : lines.index("", header)]:
        if not line.startswith(" "):
            rows.append([""] * len(starts))
        for column, (start, end) in enumerate(zip(starts, [*starts[1:], None], strict=True)):
            rows[-1][column] += line[start:end]
    return [re.sub(r"\s", "", "".join(row)) for row in rows]


def expected(report: Report) -> list[str]:
    """What a table must say of each finding, without spaces."""
    return [
        re.sub(
            r"\s",
            "",
            f"{each.severity}{phrases.place(each.target)}{phrases.groups(each)}"
            f"{phrases.opening_with_detail(each)}{phrases.attached(each)}{status(each)}{each.why}",
        )
        for each in displayed_findings(report)
    ]


@pytest.mark.parametrize("columns", [80, 100, 140, 199, 200, 240])
@pytest.mark.parametrize("name", PLAIN)
def test_a_terminal_shows_all_of_it(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is longer than the terminal is wide, and no word of a finding is lost."""
    shown = on_terminal(REPORTS[name], columns, monkeypatch)
    assert max(len(ANSI.sub("", line)) for line in shown.splitlines()) <= columns
    assert findings(shown) == expected(REPORTS[name])


@pytest.mark.parametrize("columns", [80, 120])
def test_a_group_id_is_in_one_piece(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where there is hardly room it can be copied."""
    accepted = [replace(each, exception="e" * 99) for each in REPORTS["long"].findings]
    report = replace(REPORTS["long"], findings=tuple(accepted))
    assert "(sg-0123456789abcdef0)" in on_terminal(report, columns, monkeypatch)


def test_a_pipe_takes_a_line_for_each_finding() -> None:
    """A line as long as it needs, for grep."""
    lines = written("table", REPORTS["many"]).splitlines()
    found = [line for line in lines if line.startswith("critical ")]
    assert len(found) == 2000
    assert len({len(line) for line in found}) == 1
    assert re.fullmatch(
        r"critical  eu-west-1 / 123456789012  web \(sg-00000000000000000\)  "
        r"tcp/22 \(SSH\) from the whole IPv4 internet  not known  open    "
        r"SSH open to the world is critical \(EC2\.19, CIS\); what is attached is not known\.",
        found[0],
    )


def test_a_pipe_can_be_told_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS wraps the table, for a log that cuts lines."""
    monkeypatch.setenv("COLUMNS", "80")
    text = written("table", REPORTS["one"])
    assert max(map(len, text.splitlines())) <= 80
    assert findings(text) == expected(REPORTS["one"])


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst is red there; a pipe and NO_COLOR have no codes at all."""
    assert "\x1b[1;31mcritical\x1b[0m" in on_terminal(REPORTS["one"], 80, monkeypatch)
    assert "\x1b" not in written("table", REPORTS["one"])
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_terminal(REPORTS["one"], 80, monkeypatch)


def test_the_worst_comes_first_and_what_is_accepted_last() -> None:
    """A critical finding that is accepted stands below a low one that is open."""
    text = written("table", REPORTS["hostile-0"])
    rows = [line for line in text.splitlines() if line.startswith(tuple(Severity))]
    assert [row.split()[0] for row in rows] == ["critical", "critical", "high", "critical"]
    assert "excepted: accepted until 2026-12-31 by web team: until the VPN is there" in rows[-1]
    assert "Accepted by exceptions: 1 finding." in text


def test_what_could_not_be_verified_is_listed_and_what_is_closed_is_not() -> None:
    """An earlier finding of a region that failed may still be open."""
    (seen,) = REPORTS["one"].findings
    gone = [replace(seen, status=status) for status in (Status.UNVERIFIED, Status.RESOLVED)]
    text = written("table", replace(REPORTS["region-failed"], findings=tuple(gone)))
    assert text.count("web (sg-1)") == 1
    assert "not known  unverified  SSH open to the world" in text


def test_what_was_not_read_stands_below() -> None:
    """With its error in full, in the table of coverage and in the last lines."""
    text = written("table", REPORTS["region-failed"])
    assert (
        "Not read: what is open there is not known\n"
        "  eu-central-1 / 123456789012 (denied): UnauthorizedOperation: <b>No</b>.\n"
    ) in text
    assert "eu-central-1 / 123456789012  denied  0       0\n" in text
    assert text.endswith(
        "Nothing found open in 1 region, 1 region not read.\n"
        "First: let the audit read what it could not; what is open there is not known.\n"
    )


def test_a_clean_report_is_what_was_read_and_a_line() -> None:
    """There is no empty table of findings."""
    assert written("table", REPORTS["clean"]) == (
        "region / account          read  groups  rules\n"
        "eu-west-1 / 123456789012  ok    0       0\n"
        "\n"
        "Nothing found open in 1 region.\n"
        "There is nothing to do.\n"
    )


def test_an_unreadable_list_is_listed_whatever_the_policy_lists() -> None:
    """It may hold the whole internet."""
    policy = Policy(minimum_severity=Severity.CRITICAL)
    report = of(read(answer(permission("tcp", 443, 443, "pl-1"))), policy=policy)
    assert report.open[0].severity is Severity.LOW
    text = written("table", report)
    assert "prefix list pl-1 could not be read: the snapshot does not hold its entries." in text


def test_what_the_policy_does_not_list_is_counted() -> None:
    """Beside the headline, as in the mail."""
    text = written("table", replace(REPORTS["icmp"], minimum_severity=Severity.CRITICAL))
    assert "severity" not in text
    assert "Below critical and therefore not listed: 1 finding.\n" in text


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_in_an_account_moves_the_terminal(
    text: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No code but the table's own colours, no markup, nothing that turns the writing round."""
    shown = ANSI.sub("", on_terminal(hostile(text), columns, monkeypatch))
    assert all(line.isprintable() for line in shown.splitlines())
    assert max(map(cell_len, shown.splitlines())) <= columns
    monkeypatch.delenv("COLUMNS")
    assert plain(text).strip() in written("table", hostile(text))
