"""How the digest puts things: short phrases, free of whatever a terminal or a header obeys."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from handler.model import ALL, ICMP, LAST_PORT, Family, Finding, Reach, Traffic

_CONSOLES = {"cn": "console.amazonaws.cn", "us-gov": "console.amazonaws-us-gov.com"}
# A region becomes a part of a host's name. Isolated and sovereign ones, which have consoles of
# their own, are called differently: us-iso-east-1, eusc-de-east-1.
_REGION = re.compile(r"([a-z]{2}(?:-gov)?)-[a-z]+-[0-9]+")
_FAMILIES = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}


def plain(text: str) -> str:
    """A text from the account without control, direction or other invisible characters."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


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
    return _protocol_and_ports(of) + (f" ({service})" if service else "")


def reach(of: Finding) -> str:
    """Which part of the internet gets in."""
    if of.family is None or of.addresses is None or of.share is None:
        return "from sources that could not be judged"
    family = _FAMILIES[of.family]
    if of.reach is Reach.WORLD:
        return f"from the whole {family} internet"
    if of.reach is Reach.WIDE:
        return f"from {of.share:.2%} of the {family} internet"
    return f"from {count(of.addresses, 'public address', 'public addresses')} ({family})"


def _protocol_and_ports(of: Traffic) -> str:
    # The protocol of a rule that makes no sense may be any text.
    protocol = plain(of.protocol)
    if protocol == ALL:
        return "all traffic"
    if protocol in ICMP:
        kind = "" if of.icmp_type is None else f" type {of.icmp_type}"
        code = "" if of.icmp_code is None else f" code {of.icmp_code}"
        return f"{protocol}{kind}{code}"
    if of.from_port is None:
        return f"protocol {protocol}"
    if of.from_port == of.to_port:
        return f"{protocol}/{of.from_port}"
    if (of.from_port, of.to_port) == (0, LAST_PORT):
        return f"{protocol}, all ports"
    return f"{protocol}/{of.from_port}-{of.to_port}"
