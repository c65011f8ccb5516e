"""What the policy lets stay open: authorized ports, and exceptions until their date.

An exception excuses a finding only when it, or several together, cover every one of the finding's
sources on all of its traffic: what is wider than what was accepted is not accepted, and the finding
says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from handler.address import parse_cidr
from handler.model import (
    ALL_REGIONS,
    PORTED,
    Accepted,
    Coverage,
    CoverageStatus,
    Exceptions,
    Finding,
    Run,
    Status,
    Traffic,
    is_prefix_list,
)
from handler.policy import Policy

# Whoever answers for an exception hears of its end this long before.
_NOTICE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Applied:
    """Findings after the policy: those that stay, and those on authorized ports."""

    findings: tuple[Finding, ...]
    authorized: tuple[Finding, ...]
    exceptions: Exceptions


def apply(
    findings: Iterable[Finding], coverage: Sequence[Coverage], policy: Policy, run: Run
) -> Applied:
    """The findings with what the policy accepts on the day of the run, in the same order.

    A rule that could not be read or makes no sense is neither authorized nor excused.
    """
    by_group: defaultdict[str, list[Accepted]] = defaultdict(list)
    for exception in policy.exceptions:
        by_group[exception.group].append(exception)
    kept, authorized = [], []
    used: set[Accepted] = set()
    for finding in findings:
        concerning = _concerning(finding, by_group)
        used.update(*concerning)
        if not finding.kind.is_judged:
            kept.append(finding)
        elif covers(policy.authorized_ports, finding.traffic):
            authorized.append(finding)
        else:
            kept.append(_excused(finding, concerning, run.day))
    return Applied(tuple(kept), tuple(authorized), _notable(policy, used, coverage, run))


def covers(some: Iterable[Traffic], traffic: Traffic) -> bool:
    """Whether all of the traffic lies within some of the others together."""
    those = list(some)
    if any(each.contains(traffic) for each in those):
        return True
    if traffic.protocol not in PORTED:
        return False
    needed, last = traffic.ports
    for low, high in sorted(each.ports for each in those if each.protocol == traffic.protocol):
        if low <= needed <= high:
            needed = high + 1
    return needed > last


def _concerning(
    finding: Finding, by_group: Mapping[str, Sequence[Accepted]]
) -> list[list[Accepted]]:
    """For each group of the finding, the exceptions that are about some of what it opens."""
    return [
        [
            each
            for name in names
            for each in by_group.get(name, ())
            if each.account in {None, finding.target.account}
            and each.region in {None, finding.target.region}
            and _concerns(each, finding)
        ]
        for names in finding.groups
    ]


def _excused(finding: Finding, concerning: Sequence[Sequence[Accepted]], today: date) -> Finding:
    """The finding with the exceptions that hold, have run out, or are narrower than it."""
    holding = [[each for each in some if each.until >= today] for some in concerning]
    if by := _covering(finding, holding):
        return replace(
            finding,
            status=Status.EXCEPTED,
            exception=_said(
                f"accepted until {each.until} by {each.owner}: {each.reason}" for each in by
            ),
        )
    if by := _covering(finding, concerning):
        ended = [each for each in by if each.until < today]
        return replace(
            finding,
            exception=_said(
                f"exception expired on {each.until}, owner {each.owner}" for each in ended
            ),
        )
    part = _sorted({each for some in holding for each in some})
    return replace(
        finding,
        exception=_said(
            f"wider than what {each.owner} accepts until {each.until}: {each.ports}"
            f"{f' from {each.source}' if each.source else ''} on {each.group}"
            for each in part
        ),
    )


def _said(phrases: Iterable[str]) -> str | None:
    return "; ".join(phrases) or None


def _covering(finding: Finding, concerning: Sequence[Sequence[Accepted]]) -> list[Accepted]:
    """The exceptions that together cover the finding in each of its groups; empty if none do."""
    taken: set[Accepted] = set()
    for some in concerning:
        for traffic, source in _to_accept(finding):
            those = [each for each in some if _lets(each, source) and _helps(each.traffic, traffic)]
            if not covers((each.traffic for each in those), traffic):
                return []
            taken.update(those)
    return _sorted(taken)


def _to_accept(finding: Finding) -> Iterator[tuple[Traffic, str]]:
    """What somebody must accept: also what other rules open that add nothing.

    But not what lists do, where CIDRs open all of it.
    """
    yield from _named(finding)
    for traffic, source in finding.beside:
        if finding.prefix_lists or not is_prefix_list(source):
            yield traffic, source


def _named(finding: Finding) -> Iterator[tuple[Traffic, str]]:
    return ((finding.traffic, source) for source in (*finding.sources, *finding.prefix_lists))


def _concerns(exception: Accepted, finding: Finding) -> bool:
    """Whether the exception is about some of what the finding opens."""
    # Of a rule that could not be judged nobody knows that it is not.
    if not finding.kind.is_judged:
        return True
    if not exception.traffic.meet(finding.traffic):
        return False
    source = exception.source
    if source is None:
        return True
    return any(_overlap(source, other) for _, other in _named(finding)) or any(
        _overlap(source, other) and exception.traffic.meet(traffic)
        for traffic, other in finding.beside
    )


def _helps(one: Traffic, other: Traffic) -> bool:
    """Whether the one covers the other, or some of its ports."""
    has_ports = one.protocol == other.protocol and one.protocol in PORTED
    return one.contains(other) or (has_ports and one.meet(other) is not None)


def _lets(exception: Accepted, source: str) -> bool:
    """Whether the exception accepts that source."""
    return exception.source in {None, source} or _holds(str(exception.source), source)


# The same sources come again in each finding of a group.
@lru_cache(maxsize=2**16)
def _overlap(one: str, other: str) -> bool:
    """Whether the sources have addresses in common."""
    return one == other or _holds(one, other) or _holds(other, one)


def _holds(outer: str, inner: str) -> bool:
    """Whether the one CIDR holds the other; lists hold nothing that is known here."""
    if is_prefix_list(outer) or is_prefix_list(inner):
        return False
    (family, (start, end)), (other, (low, high)) = map(parse_cidr, (outer, inner))
    return family is other and start <= low and high <= end


def _notable(
    policy: Policy, used: set[Accepted], coverage: Sequence[Coverage], run: Run
) -> Exceptions:
    every, today = _sorted(policy.exceptions), run.day
    return Exceptions(
        expired=tuple(each for each in every if each.until < today),
        expiring=tuple(each for each in every if today <= each.until <= today + _NOTICE),
        unused=tuple(
            each for each in every if each not in used and run.whole and _was_read(each, coverage)
        ),
    )


def _was_read(exception: Accepted, coverage: Sequence[Coverage]) -> bool:
    """Whether all was read that the exception may be about; else nobody knows its use."""
    return all(
        each.status is CoverageStatus.OK
        for each in coverage
        if exception.account in {None, each.target.account}
        and each.target.region in {exception.region or each.target.region, ALL_REGIONS}
    )


def _sorted(exceptions: Iterable[Accepted]) -> list[Accepted]:
    return sorted(exceptions, key=lambda each: (each.until, each.group, each.ports, each.owner))
