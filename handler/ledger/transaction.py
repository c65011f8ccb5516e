"""One run's transaction with the ledger: load, scan, compare, claim, send, commit.

Each change is mailed once. If a run is stopped between mail and commit, an answer of SES is lost,
or a call lasts longer than the claim, the next mail may repeat changes, and says so. No change is
lost. Mails of manual runs, and those of ``notify: always``, repeat by intent.

- An event whose run has committed is not answered again; if that run failed, so does the retry.
- A run sends only under a claim, which replaces exactly the head that the run compared with. A
  claim holds for a minute by S3's clock; while another run holds one, a run waits.
- The head is committed after the mails: a change that no mail has reported stays new.
- A run whose claim has run out is abandoned. What it may have announced and is closed by then is
  resolved, and the next mail says that it may repeat that run's.
- A reading older than the one in the head's state is never committed.
- A bucket that cannot be read or written never stops the audit: the run continues without a ledger,
  reports everything that is open, says so in the mail, and fails at the end.
"""

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from handler import clock
from handler.ledger import bursts
from handler.ledger.flips import is_within
from handler.ledger.head import AbandonedRun, Answer, FollowUp, Head, Pointer, SendClaim
from handler.ledger.next_state import next_state
from handler.ledger.reading import StateReader, state_of
from handler.ledger.state import LedgerState
from handler.ledger.store import ConflictError, LedgerStore, StoredHead, StoreError
from handler.model.finding import Status
from handler.model.network import Target
from handler.model.run import AuditIncompleteError, MailError, Report, Run, Scan, Trigger
from handler.policy.policy import Policy
from handler.report.digest import DigestKind

# How long a claim holds, by S3's clock, and how much of it must be left for a call to SES.
_CLAIM = timedelta(seconds=60)
_SES_CALL = timedelta(seconds=20)
_EVENTS_KEPT = timedelta(days=2)
# The bucket's objects expire after 400 days.
_RENEWED_AFTER = timedelta(days=200)
_ABANDONED_KEPT = 10
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
DIGEST = "digest"
"""The id of the mail that is about all targets."""
_ABANDONED = (
    "Run {} stopped before it could record its mail; this mail may repeat some of its findings."
)
_PART_REFUSED = "The digest for {} was not sent: {}"
_PART_UNANSWERED = "The digest for {} may not have arrived: {}"
_LOST = "{} What has changed is not known, and the next mail may repeat this one."
UNDECODABLE = "What has changed is not known: {}"
_OVERTAKEN = "Another run has written the ledger while this one mailed; its mail may repeat this."
_BUSY = (
    "The run reached its time limit while it waited for other runs. It has mailed nothing; the "
    "next run reports its findings."
)
ReportAndKind = tuple[Report, DigestKind | None]
"""A report, and which digest to mail; None for no mail."""
_Compare = Callable[[Run, Sequence[Scan]], ReportAndKind]


class Event(NamedTuple):
    """The event that a run answers; its ``id`` is the same each time that it is delivered.

    ``changed_at`` and ``regions`` say when and where the change was made that caused it.
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


class RunSteps(Protocol):
    """The steps of a run that the transaction calls, except comparing."""

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


class Steps(RunSteps, Protocol):
    """All steps of a run that the transaction calls."""

    def compare(
        self, run: Run, scans: Sequence[Scan], known: LedgerState | None, notices: tuple[str, ...]
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


class LedgerSession:
    """The transaction of one run."""

    def __init__(
        self, store: LedgerStore, event: Event, policy: Policy, budget: clock.TimeBudget
    ) -> None:
        self._store = store
        self._event = event
        self._policy = policy
        self._budget = budget
        self._stored = StoredHead(head=None)
        self._state: LedgerState | None = None
        self._reader = StateReader()
        self._abandoned: tuple[AbandonedRun, ...] = ()
        self._claimed_at: float | None = None
        self._paused_until: datetime | None = None
        self._failures: list[str] = []
        self._sent: list[str] = []
        # The digest that an earlier attempt at this run has mailed, and the key of its report.
        self._mailed_kind: DigestKind | None = None
        self._sent_key: str | None = None
        self._refused: dict[str, str] = {}

    def execute(self, steps: Steps) -> Outcome | None:
        """Run the steps up to the commit; None if the event needs no run.

        Raises ``MailError``, and ``AuditIncompleteError`` if the run that answered the event
        failed, or other runs wrote the head until no time was left.
        """

        def compare(run: Run, scans: Sequence[Scan]) -> ReportAndKind:
            return steps.compare(run, scans, self._state, self._notices)

        return self._execute(steps, compare)

    def _execute(self, steps: RunSteps, compare: _Compare) -> Outcome | None:
        self._load()
        if self._is_answered():
            return None
        if self._stored.is_read_only and self._event.trigger is Trigger.CHANGE:
            # Full runs mail what is open; each of many changes would mail it again.
            raise AuditIncompleteError(self._stored.problem)
        run, scans = steps.scan(None)
        while True:
            try:
                return self._conclude(steps, compare, run, scans)
            except ConflictError as error:
                self._load()
                if self._is_answered():
                    return None
                stale = self._stale(scans)
                if self._budget.reading_seconds_left() < 0 or self._claimed_at is not None:
                    raise AuditIncompleteError(_BUSY) from error
                if stale:
                    run, again = steps.scan(stale)
                    kept = (scan for scan in scans if scan.coverage.target not in stale)
                    scans = (*kept, *again)

    def _conclude(
        self, steps: RunSteps, compare: _Compare, run: Run, scans: Sequence[Scan]
    ) -> Outcome:
        self._wait_for_claim()
        store = self._store
        report, kind = self._compared(compare, run, scans)
        with self._recording_failure():
            self._save_report(report)
        if self._has_no_effect(report, kind):
            return Outcome(report, mailed=False, failures=tuple(self._failures))
        if kind and self._must_wait():
            self._follow_up()
        after = next_state(self._state, report, self._policy, kind)
        messages = steps.compose(report, kind) if kind else ()
        pointers = self._write_accounts(after, report)
        if kind and self._store is store:
            self._claim(pointers, messages, kind, _key_of(report))
        if self._store is not store:
            # Without the ledger, everything that is open is mailed, and the reason.
            report, kind = self._compared(compare, run, scans)
            messages = steps.compose(report, kind) if kind else ()
        for message in messages:
            if message.id not in self._sent:
                self._send(steps, message, report)
        if problem := steps.publish(report, self._before_attempt):
            self._failures.append(problem)
        outcome = Outcome(report, kind is not None, tuple(self._failures))
        self._commit(after, pointers, outcome, kind)
        return outcome._replace(failures=tuple(self._failures))

    def _compared(self, compare: _Compare, run: Run, scans: Sequence[Scan]) -> ReportAndKind:
        """The report, and which digest to mail: an earlier attempt's if the report is the same."""
        report, kind = compare(run, scans)
        if self._sent and self._sent_key != _key_of(report):
            self._sent, self._mailed_kind = [], None
            report, kind = compare(run, scans)
        return report, self._mailed_kind or kind

    def _load(self) -> None:
        self._failures = []
        with self._continuing_without_ledger():
            self._stored = self._store.load(self._event.id)
            self._abandoned = self._stored.head.abandoned if self._stored.head else ()
            self._state = self._read_state()
            self._store_old_accounts()
            if self._stored.problem:
                self._failures.append(UNDECODABLE.format(self._stored.problem))

    def _store_old_accounts(self) -> None:
        """Store the states of version 1, so that any head, even one with only a claim, has them."""
        head, accounts = self._stored.head, self._stored.old_accounts
        if head is not None and accounts:
            state = state_of(head, accounts.values())
            pointers = self._store.write_accounts(state, sorted(accounts), self._event.id)
            head = head._replace(accounts={**head.accounts, **pointers})
            self._stored = self._stored._replace(head=head, old_accounts={})

    def _read_state(self) -> LedgerState | None:
        """The state, from the head and the objects that it points to."""
        state, problems = self._reader.read(self._store, self._stored, self._abandoned)
        self._failures += map(UNDECODABLE.format, problems)
        return state

    def _is_answered(self) -> bool:
        """Whether the event needs no run. Raises ``AuditIncompleteError`` if its run failed."""
        head, changed_at = self._stored.head, self._event.changed_at
        if head is None:
            return False
        if answer := head.events.get(self._event.id):
            if answer.problem:
                raise AuditIncompleteError(answer.problem)
            return True
        if changed_at is None or self._state is None or not self._event.regions:
            return False
        return bursts.is_seen(head, self._state, self._event.id, changed_at, self._event.regions)

    def _stale(self, scans: Sequence[Scan]) -> set[Target]:
        """The targets that another run has read later, or that were read before the pause."""
        known = self._state.targets if self._state else {}
        return {
            scan.coverage.target
            for scan in scans
            if ((state := known.get(scan.coverage.target)) and _time(state.read_at) > _began(scan))
            or (self._paused_until and _began(scan) < self._paused_until)
        }

    @property
    def _notices(self) -> tuple[str, ...]:
        """What the mail must say about the ledger."""
        abandoned = (_ABANDONED.format(r.run) for r in self._abandoned if not r.is_announced)
        refused = self._stored.head.refused.values() if self._stored.head else ()
        return (*self._failures, *refused, *abandoned)

    def _wait_for_claim(self) -> None:
        """Wait until no other run holds a claim; a run whose claim has run out is abandoned.

        Raises ``ConflictError`` if the head has changed meanwhile, or no time is left.
        """
        waited = 0
        with self._continuing_without_ledger():
            while (head := self._stored.head) and head.claim:
                # The time waited counts too, in case S3's clock is wrong.
                if max(self._stored.age, timedelta(seconds=waited)) > _CLAIM:
                    abandoned = AbandonedRun(head.claim.run, clock.timestamp(), head.pending)
                    if head.claim.run == self._event.id:
                        # An earlier attempt at this run: SES accepted these mails, so they are not
                        # repeated.
                        self._sent = list(head.claim.sent)
                        self._sent_key = head.claim.report_key
                        self._mailed_kind = head.claim.kind if DIGEST in self._sent else None
                    self._abandoned = (*head.abandoned, abandoned)[-_ABANDONED_KEPT:]
                    self._stored = self._stored._replace(head=head._replace(claim=None, pending={}))
                    self._state = self._read_state()
                    return
                if self._budget.reading_seconds_left() < 0:
                    raise ConflictError
                clock.sleep(1)
                waited += 1
                stored = self._store.reload(self._stored)
                if stored.etag != self._stored.etag:
                    raise ConflictError
                self._stored = stored

    def _has_no_effect(self, report: Report, kind: DigestKind | None) -> bool:
        """Whether the change had no effect, so that there is nothing to commit."""
        if self._event.trigger is not Trigger.CHANGE or kind is not None or self._expiring():
            return False
        return not any(
            finding.is_change or finding.change or finding.status is Status.RESOLVED
            for finding in report.findings
        )

    def _must_wait(self) -> bool:
        """Whether it is too soon after the last mail about a change."""
        head = self._stored.head
        if self._event.changed_at is None or head is None:
            return False
        has_time = self._budget.reading_seconds_left() > bursts.INTERVAL.total_seconds()
        return has_time and bursts.pause(head) > timedelta()

    def _follow_up(self) -> None:
        """Record in the head that this run waits for more changes, and wait.

        Always raises ``ConflictError``, so that the run starts again.
        """
        head = self._stored.head or Head()
        until = clock.now() + bursts.pause(head)
        waiting = FollowUp(self._event.id, until.isoformat(timespec="milliseconds"))
        follow_ups = {**head.follow_ups, **dict.fromkeys(self._event.regions, waiting)}
        with self._continuing_without_ledger():
            self._store.replace(self._stored, head._replace(follow_ups=follow_ups))
            # If another run was faster, this line is not reached: the run has not waited.
            self._paused_until = until
            clock.sleep(max(0.0, (until - clock.now()).total_seconds()))
        raise ConflictError

    def _write_accounts(self, after: LedgerState, report: Report) -> dict[str, Pointer]:
        """Store the state of each account that the run has read, or whose object may expire."""
        accounts = {coverage.target.account for coverage in report.coverage} | self._expiring()
        if self._state is not None and not report.run.is_full:
            # A partial run must not store a partial state as if it were complete.
            accounts -= self._state.unknown
        with self._continuing_without_ledger():
            return self._store.write_accounts(after, sorted(accounts), self._event.id)
        return {}

    def _save_report(self, report: Report) -> None:
        self._store.save_report(report)

    def _accounts_kept(
        self, after: LedgerState, pointers: Mapping[str, Pointer]
    ) -> Mapping[str, Pointer]:
        """The pointers of accounts that still have a target."""
        accounts = {target.account for target in after.targets}
        return {account: p for account, p in pointers.items() if account in accounts}

    def _still_refused(self, kind: DigestKind | None) -> Mapping[str, str]:
        """Why mails to teams were not sent, by their ids, for the next digest."""
        return self._refused if kind or not self._stored.head else self._stored.head.refused

    def _left_out(self) -> Mapping[str, str]:
        return self._stored.head.left_out if self._stored.head else {}

    def _expiring(self) -> set[str]:
        """The accounts whose state was last stored more than 200 days ago."""
        if self._stored.head is None or self._state is None:
            return set()
        now = clock.timestamp()
        return {
            account
            for account, pointer in self._stored.head.accounts.items()
            if account not in self._state.unknown
            and not is_within(pointer.written_at, now, _RENEWED_AFTER)
        }

    def _claim(
        self,
        pointers: Mapping[str, Pointer],
        messages: Sequence[Message],
        kind: DigestKind,
        key: str,
    ) -> None:
        """Claim the right to mail. Raises ``ConflictError`` if another run was faster.

        Raises ``AuditIncompleteError`` if there is no time to send.
        """
        if self._budget.seconds_left() < self._budget.seconds_to_send:
            raise AuditIncompleteError(_BUSY)
        sent = tuple(self._sent)
        first = next((message.id for message in messages if message.id not in sent), None)
        head = (self._stored.head or Head())._replace(
            claim=SendClaim(self._event.id, uuid.uuid4().hex, sent, first, kind, key),
            pending=pointers,
            abandoned=self._abandoned,
        )
        with self._continuing_without_ledger():
            self._write_claim(head)

    def _write_claim(self, head: Head) -> None:
        # Measured from before the write, so that it does not run out for others first.
        began = clock.monotonic()
        self._stored = self._store.replace(self._stored, head)
        self._claimed_at = began

    def _before_attempt(self) -> None:
        """Renew the claim if it would run out during a call to SES.

        Raises ``AuditIncompleteError`` if another run has written the head.
        """
        if self._claimed_at is None or self._stored.head is None:
            return
        age = timedelta(seconds=clock.monotonic() - self._claimed_at)
        if _CLAIM - age >= _SES_CALL:
            return
        self._renew_claim(self._stored.head)

    def _renew_claim(self, head: Head) -> None:
        try:
            self._write_claim(head)
        except (ConflictError, StoreError) as error:
            raise AuditIncompleteError(_OVERTAKEN) from error

    def _send(self, steps: RunSteps, message: Message, report: Report) -> None:
        """Send one mail; if one to a team fails, the others are still sent."""
        self._record_progress(message)
        try:
            steps.send(message, report, self._before_attempt)
        except MailError as error:
            if message.id == DIGEST:
                self._release_claim(refused=error.refused)
                raise
            sentence = _PART_REFUSED if error.refused else _PART_UNANSWERED
            self._refused[message.id] = sentence.format(", ".join(message.recipients), error)
            self._failures.append(f"{error}")
        else:
            self._sent.append(message.id)

    def _record_progress(self, message: Message) -> None:
        """Record in the claim which mails SES accepted, and which one is being sent.

        Raises ``AuditIncompleteError`` if another run has written the head.
        """
        head = self._stored.head
        if self._claimed_at is None or head is None or head.claim is None:
            return
        if head.claim.sending != message.id:
            claim = head.claim._replace(sent=tuple(self._sent), sending=message.id)
            self._renew_claim(head._replace(claim=claim))

    def _release_claim(self, *, refused: bool) -> None:
        """Withdraw the claim; unless SES refused the mail, the run counts as abandoned."""
        head = self._stored.head
        if head is None or head.claim is None:
            return
        run = AbandonedRun(head.claim.run, clock.timestamp(), head.pending)
        abandoned = head.abandoned if refused else (*head.abandoned, run)[-_ABANDONED_KEPT:]
        released = head._replace(claim=None, pending={}, abandoned=abandoned)
        # The run fails with the mail's error, whatever becomes of the claim.
        with suppress(StoreError, ConflictError):
            self._store.replace(self._stored, released)

    def _commit(
        self,
        after: LedgerState,
        pointers: Mapping[str, Pointer],
        outcome: Outcome,
        kind: DigestKind | None,
    ) -> None:
        """Store the new state, and the head that points to it.

        Raises ``ConflictError`` if another run was faster and nothing was mailed.
        """
        head, now = self._stored.head or Head(), after.runs[-1].started_at
        problem = outcome.problem
        runs = (*after.runs[:-1], (after.runs[-1])._replace(problem=problem))
        events = {i: a for i, a in head.events.items() if is_within(a.at, now, _EVENTS_KEPT)}
        if self._event.trigger is not Trigger.CHANGE:
            events[self._event.id] = Answer(now, problem)
        is_change_mail = self._event.trigger is Trigger.CHANGE and kind is not None
        committed = head._replace(
            accounts=self._accounts_kept(after, {**head.accounts, **pointers}),
            left_out=self._left_out(),
            refused=self._still_refused(kind),
            runs=runs,
            events=events,
            claim=None,
            pending={},
            abandoned=self._still_abandoned(outcome.report, kind),
            announced=after.announced,
            settings=after.settings,
            last_full_digest_at=after.last_full_digest_at,
            last_change_mail_at=clock.timestamp() if is_change_mail else head.last_change_mail_at,
            follow_ups={
                region: waiting
                for region, waiting in head.follow_ups.items()
                if waiting.run != self._event.id and bursts.is_waiting(waiting)
            },
        )
        with self._recording_failure():
            try:
                self._store.replace(self._stored, committed)
            except ConflictError:
                if self._claimed_at is None:
                    raise
                self._failures.append(_OVERTAKEN)

    def _still_abandoned(self, report: Report, kind: DigestKind | None) -> tuple[AbandonedRun, ...]:
        """The abandoned runs not yet mentioned in a mail, or with findings still to resolve."""
        is_announced = kind is DigestKind.FULL and report.run.is_full
        is_whole = report.run.is_full and not report.unread
        # This run has finished what an earlier attempt at it had begun to mail.
        finished = self._event.id if self._mailed_kind else None
        return tuple(
            run._replace(is_announced=run.is_announced or is_announced)
            for run in self._abandoned
            if run.run != finished
            and not (
                is_whole
                and (run.is_announced or is_announced)
                and self._began_before(run, report.run)
            )
        )

    def _began_before(self, abandoned: AbandonedRun, run: Run) -> bool:
        """Whether it had begun to mail before the run started, or is the same run."""
        written = (pointer.written_at for pointer in abandoned.accounts.values())
        began = max(written, default=abandoned.at)
        return abandoned.run == self._event.id or began <= run.started_at

    @contextmanager
    def _recording_failure(self) -> Iterator[None]:
        """A ``StoreError`` becomes a failure of the run."""
        try:
            yield
        except StoreError as error:
            self._failures.append(str(error))

    @contextmanager
    def _continuing_without_ledger(self) -> Iterator[None]:
        """A ``StoreError`` becomes a failure, and the run continues without a ledger."""
        try:
            yield
        except StoreError as error:
            self._store, self._stored = LedgerStore(), StoredHead(head=None)
            self._state, self._abandoned = None, ()
            self._sent, self._mailed_kind = [], None
            self._failures.append(_LOST.format(error))


def _key_of(report: Report) -> str:
    """A hash of the changes in the report and of the targets that were not read."""
    news = [(len(openings), [o.finding.id for o in openings]) for openings in report.news]
    unread = sorted((coverage.target, coverage.status) for coverage in report.unread)
    return hashlib.sha256(repr((news, unread)).encode()).hexdigest()[:16]


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _began(scan: Scan) -> datetime:
    """When the reading began; long ago if it did not."""
    return _time(scan.coverage.read_at) if scan.coverage.read_at else _LONG_AGO
