"""Says of the findings of a report who opened them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from handler.attribution.attribute import OpeningCalls, is_sought
from handler.attribution.cloudtrail_event import (
    INTERFACE_CALLS,
    PREFIX_LIST_CALLS,
    RULE_CALLS,
    ApiCall,
)
from handler.attribution.history import EventHistory, Query
from handler.model.finding import Change, Finding, Kind
from handler.model.network import Target
from handler.model.opened_by import NotAttributed
from handler.model.run import Report


class Openers:
    """Who opened what: from the event that started the run, or from the event history."""

    def __init__(self, call: ApiCall | None, history: EventHistory | None) -> None:
        self._calls = (call,) if call else ()
        self._history = history

    def attribute(self, report: Report, since: Mapping[Target, str]) -> Report:
        """The report with who opened what is new, reopened or widened.

        ``since`` says from when on to look for what has opened since a target was read. What was
        open when it was read for the first time is not looked for.
        """
        sought = [finding for finding in report.findings if is_sought(finding)]
        starts: dict[Target, str] = {}
        for finding in sought:
            if start := since.get(finding.target):
                before = finding.opened_by
                times = [start, starts.get(finding.target, start)]
                times += [before.since] if isinstance(before, NotAttributed) else []
                starts[finding.target] = min(times)
        calls = OpeningCalls([*self._calls, *self._look_up(sought, starts)])
        if report.changes and report.changes.has_new_settings:
            # What is new may have been open before, and only be listed since.
            starts = {}
        return replace(
            report,
            findings=tuple(
                self._attributed(finding, calls, starts) if is_sought(finding) else finding
                for finding in report.findings
            ),
        )

    def _look_up(
        self, sought: Collection[Finding], starts: Mapping[Target, str]
    ) -> Iterator[ApiCall]:
        """The calls of the event history that may have opened the findings."""
        if self._history is None:
            return
        first = [query for finding in sought for query in _queries(finding, starts)]
        calls = OpeningCalls(self._history.read(first))
        # Whoever attaches an interface opens nothing that a rule has opened.
        left = (f for f in sought if f.kind is Kind.JOINT or calls.opener_of(f) is None)
        yield from self._history.read(
            [*first, *(query for finding in left for query in _interface_queries(finding, starts))]
        )

    def _attributed(
        self, finding: Finding, calls: OpeningCalls, starts: Mapping[Target, str]
    ) -> Finding:
        if opened_by := calls.opener_of(finding):
            return finding._replace(opened_by=opened_by)
        if finding.target not in starts:
            return finding
        before = finding.opened_by
        if not isinstance(before, NotAttributed):
            before = NotAttributed(starts[finding.target])
        if self._history is not None:
            queries = (*_queries(finding, starts), *_interface_queries(finding, starts))
            is_read = self._history.has_read(queries)
            before = before._replace(tries=before.tries + 1, is_read=is_read)
        return finding._replace(opened_by=before)


def _queries(finding: Finding, starts: Mapping[Target, str]) -> Iterator[Query]:
    """What to ask for calls about rules and prefix lists."""
    names = (
        *(RULE_CALLS * bool(finding.rule_ids)),
        *(PREFIX_LIST_CALLS * bool(finding.prefix_lists)),
    )
    if start := starts.get(finding.target):
        yield from (Query(finding.target, name, start) for name in names)


def _interface_queries(finding: Finding, starts: Mapping[Target, str]) -> Iterator[Query]:
    """What to ask for calls about interfaces, which make no opening wider."""
    start = starts.get(finding.target)
    if start and finding.interfaces and finding.change is not Change.WIDENED:
        yield from (Query(finding.target, name, start) for name in INTERFACE_CALLS)
