"""Finds the API calls that opened new, reopened or widened findings, by the ids in the calls.

A finding of one group was opened by a call that gave a rule its values, or added to a prefix list,
never by one that later attached the group to an interface or assigned an address. A finding of
several groups may also have been opened by the call that attached all of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from handler.attribution.cloudtrail_event import ApiCall, ChangedRule
from handler.model.address import is_prefix_list, parse_cidr
from handler.model.finding import Change, Finding, Kind
from handler.model.network import Target
from handler.model.opened_by import Means, NotAttributed, OpenedBy

_Id = tuple[Target, str]
_Opens = Callable[[ApiCall, ChangedRule | None], bool]


def is_sought(finding: Finding) -> bool:
    """Whether this run looks for who opened the finding, for the first time or again.

    A finding without ids of rules or prefix lists cannot be attributed.
    """
    if not finding.status.is_open or not (finding.rule_ids or finding.prefix_lists):
        return False
    if isinstance(finding.opened_by, NotAttributed):
        return not finding.opened_by.is_final
    return finding.opened_by is None and finding.is_opening


class OpeningCalls:
    """API calls, indexed by what they changed."""

    def __init__(self, calls: Iterable[ApiCall]) -> None:
        self._changes = defaultdict[_Id, list[tuple[ApiCall, ChangedRule | None]]](list)
        for call in sorted(calls, key=_order):
            for rule in call.rules:
                self._changes[call.target, rule.id].append((call, rule))
            if changed := call.prefix_list or call.holder:
                self._changes[call.target, changed].append((call, None))

    def opener_of(self, finding: Finding) -> OpenedBy | None:
        """The latest call that opened the finding, with the number of others who took part.

        None if none of the calls opened it.
        """
        holders = finding.holders if may_be_attached(finding) else ()
        groups = set(finding.group_ids)
        sources = {_source(rule.source) for rule in finding.rules}

        def opens(call: ApiCall, rule: ChangedRule | None) -> bool:
            """Whether the rule opens a part of it, or the call attached all of its groups."""
            if rule is None:
                return groups <= set(call.group_ids)
            is_part = rule.traffic.intersection(finding.traffic) is not None
            return is_part and _source(rule.source) in sources

        opening = [
            *self._by_values(finding.target, finding.rule_ids, opens, Means.RULE),
            *self._by_prefix_lists(finding),
            *self._by_values(finding.target, holders, opens, Means.INTERFACE),
        ]
        if not opening:
            return None
        call, means = max(opening, key=lambda pair: _order(pair[0]))
        others = {other.actor for other, _ in opening} - {call.actor}
        return OpenedBy(call.actor, call.at, call.id, call.source_address, means, len(others))

    def _by_values(
        self, target: Target, ids: Iterable[str], opens: _Opens, means: Means
    ) -> Iterator[tuple[ApiCall, Means]]:
        """For each rule, interface or instance, the call that gave it what opens the finding."""
        for changed in ids:
            opener = None
            # A later call with the same values, which changes the description only, opens nothing.
            for call, rule in self._changes.get((target, changed), ()):
                opener = (opener or call) if opens(call, rule) else None
            if opener is not None:
                yield opener, means

    def _by_prefix_lists(self, finding: Finding) -> Iterator[tuple[ApiCall, Means]]:
        """The calls that added entries to the finding's prefix lists."""
        for list_id in filter(is_prefix_list, {rule.source for rule in finding.rules}):
            for call, _ in self._changes.get((finding.target, list_id), ()):
                yield call, Means.PREFIX_LIST


def may_be_attached(finding: Finding) -> bool:
    """Whether attaching an interface may have opened the finding; that never widens one."""
    return finding.kind is Kind.JOINT and finding.change is not Change.WIDENED


def _order(call: ApiCall) -> tuple[str, str]:
    return call.at, call.id


def _source(text: str) -> object:
    """A CIDR or prefix list id, in a comparable form."""
    return text if is_prefix_list(text) else parse_cidr(text)
