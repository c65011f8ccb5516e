"""Reads the ledger of version 1: one object, state.json, which is never written."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from handler.assess.finding_builder import fingerprint
from handler.ledger.account_state_json import AccountState
from handler.ledger.head import AbandonedRun, DecodeError, HandledEvent, Head, run_from_fields
from handler.ledger.next_state import outline
from handler.ledger.state import OLD_SETTINGS, Announcement, Opened, Record, Resolved, TargetState
from handler.model.address import is_prefix_list
from handler.model.address_set import NOT_STORED, AddressSet, address_set
from handler.model.finding import Finding, Severity, Status
from handler.model.internet import Internets
from handler.model.network import Target
from handler.model.run import CoverageStatus
from handler.report.fields import DECODE_ERRORS, Fields, cause_of
from handler.report.json_report import finding_from_fields

KEY = "state.json"
_VERSION = 1
_LONG_AGO = "1970-01-01T00:00:00Z"
_ROUTABLE = Internets()


class OldState(NamedTuple):
    """The ledger of version 1: a head without pointers, and the states of its accounts."""

    head: Head
    accounts: dict[str, AccountState]


def decode_old_state(stored: bytes, etag: str) -> OldState:
    """The ledger of version 1 in the form of version 2. Raises ``DecodeError``."""
    try:
        document = Fields(json.loads(stored))
        if document.value("version") != _VERSION:
            raise ValueError(f"its version is {document.value('version')!r}")
        return _old_state(document, etag)
    except DECODE_ERRORS as error:
        raise DecodeError(f"{KEY} cannot be read {cause_of(error)}.") from error


def _old_state(document: Fields, etag: str) -> OldState:
    runs = tuple(map(run_from_fields, document.objects("runs")))
    listed_at, abandoned_before = document.optional_time("listedAt"), document.optional_text("died")
    events, claim = document.object("events"), document.optional_object("mailing")
    # A claim that is still there belongs to a run that never committed.
    abandoned = claim.text("run") if claim else abandoned_before
    last_run_at = runs[-1].started_at if runs else _LONG_AGO
    accounts: dict[str, AccountState] = {}
    for fields in document.objects("coverage"):
        target = Target(fields.text("account"), fields.text("region"))
        read = TargetState(CoverageStatus(fields.text("status")), last_run_at)
        accounts.setdefault(target.account, AccountState()).targets[target] = read
    for finding in _with_ids(map(finding_from_fields, document.objects("findings"))):
        account = accounts.setdefault(finding.target.account, AccountState())
        if finding.status is Status.RESOLVED:
            resolved_at = finding.resolved_at or last_run_at
            first_seen = finding.first_seen or resolved_at
            account.resolved[finding.id] = Resolved(finding.target.account, first_seen, resolved_at)
        # Version 1 stored unlisted findings too, but not its minimum severity; low is the default.
        elif finding.severity is not Severity.INFO:
            opened = (Opened(finding.traffic, finding.address_set),)
            announced = Announcement(finding.severity, opened, finding.last_seen or last_run_at)
            account.records[finding.id] = Record(outline(finding), announced)
    head = Head(
        runs=runs,
        events={event: HandledEvent(events.time(event)) for event in events.names()},
        abandoned=(AbandonedRun(abandoned, last_run_at),) if abandoned else (),
        announced=frozenset(document.texts("announced")),
        settings=OLD_SETTINGS if accounts else None,
        last_full_digest_at=listed_at,
        old_state_etag=etag,
    )
    return OldState(head, accounts)


def _with_ids(findings: Iterable[Finding]) -> Iterable[Finding]:
    """The findings with address sets and the ids of version 2, which do not depend on sources."""
    for finding in findings:
        if not finding.kind.is_exposure:
            yield finding
        elif finding.addresses is None:
            if not all(map(is_prefix_list, finding.prefix_lists)):
                raise ValueError("prefixLists must hold ids of prefix lists")
            yield finding._replace(address_set=AddressSet(finding.prefix_lists))
        else:
            addresses = AddressSet((), NOT_STORED, finding.addresses)
            if finding.sources and not finding.prefix_lists and finding.family:
                located = sorted(_ROUTABLE.locate(source)[1] for source in finding.sources)
                addresses = address_set(_ROUTABLE[finding.family], located)
            target, group_ids = finding.target, (group_id for group_id, _ in finding.groups)
            place = (finding.kind, target.account, target.region, *group_ids)
            finding_id = fingerprint(place, finding.family, finding.traffic)
            yield finding._replace(id=finding_id, address_set=addresses)
