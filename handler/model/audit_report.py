"""The report on a run: what it found, and what has changed since the last run."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from handler.model.finding import Change, Finding, Kind, Severity, Status, as_openings, is_listed
from handler.model.network import ALL_REGIONS, UNKNOWN, Target
from handler.model.policy_exception import ExceptionReview, PolicyException
from handler.model.run import Coverage, Run
from handler.model.totals import AccountResult, News, OpeningList, Totals


class Changes(NamedTuple):
    """What has changed since the last committed run, besides the findings' statuses.

    ``first`` is true if there is no such run. ``lost`` targets can no longer be read, ``regained``
    ones can be read again, ``left_out`` ones are no longer requested. ``ending`` exceptions expire
    soon or have expired, and were not announced yet. ``unlisted`` findings are now below the
    minimum severity. ``has_new_settings`` is true if the settings or the rules for severities have
    changed; ``dropped`` is how many findings are no longer listed because of that. ``departed``
    accounts (phrases) are no longer audited, ``returned`` ones are audited again.
    """

    first: bool = False
    lost: tuple[Target, ...] = ()
    regained: tuple[Target, ...] = ()
    left_out: tuple[Target, ...] = ()
    ending: tuple[PolicyException, ...] = ()
    unlisted: tuple[Finding, ...] = ()
    has_new_settings: bool = False
    dropped: int = 0
    departed: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The result of one run; coverage and findings are sorted.

    ``findings`` includes findings of earlier runs that are resolved, or could not be verified.
    ``authorized`` is what is open on authorized ports and is not reported. ``changes`` is None if
    the last run is unknown. ``notices`` are sentences on problems with the ledger. Findings below
    ``minimum_severity`` are counted, not listed. ``accounts`` is empty for a single account.
    """

    run: Run
    coverage: tuple[Coverage, ...]
    findings: tuple[Finding, ...]
    authorized: tuple[Finding, ...] = ()
    exceptions: ExceptionReview = field(default_factory=ExceptionReview)
    changes: Changes | None = None
    notices: tuple[str, ...] = ()
    minimum_severity: Severity = Severity.LOW
    accounts: tuple[AccountResult, ...] = ()

    @cached_property
    def open(self) -> tuple[Finding, ...]:
        """The findings that were seen in this run and are not accepted by an exception."""
        return tuple(finding for finding in self.findings if finding.status.is_open)

    @cached_property
    def openings(self) -> OpeningList:
        """What is open and listed, as people count it."""
        return OpeningList.of(as_openings(self.listed(self.open)))

    @cached_property
    def news(self) -> News:
        """What has changed since the last run."""
        by_status = defaultdict(list)
        for opening in self.openings:
            by_status[opening.finding.status].append(opening)
        known = by_status[Status.OPEN]
        still_open = [opening for opening in known if not opening.finding.is_change]
        unlisted = self.changes.unlisted if self.changes else ()
        return News(
            new=OpeningList.of(by_status[Status.NEW]),
            worse=OpeningList.of(o for o in known if o.finding.is_change),
            reopened=OpeningList.of(by_status[Status.REOPENED]),
            resolved=OpeningList.of(as_openings(self.listed(self.with_status(Status.RESOLVED)))),
            narrowed=OpeningList.of(o for o in still_open if o.finding.change is Change.NARROWED),
            unlisted=OpeningList.of(as_openings(unlisted)),
            still_open=OpeningList.of(still_open),
        )

    @cached_property
    def has_news(self) -> bool:
        """Whether a finding has changed in a way that is worth a mail."""
        unlisted = self.changes.unlisted if self.changes else ()
        return not all(finding.is_damped for finding in unlisted) or any(
            finding.is_change
            or finding.change is Change.NARROWED
            or finding.status is Status.RESOLVED
            for finding in self.listed(self.findings)
            if not finding.is_damped
        )

    @cached_property
    def totals(self) -> Totals:
        """The numbers of the report."""
        openings = as_openings(self.open)
        # The regions of an account that could not be entered are unknown.
        unread = [c for c in self.unread if self.accounts and c.target.region == ALL_REGIONS]
        return Totals(
            regions=len(self.coverage),
            unread=len(self.unread),
            accounts=len({coverage.target.account for coverage in self.coverage}),
            unread_accounts=len(unread),
            unread_account_regions=len(unread),
            groups=sum(coverage.groups for coverage in self.coverage),
            rules=sum(coverage.rules for coverage in self.coverage),
            unreadable=len(self.unreadable),
            unlisted=len(openings) - len(self.openings),
            opened=len(as_openings(finding for finding in self.open if finding.is_change)),
            resolved=len(as_openings(self.with_status(Status.RESOLVED))),
            authorized=len(self.authorized),
            authorized_groups=len({(f.target, f.group_id) for f in self.authorized}),
            severities=Counter(finding.severity for finding in self.open),
            openings=Counter(opening.finding.severity for opening in openings),
            statuses=Counter(finding.status for finding in self.findings),
        )

    def with_status(self, status: Status) -> tuple[Finding, ...]:
        """The findings with this status."""
        return tuple(finding for finding in self.findings if finding.status is status)

    def listed(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings that are shown to people, rather than only counted."""
        return tuple(f for f in findings if is_listed(f, self.minimum_severity))

    @property
    def unread(self) -> tuple[Coverage, ...]:
        """The targets that were not read, or not completely."""
        return tuple(coverage for coverage in self.coverage if not coverage.is_complete)

    @property
    def unreadable(self) -> tuple[Finding, ...]:
        """The findings about sources that could not be read."""
        return tuple(finding for finding in self.open if finding.kind is Kind.UNREADABLE)

    @property
    def is_complete(self) -> bool:
        """Whether everything was read: only then do no findings mean that nothing is open."""
        return not self.totals.unread and not self.totals.unreadable

    @property
    def spans_accounts(self) -> bool:
        """Whether this is the report of a run over many accounts."""
        return bool(self.accounts)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Account names by id; accounts without a name are missing."""
        return {account.id: account.name for account in self.accounts if account.name}

    @property
    def names_shown(self) -> Mapping[str, str] | None:
        """The names of the accounts; None if a region alone identifies a target."""
        return self.names if self.spans_accounts or self.totals.accounts > 1 else None

    @property
    def known_changes(self) -> Changes | None:
        """What has changed since the last run; None if that is unknown, or in the first run."""
        return None if self.changes is None or self.changes.first else self.changes

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences on what was not read."""
        return (
            *(f"{_name(c.target)} was not read: {c.error}" for c in self.unread),
            *(f"{f.group_id} in {f.target.region}: {f.detail}" for f in self.unreadable),
        )


def _name(target: Target) -> str:
    if target.region != ALL_REGIONS:
        return f"Region {target.region}"
    return "The account" if target.account == UNKNOWN else "The list of regions"
