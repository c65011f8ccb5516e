"""A run of the audit and what it has read, and the errors that fail it."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from handler.clock import day_of
from handler.model.finding import Finding
from handler.model.network import Target


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULE = "schedule"
    CHANGE = "change"
    MANUAL = "manual"


class Run(NamedTuple):
    """One run of the audit; times are UTC in ISO 8601 with a Z.

    ``is_full`` is false if only some targets were requested. ``regions`` are the regions in the
    settings, empty for all enabled regions.
    """

    id: str
    trigger: Trigger
    started_at: str
    finished_at: str
    stack: str | None = None
    is_full: bool = True
    regions: tuple[str, ...] = ()

    @property
    def day(self) -> date:
        """The day (UTC) on which the run started."""
        return date.fromisoformat(day_of(self.started_at))


class CoverageStatus(StrEnum):
    """How reading a target ended."""

    OK = "ok"
    FAILED = "failed"
    DENIED = "denied"
    DISABLED = "disabled"


class Coverage(NamedTuple):
    """How much of one target was read; ``error`` is a sentence on what was not.

    ``notice`` says what was not read but could only have lowered severities. ``read_at`` is when
    reading began, UTC in ISO 8601.
    """

    target: Target
    status: CoverageStatus
    groups: int = 0
    rules: int = 0
    error: str | None = None
    notice: str | None = None
    read_at: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether all of the target was read."""
        return self.status is CoverageStatus.OK


class Scan(NamedTuple):
    """The coverage and findings of one target."""

    coverage: Coverage
    findings: tuple[Finding, ...] = ()


class AuditIncompleteError(Exception):
    """Something could not be read or stored; the log and the mail say what."""


class MailError(Exception):
    """SES did not accept the digest; the message says why and what to do.

    ``refused`` is false if SES did not answer, and so may have accepted it.
    """

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused
