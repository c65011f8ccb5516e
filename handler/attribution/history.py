"""Reads CloudTrail's event history, the API calls of the last 90 days in a region, within limits.

CloudTrail allows two requests per second in each region, for the whole account:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handler import clock
from handler.attribution.cloudtrail_event import ApiCall, parse_record
from handler.aws import error_code
from handler.model.network import Target

logger = logging.getLogger(__name__)

_MAX_PAGES = 10
_MAX_SECONDS = 20.0
# The longest that a request may take: its timeouts, without a retry.
_REQUEST_SECONDS = 8.0
_SECONDS_BETWEEN = 0.5
# CloudTrail's maximum.
_PAGE_SIZE = 50
KEPT = timedelta(days=90)
"""How long CloudTrail keeps an event in its history."""
# The last scan may have begun before EC2 returned a change everywhere.
_SETTLING = timedelta(seconds=60)


class Query(NamedTuple):
    """All calls with one name in one target since a time (UTC in ISO 8601 with a Z)."""

    target: Target
    name: str
    since: str


class EventHistory:
    """Reads the event history for one run; no query is made twice."""

    def __init__(
        self, client_of: Callable[[Target], Any], seconds_left: Callable[[], float]
    ) -> None:
        """``client_of`` returns a CloudTrail client for a target, without retries."""
        self._client_of = client_of
        self._seconds_left = seconds_left
        self._pages_left = _MAX_PAGES
        self._until: float | None = None
        self._calls: dict[Query, dict[str, ApiCall]] = {}
        self._complete: set[Query] = set()
        self._requested_at: dict[Target, float] = {}

    def read(self, queries: Iterable[Query]) -> list[ApiCall]:
        """The calls that match the queries; errors are logged, and what was not read is missing."""
        queries = sorted(set(queries))
        queue: deque[tuple[Query, str | None]] = deque()
        queue.extend((query, None) for query in queries if query not in self._calls)
        self._calls.update({query: {} for query, _ in queue})
        if queue and self._until is None:
            self._until = clock.monotonic() + _MAX_SECONDS
        while queue and self._may_request():
            # One page per query in turn, so that a region with many calls cannot use up all pages.
            query, token = queue.popleft()
            try:
                page = self._page(query, token)
                calls = filter(None, map(_call, page.get("Events") or ()))
                self._calls[query].update((call.id, call) for call in calls)
            except Exception as error:  # noqa: BLE001 -- no response may prevent the mail
                extra = {"region": query.target.region, "error": error_code(error)}
                logger.warning("CloudTrail's event history was not read.", extra=extra)
                queue = deque(item for item in queue if item[0].target != query.target)
                continue
            if next_token := page.get("NextToken"):
                queue.append((query, next_token))
            else:
                self._complete.add(query)
        return [call for query in queries for call in self._calls[query].values()]

    def has_read(self, queries: Iterable[Query]) -> bool:
        """Whether all calls that match the queries were read."""
        return self._complete.issuperset(queries)

    def _may_request(self) -> bool:
        """Whether there are time and pages left for another request."""
        seconds_left = min((self._until or 0) - clock.monotonic(), self._seconds_left())
        return self._pages_left > 0 and seconds_left >= _REQUEST_SECONDS

    def _page(self, query: Query, token: str | None) -> dict[str, Any]:
        self._pages_left -= 1
        earliest = self._requested_at.get(query.target, 0.0) + _SECONDS_BETWEEN
        clock.sleep(max(0.0, earliest - clock.monotonic()))
        self._requested_at[query.target] = clock.monotonic()
        since = datetime.fromisoformat(query.since) - _SETTLING
        page: dict[str, Any] = self._client_of(query.target).lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": query.name}],
            StartTime=max(since, clock.now() - KEPT),
            MaxResults=_PAGE_SIZE,
            **({"NextToken": token} if token else {}),
        )
        return page


def _call(event: Mapping[str, Any]) -> ApiCall | None:
    try:
        return parse_record(json.loads(event.get("CloudTrailEvent") or "null"))
    except (ValueError, RecursionError):
        return None
