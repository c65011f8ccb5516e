"""Who opened findings, for tests of what is written of them."""

from dataclasses import replace

from handler.attribution.cloudtrail_event import parse_record
from handler.model.audit_report import Report
from handler.model.opened_by import Actor, ActorKind, Means, NotAttributed, OpenedBy
from tests.support.cloudtrail import authorize, role, rule

ALICE = OpenedBy(
    Actor(ActorKind.IAM_USER, "IAM user alice", "alice"),
    "2026-11-23T05:58:00Z",
    "5a4db0c5-2222-4000-8000-000000000000",
    "203.0.113.9",
)
BY_ATTACHING = ALICE._replace(
    actor=Actor(ActorKind.ROOT, "the root user"), means=Means.INTERFACE, source_address=None
)
NOT_FOUND = NotAttributed("2026-11-22T06:00:00Z", 2)
NOT_READ = NOT_FOUND._replace(is_read=False)
NOT_YET = NOT_FOUND._replace(tries=1)


def opened(report: Report, opened_by: OpenedBy | NotAttributed | None = ALICE) -> Report:
    """The report with somebody who opened each finding."""
    findings = (finding._replace(opened_by=opened_by) for finding in report.findings)
    return replace(report, findings=tuple(findings))


def hostile(text: str) -> OpenedBy:
    """A call of a role whose names are that text, from an address that is, as CloudTrail has it."""
    call = parse_record(
        authorize(rule(), identity=role(text, text), sourceIPAddress=text, eventID=text)
    )
    assert call is not None
    return OpenedBy(call.actor, call.at, call.id, call.source_address)
