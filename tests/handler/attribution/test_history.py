"""The event history as a run asks for it: page by page, and within limits."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler import clock
from handler.attribution.history import EventHistory, Query
from handler.model.network import Target
from tests.support.cloudtrail import ACCOUNT, authorize, rule

IRELAND, VIRGINIA = Target(ACCOUNT, "eu-west-1"), Target(ACCOUNT, "us-east-1")
NAME = "AuthorizeSecurityGroupIngress"
SINCE = "2026-11-22T06:00:00Z"
QUERY = Query(IRELAND, NAME, SINCE)
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "LookupEvents")


@dataclass
class CloudTrail:
    """CloudTrail of all regions: the pages of each call, and the requests that it got."""

    pages: dict[tuple[str, str], int] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failing: tuple[str, ...] = ()
    seconds: float = 0
    time: datetime = datetime(2026, 11, 23, 6, tzinfo=UTC)

    def client_of(self, target: Target) -> "Client":
        """The client of a region."""
        return Client(self, target.region)

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.time += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        """The time in seconds."""
        return self.time.timestamp()

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Region and name of each request."""
        return [
            (region, request["LookupAttributes"][0]["AttributeValue"])
            for region, request in self.requests
        ]


@dataclass
class Client:
    """CloudTrail's client of a region."""

    cloudtrail: CloudTrail
    region: str

    def lookup_events(self, **request: Any) -> dict[str, Any]:
        """A page with one event that made rule sgr-NUMBER."""
        cloudtrail = self.cloudtrail
        cloudtrail.requests.append((self.region, request))
        cloudtrail.sleep(cloudtrail.seconds)
        if self.region in cloudtrail.failing:
            raise THROTTLED
        number = int(request.get("NextToken", 1))
        record = authorize(rule(f"sgr-{number}"), eventID=f"event-{number}", awsRegion=self.region)
        name = request["LookupAttributes"][0]["AttributeValue"]
        has_more = number < cloudtrail.pages.get((self.region, name), 1)
        events = [{"CloudTrailEvent": text} for text in (json.dumps(record), "{", "null")]
        return {"Events": events, **({"NextToken": str(number + 1)} if has_more else {})}


@pytest.fixture
def cloudtrail(monkeypatch: pytest.MonkeyPatch) -> CloudTrail:
    """CloudTrail with the only clock."""
    trail = CloudTrail()
    monkeypatch.setattr(clock, "now", lambda: trail.time)
    monkeypatch.setattr(clock, "monotonic", trail.monotonic)
    monkeypatch.setattr(clock, "sleep", trail.sleep)
    return trail


def history(cloudtrail: CloudTrail, seconds_left: float = 300) -> EventHistory:
    """The history of a run with that much time."""
    return EventHistory(cloudtrail.client_of, lambda: seconds_left)


def test_all_pages_of_a_call_are_read(cloudtrail: CloudTrail) -> None:
    """From a minute before the last reading on, 50 events a page; odd records are left out."""
    cloudtrail.pages[IRELAND.region, NAME] = 3
    asked = history(cloudtrail)
    calls = asked.read([QUERY])
    assert [call.rules[0].id for call in calls] == ["sgr-1", "sgr-2", "sgr-3"]
    assert asked.has_read([QUERY])
    (_, request), *_ = cloudtrail.requests
    assert request == {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": NAME}],
        "StartTime": datetime(2026, 11, 22, 5, 59, tzinfo=UTC),
        "MaxResults": 50,
    }


def test_a_region_is_asked_twice_a_second(cloudtrail: CloudTrail) -> None:
    """Three pages of one region take a second; another region does not wait for it."""
    cloudtrail.pages[IRELAND.region, NAME] = 3
    start = cloudtrail.time
    history(cloudtrail).read([QUERY, Query(VIRGINIA, NAME, SINCE)])
    assert (cloudtrail.time - start).total_seconds() == 1
    assert len(cloudtrail.requests) == 4


def test_ten_pages_are_read_at_most(cloudtrail: CloudTrail) -> None:
    """A region with many events leaves pages for others; what was not read to its end is known."""
    cloudtrail.pages[IRELAND.region, NAME] = 1000
    other = Query(VIRGINIA, NAME, SINCE)
    asked = history(cloudtrail)
    asked.read([QUERY, other])
    assert cloudtrail.asked.count(("eu-west-1", NAME)) == 9
    assert cloudtrail.asked.count(("us-east-1", NAME)) == 1
    assert (asked.has_read([QUERY]), asked.has_read([other])) == (False, True)
    asked.read([Query(VIRGINIA, "AssociateAddress", SINCE)])
    assert len(cloudtrail.requests) == 10


def test_it_takes_20_seconds_at_most(cloudtrail: CloudTrail) -> None:
    """No request begins that could end later: one may take 8 seconds."""
    cloudtrail.pages[IRELAND.region, NAME] = 1000
    cloudtrail.seconds = 8
    asked = history(cloudtrail)
    asked.read([QUERY])
    assert len(cloudtrail.requests) == 2
    assert not asked.has_read([QUERY])


def test_the_time_for_the_mail_is_not_used(cloudtrail: CloudTrail) -> None:
    """A run that has less than 8 seconds left for reading asks for nothing."""
    asked = history(cloudtrail, seconds_left=7.9)
    assert asked.read([QUERY]) == []
    assert (cloudtrail.requests, asked.has_read([QUERY])) == ([], False)


def test_a_region_that_refuses_is_asked_once(
    cloudtrail: CloudTrail, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are read all the same; the log has the region and AWS's code."""
    cloudtrail.failing = ("eu-west-1",)
    queries = [Query(target, name, SINCE) for target in (IRELAND, VIRGINIA) for name in ("A", "B")]
    asked = history(cloudtrail)
    asked.read(queries)
    assert cloudtrail.asked == [("eu-west-1", "A"), ("us-east-1", "A"), ("us-east-1", "B")]
    assert [asked.has_read([query]) for query in queries] == [False, False, True, True]
    (logged,) = caplog.records
    assert logged.__dict__["region"] == "eu-west-1"
    assert logged.__dict__["error"] == "ThrottlingException"


def test_what_was_asked_for_is_not_asked_again(cloudtrail: CloudTrail) -> None:
    """A run that compares again has its answers."""
    asked = history(cloudtrail)
    assert asked.read([QUERY]) == asked.read([QUERY])
    assert len(cloudtrail.requests) == 1


def test_events_of_90_days_are_asked_for(cloudtrail: CloudTrail) -> None:
    """CloudTrail keeps no older ones."""
    history(cloudtrail).read([Query(IRELAND, NAME, "2025-01-01T00:00:00Z")])
    (_, request) = cloudtrail.requests[0]
    assert request["StartTime"] == datetime(2026, 8, 25, 6, tzinfo=UTC)
