"""The only clock of the audit, and how much time a run has left."""

import threading
import time
from datetime import UTC, datetime

# Reading stops this long before the time limit, to leave time for mail and ledger; in a short run,
# a third of the limit.
_RESERVED_SECONDS = 75.0
# The share of it that sending may take.
_TO_SEND = 0.8


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def timestamp() -> str:
    """The time in UTC, in ISO 8601 to the second with a Z."""
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_timestamp() -> str:
    """The time in UTC, in ISO 8601 to the millisecond with a Z."""
    return now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(stamp: str) -> str:
    """The day of a time in ISO 8601, for example 2026-11-23."""
    return stamp[: len("2026-01-01")]


def second_of(stamp: str) -> str:
    """A time in ISO 8601 without fraction and zone, for example 2026-11-23T06:00:00."""
    return stamp[: len("2026-01-01T00:00:00")]


def monotonic() -> float:
    """A monotonic clock, in seconds."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait that many seconds."""
    time.sleep(seconds)


class TimeBudget:
    """The seconds that a run has left, in total and for reading."""

    def __init__(self, context: object = None) -> None:
        """``context`` is Lambda's; without its remaining time a run has no limit."""
        self._milliseconds = getattr(context, "get_remaining_time_in_millis", None)
        self._started = time.monotonic()
        self._reserved = min(_RESERVED_SECONDS, self.seconds_left() / 3)

    def seconds_left(self) -> float:
        """The seconds until Lambda ends the run."""
        return self._milliseconds() / 1000 if self._milliseconds else threading.TIMEOUT_MAX

    @property
    def seconds_to_send(self) -> float:
        """The seconds that must be left to begin sending: time for SES, retries and the ledger."""
        return self._reserved * _TO_SEND

    def reading_seconds_left(self) -> float:
        """The seconds until reading must stop, to leave enough for mail and ledger."""
        return self.seconds_left() - self._reserved

    def milliseconds_spent(self) -> int:
        """The milliseconds since the run began."""
        return round((time.monotonic() - self._started) * 1000)
