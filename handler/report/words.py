"""How the digest puts things: short phrases, free of whatever a terminal or a header obeys."""

import re
from collections.abc import Iterator, Sequence
from unicodedata import category, combining
from urllib.parse import quote

from handler.model import Family, Finding, Reach, Traffic

_CONSOLES = {"cn": "console.amazonaws.cn", "us-gov": "console.amazonaws-us-gov.com"}
# A region becomes a part of a host's name. Isolated and sovereign ones, which have consoles of
# their own, are called differently: us-iso-east-1, eusc-de-east-1.
_REGION = re.compile(r"([a-z]{2}(?:-gov)?)-[a-z]+-[0-9]+")
# Letters and symbols that fonts show as nothing, and what selects the form of the one before.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
# Accents and vowels that stand on one letter; more of them are no writing, and smear over lines.
_MOST_MARKS = 4
# The class of the marks that join two letters of Indian scripts to one.
_JOINER = 9
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_FAMILIES = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}


def plain(text: str) -> str:
    """A text from the account without what is not seen, or obeyed, or piled up on one letter."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(_BLANK.sub(_REPLACED, text)))


def _shown(text: str) -> Iterator[str]:
    marks, is_joined = 0, False
    for each in text:
        if category(each).startswith("M"):
            marks += 1
        elif not is_joined:
            marks = 0
        is_joined = combining(each) == _JOINER
        yield each if each.isprintable() and marks <= _MOST_MARKS else _REPLACED


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, for example 1 region or 17 regions."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listing(items: Sequence[str], most: int) -> str:
    """The items with commas, at most that many, and how many more there are."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(map(plain, items[:most])) + more


def cut(text: str, most: int) -> str:
    """A text without odd characters, and no longer than that."""
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


def group(group_id: str, name: str) -> str:
    """A group by its name, as far as it has one, and its id."""
    return plain(f"{name} ({group_id})" if name.strip() else group_id)


def console(finding: Finding) -> str | None:
    """Where the AWS console shows the group; None where that is not known."""
    region = finding.target.region
    known = _REGION.fullmatch(region)
    if known is None:
        return None
    host = _CONSOLES.get(known[1], f"{region}.console.aws.amazon.com")
    group = quote(plain(finding.group_id), safe="")
    return f"https://{host}/ec2/home?region={region}#SecurityGroup:groupId={group}"


def traffic(of: Traffic, service: str | None) -> str:
    """Protocol and ports, and the service where there is a name for it."""
    # The protocol of a rule that makes no sense may be any text.
    return plain(of.text) + (f" ({service})" if service else "")


def reach(of: Finding) -> str:
    """Which part of the internet gets in."""
    if of.family is None or of.addresses is None or of.share is None:
        return "from sources that could not be judged"
    family = _FAMILIES[of.family]
    if of.reach is Reach.WORLD:
        return f"from the whole {family} internet"
    if of.reach is Reach.WIDE:
        # All but a few addresses are not all of them.
        share = min(of.share, 0.9999)
        return f"from {share:.2%} of the {family} internet"
    return f"from {count(of.addresses, 'public address', 'public addresses')} ({family})"
