"""How much of the internet gets in."""

from enum import IntEnum

from handler.model.ranked import Ranked


class Reach(Ranked):
    """Which part of the internet a set of sources covers, the largest first."""

    WORLD = "world"
    WIDE = "wide"
    PUBLIC = "public"
    NONE = "none"
    UNKNOWN = "unknown"


class Breadth(IntEnum):
    """How much of the internet gets in, in the steps that affect the severity."""

    MOST = 0
    WIDE = 1
    NARROW = 2
    FEW = 3
