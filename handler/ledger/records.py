"""What a state says of a finding: its records, how often it has changed, what mails said."""

import hashlib
from datetime import timedelta

from handler.assess.severity import JUDGEMENT_VERSION
from handler.ledger import flips
from handler.ledger.state import Flips, LedgerState, Record
from handler.model.attachment import Attachment
from handler.model.finding import Change, Finding, Status
from handler.policy.policy import Policy

REMEMBERED = timedelta(days=90)
"""What opens again after that long is new."""


def settings_key(policy: Policy) -> str:
    """A hash of what decides which findings there are and how severe they are."""
    ports = sorted(traffic.text for traffic in policy.authorized_ports)
    settings = (JUDGEMENT_VERSION, policy.minimum_severity, sorted(policy.trusted_cidrs), ports)
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:16]


def has_other_settings(state: LedgerState, policy: Policy) -> bool:
    """Whether the state is of a run with other settings."""
    return state.settings not in {None, settings_key(policy)}


def records_of(previous: LedgerState, finding: Finding) -> list[Record]:
    """The records that a finding grew out of, or that it had before it was resolved."""
    records = [previous.records[i] for i in finding.origins if i in previous.records]
    gone = previous.resolved.get(finding.id)
    return [*records, gone.record] if gone and gone.record else records


def flips_of(
    previous: LedgerState, finding: Finding, now: str, *, has_new_settings: bool
) -> Flips | None:
    """The finding's history of flips, with one of this run."""
    records = records_of(previous, finding)
    gone = previous.resolved.get(finding.id)
    history = flips.current((record.flips for record in records), now)
    before = records[0].finding if records else None
    severity_changed = (
        before is not None
        and before.severity is not finding.severity
        and not has_new_settings
        and not has_lost_sight(finding, before)
    )
    is_back = gone is not None and finding.status is Status.REOPENED
    is_gone = finding.status is Status.RESOLVED and finding.id in previous.records
    # One below the minimum severity is as good as gone: it has no change, but was something else.
    is_gone = is_gone or (finding.change is None and bool(finding.previously))
    is_resized = finding.change in {Change.WIDENED, Change.NARROWED}
    if is_back or is_gone or is_resized or severity_changed:
        return flips.with_flip(history, now)
    return history


def was_announced_resolved(record: Record) -> bool:
    """Whether a mail said last that the finding is resolved."""
    return record.announced is not None and not record.announced.is_open


def has_lost_sight(finding: Finding, before: Finding) -> bool:
    """Whether the path to it was known, and is not."""
    return finding.attachment is Attachment.UNKNOWN is not before.attachment
