"""Files for all findings of a run over many accounts, which do not fit into memory."""

import gzip
from collections.abc import Iterable, Mapping
from tempfile import TemporaryFile
from typing import IO, Any

from handler.model.audit_report import Report
from handler.report.json_report import coverage_to_json, encode, finding_to_json, outline_of

# The fastest level makes 20 MB of the 200 MB of text that the findings of 500 accounts take.
_LEVEL = 1


class ReportFile:
    """The report as compressed JSON, written account by account."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 -- it is open as long as the report
        self._stream = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._stream.write(b'{"findings":[')
        self._is_empty = True
        # Written after the findings.
        self._later: dict[str, IO[bytes]] = {
            key: TemporaryFile()  # noqa: SIM115 -- as above
            for key in ("authorized", "coverage")
        }

    def write(self, report: Report) -> list[dict[str, Any]]:
        """Write the report of one account; its findings as JSON-serialisable data."""
        findings = list(map(finding_to_json, report.findings))
        if findings:
            self._stream.write(b"" if self._is_empty else b",")
            self._stream.write(encode(findings)[1:-1].encode())
            self._is_empty = False
        _write_items(self._later["authorized"], map(finding_to_json, report.authorized))
        _write_items(self._later["coverage"], map(coverage_to_json, report.coverage))
        return findings

    def finished(self, report: Report) -> IO[bytes]:
        """The complete file, with the fields of the report of all accounts."""
        self._stream.write(b"]")
        for key, items in self._later.items():
            self._stream.write(f',"{key}":['.encode())
            items.seek(0)
            self._stream.writelines(items)
            self._stream.write(b"]")
        outline = {k: v for k, v in outline_of(report).items() if k not in self._later}
        self._stream.write(f",{encode(outline)[1:]}".encode())
        self._stream.close()
        return self._file

    def close(self) -> None:
        """Remove the files."""
        self._stream.close()
        self._file.close()
        for items in self._later.values():
            items.close()


def _write_items(file: IO[bytes], items: Iterable[Mapping[str, Any]]) -> None:
    """Add items to those of a JSON list."""
    for item in items:
        file.write((b",\n" if file.tell() else b"") + encode(item).encode())
