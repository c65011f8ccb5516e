"""The commands that close a finding in a safe order, wrapped without breaking ids."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from handler.model.attachment import Attachment
from handler.model.finding import Finding, Opening
from handler.model.traffic import ALL_PROTOCOLS, Traffic
from handler.sanitize import plain

# The characters that fit on a phone without scrolling.
_LONGEST_LINE = 44
_LONGEST_COMMAND = 2500
# A word as shlex.quote writes it: parts of it may be quoted and contain spaces.
_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")
_AND = "&&"
_RULE_IDS = "--security-group-rule-ids"
# SSH, Telnet, RDP, WinRM, VNC, Radmin, Apple Remote Desktop and pcAnywhere: people who close them
# may need them to log in.
_PORTS = (22, 23, 3283, 3389, 4899, 5631, 5632, *range(5900, 5911), 5985, 5986)
_LOGINS = (Traffic("udp", 3389, 3389), *(Traffic("tcp", port, port) for port in _PORTS))


class Command(NamedTuple):
    """A command to paste, of one or more lines; ``step`` is its heading, or empty."""

    step: str
    text: str


def commands_of(opening: Opening) -> tuple[Command, ...]:
    """The commands that close an opening.

    If people log in through it, the first command lets their own range in.
    """
    finding = opening.finding
    fixes = f" {_AND} ".join(f.fix for f in opening.findings if f.fix)
    if len(fixes) > _LONGEST_COMMAND:
        # Half a command would be worse than none.
        return (Command("", "see the CSV"),)
    if not fixes:
        return ()
    if finding.narrower and _is_for_logins(finding):
        return (
            Command("1. Allow your range", wrap(finding.narrower)),
            Command("2. Revoke", wrap(fixes)),
        )
    return (Command("", wrap(fixes)),)


@lru_cache(1024)
def wrap(command: str) -> str:
    """The command with each option on its own line; values that do not fit go on the next lines.

    Commands that differ only in their rule ids are merged.
    """
    merged: dict[tuple[str, ...], list[str]] = {}
    is_and = _AND.__eq__
    commands = (list(g) for found, g in groupby(_WORD.findall(command), is_and) if not found)
    for words in commands:
        ids_at = words.index(_RULE_IDS) + 1 if _RULE_IDS in words else len(words)
        merged.setdefault(tuple(words[:ids_at]), []).extend(words[ids_at:])
    return f" {_AND}\n".join(
        " \\\n".join(map(plain, _lines([*start, *dict.fromkeys(ids)])))
        for start, ids in merged.items()
    )


def _lines(words: Sequence[str]) -> Iterator[str]:
    line = words[0]
    for word in words[1:]:
        is_value = line.startswith(" ")
        if word.startswith("--"):
            yield line
            line = f"  {word}"
        elif is_value and len(f"{line} {word} \\") > _LONGEST_LINE:
            yield line
            line = f"    {word}"
        else:
            line = f"{line} {word}"
    yield line


def _is_for_logins(finding: Finding) -> bool:
    if finding.traffic.protocol == ALL_PROTOCOLS:
        return False
    if finding.attachment in {Attachment.UNATTACHED, Attachment.NO_INBOUND}:
        return False
    return any(finding.traffic.contains(login) for login in _LOGINS)
