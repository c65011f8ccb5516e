"""What a group is attached to, and what follows from it: one table."""

from dataclasses import dataclass
from enum import StrEnum


class Attachment(StrEnum):
    """What a group is attached to: an interface with a public address, only others, or none."""

    INTERNET_FACING = "internet-facing"
    INTERNAL = "internal"
    UNATTACHED = "unattached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AttachmentEffect:
    """By how many steps an attachment lowers the severity, and how the report says it.

    ``database_reason`` replaces ``reason`` where the interface is a database's. ``phrase`` is what
    the group is attached to; None where the report names its interfaces instead.
    """

    steps_lower: int
    reason: str
    database_reason: str = ""
    phrase: str | None = None


# A group on private addresses needs one more mistake to let somebody in, a group on nothing two.
ATTACHMENTS = {
    Attachment.INTERNET_FACING: AttachmentEffect(
        0, "a public address is attached", "it has a public address"
    ),
    Attachment.UNKNOWN: AttachmentEffect(0, "what is attached is not known", phrase="not known"),
    Attachment.INTERNAL: AttachmentEffect(
        1, "only private addresses are attached", "it has only private addresses"
    ),
    Attachment.UNATTACHED: AttachmentEffect(2, "nothing is attached", phrase="to nothing"),
}
