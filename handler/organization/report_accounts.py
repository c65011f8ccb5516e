"""The report on all accounts of a run: compare, mail, commit. The state machine's last step."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Any

from handler import clock, logs, mail
from handler.aws import FAILURES, Clients, error_text
from handler.event import answer
from handler.ledger.accounts import AccountBook, AccountsSession
from handler.ledger.reconcile import has_other_settings
from handler.ledger.store import BucketStore, LedgerStore
from handler.ledger.transaction import DIGEST, Event, Message
from handler.mail import is_reminder_day
from handler.model.accounts_report import AccountsReport
from handler.model.finding import Severity
from handler.model.run import AuditIncompleteError, Report, Run
from handler.organization.comparison import Compared, Comparison, TeamReport
from handler.organization.configuration import TeamDigest, deployed_organization
from handler.organization.objects import Exchange
from handler.organization.plan import Plan, PlanError, stored_plan
from handler.policy.policy import Policy
from handler.report.digest import DigestKind
from handler.settings import Notify, Settings, deployed_policy, required

_URGENT = (Severity.CRITICAL, Severity.HIGH)


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Compare what was read of every account, mail what there is to mail, commit what is known.

    The result is ``{"statusCode": 200, "body": "Audit complete.", "counts": ...}``. Raises
    ``PlanError`` where the plan of the run is missing or was not read, ``MailError`` when SES
    refuses the digest, and ``AuditIncompleteError``, after mail and commit, when something was not
    read or not stored.
    """
    settings, policy, clients = Settings.from_env(os.environ), deployed_policy(), Clients()
    budget, s3 = clock.TimeBudget(context), clients.get("s3")
    bucket = required(os.environ, "LEDGER_BUCKET")
    exchange = Exchange(s3, bucket, str(event["run"]))
    plan = _plan(exchange)
    request = plan.request
    logs.log_start(request)
    store = LedgerStore() if request.dry_run else BucketStore(s3, bucket)
    session = AccountsSession(store, Event(request.id, request.trigger), policy, budget)
    organization = deployed_organization()
    digests = organization.digests if organization else ()
    with closing(_ReportSteps(clients, settings, policy, plan, exchange, digests)) as steps:
        outcome = session.execute_accounts(steps)
    if outcome is None:
        logs.log_repeated(request)
        return answer({"mailed": 0})
    counts = logs.counts_of(outcome.report, mailed=outcome.mailed)
    logs.log_end(request, counts, budget.milliseconds_spent())
    if outcome.problem:
        raise AuditIncompleteError(outcome.problem)
    return answer(counts)


def _plan(exchange: Exchange) -> Plan:
    try:
        plan = stored_plan(exchange)
    except FAILURES as error:
        message = f"The run's plan could not be read: {error_text(error)}"
        raise PlanError(message) from error
    if plan is None:
        message = f"There is no plan of the run ({exchange.plan_key})."
        raise PlanError(message)
    return plan


@dataclass(slots=True)
class _ReportSteps:
    """The steps of one run, in the order in which the ledger's transaction takes them."""

    clients: Clients
    settings: Settings
    policy: Policy
    plan: Plan
    exchange: Exchange
    digests: Sequence[TeamDigest]
    comparison: Comparison | None = None
    compared: Compared | None = None
    _last_full_digest_at: str | None = None

    def run(self) -> Run:
        """The run that the plan is for."""
        request = self.plan.request
        return Run(
            request.id,
            request.trigger,
            self.plan.started_at,
            clock.timestamp(),
            self.settings.stack,
            request.is_full,
            self.settings.regions,
        )

    def compare(
        self, book: AccountBook, notices: tuple[str, ...]
    ) -> tuple[Report, DigestKind | None]:
        """The report, and which digest to mail; a dry run mails none.

        What is known after the run depends on the digest, which is known when all accounts have
        been compared; where it is not the one that was expected, they are compared again.
        """
        expected = self._expected(book, notices)
        report = self._compare(book, expected, notices)
        kind = self._choose(report, book)
        is_as_expected = kind is expected or (
            kind is None and expected is DigestKind.CHANGES and _is_quiet(report)
        )
        return (report if is_as_expected else self._compare(book, kind, notices)), kind

    def _compare(
        self, book: AccountBook, kind: DigestKind | None, notices: tuple[str, ...]
    ) -> AccountsReport:
        self.close()
        self.comparison = Comparison(
            self.plan, self.run(), self.exchange, self.policy, book, self.digests
        )
        self.compared = self.comparison.compare(kind, notices)
        return self.compared.report

    def _choose(self, report: AccountsReport, book: AccountBook) -> DigestKind | None:
        if self.plan.request.dry_run:
            return None
        self._last_full_digest_at = book.state.last_full_digest_at if book.state else None
        return mail.choose_digest(self.plan.request.notify, report, self._last_full_digest_at)

    def _expected(self, book: AccountBook, notices: tuple[str, ...]) -> DigestKind | None:
        """The digest that is most likely, from what is known before the accounts are compared."""
        state, run, notify = book.state, self.run(), self.plan.request.notify
        if self.plan.request.dry_run:
            return None
        is_first = state is None or (run.is_full and state.last_full_digest_at is None)
        if is_first or state is None or notices or notify is not Notify.CHANGES:
            return DigestKind.FULL
        last = state.runs[-1] if state.runs else None
        is_urgent = last and (last.not_read or any(last.open[severity] for severity in _URGENT))
        is_due = run.is_full and is_urgent and is_reminder_day(run.day, state.last_full_digest_at)
        has_other = has_other_settings(state, self.policy)
        return DigestKind.FULL if is_due or has_other else DigestKind.CHANGES

    def report_file(self, report: Report) -> IO[bytes]:
        """All findings of all accounts as compressed JSON."""
        return self._files.file.finished(report)

    def compose(self, report: Report, kind: DigestKind) -> Sequence[Message]:
        """The digest of all accounts, then those of teams that have something to read."""
        body = mail.compose(self.settings, report, kind, self._files.csv)
        whole = Message(DIGEST, body, self.settings.recipients)
        return (whole, *map(self._team_message, self._teams_to_mail(kind)))

    def _teams_to_mail(self, kind: DigestKind) -> Iterator[tuple[TeamReport, DigestKind]]:
        notify = self.plan.request.notify
        for team in self._files.teams:
            report = team.report
            if not report.accounts:
                continue
            is_first = bool(report.changes and report.changes.first)
            is_open = bool(report.openings) or not report.is_complete
            if kind is DigestKind.FULL and (is_open or is_first or notify is Notify.ALWAYS):
                yield team, kind
            elif mail.choose_digest(notify, report, self._last_full_digest_at):
                yield team, DigestKind.CHANGES

    def _team_message(self, team_and_kind: tuple[TeamReport, DigestKind]) -> Message:
        team, kind = team_and_kind
        settings = self.settings._replace(recipients=team.digest.recipients)
        body = mail.compose(settings, team.report, kind, team.csv)
        return Message(_id_of(team.digest), body, settings.recipients)

    def send(self, message: Message, _report: Report, before_attempt: Callable[[], None]) -> None:
        """Mail a digest. Raises ``MailError``."""
        settings = self.settings._replace(recipients=message.recipients)
        mail.send(self.clients.get("sesv2"), settings, message.body, before_attempt)

    def close(self) -> None:
        """Remove the files of what has been compared."""
        if self.comparison:
            self.comparison.close()

    @property
    def _files(self) -> Compared:
        if self.compared is None:
            message = "nothing has been compared"
            raise RuntimeError(message)
        return self.compared


def _id_of(digest: TeamDigest) -> str:
    """What tells a team's mail from others."""
    return f"team-{hashlib.sha256(' '.join(digest.recipients).encode()).hexdigest()[:12]}"


def _is_quiet(report: AccountsReport) -> bool:
    """Whether nothing has changed that what is known might say was mailed."""
    news, totals = report.news, report.totals
    return not (totals.opened or totals.resolved or news.narrowed or news.unlisted)
