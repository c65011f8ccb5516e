"""How much of the internet gets in, in words."""

from enum import IntEnum, StrEnum


class Reach(StrEnum):
    """Which part of the internet a set of sources covers, the largest first."""

    WORLD = "world"
    WIDE = "wide"
    PUBLIC = "public"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 for the whole internet."""
        return _REACHES.index(self)


_REACHES = tuple(Reach)


class Breadth(IntEnum):
    """How much of the internet gets in, as far as the severity depends on it."""

    MOST = 0
    WIDE = 1
    NARROW = 2
    FEW = 3
