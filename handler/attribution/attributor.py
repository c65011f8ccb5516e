"""Adds to the findings of a report who opened them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from handler.attribution.cloudtrail_event import (
    INTERFACE_CALLS,
    PREFIX_LIST_CALLS,
    RULE_CALLS,
    ApiCall,
)
from handler.attribution.history import EventHistory, Query
from handler.attribution.opening_calls import OpeningCalls, is_sought, may_be_attached
from handler.model.audit_report import Report
from handler.model.finding import Finding
from handler.model.network import Target
from handler.model.opened_by import NotAttributed, OpenedBy


class Attributor:
    """Attributes findings to API calls in the run's event or in CloudTrail's event history."""

    def __init__(self, call: ApiCall | None, history: EventHistory | None) -> None:
        self._calls = (call,) if call else ()
        self._history = history

    def attribute(self, report: Report, since: Mapping[Target, str]) -> Report:
        """The report, with who opened its new, reopened and widened findings.

        ``since`` says for each target that was read before where to start in its event history.
        Other targets are not searched, because what is open there may be old.
        """
        sought = [finding for finding in report.findings if is_sought(finding)]
        starts: dict[Target, str] = {}
        for finding in sought:
            if start := since.get(finding.target):
                before = finding.opened_by
                times = [start, starts.get(finding.target, start)]
                times += [before.since] if isinstance(before, NotAttributed) else []
                starts[finding.target] = min(times)
        queries = [query for finding in sought for query in _queries(finding, starts)]
        history = self._history.read(queries) if self._history else ()
        calls = OpeningCalls([*self._calls, *history])
        if report.changes and report.changes.has_new_settings:
            # New findings may have been open before, and only now be listed.
            starts = {}
        findings = (self._attributed(finding, calls, starts) for finding in report.findings)
        return replace(report, findings=tuple(findings))

    def _attributed(
        self, finding: Finding, calls: OpeningCalls, starts: Mapping[Target, str]
    ) -> Finding:
        if not is_sought(finding):
            return finding
        opener = calls.opener_of(finding) or self._not_found(finding, starts)
        return finding._replace(opened_by=opener)

    def _not_found(
        self, finding: Finding, starts: Mapping[Target, str]
    ) -> OpenedBy | NotAttributed | None:
        """The attribution of a finding that no call opened; unchanged without a search."""
        start, before = starts.get(finding.target), finding.opened_by
        if start is None:
            return before
        if not isinstance(before, NotAttributed):
            before = NotAttributed(start)
        if self._history is None:
            return before
        is_read = self._history.has_read(_queries(finding, starts))
        return before._replace(tries=before.tries + 1, is_read=is_read)


def _queries(finding: Finding, starts: Mapping[Target, str]) -> Iterator[Query]:
    """The queries for calls that may have opened the finding."""
    names = (
        *(RULE_CALLS * bool(finding.rule_ids)),
        *(PREFIX_LIST_CALLS * bool(finding.prefix_lists)),
        *(INTERFACE_CALLS * may_be_attached(finding)),
    )
    if start := starts.get(finding.target):
        yield from (Query(finding.target, name, start) for name in names)
