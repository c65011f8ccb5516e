"""The findings as CSV that a spreadsheet opens without running anything in it."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from handler.model import Report
from handler.report.document import finding_object
from handler.report.words import plain

# All fields of a finding but `narrower`, which repeats its group and ports in 250 bytes a row.
COLUMNS = (
    "severity", "status", "kind", "account", "region", "groupId", "groupName", "groupIds",
    "groupNames", "vpcId", "owner", "attachment", "attached", "interfaces", "family", "protocol",
    "fromPort", "toPort", "icmpType", "icmpCode", "service", "reach", "addresses", "share",
    "sources", "prefixLists", "ruleIds", "why", "detail", "exception", "firstSeen", "lastSeen",
    "resolvedAt", "worsenedFrom", "fix", "console", "id",
)  # fmt: skip
# What a spreadsheet takes for a formula, at the start of a cell; where people write decimal commas,
# a semicolon separates cells too. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"""(^|;)(?=[\s"']*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])""")


def lines(report: Report) -> Iterator[str]:
    """A line of names, then a line for each finding in the report's order; each ends with CRLF."""
    yield _line(COLUMNS)
    for finding in map(finding_object, report.findings):
        yield _line(_cell(finding.get(column)) for column in COLUMNS)


def _line(cells: Iterable[Any]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def harmless(text: str) -> str:
    """A text of which no spreadsheet takes any part for a formula, and without odd characters."""
    return plain(_FORMULA.sub(r"\1'", text))


def _cell(value: Any) -> Any:
    text = " ".join(value) if isinstance(value, list) else value
    return harmless(text) if isinstance(text, str) else text
