"""One run of the audit: what it read, what it found, and how that compares with the last one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from handler.clock import day_of
from handler.model.finding import Change, Finding, Kind, Severity, Status, as_openings, is_listed
from handler.model.network import ALL_REGIONS, UNKNOWN, Target
from handler.model.totals import AccountResult, News, OpeningList, Totals
from handler.model.traffic import Traffic


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULE = "schedule"
    CHANGE = "change"
    MANUAL = "manual"


class Run(NamedTuple):
    """One run of the audit; the times are UTC in ISO 8601 with a Z.

    ``is_full`` is false where the request named some targets only. ``regions`` are those of the
    settings, empty for every region enabled for the account.
    """

    id: str
    trigger: Trigger
    started_at: str
    finished_at: str
    stack: str | None = None
    is_full: bool = True
    regions: tuple[str, ...] = ()

    @property
    def day(self) -> date:
        """The day (UTC) on which it started."""
        return date.fromisoformat(day_of(self.started_at))


class CoverageStatus(StrEnum):
    """How the reading of a target ended."""

    OK = "ok"
    FAILED = "failed"
    DENIED = "denied"
    DISABLED = "disabled"


class Coverage(NamedTuple):
    """How much of one target was read; ``error`` says what was not, in a sentence.

    ``notice`` says what could not be read that would only have lowered severities. ``read_at`` is
    when the reading began, UTC in ISO 8601.
    """

    target: Target
    status: CoverageStatus
    groups: int = 0
    rules: int = 0
    error: str | None = None
    notice: str | None = None
    read_at: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether all of the target was read."""
        return self.status is CoverageStatus.OK


class Scan(NamedTuple):
    """The result for one target."""

    coverage: Coverage
    findings: tuple[Finding, ...] = ()


class PolicyException(NamedTuple):
    """An exception of the policy: what may stay open, why, who answers for it, and until when.

    ``group`` is an id or a name. ``source`` is a CIDR or pl- id, None for every source; without
    an account or a region it holds in all of them. ``until`` is inclusive, in UTC.
    """

    group: str
    ports: str
    traffic: Traffic
    reason: str
    owner: str
    until: date
    source: str | None = None
    account: str | None = None
    region: str | None = None

    @property
    def key(self) -> str:
        """What tells it from others, in one text."""
        fields = (self.group, self.ports, self.source, self.account, self.region, self.until)
        return "|".join(map(str, fields))


class ExceptionReview(NamedTuple):
    """The policy's exceptions that need attention."""

    expired: tuple[PolicyException, ...] = ()
    expiring: tuple[PolicyException, ...] = ()
    unused: tuple[PolicyException, ...] = ()


class Changes(NamedTuple):
    """What is different from the last committed run, besides the findings' own statuses.

    ``first`` is a run without a committed one before it. ``lost`` are targets that could be read
    then and cannot now, ``regained`` the other way round; ``left_out`` are no longer asked for.
    ``ending`` are exceptions that expire soon, or did, and were not announced yet. ``unlisted``
    were listed and are below the minimum severity now. Where the settings or how severities are
    decided have changed, ``has_new_settings`` is true; ``dropped`` findings are no longer listed
    for that reason. Of many accounts, ``departed`` are no longer audited, each in a phrase, and
    ``returned`` are audited again.
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

    ``findings`` include those of earlier runs that are resolved now, or could not be verified.
    ``authorized`` are openings on ports that the policy authorizes: no findings.
    ``changes`` is None where the last run is not known, ``notices`` are sentences on what went
    wrong with the ledger. Findings below ``minimum_severity`` are counted and not listed.
    ``accounts`` are those of a run over many.
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
        """The findings that were seen in this run and that no exception accepts."""
        return tuple(finding for finding in self.findings if finding.status.is_open)

    @cached_property
    def openings(self) -> OpeningList:
        """What is open and listed, as people count it."""
        return OpeningList.of(as_openings(self.listed(self.open)))

    @cached_property
    def news(self) -> News:
        """What is different from the last run, in the order in which people read it."""
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
        # Of an account that could not be entered not even the regions are known.
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
        """The findings with that status."""
        return tuple(finding for finding in self.findings if finding.status is status)

    def listed(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Those of the findings that people are shown, rather than told how many they are."""
        return tuple(f for f in findings if is_listed(f, self.minimum_severity))

    @property
    def unread(self) -> tuple[Coverage, ...]:
        """The targets that could not be read, or not in full."""
        return tuple(coverage for coverage in self.coverage if not coverage.is_complete)

    @property
    def unreadable(self) -> tuple[Finding, ...]:
        """The findings about sources that could not be read."""
        return tuple(finding for finding in self.open if finding.kind is Kind.UNREADABLE)

    @property
    def is_complete(self) -> bool:
        """Whether everything was read: only then does no finding mean clean."""
        return not self.totals.unread and not self.totals.unreadable

    @property
    def spans_accounts(self) -> bool:
        """Whether it is of a run over many accounts."""
        return bool(self.accounts)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of the accounts that have one, by id."""
        return {account.id: account.name for account in self.accounts if account.name}

    @property
    def problems(self) -> tuple[str, ...]:
        """What was not read, each in a sentence."""
        return (
            *(f"{_name(c.target)} was not read: {c.error}" for c in self.unread),
            *(f"{f.group_id} in {f.target.region}: {f.detail}" for f in self.unreadable),
        )


def _name(target: Target) -> str:
    if target.region != ALL_REGIONS:
        return f"Region {target.region}"
    return "The account" if target.account == UNKNOWN else "The list of regions"


class AuditIncompleteError(Exception):
    """Something could not be read or stored; the log and the mail say what."""


class MailError(Exception):
    """SES did not accept the digest; the message says why and what to do.

    ``refused`` is false where SES did not answer and may have accepted it all the same.
    """

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused
