"""Subject and headline: the news first, and never without what was not read."""

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from handler.ledger.next_state import next_state
from handler.ledger.state import LedgerState
from handler.model.audit_report import Changes, Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Change, Previous, Severity, Status
from handler.model.policy_exception import PolicyException
from handler.model.run import Scan
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from handler.report.digest import build_digest
from handler.report.subject import headline, preheader, subject
from tests.support import reports
from tests.support.security_groups import answer, permission

WORLD = "0.0.0.0/0"
ENDING = PolicyException("sg-1", "tcp/22", Traffic("tcp", 22, 22), "a", "b", date(2026, 11, 25))
PUBLIC = {"Association": {"PublicIp": "52.208.10.11"}, "VpcId": "vpc-1", "SubnetId": "subnet-1"}


def scan(*ports: int, name: str = "web", source: str = WORLD) -> Scan:
    """The scan of a group on a public interface that opens these ports."""
    group = answer(*(permission("tcp", port, port, source) for port in ports), name=name)
    interface = {"NetworkInterfaceId": "eni-1", "Groups": [{"GroupId": "sg-1"}], **PUBLIC}
    return reports.read(group, NetworkInterfaces=[interface])


def known(*ports: int) -> LedgerState:
    """What is known after a run that found these ports open."""
    report = reports.of(scan(*ports), previous=LedgerState())
    return next_state(LedgerState(), report, Policy(), DigestKind.FULL)


def with_finding(**fields: Any) -> Report:
    """The report of a run that is not the first, with SSH as changed as the fields say."""
    report = reports.of(scan(22), previous=known(22))
    (finding,) = report.findings
    return replace(report, findings=(finding._replace(**fields),))


def before(finding_severity: Severity = Severity.HIGH) -> tuple[Previous, ...]:
    """What a changed finding was."""
    (finding,) = scan(22).findings
    return (Previous(finding.id, finding.traffic, finding.reach, finding_severity),)


@pytest.mark.parametrize(
    ("report", "line", "sentence"),
    [
        pytest.param(
            reports.of(scan()),
            "Nothing open to the internet in 1 region",
            "Nothing open to the internet in 1 region",
            id="clean",
        ),
        pytest.param(
            reports.of(scan(22)),
            "Critical: SSH open to the internet on web",
            "SSH on web is open to the internet",
            id="one",
        ),
        pytest.param(
            reports.of(scan(22, 3389)),
            "2 critical exposures: start with web, SSH",
            "2 critical exposures to the internet",
            id="several",
        ),
        pytest.param(
            reports.of(scan(443, 80)),
            "2 low exposures: start with web, HTTP",
            "2 low findings, nothing worse",
            id="low",
        ),
        pytest.param(
            reports.of(scan(22), reports.DENIED),
            "1 region not read; 1 critical exposure",
            "1 region not read; SSH on web is open to the internet",
            id="not-read",
        ),
        pytest.param(
            reports.of(scan(3306), reports.DENIED),
            "1 region not read; 1 critical exposure",
            "1 region not read; MySQL on web is open to the internet",
            id="not-read-before-a-name",
        ),
        pytest.param(
            reports.of(reports.DENIED),
            "Nothing could be read in 1 region",
            "Nothing could be read in 1 region",
            id="nothing-read",
        ),
        pytest.param(
            reports.of(scan(22, source="5.0.0.0/24")),
            "Nothing of low severity or higher open in 1 region",
            "Nothing of low severity or higher open in 1 region",
            id="below-the-minimum",
        ),
        pytest.param(
            reports.of(scan(22, source="0.0.0.0/2"), previous=known()),
            "New high: SSH on web",
            "New: SSH on web is open to 28.10% of the IPv4 internet",
            id="a-part-of-the-internet",
        ),
        pytest.param(
            reports.of(scan(22, source="9.9.0.0/16"), previous=known()),
            "New high: SSH on web",
            "New: SSH on web is open to 0.0018% of the IPv4 internet",
            id="a-small-part-of-the-internet",
        ),
        pytest.param(
            reports.of(scan(22, source="2600::/32"), previous=known()),
            "New low: SSH on web",
            "New: the rules of web allow SSH from less than 0.0001% of the IPv6 internet, but the "
            "interface has no public IPv6 address",
            id="a-tiny-part-of-the-internet",
        ),
        pytest.param(
            reports.of(scan(22, source="9.9.0.0/20"), previous=known()),
            "New medium: SSH on web",
            "New: SSH on web is open to 4,096 addresses",
            id="addresses",
        ),
        pytest.param(
            reports.of(
                reports.read(
                    answer(permission("tcp", 22, 22, "0.0.0.0/2"), name="web"), NetworkInterfaces=[]
                ),
                previous=known(),
            ),
            "New low: SSH on web",
            "New: the rules of web allow SSH from 28.10% of the IPv4 internet, but the group is "
            "not attached to any network interface",
            id="a-part-of-the-internet-and-not-attached",
        ),
        pytest.param(
            reports.of(scan(22), policy=Policy.parse({"authorizedPorts": ["tcp/22"]})),
            "Nothing open to the internet but what is accepted in 1 region",
            "Nothing open to the internet but what is accepted in 1 region",
            id="authorized",
        ),
        pytest.param(
            reports.of(scan(22, 3389), previous=known(22)),
            "New critical: RDP open to the internet on web",
            "New: RDP on web is open to the internet",
            id="new",
        ),
        pytest.param(
            reports.of(scan(22, 3389, 443), previous=known(80)),
            "New critical: SSH open to the internet on web (2 more new, 1 resolved)",
            "New: SSH on web is open to the internet, and 2 more",
            id="several-new",
        ),
        pytest.param(
            reports.of(scan(22), reports.DENIED, previous=known()),
            "1 region not read; new critical: SSH open to the internet on web",
            "1 region not read; new: SSH on web is open to the internet",
            id="new-and-not-read",
        ),
        pytest.param(
            with_finding(status=Status.REOPENED),
            "Reopened critical: SSH open to the internet on web",
            "Reopened: SSH on web is open to the internet",
            id="reopened",
        ),
        pytest.param(
            with_finding(change=Change.WIDENED, previously=before()),
            "Widened critical: SSH open to the internet on web",
            "Widened: SSH on web is open to the internet",
            id="widened",
        ),
        pytest.param(
            with_finding(change=Change.WORSENED, previously=before()),
            "Worse critical: SSH open to the internet on web",
            "Worse: SSH on web is open to the internet",
            id="worse",
        ),
        pytest.param(
            with_finding(change=Change.NARROWED, previously=before()),
            "Narrowed: SSH on web; 1 still open (1 critical)",
            "Narrowed: SSH on web",
            id="narrowed",
        ),
        pytest.param(
            reports.of(scan(22), previous=known(22, 80)),
            "Resolved: HTTP on web; 1 still open (1 critical)",
            "Resolved: HTTP on web",
            id="resolved",
        ),
        pytest.param(
            reports.of(scan(), previous=known(22, 80)),
            "2 resolved; nothing open",
            "2 resolved",
            id="all-resolved",
        ),
    ],
)
def test_subject_and_headline(report: Report, line: str, sentence: str) -> None:
    """Both name the news: what was not read, what has opened, what is open, what is resolved."""
    assert subject(report) == f"[dev] {line}"
    assert headline(report) == sentence


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"ending": (ENDING,)}, "1 exception expired or expiring; nothing open"),
        ({"ending": (ENDING, ENDING)}, "2 exceptions expired or expiring; nothing open"),
        ({"regained": (reports.IRELAND,)}, "1 region can be read again; nothing open"),
        ({"left_out": (reports.IRELAND,)}, "1 region no longer audited; nothing open"),
        (
            {"unlisted": scan(22).findings, "regained": (reports.IRELAND,)},
            "1 no longer listed, 1 region can be read again; nothing open",
        ),
    ],
)
def test_changes_other_than_open_findings(changes: dict[str, Any], line: str) -> None:
    """They are the news if nothing has opened."""
    report = replace(reports.of(scan()), changes=Changes(**changes))
    assert subject(report) == f"[dev] {line}"


@pytest.mark.parametrize(
    ("stack", "name", "unread", "line"),
    [
        (
            "production-europe-west",
            "orders-database-of-the-shop-in-ireland",
            0,
            "[production-eu...] New critical: SSH on orders-database-of-the-shop-in-ireland",
        ),
        ("dev", "w" * 255, 1, f"[dev] 1 region not read; new critical: SSH on {'w' * 21}... (+2)"),
        (
            "dev",
            "orders-database",
            1,
            "[dev] 1 region not read; new critical: SSH on orders-database (2 more new)",
        ),
    ],
)
def test_what_is_dropped_for_room(stack: str, name: str, unread: int, line: str) -> None:
    """Numbers, the audience and the end of a name are, never what is new or was not read."""
    read = scan(22, 80, 443, name=name)
    report = reports.of(read, *[reports.DENIED] * unread, stack=stack, previous=known())
    assert subject(report) == line
    assert len(line) <= 78
    assert "new critical: ssh" in line[:50].casefold()


def test_the_preheader_counts() -> None:
    """It says what the subject does not: all counts, and how much was read."""
    assert preheader(reports.of(scan(22, 80), reports.DENIED)) == (
        "Open: 1 critical, 1 low. 1 of 2 regions read: 1 group, 2 rules."
    )


@pytest.mark.parametrize("ids", list(permutations("abc")))
def test_ids_do_not_decide_where_to_start(ids: tuple[str, ...]) -> None:
    """Of equally severe findings, the one with the most traffic is the first."""
    groups = [
        answer(permission("tcp", 22, 22, WORLD), group_id="sg-1", name="bastion"),
        answer(permission("-1", None, None, WORLD), group_id="sg-2", name="erp"),
        answer(permission("tcp", 20, 25, WORLD), group_id="sg-3", name="files"),
    ]
    findings = reports.read(*groups).findings
    dealt = [finding._replace(id=name) for finding, name in zip(findings, ids, strict=True)]
    report = reports.of(reports.read(*groups)._replace(findings=tuple(dealt)))
    digest = build_digest(report)
    assert digest.advice == "Start with erp: all traffic is open to the internet."
    assert digest.subject == "[dev] 3 critical exposures: start with erp, all traffic"
    assert [entry.group for entry in digest.sections[0].entries] == ["erp", "files", "bastion"]
