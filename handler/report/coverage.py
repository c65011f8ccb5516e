"""Coverage: how much was read, what was not, and which run it was."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from handler import VERSION
from handler.model.audit_report import Report
from handler.model.network import UNKNOWN
from handler.model.run import Coverage, Trigger
from handler.report import phrases
from handler.sanitize import cut

UNREAD_TITLE = "Not read: what is open there is not known"
# People read no more; sg-audit report lists all of them.
_NAMED_UNREAD = 100
_TRIGGERS = {
    Trigger.SCHEDULE: "Scheduled run",
    Trigger.CHANGE: "Run after a change",
    Trigger.MANUAL: "Manual run",
}


def coverage_line(report: Report) -> str:
    """How much was read, for example: All 17 regions read: 42 groups, 57 rules."""
    totals = report.totals
    if report.spans_accounts and not totals.accounts:
        return "No account was read."
    accounts, read = phrases.count(totals.accounts, "account"), totals.regions - totals.unread
    # The regions of accounts that were not read are not known.
    known = totals.regions - totals.unread_account_regions
    regions = f"{f'{read:,} of ' if read < known else ''}{phrases.count(known, 'region')}"
    if totals.unread_accounts:
        numbers = f"{totals.accounts - totals.unread_accounts:,} of {accounts} read ({regions})"
    else:
        of_accounts = f" of {accounts}" if report.names_shown is not None else ""
        is_all = known > 1 and read == known
        numbers = f"{'All ' if is_all else ''}{regions}{of_accounts} read"
    groups, rules = phrases.count(totals.groups, "group"), phrases.count(totals.rules, "rule")
    return f"{numbers}: {groups}, {rules}."


def notices(report: Report) -> Iterator[str]:
    """Problems with the ledger, changed settings, and the notices of targets."""
    yield from report.notices
    if report.changes and report.changes.has_new_settings:
        effect = "findings may be listed for the first time, or with another severity"
        if dropped := report.changes.dropped:
            verb = "is" if dropped == 1 else "are"
            effect = f"{phrases.count(dropped, 'finding')} {verb} no longer listed"
        yield f"Settings changed: {effect}."
    for coverage in report.coverage:
        if coverage.notice:
            yield f"{phrases.place(coverage.target, report.names_shown)}: {coverage.notice}"


def unread_lines(report: Report, max_lines: int | None) -> Iterator[str]:
    """What was not read and why, with one line per reason."""
    names = report.names_shown
    same: defaultdict[tuple[object, ...], list[Coverage]] = defaultdict(list)
    for coverage in report.unread:
        error = (coverage.error or "").replace(coverage.target.account, "")
        reason = error.replace(coverage.target.region, "")
        same[coverage.status, coverage.groups, reason].append(coverage)
    displayed = list(same.values())[:max_lines]
    number = max(_NAMED_UNREAD // max(len(displayed), 1), 1)
    for first, *repeats in displayed:
        line = cut(phrases.unread(first, names), phrases.LONGEST_UNREAD)
        places = [cut(phrases.place(c.target, names), phrases.LONGEST_NAME) for c in repeats]
        same_places = f" The same in {len(places):,} more: {phrases.join_first(places, number)}."
        yield f"{line}{same_places if places else ''}"
    if more := phrases.and_more(len(report.unread) - sum(map(len, displayed)), "target"):
        yield f"{more}."


def coverage_changes(report: Report) -> Iterator[str]:
    """Which targets and accounts can be read again, and which are no longer audited."""
    if changes := report.changes:
        places = partial(phrases.place, names=report.names_shown)
        yield from (f"Left out: {account}" for account in changes.departed)
        yield from (f"Audited again: {account}" for account in changes.returned)
        yield from (f"Read again: {place}" for place in map(places, changes.regained))
        yield from (f"No longer audited: {place}" for place in map(places, changes.left_out))


def place_and_time(report: Report) -> Iterator[str]:
    """The stack, the account or number of accounts, and when the run started."""
    if report.run.stack:
        yield cut(report.run.stack, phrases.LONGEST_NAME)
    if report.totals.accounts > 1 or report.accounts:
        yield phrases.count(report.totals.accounts, "account")
    elif not report.spans_accounts:
        for account in {coverage.target.account for coverage in report.coverage} - {UNKNOWN}:
            yield f"account {cut(account, phrases.LONGEST_NAME)}"
    yield phrases.minute(report.run.started_at)


def origin(report: Report) -> str:
    """The run's trigger and id, and the program's version."""
    run = f"{_TRIGGERS[report.run.trigger]} {cut(report.run.id, phrases.LONGEST_NAME)}"
    return f"{run}, security-group-audit {VERSION}."
