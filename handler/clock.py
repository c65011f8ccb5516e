"""The only clock of the audit."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def stamp() -> str:
    """The time in ISO 8601 to the second, with a Z."""
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


def sleep(seconds: float) -> None:
    """Wait that long."""
    time.sleep(seconds)
