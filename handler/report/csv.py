"""The findings as CSV that a spreadsheet opens without running anything in it."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from handler.model.run import Report
from handler.report import phrases
from handler.report.json_report import finding_to_json
from handler.sanitize import plain

# All fields of a finding but lists of earlier ones.
COLUMNS = (
    "severity", "status", "kind", "account", "region", "groupId", "groupName", "groupIds",
    "groupNames", "vpcId", "owner", "managedBy", "attachment", "attached", "interfaces",
    "interfaceCount", "family",
    "protocol", "fromPort", "toPort", "icmpType", "icmpCode", "service", "reach", "addresses",
    "share", "sources", "prefixLists", "sourceCount", "ruleIds", "ruleCount", "why", "detail",
    "exception", "firstSeen", "lastSeen", "resolvedAt", "changedAt", "change", "openedBy",
    "fix", "narrower", "console", "id", "partOf",
)  # fmt: skip
# What a spreadsheet reads as a formula, at the start of a cell; in locales with decimal commas, a
# semicolon separates cells too. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"""(^|;)(?=[\s"']*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])""")


def csv_lines(report: Report) -> Iterator[str]:
    """A line of names, then a line for each finding in the report's order; each ends with CRLF."""
    yield _line(COLUMNS)
    for finding in report.findings:
        row = {**finding_to_json(finding), "openedBy": phrases.opened_by(finding)}
        yield _line(_cell(row.get(column)) for column in COLUMNS)


def _line(cells: Iterable[Any]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def without_formulas(text: str) -> str:
    """A plain text of which no spreadsheet reads any part as a formula."""
    return plain(_FORMULA.sub(r"\1'", text))


def _cell(value: Any) -> Any:
    text = " ".join(value) if isinstance(value, list) else value
    return without_formulas(text) if isinstance(text, str) else text
