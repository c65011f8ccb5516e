"""What the transaction asks of a run: the event, the steps that it calls, and the outcome."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from handler.ledger.state import LedgerState
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.network import Target
from handler.model.run import Run, Scan, Trigger

DIGEST = "digest"
"""The id of the mail that is about all targets."""
ReportAndKind = tuple[Report, DigestKind | None]
"""A report, and which digest to mail; None for no mail."""


class Event(NamedTuple):
    """The event that a run answers; its ``id`` is the same each time that it is delivered.

    ``regions`` are those to read, empty for all. ``changed_at`` is when the change was made that
    caused it; None for other events.
    """

    id: str
    trigger: Trigger
    changed_at: str | None = None
    regions: tuple[str, ...] = ()


class Message(NamedTuple):
    """A mail to send; its ``id`` is unique within the run."""

    id: str
    body: bytes
    recipients: tuple[str, ...]


class CommonSteps(Protocol):
    """The steps that runs over one account and over many have in common."""

    def scan(self, targets: Collection[Target] | None) -> tuple[Run, Sequence[Scan]]:
        """Read all targets, or only these."""

    def compose(self, report: Report, kind: DigestKind) -> Sequence[Message]:
        """The digest, then the digests of parts of it."""

    def send(self, message: Message, report: Report, before_attempt: Callable[[], None]) -> None:
        """Send it; calls ``before_attempt`` before each call to SES. Raises ``MailError``."""

    def publish(self, report: Report, before_request: Callable[[], None]) -> str | None:
        """Publish what has changed; calls ``before_request`` before each request.

        The result says what failed, in a sentence.
        """


class AccountSteps(CommonSteps, Protocol):
    """The steps of a run over one account."""

    def compare(
        self,
        run: Run,
        scans: Sequence[Scan],
        previous: LedgerState | None,
        notices: tuple[str, ...],
    ) -> ReportAndKind:
        """The report, and which digest to mail."""


class Outcome(NamedTuple):
    """A finished run: its report, whether it mailed, and what failed besides reading."""

    report: Report
    mailed: bool
    failures: tuple[str, ...]

    @property
    def problem(self) -> str | None:
        """Why the run fails, in a sentence; None if it does not."""
        problems = (*self.report.problems, *self.failures)
        return f"The audit is incomplete: {' '.join(problems)}" if problems else None
