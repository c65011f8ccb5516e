"""The ledger's state: what is known after a committed run, as data and as stored JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from handler.model.finding import Finding, Severity
from handler.model.network import Target
from handler.model.run import CoverageStatus, Trigger
from handler.report.json_report import (
    DECODE_ERRORS,
    finding_from_json,
    finding_to_json,
    parse_time,
)

VERSION = 1


class StateError(ValueError):
    """A stored state that this program cannot read; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class SendClaim:
    """A run that is about to send its mail, and when its claim expires.

    Several runs may answer the same event at once; ``token`` is different for each.
    """

    run: str
    until: str
    token: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One committed run in figures."""

    id: str
    trigger: Trigger
    started_at: str
    opened: int
    resolved: int
    open: Mapping[Severity, int]
    not_read: int
    mailed: bool


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What is known after a committed run; an empty one before the first.

    ``findings`` are as they were last verified, by id, the resolved ones included. ``events`` are
    the ids of the runs, which are those of the events they answered, and when.
    ``last_full_digest_at`` is when a mail last listed all that was open. ``abandoned_run`` died
    between its mail and its commit; it is kept until a full run has committed.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    coverage: Mapping[Target, CoverageStatus] = field(default_factory=dict)
    announced: frozenset[str] = frozenset()
    events: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[RunSummary, ...] = ()
    last_full_digest_at: str | None = None
    claim: SendClaim | None = None
    abandoned_run: str | None = None


def encode_state(state: LedgerState) -> bytes:
    """The state as JSON, the same for the same state."""
    document = {
        "version": VERSION,
        "findings": [finding_to_json(finding) for finding in state.findings.values()],
        "coverage": [
            {"account": target.account, "region": target.region, "status": status}
            for target, status in state.coverage.items()
        ],
        "announced": sorted(state.announced),
        "events": dict(state.events),
        "runs": [asdict(run) for run in state.runs],
        "listedAt": state.last_full_digest_at,
        "died": state.abandoned_run,
        "mailing": asdict(state.claim) if state.claim else None,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def decode_state(stored: bytes) -> LedgerState:
    """The state in that JSON. Raises ``StateError`` when it is not one of this version."""
    try:
        document = json.loads(stored)
        if document["version"] == VERSION:
            return _state(document)
        message = f"The state has version {document['version']!r}, this program knows {VERSION}."
    except DECODE_ERRORS as error:
        message = f"The state makes no sense ({type(error).__name__}: {error!s:.80})."
    raise StateError(message)


def _state(document: Mapping[str, Any]) -> LedgerState:
    return LedgerState(
        findings={finding["id"]: finding_from_json(finding) for finding in document["findings"]},
        coverage={
            Target(target["account"], target["region"]): CoverageStatus(target["status"])
            for target in document["coverage"]
        },
        announced=frozenset(document["announced"]),
        events={event: parse_time(at) for event, at in document["events"].items()},
        runs=tuple(map(_run_summary, document["runs"])),
        last_full_digest_at=parse_time(document["listedAt"]) if document["listedAt"] else None,
        claim=_claim(document["mailing"]) if document["mailing"] else None,
        abandoned_run=str(document["died"]) if document["died"] else None,
    )


def _claim(document: Mapping[str, Any]) -> SendClaim:
    return SendClaim(str(document["run"]), parse_time(document["until"]), str(document["token"]))


def _run_summary(document: Mapping[str, Any]) -> RunSummary:
    return RunSummary(
        id=str(document["id"]),
        trigger=Trigger(document["trigger"]),
        started_at=parse_time(document["started_at"]),
        opened=int(document["opened"]),
        resolved=int(document["resolved"]),
        open={severity: int(document["open"][severity]) for severity in Severity},
        not_read=int(document["not_read"]),
        mailed=bool(document["mailed"]),
    )
