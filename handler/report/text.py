"""The digest as plain text."""

from collections.abc import Iterator

from handler.report.digest import Digest, Group


def render_text(digest: Digest) -> str:
    """The digest for a mail's text part; lines end with a newline."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    yield from (digest.headline, digest.advice)
    yield from (f"Note: {line}" for line in digest.notices)
    if digest.unread:
        yield from ("", "NOT READ: what is open there is not known")
        yield from (f"  {line}" for line in digest.unread)
    if digest.changed:
        yield from ("", "CHANGED")
        yield from (f"  {line}" for line in digest.changed)
    for section in digest.sections:
        yield from ("", f"{section.severity.upper()}: {section.count:,}")
        for group in section.groups:
            yield from _group(group)
    for note in digest.notes:
        yield from ("", note)
    if digest.exceptions:
        yield from ("", "EXCEPTIONS")
        yield from (f"  {line}" for line in digest.exceptions)
    yield from ("", "WHAT WAS READ")
    width = max((len(row.place) for row in digest.coverage), default=0)
    for row in digest.coverage:
        yield f"  {row.place:{width}}  {row.status}, groups {row.groups:,}, rules {row.rules:,}"
    yield from ("", digest.origin)


def _group(group: Group) -> Iterator[str]:
    yield f"  {group.name}  {group.place}"
    yield from (f"    {name}: {fact}" for name, fact in group.facts)
    if group.console:
        yield f"    console: {group.console}"
    for entry in group.entries:
        yield f"    - {entry.opening}"
        yield from (f"      {name}: {fact}" for name, fact in (*entry.facts, *entry.commands))
