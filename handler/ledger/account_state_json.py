"""The state of one account as a compressed object, with one line of JSON per entry."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from handler.ledger.head import VERSION, DecodeError
from handler.ledger.state import (
    Announcement,
    Flips,
    LedgerState,
    Opened,
    Record,
    Resolved,
    TargetState,
)
from handler.model.finding import Severity
from handler.model.network import Target
from handler.model.run import CoverageStatus
from handler.report.fields import Fields, cause_of
from handler.report.json_lines import LINE_ERRORS, compress_lines, read_lines
from handler.report.json_report import (
    address_set_from_fields,
    addresses_to_json,
    outline_from_fields,
    outline_to_json,
    traffic_from_fields,
    traffic_to_json,
)


@dataclass(slots=True)
class AccountState:
    """The part of a ``LedgerState`` that is about one account; ``name`` is the account's."""

    targets: dict[Target, TargetState] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    resolved: dict[str, Resolved] = field(default_factory=dict)
    name: str | None = None


def encode_account(state: LedgerState, account: str, name: str | None = None) -> bytes:
    """The state of an account, compressed; the same bytes for the same state."""
    return compress_lines(_lines(state, account, name))


def decode_account(stored: bytes, account: str) -> AccountState:
    """The state in that object. Raises ``DecodeError``."""
    state, number, end = AccountState(), 0, None
    try:
        for number, line in enumerate(read_lines(stored)):
            if line.has("end"):
                end = line.integer("end")
            elif number:
                _decode_line(line, account, state)
            elif line.integer("version") != VERSION or line.text("account") != account:
                raise ValueError("another version or account")
            else:
                state.name = line.optional_text("name")
        # The heading and the end are not counted.
        if end != number - 1:
            raise ValueError("the end is missing")
    except LINE_ERRORS as error:
        raise DecodeError(
            f"The state of account {account} cannot be read {cause_of(error)}."
        ) from error
    return state


def _lines(state: LedgerState, account: str, name: str | None) -> Iterator[dict[str, Any]]:
    """A heading, the entries, and their number as the end."""
    yield {"version": VERSION, "account": account, **({"name": name} if name else {})}
    number = 0
    for number, entry in enumerate(_entries(state, account), 1):  # noqa: B007 -- how many
        yield entry
    yield {"end": number}


def _entries(state: LedgerState, account: str) -> Iterator[dict[str, Any]]:
    """The targets, records and resolved findings of the account."""
    for target, read in state.targets.items():
        if target.account == account:
            yield {"region": target.region, "status": read.status, "readAt": read.read_at}
    for record in state.records.values():
        if record.finding.target.account == account:
            yield _record_to_json(record)
    for finding_id, gone in state.resolved.items():
        if gone.account == account:
            yield {
                "gone": finding_id,
                "firstSeen": gone.first_seen,
                "resolvedAt": gone.resolved_at,
                "record": _record_to_json(gone.record) if gone.record else None,
            }


def _decode_line(document: Fields, account: str, state: AccountState) -> None:
    if document.has("gone"):
        record = document.optional_object("record")
        state.resolved[document.text("gone")] = Resolved(
            account,
            document.time("firstSeen"),
            document.time("resolvedAt"),
            _record(record, account) if record else None,
        )
    elif document.has("id"):
        state.records[document.text("id")] = _record(document, account)
    else:
        status = document.member("status", CoverageStatus)
        target = Target(account, document.text("region"))
        state.targets[target] = TargetState(status, document.time("readAt"))


def _record_to_json(record: Record) -> dict[str, Any]:
    finding, announced = record.finding, record.announced
    fields = {
        **outline_to_json(finding, {"inRegion": finding.target.region}),
        "addressSet": addresses_to_json(finding.address_set),
        "announced": {
            "severity": announced.severity,
            "opened": [
                {**traffic_to_json(o.traffic), "addressSet": addresses_to_json(o.address_set)}
                for o in announced.opened
            ],
            "at": announced.at,
            "isOpen": announced.is_open,
        }
        if announced
        else None,
        "flips": asdict(record.flips) if record.flips else None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _record(fields: Fields, account: str) -> Record:
    announced, flips = fields.optional_object("announced"), fields.optional_object("flips")
    target = Target(account, fields.text("inRegion"))
    addresses = address_set_from_fields(fields.object("addressSet"))
    finding = outline_from_fields(fields, target, addresses)
    return Record(
        finding._replace(first_seen=fields.time("firstSeen"), last_seen=fields.time("lastSeen")),
        _announcement(announced) if announced else None,
        _flips(flips) if flips else None,
    )


def _announcement(fields: Fields) -> Announcement:
    return Announcement(
        fields.member("severity", Severity),
        tuple(
            Opened(
                traffic_from_fields(opened), address_set_from_fields(opened.object("addressSet"))
            )
            for opened in fields.objects("opened")
        ),
        fields.time("at"),
        fields.boolean("isOpen"),
    )


def _flips(fields: Fields) -> Flips:
    times = tuple(fields.times("times"))
    if not times:
        raise ValueError("times must not be empty")
    return Flips(fields.integer("count"), fields.time("since"), times)
