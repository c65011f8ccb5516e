"""A finding or an unread target in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from handler.model.audit_report import Report
from handler.model.finding import Finding, Severity
from handler.model.network import Target
from handler.model.run import CoverageStatus
from handler.report import phrases
from handler.sanitize import plain

_NAMED_SOURCES = 10


@dataclass(frozen=True, slots=True)
class UnreadTarget:
    """A target that was not read, for formats that know findings only."""

    KIND: ClassVar = "not-read"
    SEVERITY: ClassVar = Severity.HIGH

    target: Target
    status: CoverageStatus
    text: str


def unread_targets(report: Report) -> Iterator[UnreadTarget]:
    """The targets that could not be read, or not in full, in the report's order."""
    names = report.names_shown
    for coverage in report.unread:
        yield UnreadTarget(coverage.target, coverage.status, phrases.unread(coverage, names))


def description(finding: Finding) -> str:
    """All of a finding in sentences, without the command that closes it."""
    managed = f"; managed by {plain(finding.managed_by)}" if finding.managed_by else ""
    facts = {
        "Attached": f"{phrases.attached(finding)}{managed}",
        "Sources": phrases.join_first(
            (*finding.sources, *finding.prefix_lists), _NAMED_SOURCES, total=finding.source_count
        ),
        "Opened by": phrases.opened_by(finding),
        "Owner": plain(finding.owner or ""),
        "Exception": plain(finding.exception or ""),
    }
    place = f"{phrases.groups(finding)} in {phrases.place(finding.target)}"
    detail = f"; {plain(finding.detail)}" if finding.detail else ""
    sentences = (
        f"{place} opens {phrases.opening(finding)}{detail}",
        plain(finding.why),
        *(f"{name}: {fact}" for name, fact in facts.items() if fact),
    )
    return " ".join(text if text.endswith(".") else f"{text}." for text in sentences)
