"""How severe an exposure is, and why: what is open, to how many, and what is attached.

The table is in ``policy``; here it becomes one severity and one sentence.
"""

from collections.abc import Sequence
from functools import lru_cache

from handler.model import Attachment, Holder, Interface, Reach, Severity, Traffic
from handler.policy import LOWERED_BY_ATTACHMENT, LOWERED_BY_REACH, WEB_ON_DATABASE
from handler.services import for_world

_ATTACHED = {
    Attachment.INTERNET_FACING: "a public address is attached",
    Attachment.INTERNAL: "only private addresses are attached",
    Attachment.UNATTACHED: "nothing is attached",
    Attachment.UNKNOWN: "what is attached is not known",
}
_DATABASE = {
    Attachment.INTERNET_FACING: "it has a public address",
    Attachment.INTERNAL: "it has only private addresses",
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

    It is that of the interface on which it is worst. An unknown reach counts as the whole
    internet. The reason is one sentence.
    """
    kinds = {(attachment([each]), each.holder is Holder.DATABASE) for each in interfaces or ()}
    judged = (
        _judged(traffic, reach, attached, on_database=on_database)
        # Of equals the public one gives the reason.
        for attached, on_database in sorted(
            kinds or {(attachment(interfaces), False)},
            key=lambda kind: LOWERED_BY_ATTACHMENT[kind[0]],
        )
    )
    return min(judged, key=lambda each: each[0].rank)


# Thousands of findings have a few dozen reasons.
@lru_cache(maxsize=1024)
def _judged(
    traffic: Traffic, reach: Reach, attached: Attachment, *, on_database: bool
) -> tuple[Severity, str]:
    if reach is Reach.PUBLIC:
        return Severity.INFO, "Less than 0.03 % of the internet is let in, which is info."
    severity, what, source = for_world(traffic)
    reasons = [f"{what[0].upper()}{what[1:]} open to the world is {severity} ({source})"]
    told = _ATTACHED
    if severity is Severity.LOW and on_database:
        severity, told = WEB_ON_DATABASE, _DATABASE
        reasons.append(f"{severity} because a database is attached")
    if reach is Reach.UNKNOWN:
        reasons.append("how much of it gets in is not known")
    lower, reason = _lowered(severity, LOWERED_BY_REACH[reach], "only a part of it gets in")
    if reach is Reach.WIDE:
        reasons.append(reason)
    lowest, reason = _lowered(lower, LOWERED_BY_ATTACHMENT[attached], told[attached])
    return lowest, "; ".join([*reasons, reason]) + "."


def _lowered(severity: Severity, steps: int, because: str) -> tuple[Severity, str]:
    """The severity so many steps lower, as far as there are any, and why."""
    lower = severity.lowered(steps)
    return lower, f"{_STEPS[lower.rank - severity.rank]}{because}"
