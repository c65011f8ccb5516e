"""Who opened a finding to JSON, and back."""

from typing import Any

from handler.model.opened_by import Actor, ActorKind, Means, NotAttributed, OpenedBy
from handler.report.fields import Fields


def opened_by_to_json(opened_by: OpenedBy | NotAttributed | None) -> dict[str, Any] | None:
    """Who opened a finding as JSON-serialisable data; ``principal`` is null where nobody knows."""
    if opened_by is None:
        return None
    if isinstance(opened_by, NotAttributed):
        return {
            "principal": None,
            "since": opened_by.since,
            "tries": opened_by.tries,
            "historyRead": opened_by.is_read,
        }
    return {
        "principal": opened_by.actor.principal,
        "kind": opened_by.actor.kind,
        "name": opened_by.actor.name,
        "at": opened_by.at,
        "sourceAddress": opened_by.source_address,
        "eventId": opened_by.event_id,
        "means": opened_by.means,
        "others": opened_by.others,
    }


def opened_by_from_fields(fields: Fields) -> OpenedBy | NotAttributed | None:
    """Who opened a stored finding. Raises one of ``DECODE_ERRORS``."""
    stored = fields.optional_object("openedBy")
    if stored is None:
        return None
    principal = stored.optional_text("principal")
    if principal is None:
        return NotAttributed(
            stored.time("since"), stored.integer("tries"), stored.boolean("historyRead")
        )
    return OpenedBy(
        Actor(ActorKind(stored.text("kind")), principal, stored.optional_text("name")),
        stored.time("at"),
        stored.text("eventId"),
        stored.optional_text("sourceAddress"),
        Means(stored.text("means")),
        stored.integer("others"),
    )
