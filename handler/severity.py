"""How severe an exposure is, and why: what is open, to how many, and what is attached.

The table of ports is in ``services``. What is attached moves the severity: a group on private
addresses needs one more mistake to let somebody in, a group on nothing needs two.
"""

from collections.abc import Sequence
from functools import lru_cache

from handler.model import ALL, Attachment, Holder, Interface, Reach, Severity, Traffic
from handler.services import name, on, severity_for_world

_STEPS = {
    Attachment.INTERNET_FACING: (0, "a public address is attached"),
    Attachment.INTERNAL: (1, "one step lower because only private addresses are attached"),
    Attachment.UNATTACHED: (2, "two steps lower because nothing is attached"),
    Attachment.UNKNOWN: (0, "what is attached is not known"),
}


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
        severity = Severity.HIGH
        reasons.append("high because a database is attached")
    if reach is Reach.WIDE:
        severity = severity.lowered(1)
        reasons.append("one step lower because only a part of it gets in")
    if reach is Reach.UNKNOWN:
        reasons.append("how much of it gets in is not known")
    steps, reason = _STEPS[attached]
    return severity.lowered(steps), "; ".join([*reasons, reason]) + "."


def _named(traffic: Traffic) -> str:
    if traffic.protocol == ALL:
        return "All traffic"
    known = name(traffic)
    if known is None:
        number = "protocol " if traffic.protocol.isdecimal() else ""
        return f"Other {number}{traffic.protocol} traffic"
    severity, _ = severity_for_world(traffic)
    # What makes it worse than ordinary web traffic has no name.
    harmless = all(each.severity.rank > severity.rank for each in on(traffic))
    others = " and other ports" if on(traffic) and harmless else ""
    return f"{known[0].upper()}{known[1:]}{others}"
