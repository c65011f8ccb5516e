"""Finds the calls that opened what is new, reopened or widened, by the ids in them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from handler.attribution.cloudtrail_event import ApiCall, ChangedRule
from handler.model.address import is_prefix_list, parse_cidr
from handler.model.finding import Change, Finding, Kind, Status
from handler.model.network import Holder
from handler.model.opened_by import Means, NotAttributed, OpenedBy

_INSTANCE = re.compile(rf"{Holder.INSTANCE} (i-[0-9a-z]+)")


def is_sought(finding: Finding) -> bool:
    """Whether it is asked who opened the finding, in this run for the first time or again."""
    if isinstance(finding.opened_by, NotAttributed):
        return not finding.opened_by.is_final
    is_new = finding.status in {Status.NEW, Status.REOPENED} or finding.change is Change.WIDENED
    return finding.opened_by is None and is_new


def opener_of(finding: Finding, calls: Iterable[ApiCall]) -> OpenedBy | None:
    """The latest call that opened the finding, and how many others took part.

    None where none of the calls did. The calls may be of any time and any target.
    """
    ordered = sorted(
        (call for call in calls if call.target == finding.target),
        key=attrgetter("at", "id"),
    )
    opening = [*_by_rules(finding, ordered), *_by_prefix_lists(finding, ordered)]
    # What a rule has opened was not opened by attaching, unless it takes several groups.
    if finding.change is not Change.WIDENED and (not opening or finding.kind is Kind.JOINT):
        opening += _by_interface(finding, ordered)
    if not opening:
        return None
    call, means = max(opening, key=lambda pair: (pair[0].at, pair[0].id))
    return OpenedBy(
        call.actor,
        call.at,
        call.id,
        call.source_address,
        means,
        len({other.actor for other, _ in opening} - {call.actor}),
    )


def _by_rules(finding: Finding, calls: Sequence[ApiCall]) -> Iterator[tuple[ApiCall, Means]]:
    """For each rule, the call that gave it the values with which it opens the finding."""
    for rule_id in finding.rule_ids:
        changes = [(call, rule) for call in calls for rule in call.rules if rule.id == rule_id]
        opener = None
        # A later call that gives it the same values, and a description, has opened nothing.
        for call, rule in changes:
            opener = (opener or call) if _opens(rule, finding) else None
        if opener is not None:
            yield opener, Means.RULE


def _opens(rule: ChangedRule, finding: Finding) -> bool:
    """Whether a rule with these values is one of those that open the finding as it is."""
    if rule.traffic.intersection(finding.traffic) is None:
        return False
    if is_prefix_list(rule.source):
        return rule.source in finding.prefix_lists
    return parse_cidr(rule.source) in map(parse_cidr, finding.sources)


def _by_prefix_lists(finding: Finding, calls: Sequence[ApiCall]) -> Iterator[tuple[ApiCall, Means]]:
    """The calls that added to prefix lists that open the finding."""
    for call in calls:
        if call.prefix_list in finding.prefix_lists:
            yield call, Means.PREFIX_LIST


def _by_interface(finding: Finding, calls: Sequence[ApiCall]) -> Iterator[tuple[ApiCall, Means]]:
    """The calls that attached the groups to an interface, or gave one an address."""
    group_ids = {group_id for group_id, _ in finding.groups}
    holders = {*finding.interfaces, *filter(None, map(_instance_in, finding.attached))}
    for call in calls:
        if call.holder in holders and (not call.group_ids or group_ids <= set(call.group_ids)):
            yield call, Means.INTERFACE if call.group_ids else Means.ADDRESS


def _instance_in(attached: str) -> str | None:
    """The id in what an interface is attached to, for example: instance i-1 (web), 203.0.113.7."""
    match = _INSTANCE.match(attached)
    return match[1] if match else None
