"""The log lines of a run: ids and numbers, never recipients or whole texts."""

import logging
from collections.abc import Iterable, Iterator, Mapping

from handler.event import RunRequest
from handler.model.audit_report import Report
from handler.model.finding import MAX_NAMED
from handler.model.run import Scan

_LOGGER = logging.getLogger(__name__)


def log_start(request: RunRequest) -> None:
    """Log the start of a run."""
    _LOGGER.info("Audit started.", extra={"runId": request.id, "trigger": request.trigger.value})


def log_foreign(request: RunRequest) -> None:
    """Log that an event about another account is ignored."""
    _LOGGER.warning("Event of another account ignored.", extra={"runId": request.id})


def log_answered(request: RunRequest) -> None:
    """Log that the run of an event has committed before."""
    _LOGGER.info("Event answered before.", extra={"runId": request.id})


def log_counts(request: RunRequest, counts: Mapping[str, int], milliseconds: int) -> None:
    """Log the counts of a finished run, from which the metrics are made."""
    facts = {**counts, "runId": request.id, "durationMs": milliseconds}
    _LOGGER.info("Audit finished.", extra=facts)


def log_scans(scans: Iterable[Scan]) -> Iterator[Scan]:
    """The scans as they arrive, each logged in one line."""
    for scan in scans:
        coverage, target = scan.coverage, scan.coverage.target
        facts: dict[str, str | int] = {
            "account": target.account,
            "region": target.region,
            "status": coverage.status.value,
            "groups": coverage.groups,
            "rules": coverage.rules,
        }
        if coverage.is_complete:
            _LOGGER.info("Target read.", extra=facts)
        else:
            _LOGGER.error("Target not read.", extra=facts | {"reason": coverage.error or ""})
        yield scan


def log_findings(report: Report) -> None:
    """Log one line per listed finding."""
    for finding in report.listed(report.findings):
        facts: dict[str, str | int] = {
            "account": finding.target.account,
            "region": finding.target.region,
            "findingId": finding.id,
            "kind": finding.kind.value,
            "severity": finding.severity.value,
            "status": finding.status.value,
            "groupId": finding.group_id,
            "protocol": finding.traffic.protocol,
            "reach": finding.reach.value,
            "ruleIds": ",".join(finding.rule_ids[:MAX_NAMED]),
        }
        if None not in (ports := (finding.traffic.from_port, finding.traffic.to_port)):
            facts["ports"] = "-".join(map(str, ports))
        _LOGGER.warning("Finding.", extra=facts)


def log_copies(copied: Iterable[bool]) -> None:
    """Log one line per copy, without its recipient."""
    for is_sent in copied:
        if is_sent:
            _LOGGER.info("Copy sent.")
        else:
            _LOGGER.warning("Copy not sent.")
