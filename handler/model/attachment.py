"""The path from the internet to a group's interfaces, and the table of its effects."""

from collections.abc import Iterable
from typing import NamedTuple

from handler.model.ranked import Ranked
from handler.sanitize import cut

# Bounds the reason, which contains ids and names from the account.
_LONGEST_REASON = 160


class Attachment(Ranked):
    """The path from the internet to a group's interfaces, the shortest first."""

    INTERNET_FACING = "internet-facing"
    UNKNOWN = "unknown"
    BEHIND_LOAD_BALANCER = "behind-load-balancer"
    CARRIER = "carrier"
    INTERNAL = "internal"
    UNATTACHED = "unattached"
    NO_INBOUND = "no-inbound"


class AttachmentEffect(NamedTuple):
    """A path lowers the severity by ``steps``; ``reason`` is a clause.

    ``phrase`` says what the group is attached to; None if the report names the interfaces.
    """

    steps: int
    reason: str
    phrase: str | None = None


ATTACHMENTS = {
    Attachment.INTERNET_FACING: AttachmentEffect(0, "the interface has a public address"),
    Attachment.UNKNOWN: AttachmentEffect(0, "its interfaces could not be read", "not known"),
    Attachment.BEHIND_LOAD_BALANCER: AttachmentEffect(1, "clients come through a load balancer"),
    Attachment.CARRIER: AttachmentEffect(1, "only the carrier's devices reach the interface"),
    Attachment.INTERNAL: AttachmentEffect(2, "the interface has a private address only"),
    Attachment.UNATTACHED: AttachmentEffect(
        2, "the group is not attached to any network interface", "to nothing"
    ),
    Attachment.NO_INBOUND: AttachmentEffect(3, "the interface accepts no connections"),
}


class Path(NamedTuple):
    """The path from the internet to an interface; it lowers the severity by ``steps``.

    ``reason`` is a clause, for example "no route leads to an internet gateway (rtb-1)".
    """

    attachment: Attachment
    steps: int
    reason: str


def default_path(attachment: Attachment, steps: int | None = None, reason: str = "") -> Path:
    """A path with the given steps and reason, by default those of the attachment."""
    effect = ATTACHMENTS[attachment]
    steps = effect.steps if steps is None else steps
    return Path(attachment, steps, cut(reason or effect.reason, _LONGEST_REASON))


def shortest(paths: Iterable[Path]) -> Path:
    """The path that lowers the severity least."""
    return min(paths, key=lambda path: (path.steps, path.attachment.rank))
