"""Choices that are in order."""

from enum import StrEnum


class Ranked(StrEnum):
    """One of several texts; ``rank`` is 0 for the first."""

    rank: int

    def __init__(self, _text: str) -> None:
        self.rank = len(type(self).__members__)
