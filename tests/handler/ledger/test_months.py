"""Simulated months with faults and deaths: every opening is mailed, and none twice."""

import logging
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from handler.ledger.bucket_store import HEAD_KEY
from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from handler.model.finding import Status
from handler.model.run import AuditIncompleteError, MailError
from handler.settings import Settings
from sandbox.aws.faults import Fault
from tests.support.examples import number_of
from tests.support.stack import REGIONS, Killed, Stack, killed, text_of

Opening = tuple[str, int]
"""The name of a group, and a port of it that the world reaches."""
# Openings that change more often may be damped.
_CHANGE_INTERVAL = timedelta(days=8)
# A little more than a run makes, so that some are not killed.
_REQUESTS = 15


class Month:
    """Thirty days in an account, and what each mail should have announced."""

    def __init__(self, stack: Stack, seed: int, *, deaths: bool) -> None:
        self._stack = stack
        self._random = random.Random(seed)  # noqa: S311 -- the same month each time
        self._deaths = deaths
        self._groups: dict[str, tuple[str, str]] = {}
        self._open: set[Opening] = set()
        self._changed_at: dict[Opening, datetime] = {}
        self._known: set[Opening] = set()
        self._committed_runs = 0
        self._denied: str | None = None
        self.announced: Counter[Opening] = Counter()
        self.expected: Counter[Opening] = Counter()
        self.faults: Counter[str] = Counter()

    def live(self) -> None:
        """Thirty days with a run each, changes and faults between them, and a calm one after."""
        for number in range(30):
            self._change()
            self._run(f"day-{number}")
            if self._random.random() < 0.3:
                self._run(f"day-{number}", "delivered again")
            self._stack.day()
        self._run("last", "none")

    def _change(self) -> None:
        """Open or close a few ports."""
        for _ in range(self._random.randrange(4)):
            name = f"group-{self._random.randrange(9)}"
            opening = (name, self._random.choice([22, 3389, 5432]))
            changed_at = self._changed_at.get(opening)
            if changed_at and self._stack.time - changed_at < _CHANGE_INTERVAL:
                continue
            if name not in self._groups:
                region = self._random.choice(REGIONS)
                group = self._stack.account.client("ec2", region).create_security_group(
                    GroupName=name, Description=name
                )
                self._groups[name] = (group["GroupId"], region)
            group_id, region = self._groups[name]
            act = self._stack.close if opening in self._open else self._stack.allow
            act(group_id, region, opening[1])
            self._open ^= {opening}
            self._changed_at[opening] = self._stack.time

    def _fault(self) -> str:
        """What goes wrong in the next run."""
        faults, chance = self._stack.account.faults, self._random.random()
        kind = "none"
        if chance < 0.1:
            kind = "region denied"
            self._denied = self._random.choice(REGIONS)
            faults.deny("DescribeSecurityGroups", self._denied)
        elif chance < 0.2:
            kind = "mail refused"
            faults.refuse_mail()
        elif chance < 0.3:
            kind = "ledger denied"
            operation = self._random.choice(["GetObject", "PutObject"])
            faults.add(Fault(operation, code="AccessDenied", message="No.", status=403))
        elif chance < 0.4:
            kind = "throttled"
            faults.throttle("DescribeSecurityGroups", 2)
        elif chance < 0.7 and self._deaths:
            kind = "killed"
        return kind

    def _run(self, run_id: str, fault: str = "") -> None:
        mails = len(self._stack.account.mails())
        self._denied = None
        fault = fault or self._fault()
        self.faults[fault] += 1
        try:
            if fault == "killed":
                at = self._random.randrange(1, _REQUESTS)
                with killed(at, answered=self._random.random() < 0.5):
                    self._stack.run(run_id=run_id)
            else:
                self._stack.run(run_id=run_id)
        except (AuditIncompleteError, MailError, Killed):
            pass
        self._stack.account.faults.clear()
        for mail in self._stack.account.mails()[mails:]:
            self.announced.update(announced(text_of(mail.message)))
        runs = self._stack.head.runs if HEAD_KEY in self._stack.keys else ()
        if len(runs) > self._committed_runs:
            self._committed_runs = len(runs)
            read = {*REGIONS} - {self._denied}
            found = {opening for opening in self._open if self._region(opening) in read}
            self.expected.update(found - self._known)
            unread = {opening for opening in self._known if self._region(opening) not in read}
            self._known = found | unread

    def _region(self, opening: Opening) -> str:
        return self._groups[opening[0]][1]


def compose_announcements(settings: Settings, report: Report, _kind: DigestKind) -> bytes:
    """A mail of what is new or back; text, HTML and attachment take most of a run's time."""
    lines = "\n".join(
        f"{finding.group_name} {finding.traffic.from_port}"
        for finding in report.findings
        if finding.status in {Status.NEW, Status.REOPENED}
    )
    return f"To: {settings.recipients[0]}\n\n{lines}\n".encode()


def announced(mail: str) -> Iterator[Opening]:
    """The openings that a mail says are new or back."""
    for line in mail.splitlines():
        if line:
            name, port = line.split()
            yield name, int(port)


@pytest.fixture(autouse=True)
def _announcements(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("handler.mail.compose", compose_announcements)
    # Nobody reads the lines, one for each finding, that pytest would keep.
    caplog.set_level(logging.CRITICAL, "handler")


months = pytest.mark.parametrize("seed", range(number_of(50, in_ci=100)))


@months
def test_a_month_in_which_no_run_dies(stack: Stack, seed: int) -> None:
    """Each opening is announced exactly once, whatever is denied, refused or delivered again."""
    month = Month(stack, seed, deaths=False)
    month.live()
    assert month.announced == month.expected
    assert month.expected.total() > 10


@months
def test_a_month_in_which_runs_die(stack: Stack, seed: int) -> None:
    """Each opening is announced at least once."""
    check_month_with_deaths(stack, seed)


def test_a_month_over_http_in_which_runs_die(http_stack: Stack) -> None:
    """Each opening is announced at least once, also in the sandbox's account."""
    check_month_with_deaths(http_stack, seed=0)


def check_month_with_deaths(stack: Stack, seed: int) -> None:
    """No opening is left unannounced in a month with deaths."""
    month = Month(stack, seed, deaths=True)
    month.live()
    assert month.faults["killed"] > 2
    assert month.announced >= month.expected
