"""What an event asks of a run: what started it, what to read, and when to mail."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from handler.model import Trigger
from handler.parse import shown
from handler.settings import REGION, Notify, Settings

_SCHEDULERS = ("aws.events", "aws.scheduler")
_CHANGE = "AWS API Call via CloudTrail"
# What names an event in the ledger and a report in its bucket.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class EventError(ValueError):
    """An event that asks for something impossible; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is to do.

    ``id`` is the same each time that the same event is delivered. ``regions`` is empty for every
    region enabled for the account; ``whole`` is false where the event left some out. With
    ``dry_run`` nothing is mailed and nothing stored.
    """

    id: str
    trigger: Trigger
    notify: Notify
    regions: tuple[str, ...]
    whole: bool = True
    dry_run: bool = False


def order(event: object, request_id: str, settings: Settings) -> Order:
    """What an event of any shape asks for; whatever is no schedule and no change is a person.

    A person may say ``notify``, ``regions`` and ``dryRun``; whatever else is there is ignored.
    Raises ``EventError`` with a sentence that names key, value and expectation.
    """
    fields: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
    given = fields.get("id")
    own_id = given if isinstance(given, str) and _ID.fullmatch(given) else request_id
    if fields.get("source") in _SCHEDULERS:
        return Order(own_id, Trigger.SCHEDULE, settings.notify, settings.regions)
    if fields.get("detail-type") == _CHANGE:
        regions = _changed(fields, settings.regions)
        # Each of many changes would mail the same again, were it not for what is new.
        return Order(
            own_id,
            Trigger.CHANGE,
            Notify.CHANGES,
            regions or settings.regions,
            whole=not regions,
        )
    regions = _regions(fields.get("regions"))
    return Order(
        request_id,
        Trigger.MANUAL,
        _notify(fields.get("notify")),
        regions or settings.regions,
        whole=not regions,
        dry_run=_dry_run(fields.get("dryRun")),
    )


def _changed(event: Mapping[str, Any], regions: Collection[str]) -> tuple[str, ...]:
    """The region that a change was made in; empty where that is none of those to read."""
    detail = event.get("detail")
    region = detail.get("awsRegion") if isinstance(detail, Mapping) else None
    if not isinstance(region, str) or not REGION.fullmatch(region):
        return ()
    return (region,) if not regions or region in regions else ()


def _regions(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    regions = value if isinstance(value, list) else []
    if not regions or not all(isinstance(each, str) and REGION.fullmatch(each) for each in regions):
        _refuse("regions", "a list of regions", value)
    return tuple(dict.fromkeys(regions))


def _notify(value: object) -> Notify:
    """When to mail: always, unless somebody who waits for the result says otherwise."""
    if value is None:
        return Notify.ALWAYS
    if value not in list(map(str, Notify)):
        _refuse("notify", f"one of {', '.join(Notify)}", value)
    return Notify(str(value))


def _dry_run(value: object) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        _refuse("dryRun", "true or false", value)
    return value


def _refuse(key: str, expectation: str, value: object) -> NoReturn:
    message = f"the event's {key} must be {expectation}, got {shown(value)}."
    raise EventError(message)
