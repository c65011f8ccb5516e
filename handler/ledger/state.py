"""The state after a committed run, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from handler.model.address_set import AddressSet
from handler.model.finding import Finding, Severity
from handler.model.network import Target
from handler.model.run import CoverageStatus, Trigger
from handler.model.traffic import Traffic

OLD_SETTINGS = "version 1"
"""The settings of a run of version 1, which did not store them."""
# CloudTrail's event history goes back 90 days.
_LONG = timedelta(days=90)


class Opened(NamedTuple):
    """Traffic, and the addresses that may send it."""

    traffic: Traffic
    address_set: AddressSet


class Announcement(NamedTuple):
    """What mails last said of a finding.

    While the finding keeps changing, ``severity`` and ``opened`` are the worst and widest that any
    mail said. ``is_open`` is false if the last mail said that it is resolved.
    """

    severity: Severity
    opened: tuple[Opened, ...]
    at: str
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Flips:
    """How often a finding was resolved, reopened or changed, and since when.

    ``times`` are those of the last three flips. A week without a flip ends the history.
    """

    count: int
    since: str
    times: tuple[str, ...]


class Record(NamedTuple):
    """A finding as last verified, without the fields that only a report needs."""

    finding: Finding
    announced: Announcement | None = None
    flips: Flips | None = None


class Resolved(NamedTuple):
    """A resolved finding; ``record`` is kept until a mail has reported it and it is stable."""

    account: str
    first_seen: str
    resolved_at: str
    record: Record | None = None


class TargetState(NamedTuple):
    """How the last reading of a target ended, and when it began."""

    status: CoverageStatus
    read_at: str


class RunSummary(NamedTuple):
    """One committed run in figures; ``problem`` is why it failed, None if it did not."""

    id: str
    trigger: Trigger
    started_at: str
    opened: int
    resolved: int
    open: Mapping[Severity, int]
    not_read: int
    mailed: bool
    problem: str | None = None


class LedgerState(NamedTuple):
    """The state after a committed run; empty before the first.

    ``records`` are the findings that are open, accepted or could not be verified, by id;
    ``resolved`` are those that were resolved in the last 90 days. ``announced`` are the keys of the
    exceptions whose end was mailed. ``settings`` is a hash of the settings that decide which
    findings there are and how severe they are. ``last_full_digest_at`` is when a mail last listed
    everything that was open. ``unknown`` are the accounts whose earlier state is not known.
    ``possibly_mailed`` are findings that an abandoned run may have mailed, by the id of that run.
    """

    records: Mapping[str, Record] = MappingProxyType({})
    resolved: Mapping[str, Resolved] = MappingProxyType({})
    targets: Mapping[Target, TargetState] = MappingProxyType({})
    announced: frozenset[str] = frozenset()
    runs: tuple[RunSummary, ...] = ()
    settings: str | None = None
    last_full_digest_at: str | None = None
    unknown: frozenset[str] = frozenset()
    possibly_mailed: Mapping[str, tuple[Finding, ...]] = MappingProxyType({})


def last_readings(state: LedgerState) -> dict[Target, str]:
    """When each target was last read; 90 days earlier if it was not read completely."""
    return {
        target: reading.read_at
        if reading.status is CoverageStatus.OK
        else (datetime.fromisoformat(reading.read_at) - _LONG).isoformat(timespec="seconds")
        for target, reading in state.targets.items()
    }
