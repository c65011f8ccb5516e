"""The path from the internet to a group's interfaces, and the table of its effects."""

from typing import NamedTuple

from handler.model.ranked import Ranked


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
