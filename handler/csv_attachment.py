"""The findings as a CSV file, which the mail attaches, zipped if it is long."""

import re
from codecs import BOM_UTF8
from email.message import EmailMessage
from tempfile import TemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from handler.model.audit_report import Report
from handler.model.run import Run
from handler.report.csv import HEADING, csv_rows
from handler.report.headers import LONGEST_LINE, file_name

_MAX_PLAIN_CSV = 1_000_000
# SES accepts 40 MB including base64, which makes attachments a third longer.
_MAX_ZIPPED_CSV = 25_000_000
_CSV_IS_FULL = (
    "The CSV has room for {:,} findings; {:,} more are in the report in the ledger's bucket only."
)
_TOO_LONG = re.compile(rb"^[^\r\n]{%d}" % (LONGEST_LINE + 1), re.MULTILINE)


class CsvAttachment:
    """Findings as CSV, compressed while written, because a mail is in memory several times."""

    def __init__(self, run: Run) -> None:
        parts = ("security-groups", file_name(run.stack), str(run.day))
        self._name = f"{'-'.join(filter(None, parts))}.csv"
        self._file = TemporaryFile()  # noqa: SIM115 -- it is open as long as the report
        self._archive = ZipFile(self._file, "w")
        # The same report gives the same file at any time.
        member = ZipInfo(self._name, run.day.timetuple()[:6])
        member.compress_type = ZIP_DEFLATED
        self._member = self._archive.open(member, "w", force_zip64=True)
        self._rows = self._left_out = 0
        # The byte order mark tells Excel that it is UTF-8.
        self._member.write(BOM_UTF8 + HEADING.encode())

    def write(self, lines: str) -> None:
        """Add one or more rows, as long as there is room."""
        number = lines.count("\r\n")
        if self._file.tell() > _MAX_ZIPPED_CSV:
            self._left_out += number
            return
        self._rows += number
        self._member.write(lines.encode())

    @property
    def problem(self) -> str | None:
        """A sentence if some findings were left out, else None."""
        return _CSV_IS_FULL.format(self._rows, self._left_out) if self._left_out else None

    def attach(self, mail: EmailMessage) -> None:
        """Attach all rows; a long file zipped."""
        self._member.close()
        self._archive.close()
        archive = ZipFile(self._file)
        if archive.getinfo(self._name).file_size > _MAX_PLAIN_CSV:
            self._file.seek(0)
            zipped, name = self._file.read(), f"{self._name}.zip"
            mail.add_attachment(zipped, maintype="application", subtype="zip", filename=name)
            return
        rows = archive.read(self._name)
        text = rows.removeprefix(BOM_UTF8)
        # ASCII needs neither the mark nor base64.
        is_plain = text.isascii() and not _TOO_LONG.search(text)
        mail.add_attachment(
            text if is_plain else rows,
            maintype="text",
            subtype="csv",
            filename=self._name,
            cte="7bit" if is_plain else "base64",
        )

    def close(self) -> None:
        """Remove the file."""
        self._member.close()
        self._archive.close()
        self._file.close()


def csv_of(report: Report) -> CsvAttachment:
    """The file with the listed findings of a report."""
    csv = CsvAttachment(report.run)
    for row in csv_rows(report):
        csv.write(row)
    return csv
