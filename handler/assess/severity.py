"""How severe an exposure is, and why: what is open, to how many, and what is attached."""

from collections.abc import Sequence
from functools import lru_cache

from handler.assess.services import worst_service
from handler.model.attachment import ATTACHMENTS, Attachment
from handler.model.finding import Severity
from handler.model.network import Holder, NetworkInterface, Reach
from handler.model.traffic import Traffic

# By so many steps; for less than a wide part of the internet it is info, whatever it is.
_STEPS_BY_REACH = {Reach.WORLD: 0, Reach.UNKNOWN: 0, Reach.WIDE: 1}
# Ports 80 and 443 are the purpose of a load balancer or a web server, not of a database.
_WEB_ON_DATABASE = Severity.HIGH
_STEPS = ("", "one step lower because ", "two steps lower because ")


def attachment_of(interfaces: Sequence[NetworkInterface] | None) -> Attachment:
    """What a group is attached to; None where the interfaces could not be read."""
    if interfaces is None:
        return Attachment.UNKNOWN
    if not interfaces:
        return Attachment.UNATTACHED
    is_public = any(interface.public_addresses for interface in interfaces)
    return Attachment.INTERNET_FACING if is_public else Attachment.INTERNAL


def severity_of(
    traffic: Traffic, reach: Reach, interfaces: Sequence[NetworkInterface] | None
) -> tuple[Severity, str]:
    """The severity when ``reach`` of the internet gets the traffic to them, and why.

    The interface on which it is worst decides. An unknown reach counts as the whole internet. The
    reason is one sentence.
    """
    paths = {
        (attachment_of([interface]), interface.holder is Holder.DATABASE)
        for interface in interfaces or ()
    } or {(attachment_of(interfaces), False)}
    verdicts = (
        _severity_on(traffic, reach, attachment, on_database=on_database)
        # Of equals the public one gives the reason.
        for attachment, on_database in sorted(
            paths, key=lambda path: ATTACHMENTS[path[0]].steps_lower
        )
    )
    return min(verdicts, key=lambda verdict: verdict[0].rank)


# Thousands of findings have a few dozen reasons.
@lru_cache(maxsize=1024)
def _severity_on(
    traffic: Traffic, reach: Reach, attachment: Attachment, *, on_database: bool
) -> tuple[Severity, str]:
    if reach is Reach.PUBLIC:
        return Severity.INFO, "Less than 0.03 % of the internet is let in, which is info."
    severity, service, source = worst_service(traffic)
    effect = ATTACHMENTS[attachment]
    attachment_reason = effect.reason
    reasons = [f"{service[0].upper()}{service[1:]} open to the world is {severity} ({source})"]
    if severity is Severity.LOW and on_database:
        severity, attachment_reason = _WEB_ON_DATABASE, effect.database_reason
        reasons.append(f"{severity} because a database is attached")
    if reach is Reach.UNKNOWN:
        reasons.append("how much of it gets in is not known")
    lower, reason = _lowered(severity, _STEPS_BY_REACH[reach], "only a part of it gets in")
    if reach is Reach.WIDE:
        reasons.append(reason)
    lowest, reason = _lowered(lower, effect.steps_lower, attachment_reason)
    return lowest, "; ".join([*reasons, reason]) + "."


def _lowered(severity: Severity, steps: int, reason: str) -> tuple[Severity, str]:
    """The severity so many steps lower, as far as there are any, and why."""
    lower = severity.lowered(steps)
    return lower, f"{_STEPS[lower.rank - severity.rank]}{reason}"
