"""Finds the calls that opened what is new, reopened or widened, by the ids in them.

What one group opens was opened by the call that gave a rule its values, or added to a prefix list:
whoever attaches the group to an interface later, or assigns an address, is never named. What
several groups open only together was also opened by the call that attached all of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from handler.attribution.cloudtrail_event import ApiCall, ChangedRule
from handler.model.address import is_prefix_list, parse_cidr
from handler.model.finding import Change, Finding, Kind
from handler.model.network import Target
from handler.model.opened_by import Means, NotAttributed, OpenedBy

_Id = tuple[Target, str]


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
        if may_be_attached(finding):
            opening += self._by_interface(finding)
        if not opening:
            return None
        call, means = max(opening, key=lambda pair: _order(pair[0]))
        others = {other.actor for other, _ in opening} - {call.actor}
        return OpenedBy(call.actor, call.at, call.id, call.source_address, means, len(others))

    def _by_rules(self, finding: Finding) -> Iterator[tuple[ApiCall, Means]]:
        """For each rule, the call that gave it the values with which it opens the finding."""
        sources = {_source(rule.source) for rule in finding.rules}
        for rule_id in finding.rule_ids:
            opener = None
            # A later call that gives it the same values, and a description, has opened nothing.
            for call, rule in self._rules.get((finding.target, rule_id), ()):
                is_part = rule.traffic.intersection(finding.traffic) is not None
                opens = is_part and _source(rule.source) in sources
                opener = (opener or call) if opens else None
            if opener is not None:
                yield opener, Means.RULE

    def _by_prefix_lists(self, finding: Finding) -> Iterator[tuple[ApiCall, Means]]:
        """The calls that added to prefix lists that open the finding."""
        for list_id in filter(is_prefix_list, {rule.source for rule in finding.rules}):
            for call in self._others.get((finding.target, list_id), ()):
                yield call, Means.PREFIX_LIST

    def _by_interface(self, finding: Finding) -> Iterator[tuple[ApiCall, Means]]:
        """For each interface or instance, the call that attached it to all of the groups."""
        for holder in finding.holders:
            opener = None
            for call in self._others.get((finding.target, holder), ()):
                has_all = set(finding.group_ids) <= set(call.group_ids)
                opener = (opener or call) if has_all else None
            if opener is not None:
                yield opener, Means.INTERFACE


def may_be_attached(finding: Finding) -> bool:
    """Whether attaching an interface may have opened the finding; it makes none wider."""
    return finding.kind is Kind.JOINT and finding.change is not Change.WIDENED


def _order(call: ApiCall) -> tuple[str, str]:
    return call.at, call.id


def _source(text: str) -> object:
    """A CIDR or the id of a prefix list, in a form that can be compared."""
    return text if is_prefix_list(text) else parse_cidr(text)
