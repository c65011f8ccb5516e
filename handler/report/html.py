"""The digest as HTML that mail programs show: tables, inline style, nothing from elsewhere.

Text has the page's own colour, and what sets it off is a grey between light and dark, so that a
mail program's light and dark page both leave it readable. Outlook for Windows, which lays mail out
as Word does and alone reads the comments, knows neither a greatest width nor a see-through colour:
it gets a table as wide, and does without the tint. Style is repeated wherever it holds, and so it
is short.
"""

from collections.abc import Iterable, Iterator
from html import escape

from handler.model.finding import Severity
from handler.model.run import CoverageStatus
from handler.report.digest import Digest, Entry, Group, Row, Section

_COLOURS = {
    Severity.CRITICAL: "#b42318",
    Severity.HIGH: "#c4500a",
    Severity.MEDIUM: "#8a6100",
    Severity.LOW: "#175cd3",
    Severity.INFO: "#5d6b82",
}
_ALARM = _COLOURS[Severity.CRITICAL]
_QUIET = _COLOURS[Severity.INFO]
_CLEAN = "#067647"
_WIDTH = 720
_FONT = "-apple-system,Segoe UI,Roboto,Arial,sans-serif"
_PAGE = f"font:14px/1.5 {_FONT};word-break:break-word;overflow-wrap:anywhere;overflow:hidden"
_TINT = "background:rgba(128,138,156,.15)"
_LINE = "1px solid #9aa3b2"
_MUTED = "opacity:.7"
_CODE = f"display:block;padding:6px 8px;{_TINT};font-size:12px"
_TABLE = '<table role="presentation" cellspacing="0" '


def render_html(digest: Digest) -> str:
    """The digest as one HTML document; every text in it is escaped."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="supported-color-schemes" content="light dark">'
    # An account is no telephone number.
    yield '<meta name="format-detection" content="telephone=no,date=no,address=no,url=no">'
    # Word does not hand a font down into a table.
    yield "<!--[if mso]><style>td,th{font-family:Segoe UI,Arial,sans-serif}</style><![endif]-->"
    yield f"<title>{_text(digest.subject)}</title></head>"
    yield '<body style="margin:0;padding:0">'
    yield f'<!--[if mso]><table align="center" width="{_WIDTH}"><tr><td><![endif]-->'
    # A long word does not widen a table of fixed layout.
    fixed = f"table-layout:fixed;max-width:{_WIDTH}px;margin:0 auto"
    yield f'{_TABLE}width="100%" cellpadding="16" style="{fixed}"><tr><td style="{_PAGE}">'
    yield f'<h1 style="font-size:22px;line-height:1.3;margin:8px 0 4px">{_text(digest.headline)}'
    yield "</h1>"
    yield from _cards(_first(digest), [f'<b style="font-size:16px">{_text(digest.advice)}</b>'])
    if digest.notices:
        yield from _cards(_ALARM, (f"Note: {_text(notice)}" for notice in digest.notices))
    if digest.unread:
        yield _heading("Not read: what is open there is not known", _ALARM)
        yield from _cards(_ALARM, map(_text, digest.unread))
    if digest.changed:
        yield _heading("Changed", _QUIET)
        yield from _cards(_QUIET, map(_text, digest.changed))
    for section in digest.sections:
        yield from _section(section)
    yield from (f'<p style="margin:8px 0">{_text(note)}</p>' for note in digest.notes)
    if digest.exceptions:
        yield _heading("Exceptions", _QUIET)
        yield from _cards(_QUIET, map(_text, digest.exceptions))
    yield _heading("What was read", _QUIET)
    yield from _coverage(digest.coverage)
    yield f'<p style="font-size:12px;{_MUTED}">{_text(digest.origin)}</p>'
    yield "</td></tr></table>"
    yield "<!--[if mso]></td></tr></table><![endif]-->"
    yield "</body></html>"


def _text(text: str) -> str:
    """The text between tags; quotes are harmless there, and commands are full of them."""
    return escape(text, quote=False)


def _first(digest: Digest) -> str:
    """The colour of what there is to do first."""
    if digest.sections:
        return _COLOURS[digest.sections[0].severity]
    return _ALARM if digest.unread else _CLEAN


def _section(section: Section) -> Iterator[str]:
    colour = _COLOURS[section.severity]
    yield _heading(f"{section.severity.capitalize()}: {section.count:,}", colour)
    yield from _cards(colour, ("".join(_group(group)) for group in section.groups))


def _group(group: Group) -> Iterator[str]:
    yield f'<b style="font-size:16px">{_text(group.name)}</b><br>{_text(group.place)}'
    if group.console:
        yield f' &middot; <a style="color:inherit" href="{escape(group.console)}">console</a>'
    yield from (f"<br>{_name(name)} {_text(fact)}" for name, fact in group.facts)
    for entry in group.entries:
        yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    yield f'<hr style="border:0;border-top:{_LINE};margin:10px 0">'
    yield f"<b>{_text(entry.opening)}</b>"
    yield from (f"<br>{_name(name)} {_text(fact)}" for name, fact in entry.facts)
    for name, command in entry.commands:
        yield f'<div style="margin-top:4px">{_name(name)}</div>'
        yield f'<code style="{_CODE}">{_text(command)}</code>'


def _name(name: str) -> str:
    return f'<span style="{_MUTED}">{name}:</span>'


def _cards(colour: str, contents: Iterable[str]) -> Iterator[str]:
    """Boxes with a bar of that colour."""
    edges = f"border:{_LINE};border-left:5px solid {colour}"
    yield f'{_TABLE}width="100%" cellpadding="12" style="border-spacing:0 8px">'
    yield from (f'<tr><td style="{edges}">{content}</td></tr>' for content in contents)
    yield "</table>"


def _heading(text: str, colour: str) -> str:
    return (
        f'{_TABLE}cellpadding="5" style="margin-top:20px"><tr>'
        f'<td bgcolor="{colour}" style="background:{colour};color:#ffffff">'
        f'<h2 style="font-size:15px;margin:0 6px">{_text(text)}</h2></td></tr></table>'
    )


def _coverage(rows: Iterable[Row]) -> Iterator[str]:
    style = "border-collapse:collapse;margin-top:8px;font-size:13px"
    yield f'<table width="100%" cellspacing="0" cellpadding="5" style="{style}">'
    yield _row("th", "region / account", "status", "groups", "rules")
    for row in rows:
        tag = "td" if row.status == CoverageStatus.OK else "th"
        yield _row(tag, row.place, row.status, f"{row.groups:,}", f"{row.rules:,}")
    yield "</table>"


def _row(tag: str, place: str, status: str, *numbers: str) -> str:
    cells = "".join(f'<{tag} align="right" nowrap>{_text(number)}</{tag}>' for number in numbers)
    return (
        f'<tr style="border-bottom:{_LINE}"><{tag} align="left">{_text(place)}</{tag}>'
        f'<{tag} align="left" nowrap>{_text(status)}</{tag}>{cells}</tr>'
    )
