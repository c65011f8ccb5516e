"""The formats of a report outside of the mail, by their names for ``--format``."""

import json
from collections.abc import Callable, Mapping
from typing import TextIO

from cli.formats.asff import build_asff
from cli.formats.findings_csv import write_csv
from cli.formats.markdown import render_markdown
from cli.formats.sarif import build_sarif
from cli.formats.table import write_table
from handler.model.audit_report import Report
from handler.report.html import render_html
from handler.report.json_report import report_to_json
from handler.report.size_limit import fit_digest

Format = Callable[[Report, TextIO], object]
"""Writes a report to a stream."""


def _json(build: Callable[[Report], object]) -> Format:
    return lambda report, stream: stream.write(json.dumps(build(report), indent=2) + "\n")


FORMATS: Mapping[str, Format] = {
    "table": write_table,
    "json": _json(report_to_json),
    "csv": write_csv,
    "html": lambda report, stream: stream.write(render_html(fit_digest(report))),
    "markdown": lambda report, stream: stream.write(render_markdown(report)),
    "sarif": _json(build_sarif),
    "asff": _json(build_asff),
}
