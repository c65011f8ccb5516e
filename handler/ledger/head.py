"""The head of the ledger, which every run reads first: as data and as stored JSON."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from handler.ledger.state import RunSummary
from handler.model.digest_kind import DigestKind
from handler.model.finding import Severity
from handler.model.run import Trigger
from handler.report.fields import DECODE_ERRORS, Fields, cause_of

VERSION = 2
KNOWN_PREFIX = "known/"
"""The prefix of the keys of the accounts' objects."""


class DecodeError(ValueError):
    """A stored object that cannot be read; the message is a sentence."""


class NewerVersionError(DecodeError):
    """A stored object of a later version of this program."""


class SendClaim(NamedTuple):
    """The claim of a run that is about to send its mails.

    Several runs may answer the same event at once; ``token`` is different for each. ``sent`` are
    the ids of the mails that SES accepted, ``sending`` that of the one that it may have accepted.
    ``kind`` is the digest's, ``report_key`` identifies the report.
    """

    run: str
    token: str
    sent: tuple[str, ...] = ()
    sending: str | None = None
    kind: DigestKind | None = None
    report_key: str | None = None


class Pointer(NamedTuple):
    """Where the state of an account is stored, when it was written, and its number of findings."""

    key: str
    written_at: str
    findings: int


class AbandonedRun(NamedTuple):
    """A run that was stopped between its claim and its commit.

    ``at`` is when this was recorded, ``accounts`` what the run would have committed.
    ``is_announced`` is true once a full digest has mentioned it.
    """

    run: str
    at: str
    accounts: Mapping[str, Pointer] = MappingProxyType({})
    is_announced: bool = False


class HandledEvent(NamedTuple):
    """When a run handled an event, and why it failed; None if it did not."""

    at: str
    problem: str | None = None


class FollowUp(NamedTuple):
    """A run that waits until then before it reads a region again, for all changes so far."""

    run: str
    until: str


class Head(NamedTuple):
    """What every run reads first: pointers to the states of accounts, the history, the claim.

    ``events`` are the events answered in the last two days by id, except changes in the account.
    ``pending`` are the objects that the claiming run will commit. ``left_out`` are accounts that
    mails have reported as not audited, with their state, which is empty if they are no longer
    listed. ``refused`` says, by the id of a team's mail, why it was not sent, or by "ledger" why
    the head before this one is lost. ``old_state_etag`` is the ETag that the ledger of version 1
    had when it was last read. See ``LedgerState`` for the other fields.
    """

    accounts: Mapping[str, Pointer] = MappingProxyType({})
    runs: tuple[RunSummary, ...] = ()
    events: Mapping[str, HandledEvent] = MappingProxyType({})
    claim: SendClaim | None = None
    pending: Mapping[str, Pointer] = MappingProxyType({})
    abandoned: tuple[AbandonedRun, ...] = ()
    announced: frozenset[str] = frozenset()
    settings: str | None = None
    last_full_digest_at: str | None = None
    last_change_mail_at: str | None = None
    follow_ups: Mapping[str, FollowUp] = MappingProxyType({})
    left_out: Mapping[str, str] = MappingProxyType({})
    refused: Mapping[str, str] = MappingProxyType({})
    old_state_etag: str | None = None


def encode_head(head: Head, writer: str) -> bytes:
    """The head as JSON; ``writer`` is different for each write and identifies it."""
    document = {
        "version": VERSION,
        "writer": writer,
        "accounts": _pointers_to_json(head.accounts),
        "runs": [run._asdict() for run in head.runs],
        "events": {event: handled._asdict() for event, handled in head.events.items()},
        "claim": head.claim._asdict() if head.claim else None,
        "pending": _pointers_to_json(head.pending),
        "abandoned": [
            {
                "run": abandoned.run,
                "at": abandoned.at,
                "accounts": _pointers_to_json(abandoned.accounts),
                "isSaid": abandoned.is_announced,
            }
            for abandoned in head.abandoned
        ],
        "announced": sorted(head.announced),
        "settings": head.settings,
        "lastFullDigestAt": head.last_full_digest_at,
        "lastChangeMailAt": head.last_change_mail_at,
        "followUps": {region: waiting._asdict() for region, waiting in head.follow_ups.items()},
        **({"leftOut": dict(head.left_out)} if head.left_out else {}),
        **({"refused": dict(head.refused)} if head.refused else {}),
        "oldStateEtag": head.old_state_etag,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def writer_of(stored: bytes) -> str | None:
    """The writer of a stored head; None if that cannot be read."""
    try:
        return Fields(json.loads(stored)).text("writer")
    except DECODE_ERRORS:
        return None


def decode_head(stored: bytes) -> Head:
    """The head in that JSON. Raises ``DecodeError``."""
    try:
        document = Fields(json.loads(stored))
        version = document.integer("version")
        if version == VERSION:
            return _head(document)
    except DECODE_ERRORS as error:
        raise DecodeError(f"The ledger cannot be read {cause_of(error)}.") from error
    message = f"The ledger has version {version}, and this program knows {VERSION}."
    raise NewerVersionError(message) if version > VERSION else DecodeError(message)


def _head(document: Fields) -> Head:
    events, follow_ups = document.object("events"), document.object("followUps")
    claim = document.optional_object("claim")
    return Head(
        accounts=_pointers(document.object("accounts")),
        runs=tuple(map(run_from_fields, document.objects("runs"))),
        events={key: _handled_event(events.object(key)) for key in events.names()},
        claim=_claim(claim) if claim else None,
        pending=_pointers(document.object("pending")),
        abandoned=tuple(map(_abandoned, document.objects("abandoned"))),
        announced=frozenset(document.texts("announced")),
        settings=document.optional_text("settings"),
        last_full_digest_at=document.optional_time("lastFullDigestAt"),
        last_change_mail_at=document.optional_time("lastChangeMailAt"),
        follow_ups={key: _follow_up(follow_ups.object(key)) for key in follow_ups.names()},
        left_out=_texts(document.optional_object("leftOut")),
        refused=_texts(document.optional_object("refused")),
        old_state_etag=document.optional_text("oldStateEtag"),
    )


def run_from_fields(document: Fields) -> RunSummary:
    """A run of the history, also of version 1. Raises one of ``DECODE_ERRORS``."""
    numbers = document.object("open")
    return RunSummary(
        id=document.text("id"),
        trigger=document.member("trigger", Trigger),
        started_at=document.time("started_at"),
        opened=document.integer("opened"),
        resolved=document.integer("resolved"),
        open={severity: numbers.integer(severity) for severity in Severity},
        not_read=document.integer("not_read"),
        mailed=document.boolean("mailed"),
        problem=document.optional_text("problem"),
    )


def _handled_event(document: Fields) -> HandledEvent:
    return HandledEvent(document.time("at"), document.optional_text("problem"))


def _follow_up(document: Fields) -> FollowUp:
    return FollowUp(document.text("run"), document.time("until"))


def _claim(document: Fields) -> SendClaim:
    return SendClaim(
        document.text("run"),
        document.text("token"),
        document.texts("sent"),
        document.optional_text("sending"),
        document.optional_member("kind", DigestKind),
        document.optional_text("report_key"),
    )


def _abandoned(document: Fields) -> AbandonedRun:
    return AbandonedRun(
        document.text("run"),
        document.time("at"),
        _pointers(document.object("accounts")),
        document.boolean("isSaid"),
    )


def _texts(document: Fields | None) -> dict[str, str]:
    return {key: document.text(key) for key in document.names()} if document else {}


def _pointers(document: Fields) -> dict[str, Pointer]:
    return {account: _pointer(document.object(account)) for account in document.names()}


def _pointer(document: Fields) -> Pointer:
    key = document.text("key")
    # The role may read no other keys: S3 would refuse them in every run.
    if not key.startswith(KNOWN_PREFIX):
        raise ValueError(f"key must begin with {KNOWN_PREFIX}, got {key}")
    return Pointer(key, document.time("writtenAt"), document.integer("findings"))


def _pointers_to_json(pointers: Mapping[str, Pointer]) -> dict[str, Any]:
    return {
        account: {
            "key": pointer.key,
            "writtenAt": pointer.written_at,
            "findings": pointer.findings,
        }
        for account, pointer in pointers.items()
    }
