"""Applies authorized ports and exceptions to findings.

Exceptions accept a finding only if together they cover every source of the finding on all of its
traffic. A finding that is wider than its exceptions stays open, and the report says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from itertools import chain
from typing import NamedTuple

from handler.model.address import contains, overlap
from handler.model.finding import Finding, Status
from handler.model.network import ALL_REGIONS, Rule
from handler.model.policy_exception import ExceptionReview, PolicyException
from handler.model.run import Coverage, Run
from handler.model.traffic import Traffic, cover
from handler.policy.policy import Policy

# How long before it expires the report names an exception.
_NOTICE_PERIOD = timedelta(days=14)


class PolicyResult(NamedTuple):
    """Findings with the policy applied, and those on authorized ports apart.

    ``used`` are the exceptions that match any finding.
    """

    findings: tuple[Finding, ...]
    authorized: tuple[Finding, ...]
    exceptions: ExceptionReview
    used: frozenset[PolicyException] = frozenset()


def apply_policy(
    findings: Iterable[Finding], coverage: Sequence[Coverage], policy: Policy, run: Run
) -> PolicyResult:
    """The findings with the policy applied, in the same order, as of the day of the run.

    A rule that could not be evaluated is neither authorized nor accepted.
    """
    by_group: defaultdict[str, list[PolicyException]] = defaultdict(list)
    for exception in policy.exceptions:
        by_group[exception.group].append(exception)
    remaining, authorized = [], []
    used: set[PolicyException] = set()
    for finding in findings:
        matching = _matching_exceptions(finding, by_group) if by_group else []
        used.update(*matching)
        is_exposure = finding.kind.is_exposure
        if is_exposure and cover(policy.authorized_ports, finding.traffic):
            authorized.append(finding)
        elif is_exposure and any(matching):
            remaining.append(_with_exceptions(finding, matching, run.day))
        else:
            remaining.append(finding)
    review = review_exceptions(policy, used, coverage, run)
    return PolicyResult(tuple(remaining), tuple(authorized), review, frozenset(used))


def _matching_exceptions(
    finding: Finding, by_group: Mapping[str, Sequence[PolicyException]]
) -> list[list[PolicyException]]:
    """For each group of the finding, the exceptions that match a part of it."""
    return [
        [
            exception
            for name in names
            for exception in by_group.get(name, ())
            if exception.account in {None, finding.target.account}
            and exception.region in {None, finding.target.region}
            and _matches(exception, finding)
        ]
        for names in finding.groups
    ]


def _with_exceptions(
    finding: Finding, matching: Sequence[Sequence[PolicyException]], today: date
) -> Finding:
    """The finding with a note on exceptions that accept it, have expired or are too narrow."""
    status = finding.status
    valid = [[exception for exception in group if exception.until >= today] for group in matching]
    if accepting := _covering(finding, valid):
        status = Status.EXCEPTED
        phrases = [
            f"accepted until {exception.until} by {exception.owner}: {exception.reason}"
            for exception in accepting
        ]
    elif accepting := _covering(finding, matching):
        phrases = [
            f"exception expired on {exception.until}, owner {exception.owner}"
            for exception in accepting
            if exception.until < today
        ]
    else:
        phrases = [
            f"wider than what {exception.owner} accepts until {exception.until}: {exception.ports}"
            f"{f' from {exception.source}' if exception.source else ''} on {exception.group}"
            for exception in _sorted({exception for group in valid for exception in group})
        ]
    return finding._replace(status=status, exception="; ".join(dict.fromkeys(phrases)) or None)


def _covering(
    finding: Finding, matching: Sequence[Sequence[PolicyException]]
) -> list[PolicyException]:
    """The exceptions that together cover the finding in each of its groups, or none."""
    used: set[PolicyException] = set()
    for exceptions in matching:
        for traffic, source in _to_accept(finding):
            accepting = [
                exception
                for exception in exceptions
                if (exception.source is None or contains(exception.source, source))
                and exception.traffic.contains_part(traffic)
            ]
            if not cover((exception.traffic for exception in accepting), traffic):
                return []
            used.update(accepting)
    return _sorted(used)


def _to_accept(finding: Finding) -> Iterable[tuple[Traffic, str]]:
    """What exceptions must accept: traffic and source of the rules, including redundant ones.

    If CIDRs alone open all of the finding, prefix lists are left out.
    """
    has_lists = any(rule.is_prefix_list for rule in finding.rules)
    redundant = (r for r in finding.redundant_rules if has_lists or not r.is_prefix_list)
    return dict.fromkeys(_openings(finding, chain(finding.rules, redundant)))


def _openings(finding: Finding, rules: Iterable[Rule]) -> Iterator[tuple[Traffic, str]]:
    """For each rule, the part of the finding's traffic that it opens, and to which source."""
    for rule in rules:
        if traffic := rule.traffic.intersection(finding.traffic):
            yield traffic, rule.source


def _matches(exception: PolicyException, finding: Finding) -> bool:
    """Whether the exception matches a part of what the finding opens."""
    # An exception may be meant for a rule that could not be evaluated.
    if not finding.kind.is_exposure:
        return True
    if not exception.traffic.intersection(finding.traffic):
        return False
    accepted = exception.source
    openings = _openings(finding, chain(finding.rules, finding.redundant_rules))
    return accepted is None or any(
        overlap(accepted, source) and exception.traffic.intersection(traffic)
        for traffic, source in openings
    )


def review_exceptions(
    policy: Policy, used: AbstractSet[PolicyException], coverage: Sequence[Coverage], run: Run
) -> ExceptionReview:
    """The exceptions that need attention on the day of the run.

    An exception counts as unused only after a full run that read all targets that it may match.
    ``coverage`` may leave out completely read targets.
    """
    exceptions, today = _sorted(policy.exceptions), run.day
    last_notice_day = today + _NOTICE_PERIOD
    return ExceptionReview(
        expired=tuple(e for e in exceptions if e.until < today),
        expiring=tuple(e for e in exceptions if today <= e.until <= last_notice_day),
        unused=tuple(
            e for e in exceptions if e not in used and run.is_full and _was_read(e, coverage)
        ),
    )


def _was_read(exception: PolicyException, coverage: Sequence[Coverage]) -> bool:
    """Whether all targets that the exception may match were read."""
    return all(
        read.is_complete
        for read in coverage
        if exception.account in {None, read.target.account}
        and (exception.region is None or read.target.region in {exception.region, ALL_REGIONS})
    )


def _sorted(exceptions: Iterable[PolicyException]) -> list[PolicyException]:
    return sorted(exceptions, key=lambda e: (e.until, e.group, e.ports, e.owner))
