"""Enums with an order."""

from enum import StrEnum


class Ranked(StrEnum):
    """A text enum; ``rank`` is 0 for the first member."""

    rank: int

    def __init__(self, _text: str) -> None:
        self.rank = len(type(self).__members__)
