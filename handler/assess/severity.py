"""The severity of an exposure and the reason: what is open, to how many, and on which path."""

from collections.abc import Iterable
from typing import NamedTuple

from handler.assess.service_lookup import worst_service
from handler.model.attachment import Attachment, Path, shortest
from handler.model.finding import Severity
from handler.model.network import Exposure
from handler.model.reach import Breadth
from handler.model.traffic import Traffic
from handler.report import phrases

ASSESSMENT_VERSION = 2
"""Must be increased when the same network would get other severities or findings."""
_TO_INFO = len(Severity)
_FEW_REASON = (
    "one address may stand for thousands of people (mobile carriers, VPN and proxy services, "
    "cloud providers)"
)


class Share(NamedTuple):
    """The part of the internet that gets in; it lowers the severity by ``steps``."""

    steps: int = 0
    reason: str = ""
    is_known: bool = True


UNKNOWN_SHARE = Share(is_known=False)


class Verdict(NamedTuple):
    """A severity, the path that decides it, and the reason in one sentence."""

    severity: Severity
    attachment: Attachment
    why: str


def share_of(exposure: Exposure) -> Share:
    """The part of the internet that the exposure lets in."""
    if exposure.breadth is Breadth.MOST:
        return Share()
    if exposure.breadth is Breadth.WIDE:
        part = phrases.part_of_internet(exposure.share, exposure.family)
        return Share(1, f"only {part} gets in")
    verb = "gets" if exposure.addresses == 1 else "get"
    reason = f"only {phrases.addresses(exposure.addresses)} {verb} in"
    if exposure.breadth is Breadth.NARROW:
        return Share(2, reason)
    return Share(_TO_INFO, f"{reason}; {_FEW_REASON}")


def severity_of(traffic: Traffic, share: Share, paths: Iterable[Path]) -> Verdict:
    """The verdict on the shortest of the paths."""
    path = shortest(paths)
    base, service, source = worst_service(traffic)
    severity = base.lowered(share.steps + path.steps)
    reasons = [share.reason] if share.steps else []
    reasons += [path.reason] if path.steps else []
    label = severity.capitalize()
    if severity is not base:
        why = f"{label}: {service} would be {base} ({source}), but {' and '.join(reasons)}."
    elif base is Severity.INFO:
        why = f"{label}: {service} is ordinary traffic ({source})."
    else:
        verb = phrases.are_or_is(service) if share.is_known else "may be"
        why = f"{label}: {service} {verb} open to the internet ({source}); {path.reason}."
    return Verdict(severity, path.attachment, why)
