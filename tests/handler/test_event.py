"""What an event requests."""

from typing import Any

import pytest

from handler.attribution.cloudtrail_event import parse_record
from handler.event import EventError, RunRequest, parse_event
from handler.model.run import Trigger
from handler.settings import Notify, Settings
from tests.support.cloudtrail import authorize, rule

SETTINGS = Settings("a@example.com", ("b@example.com",), ("eu-west-1", "us-east-1"))
SCHEDULE: dict[str, Any] = {"source": "aws.events", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"}
CHANGE: dict[str, Any] = {
    "source": "aws.ec2",
    "detail-type": "AWS API Call via CloudTrail",
    "id": "e1",
    "detail": {"awsRegion": "us-east-1"},
}
AUTHORIZED = authorize(rule())
BOTH = SETTINGS.regions
MANUAL = RunRequest("request", Trigger.MANUAL, Notify.ALWAYS, BOTH)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(
            SCHEDULE,
            RunRequest(str(SCHEDULE["id"]), Trigger.SCHEDULE, Notify.CHANGES, BOTH),
            id="schedule",
        ),
        pytest.param(
            SCHEDULE | {"id": "../x"},
            RunRequest("request", Trigger.SCHEDULE, Notify.CHANGES, BOTH),
            id="odd-id",
        ),
        pytest.param(
            SCHEDULE | {"notify": "always", "regions": ["eu-west-2"], "dryRun": True},
            RunRequest(str(SCHEDULE["id"]), Trigger.SCHEDULE, Notify.CHANGES, BOTH),
            id="a-schedule-is-no-person",
        ),
        pytest.param(
            CHANGE,
            RunRequest("e1", Trigger.CHANGE, Notify.CHANGES, ("us-east-1",), is_full=False),
            id="change",
        ),
        pytest.param(
            CHANGE | {"account": "123456789012", "detail": AUTHORIZED},
            RunRequest(
                "e1",
                Trigger.CHANGE,
                Notify.CHANGES,
                ("eu-west-1",),
                is_full=False,
                changed_at="2026-11-23T05:58:00Z",
                call=parse_record(AUTHORIZED),
                account="123456789012",
            ),
            id="change-of-a-rule",
        ),
        pytest.param(
            CHANGE | {"detail": {"awsRegion": 7}},
            RunRequest("e1", Trigger.CHANGE, Notify.CHANGES, BOTH),
            id="change-somewhere",
        ),
        *(
            pytest.param(
                CHANGE | {"detail": CHANGE["detail"] | {"eventTime": time}},
                RunRequest("e1", Trigger.CHANGE, Notify.CHANGES, ("us-east-1",), is_full=False),
                id=f"change-at-{time}",
            )
            for time in (
                "0001-01-01T00:00:00Z",
                "0001-01-01T00:00:00+23:59",
                "9999-12-31T23:59:59Z",
                "9999-12-31T23:59:59-23:59",
                "2026-11-23T06:00:00",
                "today",
            )
        ),
        pytest.param({}, MANUAL, id="empty"),
        pytest.param(None, MANUAL, id="null"),
        pytest.param([1], MANUAL, id="list"),
        pytest.param({"id": "e1", "key1": "value1"}, MANUAL, id="console"),
        pytest.param(
            {"notify": "changes"},
            RunRequest("request", Trigger.MANUAL, Notify.CHANGES, BOTH),
            id="notify",
        ),
        pytest.param(
            {"regions": ["eu-west-2", "eu-west-2"], "dryRun": True},
            RunRequest(
                "request",
                Trigger.MANUAL,
                Notify.ALWAYS,
                ("eu-west-2",),
                is_full=False,
                dry_run=True,
            ),
            id="regions",
        ),
        pytest.param({"dryRun": False, "regions": None, "notify": None}, MANUAL, id="nulls"),
    ],
)
def test_the_request_of_an_event(event: object, expected: RunRequest) -> None:
    """Schedules and changes are recognized by source and type; any other event is manual."""
    assert parse_event(event, "request", SETTINGS) == expected


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            {"notify": "never"},
            "the event's notify must be one of changes, findings, always, got 'never'.",
        ),
        (
            {"notify": ["always"]},
            "the event's notify must be one of changes, findings, always, got ['always'].",
        ),
        (
            {"regions": "eu-west-1"},
            "the event's regions must be a list of regions, got 'eu-west-1'.",
        ),
        ({"regions": []}, "the event's regions must be a list of regions, got []."),
        ({"regions": ["mars"]}, "the event's regions must be a list of regions, got ['mars']."),
        ({"dryRun": "yes"}, "the event's dryRun must be true or false, got 'yes'."),
    ],
)
def test_an_invalid_event_is_refused(event: object, sentence: str) -> None:
    """The EventError is one sentence with key, expectation and value."""
    with pytest.raises(EventError) as error:
        parse_event(event, "request", SETTINGS)
    assert str(error.value) == sentence
