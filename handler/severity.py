"""How severe an exposure is, and why: what is open, to how many, and what is attached.

The table is in ``policy``; here it becomes one severity and one sentence.
"""

from collections.abc import Sequence
from functools import lru_cache

from handler.model import ALL, ICMP, Attachment, Holder, Interface, Reach, Severity, Traffic
from handler.policy import LOWERED_BY_ATTACHMENT, LOWERED_BY_REACH, WEB_ON_DATABASE
from handler.services import name, on, severity_for_world

_ATTACHED = {
    Attachment.INTERNET_FACING: "a public address is attached",
    Attachment.INTERNAL: "only private addresses are attached",
    Attachment.UNATTACHED: "nothing is attached",
    Attachment.UNKNOWN: "what is attached is not known",
}
_STEPS = ("", "one step lower because ", "two steps lower because ")


def attachment(interfaces: Sequence[Interface] | None) -> Attachment:
    """What a group is attached to; None where the interfaces could not be read."""
    if interfaces is None:
        return Attachment.UNKNOWN
    if not interfaces:
        return Attachment.UNATTACHED
    public = any(interface.public_addresses for interface in interfaces)
    return Attachment.INTERNET_FACING if public else Attachment.INTERNAL


def judge(
    traffic: Traffic, reach: Reach, interfaces: Sequence[Interface] | None
) -> tuple[Severity, str]:
    """The severity when ``reach`` of the internet gets the traffic to them, and why.

    An unknown reach counts as the whole internet. The reason is one sentence.
    """
    has_database = any(each.holder is Holder.DATABASE for each in interfaces or ())
    return _judged(traffic, reach, attachment(interfaces), has_database=has_database)


# Thousands of findings have a few dozen reasons.
@lru_cache(maxsize=1024)
def _judged(
    traffic: Traffic, reach: Reach, attached: Attachment, *, has_database: bool
) -> tuple[Severity, str]:
    if reach is Reach.PUBLIC:
        return Severity.INFO, "Less than 0.03 % of the internet is let in, which is info."
    severity, source = severity_for_world(traffic)
    reasons = [f"{_named(traffic)} open to the world is {severity} ({source})"]
    if severity is Severity.LOW and has_database:
        severity = WEB_ON_DATABASE
        reasons.append(f"{severity} because a database is attached")
    if reach is Reach.UNKNOWN:
        reasons.append("how much of it gets in is not known")
    lower, reason = _lowered(severity, LOWERED_BY_REACH[reach], "only a part of it gets in")
    if reach is Reach.WIDE:
        reasons.append(reason)
    lowest, reason = _lowered(lower, LOWERED_BY_ATTACHMENT[attached], _ATTACHED[attached])
    return lowest, "; ".join([*reasons, reason]) + "."


def _lowered(severity: Severity, steps: int, because: str) -> tuple[Severity, str]:
    """The severity so many steps lower, as far as there are any, and why."""
    lower = severity.lowered(steps)
    return lower, f"{_STEPS[lower.rank - severity.rank]}{because}"


def _named(traffic: Traffic) -> str:
    if traffic.protocol == ALL:
        return "All traffic"
    known = name(traffic)
    if traffic.protocol in ICMP and traffic.icmp_type is None:
        return f"All {traffic.protocol} traffic"
    if known is None:
        number = "protocol " if traffic.protocol.isdecimal() else ""
        return f"Other {number}{traffic.protocol} traffic"
    severity, _ = severity_for_world(traffic)
    # What makes it worse than ordinary web traffic has no name.
    harmless = all(each.severity.rank > severity.rank for each in on(traffic))
    others = " and other ports" if on(traffic) and harmless else ""
    return f"{known[0].upper()}{known[1:]}{others}"
