"""The digest as plain text."""

from collections.abc import Iterator

from handler.report.digest import Digest, Entry


def text(digest: Digest) -> str:
    """The digest for a mail's text part and a terminal; lines end with a newline."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    yield digest.headline
    if digest.unread:
        yield from ("", "NOT READ: what is open there is not known")
        yield from (f"  {line}" for line in digest.unread)
    for section in digest.sections:
        yield from ("", f"{section.severity.upper()}: {section.count:,}")
        for entry in section.entries:
            yield from _entry(entry)
    for note in digest.notes:
        yield from ("", note)
    yield from ("", "WHAT WAS READ")
    width = max((len(row.place) for row in digest.coverage), default=0)
    for row in digest.coverage:
        yield f"  {row.place:{width}}  {row.status}, groups {row.groups:,}, rules {row.rules:,}"
    yield from ("", digest.origin)


def _entry(entry: Entry) -> Iterator[str]:
    yield f"  {entry.place}  {entry.group}"
    yield f"    {entry.opening}"
    yield f"    sources: {entry.sources}"
    if entry.rules:
        yield f"    rules:   {entry.rules}"
    if entry.fix:
        yield f"    close:   {entry.fix}"
