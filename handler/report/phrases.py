"""Short phrases shared by mail, terminal and other formats; their texts are plain."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from handler.model.address import Family
from handler.model.attachment import ATTACHMENTS, Attachment, Clause
from handler.model.finding import Finding, Opening, Severity
from handler.model.network import ALL_ACCOUNTS, ALL_REGIONS, UNKNOWN, Target
from handler.model.opened_by import Means, NotAttributed, OpenedBy
from handler.model.reach import Reach
from handler.model.run import Coverage
from handler.model.totals import account_title
from handler.model.traffic import ALL_PROTOCOLS
from handler.sanitize import cut, plain

_CONSOLES = {"cn": "console.amazonaws.cn", "us-gov": "console.amazonaws-us-gov.com"}
# The region becomes a part of a host name. Isolated and sovereign regions (us-iso-east-1,
# eusc-de-east-1), which have consoles of their own, do not match.
_CONSOLE_REGION = re.compile(r"([a-z]{2}(?:-gov)?)-[a-z]+-[0-9]+")
_NAMED_GROUPS = 10
_NAMED_INTERFACES = 3
_MOST_COUNTED = 10**9
_LARGE_SHARE = 0.0001
_SMALLEST_SHARE = 0.000001
# AWS allows 50 characters.
_LONGEST_ACCOUNT = 50
LONGEST_NAME = 80
LONGEST_LINE = 240
LONGEST_UNREAD = 480
"""Enough for an account's name and AWS's whole reason."""
# The explanation why even a few addresses count.
_ASIDE = re.compile(r"; one address may stand for [^)]*\)")
_MEANS = {
    Means.RULE: "",
    Means.PREFIX_LIST: " through a prefix list",
    Means.INTERFACE: " by attaching a network interface",
}
_PLURAL_SERVICES = ("Kubernetes NodePorts", "Kubernetes controllers")
# The part about who gets in, at the beginning of a reason.
_AUDIENCE = re.compile(r"^only .*? gets? in(?: and |$)")


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, for example 1 region or 17 regions."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def counts(numbers: Mapping[str, int]) -> str:
    """The numbers with their words, for example 1 new, 2 resolved; zeros are left out."""
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)


def severities(numbers: Mapping[Severity, int]) -> str:
    """The numbers by severity, worst first, for example 1 critical, 2 low."""
    return counts({severity: numbers.get(severity, 0) for severity in Severity})


def and_more(number: int, noun: str = "") -> str:
    """How many are left out, for example and 3 more findings; empty if none are."""
    if number <= 0:
        return ""
    return f"and {count(number, f'more {noun}')}" if noun else f"and {number:,} more"


def join_first(texts: Sequence[str], number: int, total: int = 0) -> str:
    """The first ``number`` texts, plain and with commas, and how many more there are.

    ``total`` is the number of all texts, if these are only some of them.
    """
    more = and_more(max(len(texts), total) - min(len(texts), number))
    return f"{', '.join(map(plain, texts[:number]))}{more and f' {more}'}"


def first_lines(lines: Iterable[str], number: int | None, noun: str) -> tuple[str, ...]:
    """The first lines, cut to a readable length, and how many more there are."""
    texts = [cut(line, LONGEST_LINE) for line in lines]
    displayed = texts[:number]
    more = and_more(len(texts) - len(displayed), noun)
    return (*displayed, *([f"{more}."] if more else ()))


def place(target: Target, names: Mapping[str, str] | None = None) -> str:
    """The region and the account, by name and id if ``names`` is given."""
    if target == Target(UNKNOWN, ALL_REGIONS):
        return "the account"
    if names is None:
        region = "the list of regions" if target.region == ALL_REGIONS else target.region
        return plain(f"{region} / {target.account}")
    if target.account == ALL_ACCOUNTS:
        return "the list of accounts"
    title = account(target.account, names)
    return title if target.region == ALL_REGIONS else plain(f"{target.region} / {title}")


def region(target: Target, names: Mapping[str, str] | None) -> str:
    """The region; unless ``names`` is None, with the account."""
    return plain(target.region) if names is None else place(target, names)


def account(account_id: str, names: Mapping[str, str]) -> str:
    """The name and id of an account; the id alone if it has no name."""
    name = names.get(account_id)
    return plain(account_title(account_id, name and cut(name, _LONGEST_ACCOUNT)))


def groups(finding: Finding) -> str:
    """Name and id of the group, or of the groups that open the finding only together.

    A long name is cut, so that the id stays where only the beginning is shown.
    """
    first, *joint = (
        plain(f"{cut(name, LONGEST_NAME)} ({group_id})" if name.strip() else group_id)
        for group_id, name in finding.groups
    )
    return f"{first} together with {join_first(joint, _NAMED_GROUPS)}" if joint else first


def console_url(finding: Finding) -> str | None:
    """The URL of the group in the AWS console; None if the region's console is unknown."""
    region = finding.target.region
    match = _CONSOLE_REGION.fullmatch(region)
    if match is None:
        return None
    host = _CONSOLES.get(match[1], f"{region}.console.aws.amazon.com")
    group_id = quote(plain(finding.group_id), safe="")
    return f"https://{host}/ec2/home?region={region}#SecurityGroup:groupId={group_id}"


def opening(finding: Finding) -> str:
    """Protocol and ports, the service if it is known, and which part of the internet gets in."""
    # The protocol of a malformed rule may be any text.
    traffic = plain(finding.traffic.text)
    service = f" ({finding.service})" if finding.service else ""
    return f"{traffic}{service} {_reach(finding)}"


def _reach(finding: Finding) -> str:
    if finding.family is None:
        return "from sources that could not be evaluated"
    if finding.addresses is None or finding.share is None:
        return f"from addresses of an AWS service ({finding.family.text})"
    family = finding.family.text
    if finding.reach is Reach.WORLD:
        return f"from the whole {family} internet"
    if finding.reach is Reach.WIDE:
        return f"from {part_of_internet(finding.share, finding.family)}"
    return f"from {addresses(finding.addresses, 'public ')} ({family})"


def part_of_internet(share: float, family: Family) -> str:
    """A part of the internet in percent, for example 0.0018% of the IPv4 internet."""
    # Rounding must not turn all but a few addresses into 100%, or a /16 (0.0018%) into 0%.
    if share < _SMALLEST_SHARE:
        percent = f"less than {_SMALLEST_SHARE:.4%}"
    else:
        percent = f"{min(share, 0.9999):.{2 if share >= _LARGE_SHARE else 4}%}"
    return f"{percent} of the {family.text} internet"


def interfaces(finding: Finding) -> str:
    """The holders of the first network interfaces, and how many more there are."""
    return join_first(finding.attached, _NAMED_INTERFACES, total=finding.interface_count)


def attached(finding: Finding) -> str:
    """What the group is attached to."""
    phrase = ATTACHMENTS[finding.attachment].phrase
    return phrase or f"{finding.attachment}: {interfaces(finding)}"


def unread(coverage: Coverage, names: Mapping[str, str] | None) -> str:
    """The target that was not read, and why."""
    groups_read = f" after {count(coverage.groups, 'group')}" if coverage.groups else ""
    status = f"{place(coverage.target, names)} ({coverage.status}{groups_read})"
    return f"{status}: {plain(coverage.error or 'no reason is known.')}"


def day(stamp: str) -> str:
    """The day of a time in ISO 8601, for example 1 Nov 2026."""
    date = datetime.fromisoformat(stamp)
    return f"{date.day} {date:%b %Y}"


def minute(stamp: str) -> str:
    """A time in ISO 8601 to the minute, for example 1 Nov 2026 06:00 UTC."""
    return f"{day(stamp)} {datetime.fromisoformat(stamp):%H:%M} UTC"


def service(finding: Finding) -> str:
    """The name of what is open, or protocol and ports if it has none."""
    return finding.service or plain(finding.traffic.text)


def are_or_is(services: str) -> str:
    """The verb for one or more services."""
    is_plural = "," in services or " and " in services or services.endswith(_PLURAL_SERVICES)
    return "are" if is_plural else "is"


def title(finding: Finding) -> str:
    """What is open, with protocol and ports, for example SSH \N{MIDDLE DOT} tcp/22."""
    text = plain(finding.traffic.text)
    if finding.traffic.protocol == ALL_PROTOCOLS:
        return text.capitalize()
    return f"{finding.service} \N{MIDDLE DOT} {text}" if finding.service else text


def group_names(finding: Finding, length: int = LONGEST_NAME) -> str:
    """The names of the group or joint groups; ids for missing names."""
    names = [name.strip() or group_id for group_id, name in finding.groups]
    more = [f"{len(names) - _NAMED_GROUPS} more"] if len(names) > _NAMED_GROUPS else []
    return " + ".join([*(cut(name, length) for name in names[:_NAMED_GROUPS]), *more])


def audience(finding: Finding) -> str:
    """Who gets in, for example the internet, or 512 addresses."""
    if finding.reach is Reach.WORLD:
        return "the internet"
    if finding.family is None:
        return "unknown sources"
    if finding.addresses is None or finding.share is None:
        return "clients of an AWS service"
    if finding.reach is Reach.WIDE:
        return part_of_internet(finding.share, finding.family)
    return addresses(finding.addresses)


def addresses(number: int, kind: str = "") -> str:
    """A number of addresses, large ones as a power of two: IPv6 numbers have dozens of digits."""
    if number < _MOST_COUNTED:
        return count(number, f"{kind}address", f"{kind}addresses")
    return f"2^{number.bit_length() - 1} {kind}addresses"


def families(opening: Opening) -> str:
    """The families of an opening; empty for IPv4 alone."""
    names = [finding.family.text for finding in opening.findings if finding.family]
    return " + ".join(names) if names != ["IPv4"] else ""


def detail(finding: Finding, *, with_command: bool) -> str:
    """The finding's detail, which describes its command only ``with_command``."""
    parts = (finding.detail or "").split("; ")
    return "; ".join(part for part in parts if with_command or not part.startswith("the command "))


def reason(finding: Finding) -> str:
    """Why the severity is lower than the service's, or the path unknown; empty otherwise."""
    return shortened(_reason(finding))


def shortened(reason: str) -> str:
    """A reason in fewer words, for a line that names group and interfaces anyway."""
    for clause in Clause:
        reason = reason.replace(clause, clause.short)
    return reason


def reason_of_path(finding: Finding) -> str:
    """The reason without who gets in, for sentences that say it anyway."""
    return _AUDIENCE.sub("", _reason(finding))


def _reason(finding: Finding) -> str:
    full, is_lower, text = finding.why.rstrip(".").partition(", but ")
    if not is_lower and finding.attachment is Attachment.UNKNOWN:
        text = full.partition("; ")[2]
    return plain(_ASIDE.sub("", text))


def opened_by(finding: Finding) -> str:
    """Who opened the finding, when and from where, or why that is unknown.

    Empty if nobody looked, or if a later search may still find it.
    """
    opener = finding.opened_by
    if isinstance(opener, NotAttributed) and not opener.is_read:
        return "unknown (CloudTrail's event history could not be read)"
    if isinstance(opener, NotAttributed) and opener.is_final:
        return f"unknown (not in CloudTrail's event history since {day(opener.since)})"
    if not isinstance(opener, OpenedBy):
        return ""
    others = f" and {count(opener.others, 'other')}" if opener.others else ""
    address = f" from {opener.source_address}" if opener.source_address else ""
    means = _MEANS[opener.means]
    return plain(f"{opener.actor.principal}{others}{means}, {minute(opener.at)}{address}")
