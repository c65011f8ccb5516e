"""The ledger's state: what is known after a committed run, as data and as stored JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from handler.model.finding import Finding, Severity
from handler.model.network import Target
from handler.model.run import CoverageStatus, Trigger
from handler.report.fields import DECODE_ERRORS, Fields
from handler.report.json_report import finding_from_fields, finding_to_json

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
        document = Fields(json.loads(stored))
        if document.value("version") == VERSION:
            return _state(document)
        version = document.value("version")
        message = f"The state has version {version!r}, this program knows {VERSION}."
    except DECODE_ERRORS as error:
        message = f"The state makes no sense ({type(error).__name__}: {error!s:.80})."
    raise StateError(message)


def _state(document: Fields) -> LedgerState:
    findings = map(finding_from_fields, document.objects("findings"))
    events, claim = document.object("events"), document.optional_object("mailing")
    return LedgerState(
        findings={finding.id: finding for finding in findings},
        coverage={
            Target(target.text("account"), target.text("region")): CoverageStatus(
                target.text("status")
            )
            for target in document.objects("coverage")
        },
        announced=frozenset(document.texts("announced")),
        events={event: events.time(event) for event in events.keys()},  # noqa: SIM118 -- no mapping
        runs=tuple(map(_run_summary, document.objects("runs"))),
        last_full_digest_at=document.optional_time("listedAt"),
        claim=_claim(claim) if claim else None,
        abandoned_run=document.optional_text("died"),
    )


def _claim(document: Fields) -> SendClaim:
    return SendClaim(document.text("run"), document.time("until"), document.text("token"))


def _run_summary(document: Fields) -> RunSummary:
    numbers = document.object("open")
    return RunSummary(
        id=document.text("id"),
        trigger=Trigger(document.text("trigger")),
        started_at=document.time("started_at"),
        opened=document.integer("opened"),
        resolved=document.integer("resolved"),
        open={severity: numbers.integer(severity) for severity in Severity},
        not_read=document.integer("not_read"),
        mailed=document.boolean("mailed"),
    )
