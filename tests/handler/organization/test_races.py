"""Reports on many accounts that die, or that run at the same time."""

from typing import Any

import pytest

from handler.model.run import AuditIncompleteError
from sandbox.aws.faults import Fault
from tests.support.organization import MemoryOrganization, refusal
from tests.support.stack import Killed, intercepted, unwrapped

PAYMENTS, SHOP = "111122223333", "222233334444"


@pytest.fixture(autouse=True)
def members(organization: MemoryOrganization) -> None:
    """Two accounts with an open group each, after the first run."""
    for account, name in ((PAYMENTS, "payments"), (SHOP, "shop")):
        organization.join(account, name)
        organization.open(account, f"{name}-web")
    organization.run()
    organization.day()


def read_slowly(organization: MemoryOrganization) -> None:
    """A run, slow, has read all accounts and not reported yet."""
    organization.start(run="slow")
    organization.scan("slow")
    organization.sleep(30)


def die_after_the_mail(request: Any, send: Any) -> Any:
    """The process ends when SES has accepted a mail."""
    answer = send()
    if request.name == "SendEmail":
        raise Killed
    return answer


@pytest.mark.parametrize("is_overlapped", [False, True])
def test_what_a_dead_run_may_have_mailed_is_resolved(
    organization: MemoryOrganization, *, is_overlapped: bool
) -> None:
    """A run that died after its mail leaves nothing open for those who have read it.

    One that had read the accounts before cannot tell, and leaves that to the next run.
    """
    if is_overlapped:
        read_slowly(organization)
    database = organization.open(SHOP, "database", port=5432)
    organization.start(run="dead")
    organization.scan("dead")
    with pytest.raises(Killed), intercepted(die_after_the_mail):
        organization.report("dead")
    if is_overlapped:
        organization.sleep(120)
        organization.report("slow")
    organization.day()
    client = organization.members[SHOP].account.client("ec2", "eu-west-1")
    client.delete_security_group(GroupId=database)
    counts = organization.run()["counts"]
    assert (counts["new"], counts["resolved"]) == (0, 1)
    assert "run dead may have announced it" in unwrapped(organization.texts[-1])
    assert organization.head.abandoned == ()


def test_the_plan_that_is_stored_first_is_started(organization: MemoryOrganization) -> None:
    """Two attempts at once, one of which cannot list the accounts, both start the first plan."""
    fast: list[Any] = []

    def overtake(request: Any, send: Any) -> Any:
        if request.url.endswith("plan.json") and request.method == "PUT" and not fast:
            fast.append("e1")
            organization.listing_error = refusal("ListAccounts", "AccessDeniedException", "No.")
            organization.start(run="e1")
            fast.append(organization.executions.pop("e1"))
        return send()

    with intercepted(overtake):
        organization.start(run="e1")
    assert fast == ["e1", organization.executions["e1"]]
    assert organization.executions["e1"]["hasAccounts"] is False


def test_a_report_that_is_overtaken_before_its_claim_begins_again(
    organization: MemoryOrganization,
) -> None:
    """What the faster run has committed of its account stays, and nothing is mailed twice."""
    organization.open(PAYMENTS, "other", port=3306)
    organization.start(run="slow")
    organization.scan("slow")
    organization.sleep(60)
    organization.open(SHOP, "late", port=5432)
    overtaken: list[str] = []

    def overtake(request: Any, send: Any) -> Any:
        if request.url.endswith("head.json") and request.method == "PUT" and not overtaken:
            overtaken.append("slow")
            organization.run({"accounts": [SHOP], "notify": "changes"}, run="fast")
        return send()

    with intercepted(overtake):
        organization.report("slow")
    assert [run.id for run in organization.head.runs][1:] == ["fast", "slow"]
    fast, slow = organization.texts[1:]
    assert "late (" in fast
    assert "other (" in slow
    organization.day()
    counts = organization.run()["counts"]
    assert (counts["new"], counts["resolved"], counts["mailed"]) == (0, 0, 0)


def test_what_a_later_run_could_not_read_is_not_read(organization: MemoryOrganization) -> None:
    """The slow run has read it before; it tells what it saw, and not that it can be read again."""
    organization.open(PAYMENTS, "database", port=5432)
    read_slowly(organization)
    organization.members[PAYMENTS].trusts = False
    with pytest.raises(AuditIncompleteError):
        organization.run(run="later")
    organization.sleep(30)
    with pytest.raises(AuditIncompleteError, match="payments"):
        organization.report("slow")
    assert "PostgreSQL" in organization.texts[-1]
    assert "Read again" not in organization.texts[-1]
    mails = len(organization.texts)
    organization.day()
    with pytest.raises(AuditIncompleteError):
        organization.run()
    assert organization.texts[mails:] == []


def test_a_region_that_a_later_run_could_not_read_is_not_read(
    organization: MemoryOrganization,
) -> None:
    """The slow run tells what it saw there, and that it could not be read since."""
    organization.open(PAYMENTS, "database", port=5432)
    read_slowly(organization)
    denied = Fault("DescribeSecurityGroups", region="eu-west-1", code="UnauthorizedOperation")
    organization.members[PAYMENTS].account.faults.add(denied)
    with pytest.raises(AuditIncompleteError):
        organization.run(run="later")
    organization.sleep(30)
    with pytest.raises(AuditIncompleteError, match="a later run could not read it"):
        organization.report("slow")
    assert "PostgreSQL" in organization.texts[-1]
    assert "Read again" not in organization.texts[-1]


def test_a_run_of_one_region_says_nothing_of_others(organization: MemoryOrganization) -> None:
    """It could not enter the account, of which a later run has read all."""
    event = {"accounts": [PAYMENTS], "regions": ["us-east-1"]}
    organization.members[PAYMENTS].trusts = False
    organization.start(event, run="part")
    organization.scan("part")
    organization.sleep(30)
    organization.members[PAYMENTS].trusts = True
    organization.run(run="later")
    with pytest.raises(AuditIncompleteError):
        organization.report("part")
    assert "payments-web" not in organization.texts[-1]


@pytest.mark.parametrize(
    "event", [{}, {"accounts": [PAYMENTS], "regions": ["eu-west-1"]}], ids=["all", "one-region"]
)
def test_an_account_that_was_not_entered_is_not_read(
    organization: MemoryOrganization, event: dict[str, object]
) -> None:
    """A later run could read it, or one of its regions; the next whole run says so."""
    organization.members[PAYMENTS].trusts = False
    read_slowly(organization)
    organization.members[PAYMENTS].trusts = True
    organization.open(PAYMENTS, "database", port=5432)
    organization.run({**event, "notify": "changes"}, run="later")
    assert "PostgreSQL" in organization.texts[-1]
    organization.sleep(30)
    with pytest.raises(AuditIncompleteError, match="payments"):
        organization.report("slow")
    assert "PostgreSQL" not in organization.texts[-1]
    organization.day()
    counts = organization.run()["counts"]
    assert "Read again: payments" in organization.texts[-1]
    assert (counts["medium"], counts["new"], counts["resolved"]) == (3, 0, 0)


def test_a_region_that_was_enabled_meanwhile_stays_known(organization: MemoryOrganization) -> None:
    """The run that read the account before does not say that it is no longer audited."""
    read_slowly(organization)
    organization.patch.setenv("AUDIT_REGIONS", "eu-west-1,us-east-1,eu-central-1")
    organization.open(PAYMENTS, "database", "eu-central-1", port=5432)
    organization.run(run="later")
    mails = len(organization.texts)
    organization.sleep(30)
    organization.report("slow")
    organization.day()
    organization.run()
    assert organization.texts[mails:] == []


def test_a_child_without_a_result_is_older_than_what_was_read(
    organization: MemoryOrganization,
) -> None:
    """Its account counts as not read from the start of its run on."""
    organization.members[PAYMENTS].dies = True
    organization.start(run="old")
    organization.sleep(30)
    organization.members[PAYMENTS].dies = False
    organization.start(run="new")
    organization.scan("new")
    organization.sleep(30)
    with pytest.raises(AuditIncompleteError):
        organization.report("old")
    assert organization.report("new")["counts"]["targetsNotRead"] == 0


@pytest.mark.parametrize("state", ["SUSPENDED", "ACTIVE"])
def test_an_older_listing_moves_no_account(organization: MemoryOrganization, state: str) -> None:
    """A run that listed the accounts before a later run says nothing of their states."""
    states = ["ACTIVE", "SUSPENDED"]
    states.remove(state)
    organization.members[SHOP].state = states[0]
    organization.run()
    organization.day()
    read_slowly(organization)
    organization.members[SHOP].state = state
    organization.run(run="later")
    mails = len(organization.texts)
    organization.sleep(30)
    organization.report("slow")
    organization.day()
    organization.run()
    assert organization.texts[mails:] == []


def test_settings_that_change_before_the_report_are_said_by_the_next_run(
    organization: MemoryOrganization,
) -> None:
    """What they take off the list is counted in a mail, although that run stored their hash."""
    organization.start(run="slow")
    organization.scan("slow")
    organization.apply(authorizedPorts=["tcp/22"])
    assert organization.report("slow")["counts"]["mailed"] == 0
    organization.day()
    organization.run()
    assert "Settings changed: 2 findings are no longer listed." in organization.texts[-1]


def test_an_exception_that_a_later_run_used_matches_something(
    organization: MemoryOrganization,
) -> None:
    """The run that read before it cannot tell, and says nothing of the exception."""
    group = organization.open(SHOP, "database", port=5432)
    client = organization.members[SHOP].account.client("ec2", "eu-west-1")
    client.delete_security_group(GroupId=group)
    exception = {"group": group, "ports": "tcp/5432", "until": "2026-12-31"}
    organization.apply(exceptions=[{**exception, "reason": "a test", "owner": "ops"}])
    organization.open(PAYMENTS, "cache", port=6379)
    read_slowly(organization)
    organization.open(SHOP, "database", port=5432)
    organization.run({"accounts": [SHOP]}, run="later")
    organization.sleep(30)
    organization.report("slow")
    assert "Redis" in organization.texts[-1]
    assert "Matches nothing" not in organization.texts[-1]
