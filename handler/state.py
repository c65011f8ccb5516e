"""The ledger's state as the JSON text that is stored, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from handler.ledger import Mailing, Past, State
from handler.model import (
    Attachment,
    CoverageStatus,
    Family,
    Finding,
    Kind,
    Reach,
    Severity,
    Status,
    Target,
    Traffic,
    Trigger,
)
from handler.report.document import finding_object

VERSION = 1


UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading JSON raises that is not what it should be."""


class StateError(ValueError):
    """A stored state that this program cannot read; the message is a sentence."""


def dumps(state: State) -> bytes:
    """The state as JSON, the same for the same state."""
    document = {
        "version": VERSION,
        "findings": [finding_object(finding) for finding in state.findings.values()],
        "coverage": [
            {"account": target.account, "region": target.region, "status": status}
            for target, status in state.coverage.items()
        ],
        "announced": sorted(state.announced),
        "events": dict(state.events),
        "runs": [asdict(past) for past in state.runs],
        "listedAt": state.listed_at,
        "died": state.died,
        "mailing": asdict(state.mailing) if state.mailing else None,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def loads(stored: bytes) -> State:
    """The state in that text. Raises ``StateError`` when it is not one of this version."""
    try:
        document = json.loads(stored)
        if document["version"] == VERSION:
            return _state(document)
        message = f"The state has version {document['version']!r}, this program knows {VERSION}."
    except UNREADABLE as error:
        message = f"The state makes no sense ({type(error).__name__}: {error!s:.80})."
    raise StateError(message)


def _state(document: Mapping[str, Any]) -> State:
    return State(
        findings={each["id"]: finding(each) for each in document["findings"]},
        coverage={
            Target(each["account"], each["region"]): CoverageStatus(each["status"])
            for each in document["coverage"]
        },
        announced=frozenset(document["announced"]),
        events={event: _time(at) for event, at in document["events"].items()},
        runs=tuple(map(_past, document["runs"])),
        listed_at=_time(document["listedAt"]) if document["listedAt"] else None,
        mailing=_mailing(document["mailing"]) if document["mailing"] else None,
        died=str(document["died"]) if document["died"] else None,
    )


def _mailing(stored: Mapping[str, Any]) -> Mailing:
    return Mailing(str(stored["run"]), _time(stored["until"]), str(stored["token"]))


def _past(run: Mapping[str, Any]) -> Past:
    return Past(
        id=str(run["id"]),
        trigger=Trigger(run["trigger"]),
        started_at=_time(run["started_at"]),
        opened=int(run["opened"]),
        resolved=int(run["resolved"]),
        open={severity: int(run["open"][severity]) for severity in Severity},
        not_read=int(run["not_read"]),
        mailed=bool(run["mailed"]),
    )


def _time(stored: str) -> str:
    """A time with a zone, as it is stored."""
    if datetime.fromisoformat(stored).tzinfo is None:
        message = f"{stored} has no zone"
        raise ValueError(message)
    return stored


def finding(stored: Mapping[str, Any]) -> Finding:
    """A finding that was stored, in the state or in a report."""

    def several(key: str) -> tuple[str, ...]:
        return tuple(stored.get(key, ()))

    family, worsened_from = stored["family"], stored["worsenedFrom"]
    resolved_at = stored["resolvedAt"]
    return Finding(
        id=stored["id"],
        kind=Kind(stored["kind"]),
        severity=Severity(stored["severity"]),
        status=Status(stored["status"]),
        target=Target(stored["account"], stored["region"]),
        group_id=stored["groupId"],
        group_ids=several("groupIds"),
        group_names=several("groupNames"),
        group_name=stored["groupName"],
        vpc_id=stored["vpcId"],
        family=Family(family) if family else None,
        traffic=Traffic(
            stored["protocol"],
            stored["fromPort"],
            stored["toPort"],
            stored["icmpType"],
            stored["icmpCode"],
        ),
        service=stored["service"],
        reach=Reach(stored["reach"]),
        addresses=stored["addresses"],
        share=stored["share"],
        sources=several("sources"),
        prefix_lists=several("prefixLists"),
        rule_ids=several("ruleIds"),
        attachment=Attachment(stored["attachment"]),
        interfaces=several("interfaces"),
        attached=several("attached"),
        owner=stored["owner"],
        why=stored["why"],
        exception=stored["exception"],
        first_seen=_time(stored["firstSeen"]),
        last_seen=_time(stored["lastSeen"]),
        resolved_at=_time(resolved_at) if resolved_at else None,
        worsened_from=Severity(worsened_from) if worsened_from else None,
        fix=stored["fix"],
        detail=stored["detail"],
    )
