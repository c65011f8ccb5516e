"""The head of the ledger as one run holds it, and the run's claim on it: the right to mail.

A claim holds for a minute by S3's clock. While another run holds one, a run waits; a claim that has
run out makes its run abandoned.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

from handler import clock
from handler.ledger.head import AbandonedRun, Head, Pointer, SendClaim
from handler.ledger.store import ConflictError, LedgerStore, StoredHead, StoreError
from handler.model.digest_kind import DigestKind
from handler.model.run import AuditIncompleteError

# How long a claim holds, by S3's clock, and how much of it must be left for a call to SES.
_CLAIM = timedelta(seconds=60)
_SES_CALL = timedelta(seconds=20)
_ABANDONED_KEPT = 10
UNDECODABLE = "What has changed is not known: {}"
# Stands among the ids of digests that were not sent.
_LOST_HEAD = "ledger"
_NOT_RENEWED = "{} The run stopped mailing, and the next mail may repeat this one."
OVERTAKEN = "Another run has written the ledger while this one mailed; its mail may repeat this."


class ClaimableHead:
    """The head in the store, as last read or written by one run."""

    def __init__(self, store: LedgerStore, run: str) -> None:
        self.store = store
        self.stored = StoredHead(head=None)
        self._run = run
        self._claimed_at: float | None = None

    @property
    def head(self) -> Head:
        """The head; an empty one if there is none, or it cannot be decoded."""
        return self.stored.head or Head()

    @property
    def has_claimed(self) -> bool:
        """Whether this run has claimed the head, even if it has released the claim since."""
        return self._claimed_at is not None

    def write(self, head: Head) -> None:
        """Replace the head. Raises ``ConflictError`` if another run has changed it."""
        self.stored = self.store.replace(self.stored, head)

    def wait(self, budget: clock.TimeBudget) -> SendClaim | None:
        """Wait until no other run holds a claim; the result is the claim that has run out, if any.

        That run is then abandoned, which the next write of the head stores. Raises
        ``ConflictError`` if the head has changed meanwhile, or no time is left.
        """
        waited = 0
        while claim := self.head.claim:
            # The time waited counts too, in case S3's clock is wrong.
            if max(self.stored.age, timedelta(seconds=waited)) > _CLAIM:
                self.stored = self.stored._replace(head=self._unclaimed(is_abandoned=True))
                return claim
            if budget.reading_seconds_left() < 0:
                raise ConflictError
            clock.sleep(1)
            waited += 1
            stored = self.store.reload(self.stored)
            if stored.etag != self.stored.etag:
                raise ConflictError
            self.stored = stored
        return None

    def claim(
        self,
        pending: Mapping[str, Pointer],
        kind: DigestKind,
        report_key: str,
        sent: Sequence[str],
        sending: str | None,
    ) -> None:
        """Claim the head. Raises ``ConflictError`` if another run was faster."""
        claim = SendClaim(self._run, uuid4().hex, tuple(sent), sending, kind, report_key)
        head = self.head._replace(claim=claim, pending=pending)
        if self.stored.problem:
            # This head replaces one that cannot be decoded, which the next digest must still say.
            head = head._replace(refused={_LOST_HEAD: UNDECODABLE.format(self.stored.problem)})
        self._write_claim(head)

    def renew(self) -> None:
        """Renew the claim if it would run out during a call to SES.

        Raises ``AuditIncompleteError`` if the claim cannot be written.
        """
        if self._claimed_at is None:
            return
        age = timedelta(seconds=clock.monotonic() - self._claimed_at)
        if _CLAIM - age < _SES_CALL:
            self._rewrite_claim(self.head)

    def record_progress(self, sent: Sequence[str], sending: str) -> None:
        """Record in the claim which mails SES accepted, and which one is being sent.

        Raises ``AuditIncompleteError`` if the claim cannot be written.
        """
        claim = self.head.claim
        if self.has_claimed and claim and claim.sending != sending:
            claim = claim._replace(sent=tuple(sent), sending=sending)
            self._rewrite_claim(self.head._replace(claim=claim))

    def release(self, *, is_abandoned: bool) -> None:
        """Withdraw the claim; the run is abandoned if SES may have accepted its mail."""
        # An error here must not hide the error of the mail, with which the run fails.
        with suppress(StoreError, ConflictError):
            if self.head.claim:
                self.write(self._unclaimed(is_abandoned=is_abandoned))

    def _unclaimed(self, *, is_abandoned: bool) -> Head:
        """The head without its claim."""
        head, abandoned = self.head, self.head.abandoned
        if head.claim and is_abandoned:
            run = AbandonedRun(head.claim.run, clock.timestamp(), head.pending)
            abandoned = (*abandoned, run)[-_ABANDONED_KEPT:]
        return head._replace(claim=None, pending={}, abandoned=abandoned)

    def _write_claim(self, head: Head) -> None:
        # Measured from before the write, so that it does not run out for others first.
        began = clock.monotonic()
        self.write(head)
        self._claimed_at = began

    def _rewrite_claim(self, head: Head) -> None:
        try:
            self._write_claim(head)
        except ConflictError as error:
            raise AuditIncompleteError(OVERTAKEN) from error
        except StoreError as error:
            raise AuditIncompleteError(_NOT_RENEWED.format(error)) from error
