"""Finds the calls that opened what is new, reopened or widened, by the ids in them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from handler.attribution.cloudtrail_event import ApiCall, ChangedRule
from handler.model.address import is_prefix_list, parse_cidr
from handler.model.finding import Change, Finding, Kind
from handler.model.network import Holder, Target
from handler.model.opened_by import Means, NotAttributed, OpenedBy

_Id = tuple[Target, str]
_INSTANCE = re.compile(rf"{Holder.INSTANCE} (i-[0-9a-z]+)")


def is_sought(finding: Finding) -> bool:
    """Whether it is asked who opened the finding, in this run for the first time or again.

    That takes the ids of its rules or prefix lists.
    """
    if not finding.status.is_open or not (finding.rule_ids or finding.prefix_lists):
        return False
    if isinstance(finding.opened_by, NotAttributed):
        return not finding.opened_by.is_final
    return finding.opened_by is None and finding.is_opening


class OpeningCalls:
    """Calls of any time and any target, by what they have changed."""

    def __init__(self, calls: Iterable[ApiCall]) -> None:
        self._rules = defaultdict[_Id, list[tuple[ApiCall, ChangedRule]]](list)
        self._others = defaultdict[_Id, list[ApiCall]](list)
        for call in sorted(calls, key=_order):
            for rule in call.rules:
                self._rules[call.target, rule.id].append((call, rule))
            if changed := call.prefix_list or call.holder:
                self._others[call.target, changed].append(call)

    def opener_of(self, finding: Finding) -> OpenedBy | None:
        """The latest call that opened the finding, and how many others took part.

        None where none of the calls did.
        """
        opening = [*self._by_rules(finding), *self._by_prefix_lists(finding)]
        # What a rule has opened was not opened by attaching, unless it takes several groups.
        if finding.change is not Change.WIDENED and (not opening or finding.kind is Kind.JOINT):
            opening += self._by_interface(finding)
        if not opening:
            return None
        call, means = max(opening, key=lambda pair: _order(pair[0]))
        others = {other.actor for other, _ in opening} - {call.actor}
        return OpenedBy(call.actor, call.at, call.id, call.source_address, means, len(others))

    def _by_rules(self, finding: Finding) -> Iterator[tuple[ApiCall, Means]]:
        """For each rule, the call that gave it the values with which it opens the finding."""
        for rule_id in finding.rule_ids:
            opener = None
            # A later call that gives it the same values, and a description, has opened nothing.
            for call, rule in self._rules.get((finding.target, rule_id), ()):
                opener = (opener or call) if _opens(rule, finding) else None
            if opener is not None:
                yield opener, Means.RULE

    def _by_prefix_lists(self, finding: Finding) -> Iterator[tuple[ApiCall, Means]]:
        """The calls that added to prefix lists that open the finding."""
        for list_id in finding.prefix_lists:
            for call in self._others.get((finding.target, list_id), ()):
                yield call, Means.PREFIX_LIST

    def _by_interface(self, finding: Finding) -> Iterator[tuple[ApiCall, Means]]:
        """The calls that attached the groups to an interface, or gave one an address."""
        group_ids = {group_id for group_id, _ in finding.groups}
        for holder in {*finding.interfaces, *map(_instance_in, finding.attached)}:
            for call in self._others.get((finding.target, holder), ()):
                if not call.group_ids:
                    yield call, Means.ADDRESS
                elif group_ids <= set(call.group_ids):
                    yield call, Means.INTERFACE


def _order(call: ApiCall) -> tuple[str, str]:
    return call.at, call.id


def _opens(rule: ChangedRule, finding: Finding) -> bool:
    """Whether a rule with these values is one of those that open the finding as it is."""
    if rule.traffic.intersection(finding.traffic) is None:
        return False
    if is_prefix_list(rule.source):
        return rule.source in finding.prefix_lists
    return parse_cidr(rule.source) in map(parse_cidr, finding.sources)


def _instance_in(attached: str) -> str:
    """The id in what an interface is attached to, for example: instance i-1 (web), 203.0.113.7."""
    match = _INSTANCE.match(attached)
    return match[1] if match else ""
