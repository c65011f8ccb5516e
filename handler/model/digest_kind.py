"""The kinds of digests."""

from enum import StrEnum


class DigestKind(StrEnum):
    """What a digest lists: everything open, or only changes."""

    FULL = "full"
    CHANGES = "changes"
