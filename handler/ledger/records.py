"""What the state holds of a finding: its records, flips and announcements."""

import hashlib
from datetime import timedelta

from handler.assess.severity import ASSESSMENT_VERSION
from handler.ledger import flips
from handler.ledger.state import Flips, LedgerState, Record
from handler.model.attachment import Attachment
from handler.model.finding import Change, Finding, Status
from handler.policy.policy import Policy

REMEMBERED = timedelta(days=90)
"""A finding that reopens after more time than this is new."""


def settings_key(policy: Policy) -> str:
    """A hash of the settings that decide which findings there are and how severe they are."""
    ports = sorted(traffic.text for traffic in policy.authorized_ports)
    settings = (ASSESSMENT_VERSION, policy.minimum_severity, sorted(policy.trusted_cidrs), ports)
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:16]


def has_other_settings(state: LedgerState, policy: Policy) -> bool:
    """Whether the state was stored with other settings."""
    return state.settings not in {None, settings_key(policy)}


def records_of(previous: LedgerState, finding: Finding) -> list[Record]:
    """The records of a finding's origins, and its own from before it was resolved."""
    records = [previous.records[i] for i in finding.origins if i in previous.records]
    gone = previous.resolved.get(finding.id)
    return [*records, gone.record] if gone and gone.record else records


def flips_of(
    previous: LedgerState, finding: Finding, now: str, *, has_new_settings: bool
) -> Flips | None:
    """The finding's history of flips, including a flip in this run."""
    records = records_of(previous, finding)
    gone = previous.resolved.get(finding.id)
    history = flips.current((record.flips for record in records), now)
    before = records[0].finding if records else None
    severity_changed = (
        before is not None
        and before.severity is not finding.severity
        and not has_new_settings
        and not path_became_unknown(finding, before)
    )
    is_back = gone is not None and finding.status is Status.REOPENED
    is_gone = finding.status is Status.RESOLVED and finding.id in previous.records
    # A finding below the minimum severity counts as gone; it has no change, but a former finding.
    is_gone = is_gone or (finding.change is None and bool(finding.previously))
    is_resized = finding.change in {Change.WIDENED, Change.NARROWED}
    if is_back or is_gone or is_resized or severity_changed:
        return flips.with_flip(history, now)
    return history


def was_announced_resolved(record: Record) -> bool:
    """Whether the last mail about the finding said that it is resolved."""
    return record.announced is not None and not record.announced.is_open


def path_became_unknown(finding: Finding, before: Finding) -> bool:
    """Whether the path to the finding was known, and could not be read this time."""
    return finding.attachment is Attachment.UNKNOWN is not before.attachment
