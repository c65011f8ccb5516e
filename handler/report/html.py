"""The digest as HTML that mail programs show: tables, inline style, nothing from elsewhere.

No text has a colour of its own but white on a coloured badge, so that both the light and the dark
page of a mail program leave it readable.
"""

from collections.abc import Iterator
from html import escape

from handler.model import Severity
from handler.report.digest import Digest, Entry, Group, Section

_COLOURS = {
    Severity.CRITICAL: "#b42318",
    Severity.HIGH: "#b54708",
    Severity.MEDIUM: "#7a5b00",
    Severity.LOW: "#175cd3",
    Severity.INFO: "#475467",
}
_ALARM = _COLOURS[Severity.CRITICAL]
_PAGE = (
    "margin:0;padding:12px;font:14px/1.45 -apple-system,Segoe UI,Helvetica,Arial,sans-serif;"
    "overflow-wrap:anywhere"
)
_TABLE = (
    '<table width="100%" cellpadding="6" cellspacing="0" '
    'style="max-width:760px;border-collapse:collapse;font-size:14px">'
)
_GROUP = "border-top:1px solid #8a94a6;padding:8px 0"
_CODE = "font:12px/1.4 Menlo,Consolas,monospace;word-break:break-word"
_SMALL = "font-size:12px;max-width:760px"


def html(digest: Digest) -> str:
    """The digest as one HTML document; every text in it is escaped."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="supported-color-schemes" content="light dark">'
    yield f"<title>{escape(digest.subject)}</title></head>"
    yield f'<body style="{_PAGE}">'
    yield f'<h1 style="font-size:20px;margin:0 0 8px">{escape(digest.headline)}</h1>'
    yield f'<p style="font-size:16px;margin:0 0 12px">{escape(digest.advice)}</p>'
    yield from (f"<p>Note: {escape(notice)}</p>" for notice in digest.notices)
    if digest.unread:
        yield _heading("Not read: what is open there is not known", _ALARM)
        yield from _list(digest.unread)
    if digest.changed:
        yield _heading("Changed")
        yield from _list(digest.changed)
    for section in digest.sections:
        yield from _section(section)
    yield from (f"<p>{escape(note)}</p>" for note in digest.notes)
    if digest.exceptions:
        yield _heading("Exceptions")
        yield from _list(digest.exceptions)
    yield _heading("What was read")
    yield _TABLE
    yield _row("th", "region / account", "status", "groups", "rules")
    for row in digest.coverage:
        yield _row("td", row.place, row.status, f"{row.groups:,}", f"{row.rules:,}")
    yield "</table>"
    yield f'<p style="{_SMALL}">{escape(digest.origin)}</p>'
    yield "</body></html>"


def _section(section: Section) -> Iterator[str]:
    yield _heading(
        f"{section.severity.capitalize()}: {section.count:,}", _COLOURS[section.severity]
    )
    yield _TABLE
    for group in section.groups:
        yield f'<tr><td style="{_GROUP}">{"".join(_group(group))}</td></tr>'
    yield "</table>"


def _group(group: Group) -> Iterator[str]:
    yield f"<b>{escape(group.name)}</b><br>{escape(group.place)}"
    if group.console:
        yield f' &middot; <a href="{escape(group.console)}">console</a>'
    yield from (f"<br>{name}: {escape(fact)}" for name, fact in group.facts)
    for entry in group.entries:
        yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    yield f'<p style="margin:8px 0 0"><b>{escape(entry.opening)}</b>'
    yield from (f"<br>{name}: {escape(fact)}" for name, fact in entry.facts)
    for name, command in entry.commands:
        yield f'<br>{name}: <code style="{_CODE}">{escape(command)}</code>'
    yield "</p>"


def _list(lines: tuple[str, ...]) -> Iterator[str]:
    yield '<ul style="margin:4px 0;padding-left:20px">'
    yield from (f"<li>{escape(line)}</li>" for line in lines)
    yield "</ul>"


def _heading(text: str, colour: str | None = None) -> str:
    badge = f";display:inline-block;padding:2px 10px;color:#ffffff;background:{colour}"
    style = f"font-size:16px;margin:20px 0 8px{badge if colour else ''}"
    return f'<div><h2 style="{style}">{escape(text)}</h2></div>'


def _row(tag: str, *cells: str) -> str:
    return "<tr>" + "".join(f'<{tag} align="left">{escape(c)}</{tag}>' for c in cells) + "</tr>"
