"""The findings as CSV, read as a spreadsheet does."""

import csv
from io import StringIO

import pytest

from handler.report.csv import COLUMNS, HEADING, csv_rows, without_formulas
from handler.report.json_report import report_to_json
from tests.support import reports
from tests.support.security_groups import answer, permission

SSH = permission("tcp", 22, 22, "0.0.0.0/0", "::/0")


def rows(*groups: dict[str, object]) -> list[dict[str, str]]:
    """The rows of a report on these groups, by column."""
    lines = (HEADING, *csv_rows(reports.of(reports.read(*groups))))
    return list(csv.DictReader(StringIO("".join(lines))))


def test_each_finding_is_a_row() -> None:
    """The columns have the names of the JSON report; None is an empty cell."""
    first, second = rows(answer(SSH, permission("-1", None, None, "8.8.8.8/32", "9.9.9.9/32")))[:2]
    assert tuple(first) == COLUMNS
    assert (first["severity"], first["family"], first["fromPort"]) == ("critical", "ipv4", "22")
    assert (first["sources"], first["icmpType"]) == ("0.0.0.0/0", "")
    assert second["family"] == "ipv6"


def test_columns_are_fields_of_the_report() -> None:
    """Every field of a finding in JSON is a column, except earlier findings and flips.

    The name of the account is a column more.
    """
    halves = [
        answer(permission("tcp", 22, 22, "0.0.0.0/1"), group_id="sg-1"),
        answer(permission("tcp", 22, 22, "128.0.0.0/1"), group_id="sg-2"),
    ]
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]
    interfaces = [{"NetworkInterfaceId": "eni-1", "Groups": groups}]
    report = reports.of(reports.read(*halves, NetworkInterfaces=interfaces))
    fields = {key for finding in report_to_json(report)["findings"] for key in finding}
    left_out = {"previously", "previouslyCount", "flips", "flippingSince"}
    assert fields - left_out == set(COLUMNS) - {"accountName"}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        pytest.param("a;b", "a;b", id="harmless"),
        pytest.param("a=b", "a=b", id="inside"),
        pytest.param("a;=1+1;b", "a;'=1+1;b", id="after-a-semicolon"),
        pytest.param("a; +1;-1", "a;' +1;'-1", id="after-a-space"),
        pytest.param(" =1", "' =1", id="space-first"),
        pytest.param("\uff1d1", "'\uff1d1", id="full-width"),
        pytest.param('";@x', "\";'@x", id="after-a-quote"),
    ],
)
def test_no_part_of_a_cell_is_a_formula(text: str, cell: str) -> None:
    """Text after a semicolon cannot be a formula where semicolons separate cells."""
    assert without_formulas(text) == cell


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(first: str) -> None:
    """Group name and owner that begin as a formula does are prefixed."""
    hostile = f'{first}HYPERLINK(1,"x")\r\n,;'
    (row, *_) = rows(answer(SSH, name=hostile) | {"Tags": [{"Key": "Owner", "Value": hostile}]})
    for cell in (row["groupName"], row["owner"]):
        assert cell.isprintable()
        assert cell[0] not in "=+-@"


def test_no_cell_of_any_row_is_a_formula() -> None:
    """No cell of any column begins as a formula does."""
    malformed = permission("=1+1", 1, 2, "=cmd()") | {"PrefixListIds": [{"PrefixListId": "=a"}]}
    found = rows(answer(malformed, group_id="=sg", name="@x") | {"VpcId": "+1"})
    assert found
    assert not [cell for row in found for cell in row.values() if cell.startswith(tuple("=+-@"))]
