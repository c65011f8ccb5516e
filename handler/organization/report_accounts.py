"""The state machine's last step: compares all accounts, mails the report, commits."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any

from handler import clock, logs, mail
from handler.aws import FAILURES, Clients, error_text
from handler.ledger.account_states import AccountStates
from handler.ledger.accounts_transaction import AccountsSession
from handler.ledger.bucket_store import BucketStore
from handler.ledger.steps import DIGEST, Event, Message
from handler.ledger.store import NO_LEDGER
from handler.model.accounts_report import AccountsReport
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.network import Target
from handler.model.run import Run, Scan
from handler.organization.comparison import AccountsRun, Compared, Comparison, TeamReport
from handler.organization.configuration import TeamDigest, deployed_organization, owed_digests
from handler.organization.digests import DigestChoice
from handler.organization.plan import Plan, PlanError, stored_plan
from handler.organization.run_objects import RunObjects
from handler.policy.policy import Policy
from handler.result import result_of
from handler.settings import Settings, deployed_policy, required


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Compare the scans of all accounts with the ledger, mail what is due, and commit.

    The result is ``{"statusCode": 200, "body": "Audit complete.", "counts": ...}``. Raises
    ``PlanError`` if the plan of the run is missing or cannot be read, ``MailError`` if SES refuses
    the digest, and ``AuditIncompleteError``, after mail and commit, if something was not read or
    not stored.
    """
    settings, policy, clients = Settings.from_env(os.environ), deployed_policy(), Clients()
    budget, s3 = clock.TimeBudget(context), clients.get("s3")
    bucket = required(os.environ, "LEDGER_BUCKET")
    objects = RunObjects(s3, bucket, str(event["run"]))
    plan = _plan(objects)
    request = plan.request
    logs.log_start(request)
    store = NO_LEDGER if request.dry_run else BucketStore(s3, bucket)
    session = AccountsSession(store, Event(request.id, request.trigger), policy, budget)
    organization = deployed_organization()
    digests = organization.digests if organization else ()
    with ExitStack() as files:
        steps = _ReportSteps(clients, settings, policy, plan, objects, digests, files)
        outcome = session.execute_accounts(steps)
    return result_of(request, outcome, budget)


def _plan(objects: RunObjects) -> Plan:
    try:
        plan = stored_plan(objects)
    except FAILURES as error:
        raise PlanError(f"The run's plan could not be read: {error_text(error)}") from error
    if plan is None:
        raise PlanError(f"There is no plan of the run ({objects.plan_key}).")
    return plan


@dataclass(slots=True)
class _ReportSteps:
    """The steps of one run, in the order in which the transaction calls them."""

    clients: Clients
    settings: Settings
    policy: Policy
    plan: Plan
    objects: RunObjects
    digests: Sequence[TeamDigest]
    files: ExitStack
    compared: Compared = field(init=False)
    teams: tuple[tuple[TeamReport, DigestKind], ...] = ()

    def still_refused(self, refused: Mapping[str, str], sent: Sequence[str]) -> Mapping[str, str]:
        """The refused mails whose teams are still owed a full digest, after a run that mailed."""
        if not self.plan.request.is_full or self.plan.problem:
            return refused
        listed = {account.id for account in self.plan.listing.accounts}
        unread = {team.digest.id for team, _ in self.teams if team.report.unread}
        owed = {d.id for d in self.digests if not listed.isdisjoint(d.accounts)}
        owed = owed.difference(sent) | owed & unread
        return {
            mail: why
            for mail, why in refused.items()
            if not owed.isdisjoint(owed_digests((mail,), self.digests))
        }

    def run(self) -> Run:
        """The run of the plan."""
        return self.plan.request.run(self.plan.started_at, self.settings)

    def scan(self, _targets: Collection[Target] | None) -> tuple[Run, Sequence[Scan]]:
        """Nothing: the accounts have been read already."""
        return self.run(), ()

    def compare(
        self, states: AccountStates, notices: tuple[str, ...]
    ) -> tuple[Report, DigestKind | None]:
        """The report, and which digest to mail; None in a dry run.

        The new states depend on the digest, which is known only when all accounts have been
        compared. If it is not the expected one, they are compared again.
        """
        audit = AccountsRun(self.plan, self.run(), self.objects, self.policy, states, self.digests)
        choice = DigestChoice(audit, notices)
        expected = choice.expected()
        compared = self._compare(audit, choice, expected)
        kind = choice.of_all(compared)
        is_as_expected = kind is expected or (
            kind is None and expected is DigestKind.CHANGES and _has_no_changes(compared.report)
        )
        if not is_as_expected:
            compared = self._compare(audit._replace(run=self.run()), choice, kind)
        self.teams = tuple(choice.of_teams(compared, kind))
        return compared.report, kind

    def _compare(
        self, audit: AccountsRun, choice: DigestChoice, kind: DigestKind | None
    ) -> Compared:
        # Only the files of the last comparison are needed.
        self.files.close()
        notices = (*choice.urgent, *choice.deferred)
        self.compared = Comparison(audit, self.files).compare(kind, notices, choice.urgent)
        return self.compared

    def report_file(self, report: Report) -> IO[bytes]:
        """All findings of all accounts, as compressed JSON."""
        return self.compared.file.finished(report)

    def compose(self, report: Report, kind: DigestKind) -> Sequence[Message]:
        """The digest of all accounts, then those of the teams that get one."""
        body = mail.compose(self.settings, report, kind, self.compared.csv)
        whole = Message(DIGEST, body, self.settings.recipients)
        return (whole, *(self._team_message(*team) for team in self.teams))

    def _team_message(self, team: TeamReport, kind: DigestKind) -> Message:
        settings = self.settings._replace(recipients=team.digest.recipients)
        body = mail.compose(settings, team.report, kind, team.csv)
        return Message(team.digest.id, body, settings.recipients)

    def send(self, message: Message, _report: Report, before_attempt: Callable[[], None]) -> None:
        """Mail a digest. Raises ``MailError``."""
        settings = self.settings._replace(recipients=message.recipients)
        mail.send(self.clients.get("sesv2"), settings, message.body, before_attempt)

    def publish(self, _report: Report, _before_request: Callable[[], None]) -> None:
        """Nothing: changes in many accounts are not published."""


def _has_no_changes(report: AccountsReport) -> bool:
    """Whether there are no changes that the new states could record as mailed."""
    news, totals = report.news, report.totals
    return not (totals.opened or totals.resolved or news.narrowed or news.unlisted)
