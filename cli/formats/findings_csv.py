"""The mail's CSV, and a line for each target that was not read."""

from typing import TextIO

from cli.formats.finding_text import unread_targets
from handler.model.audit_report import Report
from handler.report.csv import HEADING, csv_line, csv_rows


def write_csv(report: Report, stream: TextIO) -> None:
    """Write the names of the columns, the findings, and the targets that were not read."""
    stream.writelines((HEADING, *csv_rows(report)))
    for unread in unread_targets(report):
        cells = {
            "severity": unread.SEVERITY,
            "status": unread.status,
            "kind": unread.KIND,
            "account": unread.target.account,
            "region": unread.target.region,
            "detail": unread.text,
        }
        stream.write(csv_line(cells))
