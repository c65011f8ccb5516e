"""The digest as HTML for mail programs: tables, inline styles, no external resources.

Inline styles are for light mode, and the style sheet has the colours for dark mode. A mail program
that ignores the style sheet shows the light page, or inverts it itself; bars and filled labels are
visible on both. Outlook for Windows renders with Word, which does not support max-width: it gets a
table of that width, in comments that only it reads. Styles are short, because they are repeated.
"""

from collections.abc import Iterator
from html import escape

from handler.model.finding import Severity
from handler.report.digest import Digest, Section
from handler.report.entries import Entry

# White text on each has a contrast of at least 4.5; each has at least 3 on white and on #121212.
_COLOURS = {
    Severity.CRITICAL: "#d92d20",
    Severity.HIGH: "#c4500a",
    Severity.MEDIUM: "#946200",
    Severity.LOW: "#2563eb",
    Severity.INFO: "#667085",
}
_LABEL_COLOURS = {severity.capitalize(): colour for severity, colour in _COLOURS.items()}
_CLEAN = "#0e7f4f"
_NEUTRAL = _COLOURS[Severity.INFO]
_WIDTH = 700
# Secondary text, links and commands have classes, for dark mode.
_MUTED = 'class="m" style="color:#56606f'
_LINK = 'class="l" style="color:#175cd3"'
_COMMAND = (
    'class="c" style="margin:4px 0 2px;padding:4px 8px;overflow-x:auto;white-space:pre;'
    'font:11px/14px Consolas,Menlo,monospace;color:#1d2433;background:#eef0f3"'
)
_DARK = (
    ":root{color-scheme:light dark}@media (prefers-color-scheme:dark){.p{background:#121212"
    "!important;color:#fff!important}.m{color:#b3bac5!important}.l{color:#8ab4f8!important}"
    ".c{color:#e8eaed!important;background:#26282c!important}.e{border-color:#3c4043!important}}"
)
_PAGE = (
    "font:14px/19px -apple-system,Segoe UI,Roboto,Arial,sans-serif;color:#000;"
    "word-break:break-word;overflow:hidden"
)
_TABLE = '<table role="presentation" width="100%" cellspacing="0" cellpadding="0"'
# Long words and scrolled commands do not widen such a table.
_FIXED = "table-layout:fixed"
# A line may end with the dot, but does not begin with it.
_DOT = "&nbsp;&middot; "
_HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all"


def render_html(digest: Digest) -> str:
    """The digest as one HTML document with all texts escaped."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="supported-color-schemes" content="light dark">'
    # Account ids are not telephone numbers.
    yield '<meta name="format-detection" content="telephone=no,date=no,address=no,url=no">'
    yield f"<style>{_DARK}</style>"
    # Word's tables do not inherit the font.
    yield "<!--[if mso]><style>td,th{font-family:Segoe UI,Arial,sans-serif}</style><![endif]-->"
    yield f"<title>{_text(digest.subject)}</title></head>"
    yield '<body class="p" style="margin:0;padding:0">'
    yield f'<div style="{_HIDDEN}">{_text(digest.preheader)}</div>'
    yield f'<!--[if mso]><table align="center" width="{_WIDTH}"><tr><td><![endif]-->'
    yield f'{_TABLE} style="{_FIXED};max-width:{_WIDTH}px;margin:0 auto">'
    yield f'<tr><td class="p" style="padding:16px;{_PAGE}">'
    yield '<h1 style="font-size:22px;line-height:27px;margin:0 0 4px">'
    yield f"{_text(digest.headline)}</h1>"
    if digest.advice:
        start, colon, rest = digest.advice.partition(": ")
        yield f'<p style="margin:0"><b>{_text(start + colon)}</b>{_text(rest)}</p>'
    yield f'<p {_MUTED};margin:0">{_DOT.join(map(_text, digest.summary))}</p>'
    for section in digest.sections:
        yield from _section(section)
    notes = " ".join([digest.coverage, *digest.in_csv, *digest.notes])
    yield f'<p {_MUTED};font-size:12px;line-height:17px;margin:16px 0 0">'
    yield "<br>".join(map(_text, (notes, *digest.purpose, digest.origin)))
    yield "</p></td></tr></table>"
    yield "<!--[if mso]></td></tr></table><![endif]-->"
    yield "</body></html>"


def _text(text: str) -> str:
    """Text between tags, where quotes are harmless; commands are full of them."""
    return escape(text, quote=False)


def _section(section: Section) -> Iterator[str]:
    """A heading, and rows with a bar in the section's colour."""
    colour = _COLOURS[section.severity] if section.severity else _CLEAN
    heading = _chip(section.title, colour)
    yield f'<h2 style="font-size:15px;line-height:20px;margin:16px 0 6px">{heading}'
    yield f'</h2>{_TABLE} style="{_FIXED};border-left:4px solid {colour}">'
    edge = 'class="e" style="padding:4px 10px;border-bottom:1px solid #d5d9e0"'
    for content in (*map(_entry, section.entries), *map(_text, section.lines)):
        yield f"<tr><td {edge}>{content}</td></tr>"
    yield "</table>"


def _chip(text: str, colour: str, size: int = 15) -> str:
    style = f"background:{colour};color:#fff;font-size:{size}px;padding:1px 7px"
    return f'<span style="{style}">{_text(text)}</span>'


def _entry(entry: Entry) -> str:
    families = f" ({entry.families})" if entry.families else ""
    colour = _LABEL_COLOURS.get(entry.label, _NEUTRAL)
    label = f" {_chip(entry.label, colour, 11)}" if entry.label else ""
    name = _text(entry.group)
    if entry.console:
        name = f'<a {_LINK} href="{escape(entry.console)}">{name}</a>'
    facts = "".join(f"{_DOT}{_text(fact)}" for fact in (entry.place, *entry.facts))
    details = "".join(f"<br>{_text(detail)}" for detail in entry.details)
    commands = "".join(
        (f'<div {_MUTED};margin-top:3px">{command.step}</div>' if command.step else "")
        + f"<pre {_COMMAND}>{_text(command.text)}</pre>"
        for command in entry.commands
    )
    return (
        f"<b>{_text(entry.title)}</b>{_text(families)}{label}"
        f'<br>{name}<span {_MUTED}">{facts}{details}</span>{commands}'
    )
