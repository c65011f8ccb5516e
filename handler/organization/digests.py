"""Decides which digests a run over many accounts mails: of all accounts, and of teams."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from handler.digest_choice import choose_digest, is_reminder_day
from handler.ledger.records import has_other_settings
from handler.model.accounts_report import AccountsReport
from handler.model.digest_kind import DigestKind
from handler.model.finding import Severity
from handler.organization.comparison import AccountsRun, Compared, TeamReport
from handler.settings import Notify

_UNKNOWN_ACCOUNTS = "digests names accounts that are not among those to audit: {}."
_URGENT = (Severity.CRITICAL, Severity.HIGH)


class DigestChoice:
    """The digests of one run.

    ``deferred`` are notices for the next digest of all accounts, which do not themselves cause a
    full one, as the ``urgent`` ones do.
    """

    def __init__(self, audit: AccountsRun, notices: Sequence[str]) -> None:
        self._audit = audit
        self._owed = audit.owed
        self._notify = audit.plan.request.notify
        state = audit.states.state
        self._last_full_digest_at = state.last_full_digest_at if state else None
        self.deferred = (*audit.states.refused.values(), *_unknown_accounts(audit))
        self.urgent = tuple(notice for notice in notices if notice not in self.deferred)

    def expected(self) -> DigestKind | None:
        """The most likely digest, before the accounts have been compared."""
        audit, state, run = self._audit, self._audit.states.state, self._audit.run
        if audit.states.mailed_kind or audit.plan.request.dry_run:
            return audit.states.mailed_kind
        is_first = run.is_full and self._last_full_digest_at is None
        if state is None or is_first or self.urgent or self._notify is not Notify.CHANGES:
            return DigestKind.FULL
        last = state.runs[-1] if state.runs else None
        is_urgent = last and (last.not_read or any(last.open[severity] for severity in _URGENT))
        reminds = is_reminder_day(run.day, self._last_full_digest_at)
        is_due = run.is_full and is_urgent and reminds
        has_new_settings = has_other_settings(state, audit.policy)
        return DigestKind.FULL if is_due or has_new_settings else DigestKind.CHANGES

    def of_all(self, compared: Compared) -> DigestKind | None:
        """The digest of all accounts; None for no mail, as in a dry run."""
        report = compared.report
        if self._audit.states.mailed_kind or self._audit.plan.request.dry_run:
            return self._audit.states.mailed_kind
        urgent = tuple(notice for notice in report.notices if notice not in self.deferred)
        kind = self._choose(report, urgent)
        is_owed_mail = any(map(self._is_owed_mail, compared.teams))
        return kind or (DigestKind.CHANGES if is_owed_mail else None)

    def of_teams(
        self, compared: Compared, kind: DigestKind | None
    ) -> Iterator[tuple[TeamReport, DigestKind]]:
        """The digests of teams, if there is one of all accounts."""
        for team in compared.teams if kind else ():
            report = team.report
            is_first = bool(report.changes and report.changes.first)
            has_something = is_first or report.openings or not report.is_complete
            if not _is_about_any(report):
                continue
            # Without an earlier state, no changes are known.
            is_full = kind is DigestKind.FULL or report.changes is None
            if self._is_owed_mail(team) or (
                is_full and (has_something or self._notify is Notify.ALWAYS)
            ):
                yield team, DigestKind.FULL
            # Notices may cause a full digest of all accounts, but no digest of a team.
            elif self._choose(report, ()):
                yield team, DigestKind.CHANGES

    def _choose(self, report: AccountsReport, notices: tuple[str, ...]) -> DigestKind | None:
        """The digest of a report, of whose notices only these can cause one."""
        return choose_digest(
            self._notify, replace(report, notices=notices), self._last_full_digest_at
        )

    def _is_owed_mail(self, team: TeamReport) -> bool:
        """Whether the last mail to the team was not sent, and this run has read all of it."""
        is_whole = self._audit.run.is_full and _is_about_any(team.report) and not team.report.unread
        return is_whole and team.digest.id in self._owed


def _is_about_any(report: AccountsReport) -> bool:
    """Whether the run is about any of the report's accounts."""
    return bool(report.accounts or (report.changes and report.changes.departed))


def _unknown_accounts(audit: AccountsRun) -> Iterator[str]:
    """A notice if digests of teams name accounts that are not listed."""
    plan = audit.plan
    listed = {account.id for account in plan.listing.accounts}
    listed |= {account.id for account in plan.listing.left_out}
    named = {account for digest in audit.digests for account in digest.accounts}
    if plan.request.is_full and not plan.problem and (unknown := sorted(named - listed)):
        yield _UNKNOWN_ACCOUNTS.format(", ".join(unknown))
