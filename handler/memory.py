"""What a run remembers and leaves behind, as far as the ledger's bucket goes along."""

from collections.abc import Mapping
from typing import Any

from handler.ledger import State, committed
from handler.model import Report
from handler.store import ConflictError, Known, Store, StoreError

_DIED = "Run {} ended between its mail and the ledger; this mail may repeat what it said."
_OVERTAKEN = "another run has written the ledger while this one mailed; its mail may repeat this."


class Memory:
    """One run's view of the ledger; without a store nothing is known and nothing kept.

    Whatever the bucket refuses becomes a failure, and the run goes on without it: ``failures`` are
    sentences for the end of the run, ``notices`` for its mail.
    """

    def __init__(self, store: Store | None, run: str) -> None:
        self._store = store
        self._run = run
        self._has_claimed = False
        self._known = Known(state=None)
        self._died: list[str] = []
        self.failures: list[str] = []
        self.load()

    def load(self) -> None:
        """Read what is known, anew."""
        if self._store is None:
            return
        try:
            self._known = self._store.load(self._run)
        except StoreError as error:
            self._lose(error)
        if self._known.problem:
            self.failures = [f"What has changed is not known: {self._known.problem}"]
        died = self._known.died
        self._died = [_DIED.format(died.run)] if died else []

    @property
    def state(self) -> State | None:
        """What was known before the run; None where nobody knows."""
        return self._known.state

    @property
    def notices(self) -> tuple[str, ...]:
        """What the mail has to say about the ledger."""
        return (*self.failures, *self._died)

    @property
    def has_answered(self) -> bool:
        """Whether this event was answered before."""
        return self.state is not None and self._run in self.state.events

    def save(self, report: Mapping[str, Any]) -> None:
        """Keep the run's report."""
        if self._store:
            try:
                self._store.save_report(report)
            except StoreError as error:
                self.failures.append(str(error))

    def claim(self, seconds: float) -> None:
        """Say that the run, which ends in that many seconds, is about to mail.

        Raises ``ConflictError`` when what is known is not what it was: another run was faster, or
        nothing can be written, and nothing is known then.
        """
        if self._store:
            try:
                self._known = self._store.claim(self._known, self._run, seconds)
                self._has_claimed = True
            except StoreError as error:
                self._lose(error)
                raise ConflictError from error

    def release(self) -> None:
        """Take back that the run is about to mail: nothing was sent."""
        if self._store and self._has_claimed:
            try:
                self._store.release(self._known)
            except (StoreError, ConflictError) as error:
                self.failures.append(str(error))

    def commit(self, report: Report, *, mailed: bool, listed: bool) -> None:
        """Keep what is known now. Raises ``ConflictError`` when another run did, before a mail."""
        if self._store is None:
            return
        state = committed(self.state, report, mailed=mailed, listed=listed)
        try:
            self._store.commit(self._known, state)
        except StoreError as error:
            self.failures.append(str(error))
        except ConflictError:
            if not self._has_claimed:
                raise
            self.failures.append(_OVERTAKEN)

    def _lose(self, error: StoreError) -> None:
        """Go on without the ledger."""
        self._store, self._known = None, Known(state=None)
        self.failures.append(
            f"{error} What has changed is not known, and the next mail may repeat this one."
        )
