"""One run's transaction with the ledger: load, scan, compare, claim, send, commit.

What it guarantees, also when runs overlap, die or are started again by the same event:

- An event whose run has committed is not answered again.
- A run sends its mail only under a claim that it has written on top of exactly the state it
  compared with. While another run holds the claim, it waits; when another run was faster, it loads
  and scans again, because the other may have seen what this one has not.
- The state is committed after the mail, never before: a change that no mail has reported stays new.
- A claim that has expired without a commit means that the run died, and that its mail may have been
  sent. The next full run sends a full digest that says so.
- A bucket that cannot be read or written never stops the audit: the run goes on without a ledger,
  reports all that is open, says so in the mail, and fails at the end.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from handler import clock
from handler.ledger.reconcile import next_state
from handler.ledger.state import LedgerState, SendClaim
from handler.ledger.store import ConflictError, LedgerHead, LedgerStore, StoreError
from handler.model.run import AuditIncompleteError, MailError, Report, Run, Scan
from handler.report.digest import DigestKind

# From the claim to the commit. A run that takes longer is overtaken by the next one, which then
# says that its mail may repeat this one's.
_CLAIM_DURATION = timedelta(seconds=45)
_ABANDONED = "Run {} ended between its mail and the ledger; this mail may repeat what it said."
_LOST = "{} What has changed is not known, and the next mail may repeat this one."
_UNDECODABLE = "What has changed is not known: {}"
_OVERTAKEN = "Another run has written the ledger while this one mailed; its mail may repeat this."
_BUSY = (
    "Other runs wrote the ledger until the time was over. This one has mailed nothing; what it saw "
    "is new to the next one."
)


class Steps(Protocol):
    """What a run does between its accesses to the ledger."""

    def scan(self) -> tuple[Run, Sequence[Scan]]:
        """Read every target."""

    def compare(
        self,
        run: Run,
        scans: Sequence[Scan],
        known: LedgerState | None,
        notices: tuple[str, ...],
    ) -> tuple[Report, DigestKind | None]:
        """The report, and which digest to mail; None for no mail."""

    def send(self, report: Report, kind: DigestKind) -> None:
        """Mail the digest. Raises ``MailError``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: its report, whether it mailed, and what of the ledger failed."""

    report: Report
    mailed: bool
    failures: tuple[str, ...]


class LedgerSession:
    """The transaction of one run."""

    def __init__(self, store: LedgerStore, run_id: str, budget: clock.TimeBudget) -> None:
        self._store = store
        self._run_id = run_id
        self._budget = budget
        self._head = LedgerHead(state=None)
        self._has_claim = False
        self._abandoned_run: str | None = None
        self._failures: list[str] = []

    def execute(self, steps: Steps) -> Outcome | None:
        """Run the steps to the commit; None when the event was answered before.

        Raises ``MailError``, and ``AuditIncompleteError`` when other runs were faster until no
        time was left.
        """
        while True:
            seconds_left = self._budget.seconds_left()
            self._load()
            if self._head.state and self._run_id in self._head.state.events:
                return None
            run, scans = steps.scan()
            try:
                return self._conclude(steps, run, scans)
            except ConflictError as error:
                duration = seconds_left - self._budget.seconds_left()
                if self._budget.reading_seconds_left() < duration:
                    raise AuditIncompleteError(_BUSY) from error

    def _conclude(self, steps: Steps, run: Run, scans: Sequence[Scan]) -> Outcome:
        self._wait_for_claim()
        report, kind = steps.compare(run, scans, self._head.state, self._notices)
        with self._recording_failure():
            self._store.save_report(report)
        if kind and not self._claim():
            report, kind = steps.compare(run, scans, self._head.state, self._notices)
        if kind:
            self._send(steps, report, kind)
        self._commit(report, kind)
        return Outcome(report, kind is not None, tuple(self._failures))

    def _load(self) -> None:
        with self._continuing_without_ledger():
            self._head = self._store.load(self._run_id)
            self._abandoned_run = _abandoned_run(self._head.state)
            problem = self._head.problem
            self._failures = [_UNDECODABLE.format(problem)] if problem else []

    @property
    def _notices(self) -> tuple[str, ...]:
        """What the mail has to say about the ledger."""
        abandoned = [_ABANDONED.format(self._abandoned_run)] if self._abandoned_run else []
        return (*self._failures, *abandoned)

    def _wait_for_claim(self) -> None:
        """Wait until no other run is mailing, for half of the time that is left at most.

        Raises ``ConflictError`` when one still is, or was: the loaded state is old then.
        """
        limit, waited = self._budget.seconds_left() / 2, 0
        with self._continuing_without_ledger():
            while _has_valid_claim(self._head.state):
                if self._store.has_changed(self._head) or waited >= limit:
                    raise ConflictError
                clock.sleep(1)
                waited += 1
            self._abandoned_run = _abandoned_run(self._head.state)

    def _claim(self) -> bool:
        """Claim the right to mail; False when the ledger was lost over it.

        Raises ``ConflictError`` when another run was faster.
        """
        store = self._store
        with self._continuing_without_ledger():
            duration = min(_CLAIM_DURATION, timedelta(seconds=self._budget.seconds_left()))
            until = (clock.now() + duration).isoformat(timespec="milliseconds")
            state = replace(
                self._head.state or LedgerState(),
                claim=SendClaim(self._run_id, until, uuid.uuid4().hex),
                abandoned_run=_abandoned_run(self._head.state),
            )
            self._head = store.replace(self._head, state)
            self._has_claim = True
        return self._store is store

    def _send(self, steps: Steps, report: Report, kind: DigestKind) -> None:
        try:
            steps.send(replace(report, notices=self._notices), kind)
        except MailError as error:
            self._release_claim(refused=error.refused)
            raise

    def _release_claim(self, *, refused: bool) -> None:
        """Withdraw the claim; where SES did not refuse, the mail may have been sent."""
        state = self._head.state
        if state is None:
            return
        abandoned_run = state.abandoned_run if refused else self._run_id
        released = replace(state, claim=None, abandoned_run=abandoned_run)
        # The run fails with the mail's error, whatever becomes of the claim.
        with suppress(StoreError, ConflictError):
            self._store.replace(self._head, released)

    def _commit(self, report: Report, kind: DigestKind | None) -> None:
        """Store what is known now. Raises ``ConflictError`` when another run did, before a mail."""
        known = self._head.state
        state = next_state(
            replace(known, abandoned_run=self._abandoned_run) if known else None,
            report,
            mailed=kind is not None,
            is_full_digest=kind is DigestKind.FULL,
        )
        with self._recording_failure():
            try:
                self._store.replace(self._head, state)
            except ConflictError:
                if not self._has_claim:
                    raise
                self._failures.append(_OVERTAKEN)

    @contextmanager
    def _recording_failure(self) -> Iterator[None]:
        """A refusal of the bucket becomes a failure of the run."""
        try:
            yield
        except StoreError as error:
            self._failures.append(str(error))

    @contextmanager
    def _continuing_without_ledger(self) -> Iterator[None]:
        """A refusal of the bucket becomes a failure, and the run goes on without a ledger."""
        try:
            yield
        except StoreError as error:
            self._store, self._head = LedgerStore(), LedgerHead(state=None)
            self._abandoned_run = None
            self._failures.append(_LOST.format(error))


def _has_valid_claim(state: LedgerState | None) -> bool:
    """Whether a run that claimed to mail may still be at it."""
    if state is None or state.claim is None:
        return False
    left = datetime.fromisoformat(state.claim.until) - clock.now()
    return timedelta() < left <= _CLAIM_DURATION


def _abandoned_run(state: LedgerState | None) -> str | None:
    """The run that died between its mail and its commit, if one did since the last full run."""
    if state is None or _has_valid_claim(state):
        return None
    return state.claim.run if state.claim else state.abandoned_run
