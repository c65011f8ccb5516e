"""What a run remembers and leaves behind, as far as the ledger's bucket goes along."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handler.ledger import State, committed
from handler.model import Report
from handler.store import ConflictError, Known, Store, StoreError

_DIED = "Run {} ended between its mail and the ledger; this mail may repeat what it said."
_LOST = "{} What has changed is not known, and the next mail may repeat this one."
_ODD = "What has changed is not known: {}"
_OVERTAKEN = "Another run has written the ledger while this one mailed; its mail may repeat this."


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
        self.died: str | None = None
        self.failures: list[str] = []

    def load(self) -> None:
        """Read what is known, anew."""
        if self._store is None:
            return
        try:
            self._known = self._store.load(self._run)
        except StoreError as error:
            self._lose(str(error))
            return
        self.died = self._known.died
        self.failures = [_ODD.format(self._known.problem)] if self._known.problem else []

    @property
    def state(self) -> State | None:
        """What was known before the run; None where nobody knows."""
        return self._known.state

    @property
    def notices(self) -> tuple[str, ...]:
        """What the mail has to say about the ledger."""
        return (*self.failures, *([_DIED.format(self.died)] if self.died else ()))

    @property
    def has_answered(self) -> bool:
        """Whether this event was answered before."""
        return self.state is not None and self._run in self.state.events

    def settle(self, seconds: float) -> None:
        """Wait until no other run is mailing, and that many seconds at most.

        Raises ``ConflictError`` when what is known is old then.
        """
        if self._store:
            try:
                self._store.settle(self._known, seconds)
            except StoreError as error:
                self._lose(str(error))
            self.died = self._known.died

    def save(self, report: Mapping[str, Any]) -> None:
        """Keep the run's report."""
        if self._store:
            try:
                self._store.save_report(report)
            except StoreError as error:
                self.failures.append(str(error))

    def claim(self, seconds: float) -> bool:
        """Say that the run, which ends in that many seconds, is about to mail.

        False when nothing can be written: then nothing is known either. Raises ``ConflictError``
        when another run was faster.
        """
        if self._store:
            try:
                self._known = self._store.claim(self._known, self._run, seconds)
                self._has_claimed = True
            except StoreError as error:
                self._lose(str(error))
                return False
        return True

    def release(self, *, refused: bool) -> None:
        """Take back that the run is about to mail; not ``refused``, the mail may be out or not."""
        if self._store and self._known.state:
            died = self._known.state.died if refused else self._run
            state = replace(self._known.state, mailing=None, died=died)
            try:
                self._store.commit(self._known, state)
            except (StoreError, ConflictError) as error:
                self.failures.append(str(error))

    def commit(self, report: Report, *, mailed: bool, listed: bool) -> None:
        """Keep what is known now. Raises ``ConflictError`` when another run did, before a mail."""
        if self._store is None:
            return
        try:
            known = replace(self.state, died=self.died) if self.state else None
            state = committed(known, report, mailed=mailed, listed=listed)
            self._store.commit(self._known, state)
        except StoreError as error:
            self.failures.append(str(error))
        except ConflictError:
            if not self._has_claimed:
                raise
            self.failures.append(_OVERTAKEN)

    def _lose(self, why: str) -> None:
        """Go on without the ledger."""
        self._store, self._known, self.died = None, Known(state=None), None
        self.failures.append(_LOST.format(why))
