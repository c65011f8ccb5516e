"""The digest as plain text, wrapped at 78 characters."""

from collections.abc import Iterable, Iterator
from textwrap import indent, wrap

from handler.report.digest import Digest
from handler.report.entries import Entry

_WIDTH = 78


def render_text(digest: Digest) -> str:
    """The digest as the mail's text part; lines end with a newline."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    for line in filter(None, (digest.headline, digest.advice)):
        yield from _wrapped(line)
    yield from _joined(digest.summary)
    for section in digest.sections:
        title, colon, explanation = section.title.partition(":")
        yield from ("", f"{title.upper()}{colon}{explanation}")
        for entry in section.entries:
            yield ""
            yield from _entry(entry)
        for line in section.lines:
            yield from _wrapped(line, "  ")
    yield ""
    yield from _wrapped(" ".join([digest.coverage, *digest.in_csv, *digest.notes]))
    for line in (*digest.purpose, digest.origin):
        yield from _wrapped(line)


def _entry(entry: Entry) -> Iterator[str]:
    families = f" ({entry.families})" if entry.families else ""
    label = f" [{entry.label}]" if entry.label else ""
    yield from _wrapped(f"{entry.title}{families}{label}", "  ")
    ids = "" if entry.group_ids == entry.group else f" ({entry.group_ids})"
    parts = (f"{entry.group}{ids}", entry.place, *entry.facts)
    yield from _joined(parts, "    ")
    for detail in entry.details:
        yield from _wrapped(detail, "    ")
    for command in entry.commands:
        if command.step:
            yield f"    {command.step}"
        yield indent(command.text, "      ")


def _joined(parts: Iterable[str], margin: str = "") -> Iterator[str]:
    """The parts with dots between them; a line may end with a dot, but does not begin with one."""
    for line in _wrapped("\0\N{MIDDLE DOT} ".join(parts), margin):
        yield line.replace("\0", " ")


def _wrapped(text: str, margin: str = "") -> list[str]:
    return wrap(
        text,
        _WIDTH,
        initial_indent=margin,
        subsequent_indent=f"{margin}  " if margin else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
