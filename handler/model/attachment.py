"""The path from the internet to a group's interfaces, and the table of its effects."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Self

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
    """A path lowers the severity by ``steps``, unless something else is known about it.

    ``phrase`` says what the group is attached to; None if the report names the interfaces.
    """

    steps: int
    phrase: str | None = None


ATTACHMENTS = {
    Attachment.INTERNET_FACING: AttachmentEffect(0),
    Attachment.UNKNOWN: AttachmentEffect(0, "not known"),
    Attachment.BEHIND_LOAD_BALANCER: AttachmentEffect(1),
    Attachment.CARRIER: AttachmentEffect(1),
    Attachment.INTERNAL: AttachmentEffect(2),
    Attachment.UNATTACHED: AttachmentEffect(2, "to nothing"),
    Attachment.NO_INBOUND: AttachmentEffect(3),
}


class Clause(StrEnum):
    """A part of reasons; ``short`` is for lines that name group and interfaces anyway."""

    short: str

    BEHIND_BALANCER = "clients may come through the network load balancer", "behind load balancer"
    CARRIER_ONLY = "only the carrier's devices reach the interface", "carrier's devices only"
    NO_CONNECTIONS = "the interface accepts no connections", "accepts no connections"
    NO_PUBLIC = "the interface has no public", "no public"
    NO_ROUTE = "no route leads to an internet gateway", "no route to an internet gateway"
    NOT_ATTACHED = "the group is not attached to any network interface", "not attached"

    def __new__(cls, text: str, short: str) -> Self:
        """A clause, which is equal to its text."""
        clause = str.__new__(cls, text)
        clause._value_, clause.short = text, short
        return clause


class Path(NamedTuple):
    """The path from the internet to an interface; it lowers the severity by ``steps``.

    ``reason`` is a clause, for example "no route leads to an internet gateway (rtb-1)".
    """

    attachment: Attachment
    steps: int
    reason: str


def path_of(attachment: Attachment, reason: str, steps: int | None = None) -> Path:
    """A path with its reason, cut to fit; by default with the steps of the attachment."""
    steps = ATTACHMENTS[attachment].steps if steps is None else steps
    return Path(attachment, steps, cut(reason, _LONGEST_REASON))


def shortest(paths: Iterable[Path]) -> Path:
    """The path that lowers the severity least."""
    return min(paths, key=lambda path: (path.steps, path.attachment.rank))
