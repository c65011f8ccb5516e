"""The mail's list of findings, and a line for each target that was not read."""

import csv
from typing import TextIO

from cli.formats import facts
from handler.model import Report, Severity
from handler.policy import Policy
from handler.report.csv import COLUMNS, harmless, lines


def rows(report: Report, _: Policy, stream: TextIO) -> None:
    """Write the names of the columns, the findings, and what was not read."""
    stream.writelines(lines(report))
    writer = csv.DictWriter(stream, COLUMNS, restval="")
    for each in report.unread:
        cells = {
            "severity": Severity.HIGH,
            "status": each.status,
            "kind": "not-read",
            "account": each.target.account,
            "region": each.target.region,
            "detail": facts.unread(each),
        }
        writer.writerow({name: harmless(cell) for name, cell in cells.items()})
