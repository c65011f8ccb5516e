"""One run's transaction with the ledger: load, scan, compare, claim, send, commit.

Each change is mailed once. If a run is stopped between mail and commit, an answer of SES is lost,
or a call lasts longer than the claim, the next mail may repeat changes, and says so. No change is
lost. Mails of manual runs, and those of ``notify: always``, repeat by intent.

- An event whose run has committed is not answered again; if that run failed, so does the retry. A
  change is not answered again if its regions have been read since, or another run will read them.
- A run sends only under a claim, which replaces exactly the head that the run compared with. A
  claim holds for a minute by S3's clock; while another run holds one, a run waits.
- The head is committed after the mails: a change that no mail has reported stays new.
- A run whose claim has run out is abandoned. Findings that it may have mailed and that are closed
  since are resolved, and the next mail says that it may repeat the abandoned run's.
- A reading older than the one in the head's state is never committed.
- If the bucket cannot be read, or cannot be written before the mail, the run continues without a
  ledger, reports everything that is open, says so in the mail, and fails at the end. A run stops
  if it cannot renew its claim, and one about a change if a newer version has written the ledger.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from handler import clock
from handler.ledger import abandoned_runs, bursts
from handler.ledger.claim import OVERTAKEN, UNDECODABLE, ClaimableHead
from handler.ledger.flips import is_within
from handler.ledger.head import FollowUp, HandledEvent, Head, Pointer, SendClaim
from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.ledger.state_reader import StateReader, state_of
from handler.ledger.steps import (
    DIGEST,
    AccountSteps,
    CommonSteps,
    Event,
    Message,
    Outcome,
    ReportAndKind,
)
from handler.ledger.store import NO_LEDGER, ConflictError, LedgerStore, StoreError
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Status
from handler.model.network import Target
from handler.model.run import AuditIncompleteError, MailError, Run, Scan, Trigger
from handler.policy.policy import Policy

_EVENTS_KEPT = timedelta(days=2)
# The bucket's objects expire after 400 days.
_RENEWED_AFTER = timedelta(days=200)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_PART_REFUSED = "The digest for {} was not sent: {}"
_PART_UNANSWERED = "The digest for {} may not have arrived: {}"
_LOST = "{} What has changed is not known, and the next mail may repeat this one."
_BUSY = (
    "The run reached its time limit while it waited for other runs. It has mailed nothing; the "
    "next run reports its findings."
)
_Compare = Callable[[Run, Sequence[Scan]], ReportAndKind]


class _Plan(NamedTuple):
    """What a run is about to mail and to commit; ``after`` is None if that is nothing."""

    report: Report
    kind: DigestKind | None
    messages: Sequence[Message] = ()
    after: LedgerState | None = None
    pointers: Mapping[str, Pointer] = MappingProxyType({})


class LedgerSession:
    """The transaction of one run; one over many accounts is the subclass ``AccountsSession``."""

    def __init__(
        self, store: LedgerStore, event: Event, policy: Policy, budget: clock.TimeBudget
    ) -> None:
        self._event = event
        self._policy = policy
        self._budget = budget
        self._ledger = ClaimableHead(store, event.id)
        self._state: LedgerState | None = None
        self._reader = StateReader()
        self._paused_until: datetime | None = None
        self._failures: list[str] = []
        self._sent: list[str] = []
        # The claim under which an earlier attempt has sent mails, if its report was the same.
        self._earlier: SendClaim | None = None
        self._refused: dict[str, str] = {}

    def execute(self, steps: AccountSteps) -> Outcome | None:
        """Run the steps up to the commit; None if the event needs no run.

        Raises ``MailError``, and ``AuditIncompleteError`` if the run that answered the event
        failed, or other runs wrote the head until no time was left.
        """

        def compare(run: Run, scans: Sequence[Scan]) -> ReportAndKind:
            return steps.compare(run, scans, self._state, self._notices)

        return self._execute(steps, compare)

    def _execute(self, steps: CommonSteps, compare: _Compare) -> Outcome | None:
        self._load()
        if self._is_handled():
            return None
        run, scans = steps.scan(None)
        while True:
            try:
                return self._attempt(steps, compare, run, scans)
            except ConflictError as error:
                self._load()
                if self._is_handled():
                    return None
                if self._budget.reading_seconds_left() < 0:
                    raise AuditIncompleteError(_BUSY) from error
                if stale := self._stale(scans):
                    run, again = steps.scan(stale)
                    kept = (scan for scan in scans if scan.coverage.target not in stale)
                    scans = (*kept, *again)

    def _attempt(
        self, steps: CommonSteps, compare: _Compare, run: Run, scans: Sequence[Scan]
    ) -> Outcome:
        """Compare, claim, mail and commit. Raises ``ConflictError`` if it must start again."""
        try:
            plan = self._prepare(steps, compare, run, scans)
        except StoreError as error:
            # Without the ledger, everything that is open is mailed, and the reason.
            self._drop_ledger(error)
            plan = self._prepare(steps, compare, run, scans)
        if plan.after is None:
            return Outcome(plan.report, mailed=False, failures=tuple(self._failures))
        for message in plan.messages:
            if message.id not in self._sent:
                self._send(steps, message, plan.report)
        if problem := steps.publish(plan.report, self._ledger.renew):
            self._failures.append(problem)
        outcome = Outcome(plan.report, plan.kind is not None, tuple(self._failures))
        self._commit(plan.after, plan.pointers, outcome, plan.kind)
        return outcome._replace(failures=tuple(self._failures))

    def _prepare(
        self, steps: CommonSteps, compare: _Compare, run: Run, scans: Sequence[Scan]
    ) -> _Plan:
        """Compare, compose and claim. Raises ``ConflictError``, and ``StoreError``."""
        self._wait_for_claim()
        report, kind = self._compared(compare, run, scans)
        with self._recording_failure():
            self._save_report(report)
        if self._has_no_effect(report, kind):
            return _Plan(report, kind)
        if kind and self._should_wait():
            self._follow_up()
        after = next_state(self._state, report, self._policy, kind)
        messages = steps.compose(report, kind) if kind else ()
        pointers = self._write_accounts(after, report)
        if kind and self._ledger.store is not NO_LEDGER:
            self._claim(pointers, messages, kind, _key_of(report))
        return _Plan(report, kind, messages, after, pointers)

    def _compared(self, compare: _Compare, run: Run, scans: Sequence[Scan]) -> ReportAndKind:
        """The report, and which digest to mail: an earlier attempt's if the report is the same."""
        report, kind = compare(run, scans)
        if self._earlier and self._earlier.report_key != _key_of(report):
            self._sent, self._earlier = [], None
            report, kind = compare(run, scans)
        return report, self._mailed_kind or kind

    @property
    def _mailed_kind(self) -> DigestKind | None:
        """The digest that an earlier attempt at this run has mailed."""
        return self._earlier.kind if self._earlier and DIGEST in self._earlier.sent else None

    def _load(self) -> None:
        self._failures = []
        try:
            self._ledger.stored = self._ledger.store.load(self._event.id)
            self._state = self._read_state()
            self._store_old_accounts()
        except StoreError as error:
            self._drop_ledger(error)
        else:
            if self._ledger.stored.problem:
                self._failures.append(UNDECODABLE.format(self._ledger.stored.problem))

    def _drop_ledger(self, error: StoreError) -> None:
        """Continue without a ledger, which is a failure of the run."""
        self._ledger, self._state = ClaimableHead(NO_LEDGER, self._event.id), None
        self._sent, self._earlier = [], None
        self._failures.append(_LOST.format(error))

    def _store_old_accounts(self) -> None:
        """Store the states of version 1, so that any head, even one with only a claim, has them."""
        stored = self._ledger.stored
        if stored.head is not None and stored.old_accounts:
            state = state_of(stored.head, stored.old_accounts.values())
            accounts = sorted(stored.old_accounts)
            pointers = self._ledger.store.write_accounts(state, accounts, self._event.id)
            head = stored.head._replace(accounts={**stored.head.accounts, **pointers})
            self._ledger.stored = stored._replace(head=head, old_accounts={})

    def _read_state(self) -> LedgerState | None:
        """The state, from the head and the objects that it points to."""
        state, problems = self._reader.read(self._ledger.store, self._ledger.stored)
        self._failures += map(UNDECODABLE.format, problems)
        return state

    def _is_handled(self) -> bool:
        """Whether the event needs no run.

        Raises ``AuditIncompleteError`` if its run failed, or if it is about a change and a newer
        version has written the ledger.
        """
        if self._ledger.stored.is_read_only and self._event.trigger is Trigger.CHANGE:
            # Full runs mail what is open; each of many changes would mail it again.
            raise AuditIncompleteError(self._ledger.stored.problem)
        head, changed_at = self._ledger.head, self._event.changed_at
        if handled := head.events.get(self._event.id):
            if handled.problem:
                raise AuditIncompleteError(handled.problem)
            return True
        if changed_at is None or self._state is None or not self._event.regions:
            return False
        return bursts.needs_no_run(
            head, self._state, self._event.id, changed_at, self._event.regions
        )

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
        head = self._ledger.head
        return (*self._failures, *head.refused.values(), *abandoned_runs.notices(head.abandoned))

    def _wait_for_claim(self) -> None:
        """Wait until no other run holds a claim. Raises ``ConflictError``."""
        if claim := self._ledger.wait(self._budget):
            if claim.run == self._event.id and claim.sent:
                # SES accepted these mails, so they are not repeated.
                self._earlier, self._sent = claim, list(claim.sent)
            self._state = self._read_state()

    def _has_no_effect(self, report: Report, kind: DigestKind | None) -> bool:
        """Whether the change had no effect, so that there is nothing to commit."""
        if self._event.trigger is not Trigger.CHANGE or kind is not None or self._expiring():
            return False
        return not any(
            finding.is_change or finding.change or finding.status is Status.RESOLVED
            for finding in report.findings
        )

    def _should_wait(self) -> bool:
        """Whether it is too soon after the last mail about a change, and there is time to wait."""
        if self._event.changed_at is None or not bursts.time_to_wait(self._ledger.head):
            return False
        return self._budget.reading_seconds_left() > bursts.INTERVAL.total_seconds()

    def _follow_up(self) -> None:
        """Record in the head that this run waits for more changes, and wait.

        Raises ``ConflictError``, so that the run starts again.
        """
        head = self._ledger.head
        until = clock.now() + bursts.time_to_wait(head)
        waiting = FollowUp(self._event.id, until.isoformat(timespec="milliseconds"))
        follow_ups = {**head.follow_ups, **dict.fromkeys(self._event.regions, waiting)}
        self._ledger.write(head._replace(follow_ups=follow_ups))
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
        return self._ledger.store.write_accounts(after, sorted(accounts), self._event.id)

    def _save_report(self, report: Report) -> None:
        self._ledger.store.save_report(report)

    def _accounts_kept(
        self, after: LedgerState, pointers: Mapping[str, Pointer]
    ) -> Mapping[str, Pointer]:
        """The pointers of accounts that still have a target."""
        accounts = {target.account for target in after.targets}
        return {account: p for account, p in pointers.items() if account in accounts}

    def _still_refused(self, kind: DigestKind | None) -> Mapping[str, str]:
        """Why mails to teams were not sent, by their ids, for the next digest."""
        return self._refused if kind else self._ledger.head.refused

    def _left_out(self) -> Mapping[str, str]:
        return self._ledger.head.left_out

    def _expiring(self) -> set[str]:
        """The accounts whose state was last stored more than 200 days ago."""
        unknown, now = self._state.unknown if self._state else (), clock.timestamp()
        return {
            account
            for account, pointer in self._ledger.head.accounts.items()
            if account not in unknown and not is_within(pointer.written_at, now, _RENEWED_AFTER)
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
        first = next((m.id for m in messages if m.id not in self._sent), None)
        self._ledger.claim(pointers, kind, key, self._sent, first)

    def _send(self, steps: CommonSteps, message: Message, report: Report) -> None:
        """Send one mail; if one to a team fails, the others are still sent."""
        self._ledger.record_progress(self._sent, message.id)
        try:
            steps.send(message, report, self._ledger.renew)
        except MailError as error:
            if message.id == DIGEST:
                self._ledger.release(is_abandoned=not error.refused)
                raise
            sentence = _PART_REFUSED if error.refused else _PART_UNANSWERED
            self._refused[message.id] = sentence.format(", ".join(message.recipients), error)
            self._failures.append(f"{error}")
        else:
            self._sent.append(message.id)

    def _commit(
        self,
        after: LedgerState,
        pointers: Mapping[str, Pointer],
        outcome: Outcome,
        kind: DigestKind | None,
    ) -> None:
        """Store the head that points to the new state.

        Raises ``ConflictError`` if another run was faster and nothing was mailed.
        """
        with self._recording_failure():
            try:
                self._ledger.write(self._committed(after, pointers, outcome, kind))
            except ConflictError:
                if not self._ledger.has_claimed:
                    raise
                self._failures.append(OVERTAKEN)

    def _committed(
        self,
        after: LedgerState,
        pointers: Mapping[str, Pointer],
        outcome: Outcome,
        kind: DigestKind | None,
    ) -> Head:
        """The head after the run."""
        head, now = self._ledger.head, after.runs[-1].started_at
        problem, is_change = outcome.problem, self._event.trigger is Trigger.CHANGE
        events = {i: a for i, a in head.events.items() if is_within(a.at, now, _EVENTS_KEPT)}
        if not is_change:
            events[self._event.id] = HandledEvent(now, problem)
        return head._replace(
            accounts=self._accounts_kept(after, {**head.accounts, **pointers}),
            left_out=self._left_out(),
            refused=self._still_refused(kind),
            runs=(*after.runs[:-1], after.runs[-1]._replace(problem=problem)),
            events=events,
            claim=None,
            pending={},
            abandoned=abandoned_runs.remaining(
                head.abandoned,
                outcome.report,
                is_announced=kind is DigestKind.FULL,
                finished_run=self._event.id if self._mailed_kind else None,
            ),
            announced=after.announced,
            settings=after.settings,
            last_full_digest_at=after.last_full_digest_at,
            last_change_mail_at=clock.timestamp()
            if is_change and kind
            else head.last_change_mail_at,
            follow_ups={
                region: waiting
                for region, waiting in head.follow_ups.items()
                if waiting.run != self._event.id and bursts.is_waiting(waiting)
            },
        )

    @contextmanager
    def _recording_failure(self) -> Iterator[None]:
        """A ``StoreError`` becomes a failure of the run."""
        try:
            yield
        except StoreError as error:
            self._failures.append(str(error))


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
