"""Who opened what, from run to run, in an account with CloudTrail."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from handler.policy.policy import Policy
from sandbox.aws.account import Account
from sandbox.aws.faults import Fault
from tests.support.stack import Context, Stack, answering, intercepted, unwrapped

SSH = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
SEEN_BY_ALICE = "opened by: IAM user alice, 23 Nov 2026 06:00 UTC from 127.0.0.1"


@pytest.fixture
def account() -> Iterator[Account]:
    """An account with its CloudTrail."""
    with Account() as entered:
        yield entered


@pytest.fixture
def stack(account: Account, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The audit with attribution, after its first run."""
    stack = Stack(account, monkeypatch)
    account.history.now = lambda: stack.time
    monkeypatch.setenv("ATTRIBUTION", "true")
    stack.run()
    return stack


def user(account: Account, name: str) -> str:
    """The access key of a new IAM user of that name."""
    iam = account.client("iam")
    iam.create_user(UserName=name)
    key: str = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    return key


def open_ssh(account: Account, who: str, region: str = "eu-west-1") -> str:
    """A new group in which somebody opens SSH; its id."""
    ec2 = account.client("ec2", region, key=user(account, who))
    group_id: str = ec2.create_security_group(GroupName=who, Description="web")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=SSH)
    return group_id


def look_ups(account: Account) -> list[str]:
    """The region of each request of LookupEvents."""
    return [call.region for call in account.calls if call.operation == "LookupEvents"]


def change(account: Account) -> dict[str, Any]:
    """The last recorded call as EventBridge delivers it."""
    return account.history.event(account.history.records[-1])


def test_a_first_run_asks_for_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was open before is nobody's news."""
    stack = Stack(account, monkeypatch)
    monkeypatch.setenv("ATTRIBUTION", "true")
    open_ssh(account, "alice")
    stack.run()
    assert look_ups(account) == []
    assert "opened by" not in stack.texts[0]


def test_a_scheduled_run_asks_the_event_history(stack: Stack, account: Account) -> None:
    """The region with something new, for the calls that change rules: two requests."""
    open_ssh(account, "alice", "us-east-1")
    stack.run()
    assert SEEN_BY_ALICE in unwrapped(stack.texts[-1])
    assert look_ups(account) == ["us-east-1", "us-east-1"]
    stack.day()
    stack.run()
    assert len(look_ups(account)) == 2


def test_a_run_about_a_change_asks_its_event(stack: Stack, account: Account) -> None:
    """The event has who made the call; nothing is looked up."""
    open_ssh(account, "alice")
    stack.run(change(account))
    assert SEEN_BY_ALICE in unwrapped(stack.texts[-1])
    assert look_ups(account) == []


def test_what_another_event_has_opened_is_looked_up_later(stack: Stack, account: Account) -> None:
    """A run about bob's change also sees what alice has opened; the next whole run says who."""
    open_ssh(account, "alice")
    open_ssh(account, "bob")
    stack.run(change(account))
    mail = unwrapped(stack.texts[-1])
    assert "IAM user bob" in mail
    assert "IAM user alice" not in mail
    stack.day()
    stack.run()
    openers = {r.finding.group_name: r.finding.opened_by for r in stack.state.records.values()}
    assert openers["alice"].actor.principal == "IAM user alice"  # type: ignore[union-attr]


def test_who_opened_it_is_kept_until_it_is_wider(stack: Stack, account: Account) -> None:
    """Whoever makes it wider is named from then on."""
    group_id = open_ssh(account, "alice")
    narrow = [SSH[0] | {"IpRanges": [{"CidrIp": "0.0.0.0/1"}]}]
    ec2 = account.client("ec2")
    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=SSH)
    account.client("ec2", key=user(account, "carol")).authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=narrow
    )
    stack.run()
    stack.day(8)
    stack.run({})
    assert "opened by: IAM user carol, 23 Nov 2026" in unwrapped(stack.texts[-1])
    account.client("ec2", key=user(account, "bob")).authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=SSH
    )
    stack.run({})
    assert "opened by: IAM user bob, 1 Dec 2026" in unwrapped(stack.texts[-1])


def test_attaching_an_interface_opens_nothing(stack: Stack, account: Account) -> None:
    """A run about bob's attaching names nobody for what a rule opened; the next one alice."""
    group_id = open_ssh(account, "alice")
    ec2 = account.client("ec2", key=user(account, "bob"))
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=[group_id]
    )
    stack.run(change(account))
    assert "New medium: SSH on alice" in stack.subjects[-1]
    assert "opened by" not in stack.texts[-1]
    stack.day()
    stack.run()
    stack.run({})
    assert SEEN_BY_ALICE in unwrapped(stack.texts[-1])


def test_whoever_made_the_last_of_many_rules_is_named(stack: Stack, account: Account) -> None:
    """A report names 15 rules of a finding; what opened it is looked for among all 21."""
    group_id = stack.open("web", source="9.0.0.0/16")
    for number in range(1, 20):
        stack.allow(group_id, source=f"9.{number}.0.0/16")
    stack.day()
    stack.run()
    stack.day(2)
    account.client("ec2", key=user(account, "alice")).authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=[SSH[0] | {"IpRanges": [{"CidrIp": "128.0.0.0/1"}]}]
    )
    stack.run()
    assert "Widened low: SSH on web" in stack.subjects[-1]
    assert "opened by: IAM user alice, 26 Nov 2026" in unwrapped(stack.texts[-1])


def test_who_opened_it_is_known_after_an_exception(
    stack: Stack, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked for what was open all the time, and alice gets no second copy."""
    monkeypatch.setenv("COPY_ACTOR", "example.com")
    open_ssh(account, "alice@example.com")
    stack.run()
    exception = {
        "group": "alice@example.com",
        "ports": "tcp/22",
        "reason": "tests",
        "owner": "team",
        "until": "2026-12-01",
    }
    policy = Policy.parse({"exceptions": [exception]})
    monkeypatch.setattr("handler.app.deployed_policy", lambda: policy)
    asked = len(look_ups(account))
    stack.day()
    stack.run()
    stack.day(10)
    sent = len(account.mails())
    stack.run()
    assert "Reopened medium: SSH on alice" in stack.subjects[-1]
    assert "opened by: IAM user alice@example.com, 23 Nov 2026" in unwrapped(stack.texts[-1])
    assert (len(look_ups(account)), len(account.mails())) == (asked, sent + 1)


def test_what_is_only_listed_since_is_not_called_unknown(
    stack: Stack, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that was authorized until now was opened long before, and nobody looked."""
    monkeypatch.setattr(
        "handler.app.deployed_policy", lambda: Policy.parse({"authorizedPorts": ["tcp/22"]})
    )
    open_ssh(account, "alice")
    stack.day()
    stack.run()
    monkeypatch.setattr("handler.app.deployed_policy", Policy)
    for _ in range(3):
        stack.day()
        stack.run()
    stack.run({})
    assert "opened by" not in stack.texts[-1]
    assert set(stack.statuses.values()) == {"open"}


def test_what_is_not_found_is_asked_for_once_more(stack: Stack, account: Account) -> None:
    """CloudTrail may be late; after the second run the report says that it has no such event."""
    open_ssh(account, "alice")
    late, account.history.records = account.history.records, []
    stack.run()
    assert "history" not in stack.texts[-1]
    account.history.records = late
    stack.day()
    stack.run()
    (record,) = stack.state.records.values()
    assert record.finding.opened_by.actor.principal == "IAM user alice"  # type: ignore[union-attr]


def test_what_is_not_found_twice_is_said(stack: Stack, account: Account) -> None:
    """With the day from which on it was looked for; it is not looked for a third time."""
    open_ssh(account, "alice")
    account.history.records.clear()
    stack.run()
    stack.day()
    stack.run()
    asked = len(look_ups(account))
    stack.day()
    stack.run({})
    assert len(look_ups(account)) == asked
    known = "opened by: unknown (not in CloudTrail's event history since 23 Nov 2026)"
    assert known in unwrapped(stack.texts[-1])


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_history_that_cannot_be_read_fails_no_run(
    stack: Stack, account: Account, code: str
) -> None:
    """The mail goes out and says so; what opened is found as soon as the history is read."""
    account.faults.add(Fault("LookupEvents", code=code))
    open_ssh(account, "alice")
    for run in range(3):
        assert stack.run()["counts"]["mailed"] == int(run == 0)
        stack.day()
    assert len(look_ups(account)) == 3
    unknown = "opened by: unknown (CloudTrail's event history could not be read)"
    assert unknown in unwrapped(stack.texts[-1])
    account.faults.clear()
    stack.run({})
    assert SEEN_BY_ALICE in unwrapped(stack.texts[-1])


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        '"x"',
        "null",
        '{"Events": 5}',
        '{"Events": [null]}',
        '{"Events": [{"CloudTrailEvent": 5}]}',
        '{"Events": [{"CloudTrailEvent": "{\\"eventID\\": 5}"}], "NextToken": 5}',
    ],
)
def test_an_odd_answer_of_the_history_fails_no_run(
    stack: Stack, account: Account, body: str
) -> None:
    """The mail goes out, and names nobody."""
    open_ssh(account, "alice")
    with intercepted(answering("LookupEvents", body)):
        assert stack.run()["counts"]["mailed"] == 1
    assert "IAM user alice" not in stack.texts[-1]


def test_without_attribution_nobody_is_named(
    stack: Stack, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is the history asked, nor is the event's caller kept."""
    monkeypatch.setenv("ATTRIBUTION", "false")
    open_ssh(account, "alice")
    stack.run(change(account))
    open_ssh(account, "bob")
    stack.run()
    assert look_ups(account) == []
    assert not any("opened by" in text for text in stack.texts)


def test_whoever_opened_it_hears_of_it(
    stack: Stack, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the main mail, each in a mail of their own; a name without the domain gets none."""
    monkeypatch.setenv("COPY_ACTOR", "example.com")
    for name in ("alice@example.com", "bob@example.com", "carol", "dave@example.org"):
        open_ssh(account, name)
    before = len(account.mails())
    stack.run()
    main, *copies = account.mails()[before:]
    assert main.recipients == ("security@example.com",)
    assert [copy.recipients for copy in copies] == [("alice@example.com",), ("bob@example.com",)]
    (to_alice, to_bob) = map(unwrapped, stack.texts[-2:])
    assert "IAM user alice@example.com" in to_alice
    assert "bob@example.com" not in to_alice
    assert "IAM user bob@example.com" in to_bob
    stack.day()
    stack.run()
    assert len(account.mails()) == before + 3


def test_a_copy_that_is_refused_fails_no_run(
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The main mail is sent, and the next run does not repeat it; the log has no address."""
    monkeypatch.setenv("COPY_ACTOR", "example.com")
    open_ssh(account, "alice@example.com")
    sent = len(account.mails())

    def refuse_copies(request: Any, send: Any) -> Any:
        if request.url.endswith("outbound-emails") and len(account.mails()) > sent:
            account.faults.refuse_mail(times=1)
        return send()

    with intercepted(refuse_copies):
        assert stack.run()["counts"]["mailed"] == 1
    assert [record.message for record in caplog.records].count("Copy not sent.") == 1
    assert not [record for record in caplog.records if "alice" in str(record.__dict__)]
    stack.day()
    stack.run()
    assert len(account.mails()) == sent + 1


def test_copies_take_no_time_that_the_commit_needs(
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A run of 90 s keeps 24 s: where SES answers no copy within 15 s, it tries five of seven."""
    monkeypatch.setenv("COPY_ACTOR", "example.com")
    for number in range(7):
        open_ssh(account, f"user{number}@example.com")
    sent, tried = len(account.mails()), []

    def answer_no_copy(request: Any, send: Any) -> Any:
        if request.url.endswith("outbound-emails") and len(account.mails()) > sent:
            tried.append(stack.time)
            stack.sleep(15)
            raise ReadTimeoutError(endpoint_url=request.url)
        return send()

    context = Context("run", stack.time + timedelta(seconds=90), lambda: stack.time)
    with intercepted(answer_no_copy):
        assert stack.run(context=context)["counts"]["mailed"] == 1
    assert len(tried) == 5
    assert [record.message for record in caplog.records].count("Copy not sent.") == 7
