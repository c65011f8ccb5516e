"""Reads an event: what started the run, what to read, and when to mail."""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from handler import clock
from handler.attribution.cloudtrail_event import ApiCall, event_time, parse_record
from handler.model.network import ACCOUNT_ID, REGION_NAME
from handler.model.run import Run, Trigger
from handler.sanitize import clean_text, expected
from handler.settings import Notify, Settings

_SCHEDULERS = ("aws.events", "aws.scheduler")
_CHANGE = "AWS API Call via CloudTrail"
# The id becomes part of the ledger and of the key of the run's report.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class EventError(ValueError):
    """An event with an invalid value; the message is a sentence."""


class RunRequest(NamedTuple):
    """What an event requests.

    ``id`` is the same each time that the event is delivered. ``regions`` is empty for every region
    enabled for the account; ``is_full`` is false if the event leaves some targets out. With
    ``dry_run`` nothing is mailed or stored. For an event about a change, ``changed_at`` is when the
    change was made, in UTC and ISO 8601, ``call`` the API call, and ``account`` where; otherwise
    they are None. ``accounts`` is empty for all accounts of the settings.
    """

    id: str
    trigger: Trigger
    notify: Notify
    regions: tuple[str, ...]
    is_full: bool = True
    dry_run: bool = False
    changed_at: str | None = None
    call: ApiCall | None = None
    account: str | None = None
    accounts: tuple[str, ...] = ()

    def run(self, started_at: str, settings: Settings) -> Run:
        """The record of the run, with now as its end."""
        regions, now = settings.regions, clock.timestamp()
        return Run(self.id, self.trigger, started_at, now, settings.stack, self.is_full, regions)


def parse_event(event: object, request_id: str, settings: Settings) -> RunRequest:
    """The request of an event of any shape; anything but a schedule or a change is manual.

    A manual event may have ``notify``, ``accounts``, ``regions`` and ``dryRun``; other keys are
    ignored. Raises ``EventError`` with a sentence that names key, value and expectation.
    """
    fields: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
    given_id = fields.get("id")
    has_id = isinstance(given_id, str) and _ID.fullmatch(given_id)
    event_id = str(given_id) if has_id else request_id
    if fields.get("source") in _SCHEDULERS:
        return RunRequest(event_id, Trigger.SCHEDULE, settings.notify, settings.regions)
    if fields.get("detail-type") == _CHANGE:
        detail = fields.get("detail")
        change: Mapping[str, Any] = detail if isinstance(detail, Mapping) else {}
        regions = _changed_region(change.get("awsRegion"), settings.regions)
        return RunRequest(
            event_id,
            Trigger.CHANGE,
            # With any other setting, each of many changes would mail everything again.
            Notify.CHANGES,
            regions or settings.regions,
            is_full=not regions,
            changed_at=event_time(change.get("eventTime")),
            call=parse_record(detail),
            account=clean_text(fields.get("account")),
        )
    accounts = _names(fields, "accounts", ACCOUNT_ID, "account IDs of 12 digits in quotes")
    regions = _names(fields, "regions", REGION_NAME, "regions")
    return RunRequest(
        request_id,
        Trigger.MANUAL,
        _notify(fields.get("notify")),
        regions or settings.regions,
        is_full=not accounts and not regions,
        dry_run=_dry_run(fields.get("dryRun")),
        accounts=accounts,
    )


def _changed_region(region: object, regions: Collection[str]) -> tuple[str, ...]:
    """The region of a change; empty if it is not one to read."""
    if not isinstance(region, str) or not REGION_NAME.fullmatch(region):
        return ()
    return (region,) if not regions or region in regions else ()


def _names(
    fields: Mapping[str, Any], key: str, form: re.Pattern[str], kind: str
) -> tuple[str, ...]:
    if (value := fields.get(key)) is None:
        return ()
    names = value if isinstance(value, list) else []
    if not names or not all(isinstance(n, str) and form.fullmatch(n) for n in names):
        raise EventError(expected(f"the event's {key}", f"a list of {kind}", value))
    return tuple(dict.fromkeys(names))


def _notify(value: object) -> Notify:
    """When to mail; always by default, because the caller waits for the result."""
    if value is None:
        return Notify.ALWAYS
    if value not in list(map(str, Notify)):
        raise EventError(expected("the event's notify", f"one of {', '.join(Notify)}", value))
    return Notify(str(value))


def _dry_run(value: object) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise EventError(expected("the event's dryRun", "true or false", value))
    return value
