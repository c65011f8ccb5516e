"""The forms a report has outside of the mail, by the name that ``--format`` knows them by."""

import json
from collections.abc import Callable, Mapping
from typing import TextIO

from cli.formats.asff import asff
from cli.formats.csv import rows
from cli.formats.markdown import markdown
from cli.formats.sarif import sarif
from cli.formats.table import table
from handler.model import Report
from handler.policy import Policy
from handler.report.document import document
from handler.report.fit import fitting
from handler.report.html import html

Form = Callable[[Report, Policy, TextIO], object]
"""Writes a report to a stream; the policy says what people are shown of it."""


def _json(content: Callable[[Report], object]) -> Form:
    return lambda report, _, stream: stream.write(json.dumps(content(report), indent=2) + "\n")


FORMS: Mapping[str, Form] = {
    "table": table,
    "json": _json(document),
    "csv": rows,
    "html": lambda report, policy, stream: stream.write(html(fitting(report, policy))),
    "markdown": lambda report, policy, stream: stream.write(markdown(report, policy)),
    "sarif": _json(sarif),
    "asff": _json(asff),
}
