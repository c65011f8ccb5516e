"""The entry point that Lambda calls: one audit, from the event to the mail and the ledger."""

import gc
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from handler import clock, logs, mail
from handler.attribution.attributor import Attributor
from handler.attribution.history import EventHistory
from handler.audit import build_report, scan_targets
from handler.aws import FAILURES, Clients, caller_of
from handler.digest_choice import choose_digest
from handler.event import RunRequest, parse_event
from handler.event_bus import publish
from handler.ledger.bucket_store import BucketStore
from handler.ledger.state import LedgerState, last_readings
from handler.ledger.steps import DIGEST, Event, Message
from handler.ledger.store import NO_LEDGER, LedgerStore
from handler.ledger.transaction import LedgerSession
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.network import ALL_REGIONS, UNKNOWN, Target
from handler.model.run import AuditIncompleteError, MailError, Run, Scan, Trigger
from handler.organization.configuration import deployed_organization
from handler.policy.policy import Policy
from handler.report.personal_copies import copies_of
from handler.result import complete, result_of
from handler.scan import unread_account
from handler.settings import MAIL_ADDRESS, Settings, deployed_policy

# At worst a copy takes 60 seconds, as long as a claim on the ledger holds.
_MAX_COPIES = 10
_NOT_REALTIME = (
    "only the schedule sees changes, because the region was enabled after the last deployment. "
    "Run pulumi up so that changes in it start a run."
)

# Imported objects stay: the garbage collector can skip them.
gc.freeze()


def lambda_handler(event: object, context: object) -> dict[str, Any]:
    """Audit all targets, mail what is due, and commit the new state.

    With many accounts, only plan the run and start the state machine.

    The result is ``{"statusCode": 200, "body": "Audit complete."}`` with the run's counts, or
    "Audit started." Raises ``SettingsError``, ``PolicyError`` or ``EventError`` before anything is
    read, ``MailError`` if SES does not accept the digest, without a commit, and
    ``AuditIncompleteError`` if something was not read or stored, mostly after mail and commit.
    """
    # The clients of an earlier run in this process are in reference cycles, all of them in the
    # youngest generation.
    gc.collect(0)
    settings, policy, clients = Settings.from_env(os.environ), deployed_policy(), Clients()
    request_id = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    request = parse_event(event, request_id, settings)
    logs.log_start(request)
    if organization := deployed_organization():
        # Imported here because most functions audit one account, and start faster without it.
        from handler.organization.start_run import start_audit  # noqa: PLC0415

        return start_audit(request, clients, organization)
    budget = clock.TimeBudget(context)
    if _is_foreign(request, context):
        logs.log_foreign(request)
        return complete({"mailed": 0})
    attributor = _attributor(clients, settings, request, budget)
    steps = _AuditSteps(clients, settings, policy, request, budget, clock.timestamp(), attributor)
    run_event = Event(request.id, request.trigger, request.changed_at, request.regions)
    store = _ledger_store(clients, settings, request)
    session = LedgerSession(store, run_event, policy, budget)
    outcome = session.execute(steps)
    if outcome:
        logs.log_findings(outcome.report)
    return result_of(request, outcome, budget)


class _AuditSteps(NamedTuple):
    """The steps of one run, in the order in which the transaction calls them."""

    clients: Clients
    settings: Settings
    policy: Policy
    request: RunRequest
    budget: clock.TimeBudget
    started_at: str
    attributor: Attributor | None

    def scan(self, targets: Collection[Target] | None) -> tuple[Run, Sequence[Scan]]:
        """Read all targets that the request names, or only these."""
        request = self.request
        names = {t.region for t in targets or ()}
        # If the regions could not be listed, one target stands for all of them.
        regions = request.regions if not names or ALL_REGIONS in names else sorted(names)
        scans: Iterable[Scan]
        try:
            account = caller_of(self.clients).account
        except FAILURES as error:
            # A run that does not even know its account must not end without a mail.
            scans = [unread_account(UNKNOWN, error)]
        else:
            seconds_left = self.budget.reading_seconds_left
            scans = scan_targets(self.clients, account, regions, self.policy, seconds_left)
        read = list(logs.log_scans(scans))
        if self.settings.realtime_regions:
            read = [_noting_not_realtime(scan, self.settings.realtime_regions) for scan in read]
        return request.run(self.started_at, self.settings), read

    def compare(
        self,
        run: Run,
        scans: Sequence[Scan],
        previous: LedgerState | None,
        notices: tuple[str, ...],
    ) -> tuple[Report, DigestKind | None]:
        """The report, and which digest to mail; None in a dry run."""
        report = replace(build_report(run, scans, self.policy, previous), notices=notices)
        if self.attributor and previous:
            report = self.attributor.attribute(report, last_readings(previous))
        if self.request.dry_run:
            return report, None
        last_full_digest_at = previous.last_full_digest_at if previous else None
        return report, choose_digest(self.request.notify, report, last_full_digest_at)

    def compose(self, report: Report, kind: DigestKind) -> Sequence[Message]:
        """The digest as a message."""
        body = mail.compose(self.settings, report, kind)
        return (Message(DIGEST, body, self.settings.recipients),)

    def send(self, message: Message, report: Report, before_attempt: Callable[[], None]) -> None:
        """Mail the digest, then the copies. Raises ``MailError``, with the findings in the log."""
        try:
            mail.send(self.clients.get("sesv2"), self.settings, message.body, before_attempt)
        except MailError:
            logs.log_findings(report)
            raise
        logs.log_copies(self._copied(report, before_attempt))

    def _copied(self, report: Report, before_attempt: Callable[[], None]) -> Iterator[bool]:
        """Mail people what they have opened, if they have an address; whether SES accepted it."""
        copies = tuple(copies_of(report, self.settings.copied_domains))
        for address, part in copies[:_MAX_COPIES]:
            if not MAIL_ADDRESS.fullmatch(address):
                continue
            if self.budget.seconds_left() < self.budget.seconds_to_send:
                yield False
                continue
            settings = self.settings._replace(recipients=(address,))
            try:
                message = mail.compose(settings, part, DigestKind.CHANGES)
                mail.send(self.clients.get("sesv2"), settings, message, before_attempt)
            except (MailError, AuditIncompleteError):
                yield False
            else:
                yield True

    def publish(self, report: Report, before_request: Callable[[], None]) -> str | None:
        """Put an event for each change on the account's event bus, if the settings say so."""
        if not self.settings.publish_events or self.request.dry_run:
            return None
        return publish(self.clients.get("events"), report, self.budget, before_request)


def _is_foreign(request: RunRequest, context: object) -> bool:
    """Whether the event is about a change in another account than the function's."""
    arn = getattr(context, "invoked_function_arn", None)
    return bool(request.account and arn and f":{request.account}:" not in arn)


def _noting_not_realtime(scan: Scan, regions: Collection[str]) -> Scan:
    """The scan, with a notice if changes in its region do not start a run."""
    coverage = scan.coverage
    if coverage.target.region in {*regions, ALL_REGIONS}:
        return scan
    notice = " ".join(filter(None, (coverage.notice, _NOT_REALTIME)))
    return scan._replace(coverage=coverage._replace(notice=notice))


def _attributor(
    clients: Clients, settings: Settings, request: RunRequest, budget: clock.TimeBudget
) -> Attributor | None:
    """How to attribute findings: by the call in an event about a change, else by the history."""
    if not settings.attribution:
        return None
    if request.trigger is Trigger.CHANGE:
        return Attributor(request.call, None)
    history = EventHistory(
        lambda target: clients.get("cloudtrail", target.region), budget.reading_seconds_left
    )
    return Attributor(None, history)


def _ledger_store(clients: Clients, settings: Settings, request: RunRequest) -> LedgerStore:
    """The ledger's bucket; a dry run and a function without a bucket have none."""
    if settings.ledger_bucket is None or request.dry_run:
        return NO_LEDGER
    return BucketStore(clients.get("s3"), settings.ledger_bucket)
