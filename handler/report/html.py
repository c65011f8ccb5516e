"""The digest as HTML that mail programs show: tables, inline style, nothing from elsewhere."""

from collections.abc import Iterator
from html import escape

from handler.model import Severity
from handler.report.digest import Digest, Entry, Section

_COLOURS = {
    Severity.CRITICAL: "#b42318",
    Severity.HIGH: "#b54708",
    Severity.MEDIUM: "#8a6a00",
    Severity.LOW: "#175cd3",
    Severity.INFO: "#475467",
}
_PAGE = "margin:0;padding:16px;font:14px/1.5 -apple-system,Segoe UI,Helvetica,Arial,sans-serif"
_TABLE = "border-collapse:collapse;width:100%;max-width:760px"
_CELL = "padding:8px 10px;border-bottom:1px solid #d0d5dd;vertical-align:top;text-align:left"
_CODE = "font:12px/1.5 Menlo,Consolas,monospace;overflow-wrap:anywhere"


def html(digest: Digest) -> str:
    """The digest as one HTML document; every text in it is escaped."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{escape(digest.subject)}</title></head>"
    yield f'<body style="{_PAGE}">'
    yield f'<h1 style="font-size:20px;margin:0 0 12px">{escape(digest.headline)}</h1>'
    if digest.unread:
        yield _heading("Not read: what is open there is not known", _COLOURS[Severity.CRITICAL])
        yield "<ul>"
        yield from (f"<li>{escape(line)}</li>" for line in digest.unread)
        yield "</ul>"
    for section in digest.sections:
        yield from _section(section)
    yield from (f"<p>{escape(note)}</p>" for note in digest.notes)
    yield _heading("What was read")
    yield f'<table style="{_TABLE}">'
    yield _row("th", "region / account", "status", "groups", "rules")
    for row in digest.coverage:
        yield _row("td", row.place, row.status, f"{row.groups:,}", f"{row.rules:,}")
    yield "</table>"
    yield f'<p style="font-size:12px">{escape(digest.origin)}</p>'
    yield "</body></html>"


def _section(section: Section) -> Iterator[str]:
    yield _heading(
        f"{section.severity.capitalize()}: {section.count:,}", _COLOURS[section.severity]
    )
    yield f'<table style="{_TABLE}">'
    for entry in section.entries:
        yield f'<tr><td style="{_CELL}">{"<br>".join(_entry(entry))}</td></tr>'
    yield "</table>"


def _entry(entry: Entry) -> Iterator[str]:
    yield f"<strong>{escape(entry.opening)}</strong>"
    yield f"{escape(entry.group)}, {escape(entry.place)}"
    yield f"sources: {escape(entry.sources)}"
    if entry.rules:
        yield f"rules: {escape(entry.rules)}"
    if entry.fix:
        yield f'<code style="{_CODE}">{escape(entry.fix)}</code>'


def _heading(text: str, colour: str = "inherit") -> str:
    return f'<h2 style="font-size:16px;margin:20px 0 6px;color:{colour}">{escape(text)}</h2>'


def _row(tag: str, *cells: str) -> str:
    return "<tr>" + "".join(f'<{tag} style="{_CELL}">{escape(c)}</{tag}>' for c in cells) + "</tr>"
