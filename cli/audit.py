"""An audit in this process, from a terminal rather than from Lambda."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from handler.audit import report, scans
from handler.aws import Clients
from handler.model import Report, Run, Trigger
from handler.policy import Policy


def audit(clients: Clients, regions: Sequence[str], policy: Policy) -> Report:
    """The report on every region, or on all enabled ones when none is named."""
    started_at = _now()
    scanned = list(scans(clients, regions, policy))
    return report(Run(str(uuid.uuid4()), Trigger.MANUAL, started_at, _now()), scanned)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
