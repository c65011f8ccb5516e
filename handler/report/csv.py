"""Findings as CSV in which a spreadsheet finds no formulas."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from handler.model.audit_report import Report
from handler.report import phrases
from handler.report.json_report import finding_to_json
from handler.sanitize import plain

# All fields of a finding except lists of earlier ones.
COLUMNS = (
    "severity", "status", "kind", "account", "accountName", "region", "groupId", "groupName",
    "groupIds", "groupNames", "vpcId", "owner", "managedBy", "attachment", "attached",
    "interfaces", "interfaceCount", "family", "protocol", "fromPort", "toPort", "icmpType",
    "icmpCode", "service", "reach", "addresses", "share", "sources", "prefixLists", "sourceCount",
    "ruleIds", "ruleCount", "why", "detail", "exception", "firstSeen", "lastSeen", "resolvedAt",
    "changedAt", "change", "openedBy", "fix", "narrower", "console", "id", "partOf",
)  # fmt: skip
# The start of a formula, at the start of a cell. In locales with decimal commas, a semicolon also
# separates cells. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"""(^|;)(?=[\s"']*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])""")


def csv_rows(report: Report) -> Iterator[str]:
    """One line per listed finding, in the report's order; lines end with CRLF."""
    for finding in report.listed(report.findings):
        account_name = report.names.get(finding.target.account)
        yield csv_line(finding_to_json(finding), account_name, phrases.opened_by(finding))


def csv_line(
    finding: Mapping[str, Any], account_name: str | None = None, opened_by: str = ""
) -> str:
    """The line for a finding in the form of ``finding_to_json``."""
    row = {**finding, "accountName": account_name, "openedBy": opened_by}
    return _line(map(_cell, map(row.get, COLUMNS)))


# writerow() returns what the file's write() returns: the line.
_line: Callable[[Iterable[Any]], str] = csv.writer(SimpleNamespace(write=str)).writerow
HEADING = _line(COLUMNS)
"""The line with the column names."""


def without_formulas(text: str) -> str:
    """A plain text, no part of which a spreadsheet reads as a formula."""
    # Most texts need no change.
    is_plain = text.isascii() and text.isprintable()
    if is_plain and ";" not in text and (not text or text[0].isalnum()):
        return text
    return plain(_FORMULA.sub(r"\1'", text))


def _cell(value: Any) -> Any:
    # An enum member is a text of another type, and never a formula.
    if type(value) is str:
        return without_formulas(value)
    return without_formulas(" ".join(value)) if isinstance(value, tuple) else value
