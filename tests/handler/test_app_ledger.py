"""Runs one after the other with a ledger: what is mailed, resolved, reopened and repeated."""

import json
from datetime import timedelta

import pytest

from handler.ec2.group_source import GroupSource
from handler.model.network import Target
from handler.model.run import AuditIncompleteError, MailError, Scan
from handler.policy.policy import Policy
from handler.scan import scan_target as real_scan
from sandbox.aws.faults import Fault
from tests.support.stack import BUCKET, Stack, unwrapped

CHANGE = {
    "source": "aws.ec2",
    "detail-type": "AWS API Call via CloudTrail",
    "detail": {"awsRegion": "eu-west-1", "eventName": "AuthorizeSecurityGroupIngress"},
}


def test_the_first_run_always_mails(stack: Stack) -> None:
    """The first run mails even if nothing is open; the second one does not."""
    stack.run()
    assert stack.subjects == ["Nothing open to the internet in 2 regions"]
    stack.day()
    assert stack.run()["counts"]["mailed"] == 0


def test_a_mail_has_the_changes(stack: Stack) -> None:
    """Each opening, closing and reopening is mailed once; unchanged findings are counted."""
    web = stack.open("web")
    stack.run()
    stack.day()
    stack.open("database", port=5432)
    stack.run()
    stack.day()
    stack.close(web)
    stack.run()
    stack.day()
    stack.allow(web)
    stack.run()
    stack.day()
    stack.run()
    assert stack.subjects == [
        "Medium: SSH on web",
        "New medium: PostgreSQL on database",
        "Resolved: SSH on web; 1 still open (1 medium)",
        "Reopened medium: SSH on web",
    ]
    _, opened, closed, back = stack.texts
    assert "database (" in opened
    assert "web (" not in opened
    assert "Still open: 1 (1 medium), in the CSV." in unwrapped(opened)
    assert "RESOLVED (1)" in closed
    assert "web (" in closed
    assert "was medium \N{MIDDLE DOT} first seen 23 Nov 2026" in unwrapped(closed)
    assert "first seen 23 Nov 2026" in unwrapped(back)
    assert stack.statuses == {"web": "open", "database": "open"}


def test_a_deleted_group_is_resolved(stack: Stack) -> None:
    """Deleting a group resolves its findings."""
    web = stack.open("web")
    stack.run()
    stack.account.client("ec2").delete_security_group(GroupId=web)
    stack.day()
    stack.run()
    assert stack.subjects[-1] == "Resolved: SSH on web; nothing open"


def test_a_higher_severity_is_mailed(stack: Stack) -> None:
    """A public address on a group that was not attached raises the severity and is mailed."""
    web = stack.open("web")
    stack.run()
    attach(stack, web)
    stack.day()
    stack.run()
    assert stack.subjects[-1] == "Worse critical: SSH open to the internet on web"
    assert "was medium \N{MIDDLE DOT} open since 23 Nov 2026" in unwrapped(stack.texts[-1])


def test_open_findings_are_mailed_again_after_seven_days(stack: Stack) -> None:
    """Findings of severity high or critical are mailed seven days after a full digest."""
    attach(stack, stack.open("odd", port=9), stack.open("web"))
    stack.run()
    for _ in range(15):
        stack.day()
        stack.run()
    assert [len(stack.account.mails()), len(set(stack.subjects))] == [3, 1]
    assert "1 critical, 1 high" in stack.texts[-1]


def attach(stack: Stack, *group_ids: str) -> None:
    """Put the groups on an interface with a public address."""
    ec2 = stack.account.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet, Groups=list(group_ids))
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    interface = made["NetworkInterface"]["NetworkInterfaceId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=interface)


def test_losing_and_regaining_a_region_are_mailed_once_each(stack: Stack) -> None:
    """Between the two mails the region's findings are unverified, and not resolved."""
    stack.open("web")
    stack.run()
    stack.account.faults.deny("DescribeSecurityGroups", "eu-west-1")
    for _ in range(3):
        stack.day()
        with pytest.raises(AuditIncompleteError, match="eu-west-1 was not read"):
            stack.run()
    assert stack.statuses == {"web": "new"}
    stack.account.faults.clear()
    stack.day()
    stack.run()
    assert stack.subjects == [
        "Medium: SSH on web",
        "1 region not read; nothing open to the internet in 1 region",
        "1 region can be read again; 1 still open (1 medium)",
    ]
    lost, regained = stack.texts[1:]
    assert "eu-west-1 / 123456789012 (denied)" in lost
    assert "1 earlier finding not verified by this run." in unwrapped(lost)
    assert "Read again: eu-west-1 / 123456789012" in regained


def test_an_event_that_is_delivered_again_mails_once(stack: Stack) -> None:
    """A run whose event id is in the ledger reads and mails nothing."""
    stack.open("web")
    first = stack.run(run_id="e1")
    stack.open("database", port=5432)
    assert stack.run(run_id="e1") == {
        "statusCode": 200,
        "body": "Audit complete.",
        "counts": {"mailed": 0},
    }
    assert first["counts"]["mailed"] == len(stack.subjects) == 1
    stack.run(run_id="e2")
    assert stack.subjects[1:] == ["New medium: PostgreSQL on database"]


def test_a_manual_run_always_mails_a_full_digest(stack: Stack) -> None:
    """Each manual run lists all open findings, whatever id the event has."""
    stack.open("web")
    for _ in range(2):
        assert stack.run({"id": "same"})["counts"]["mailed"] == 1
    assert "MEDIUM (1)" in stack.texts[1]


def test_a_manual_run_may_be_dry_or_partial(stack: Stack) -> None:
    """The event may name regions, ask for changes only, or for a dry run."""
    stack.open("web")
    stack.open("far", region="us-east-1")
    dry = stack.run({"dryRun": True})
    assert (dry["counts"]["findings"], dry["counts"]["mailed"]) == (2, 0)
    assert stack.keys == stack.subjects == []
    part = stack.run({"regions": ["us-east-1"]})
    assert (part["counts"]["targets"], part["counts"]["findings"]) == (1, 1)
    assert stack.run({"notify": "changes"})["counts"]["new"] == 1
    assert stack.run({"notify": "changes"})["counts"]["mailed"] == 0


def test_many_change_events_give_one_mail(stack: Stack) -> None:
    """Of four events about one opening the first mails; each reads one region only."""
    stack.run()
    stack.open("web")
    stack.open("far", region="us-east-1")
    results = [stack.run({**CHANGE, "id": f"change-{number}"})["counts"] for number in range(4)]
    assert [counts["mailed"] for counts in results] == [1, 0, 0, 0]
    assert {counts["targets"] for counts in results} == {1}
    assert stack.subjects[1:] == ["New medium: SSH on web"]
    assert stack.run()["counts"]["new"] == 1


@pytest.mark.parametrize(("notify", "mails"), [("changes", 1), ("findings", 3), ("always", 4)])
def test_how_often_each_notify_mails(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, notify: str, mails: int
) -> None:
    """Four runs: three with an open finding, and one after it was closed."""
    monkeypatch.setenv("NOTIFY", notify)
    web = stack.open("web")
    for _ in range(3):
        stack.run()
        stack.day()
    assert len(stack.account.mails()) == (3 if notify != "changes" else mails)
    stack.close(web)
    stack.run()
    assert len(stack.account.mails()) == mails + (notify == "changes")


def test_a_rejected_mail_leaves_the_state_as_it_was(stack: Stack) -> None:
    """The next run reports the findings as new, without a notice that it may repeat any."""
    stack.open("web")
    stack.account.faults.refuse_mail(times=1)
    with pytest.raises(MailError, match=r"Follow the link that SES mailed to each address"):
        stack.run(run_id="e1")
    assert (stack.head.runs, stack.head.claim) == ((), None)
    stack.run(run_id="e1")
    assert stack.subjects == ["Medium: SSH on web"]
    assert "NOTES" not in stack.texts[0]


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        ("MessageRejected", "Email address is not verified.", "Follow the link that SES mailed"),
        ("LimitExceededException", "Daily message quota exceeded.", "ask AWS to raise it"),
        ("AccountSuspendedException", "Suspended.", "see its console"),
        ("SendingPausedException", "Paused.", "SES has paused sending"),
        ("MailFromDomainNotVerifiedException", "No.", "Finish the MAIL FROM domain"),
        ("NotFoundException", "No identity.", "Verify the sender's identity"),
        ("AccessDeniedException", "No.", "set createIdentities to false"),
        ("InternalFailure", "Oops.", "SES did not accept the digest: InternalFailure: Oops."),
    ],
)
def test_a_rejected_mail_has_advice(stack: Stack, code: str, message: str, advice: str) -> None:
    """The error has SES's code and message, and what to do about it."""
    stack.account.faults.refuse_mail(code=code, message=message)
    with pytest.raises(MailError) as error:
        stack.run()
    assert f"{code}: {message}" in str(error.value)
    assert advice in str(error.value)


def test_a_throttled_mail_is_retried(stack: Stack) -> None:
    """It is sent again after 1, 2 and 4 seconds; after that the run fails."""
    stack.account.faults.refuse_mail("TooManyRequestsException", "Rate exceeded.", times=3)
    stack.run()
    assert (len(stack.subjects), stack.slept) == (1, [1, 2, 4])
    stack.account.faults.refuse_mail("TooManyRequestsException", "Rate exceeded.")
    with pytest.raises(MailError, match=r"ask AWS for a higher sending rate\.$"):
        stack.run({})


def test_a_mail_whose_answer_is_lost_is_repeated_with_a_notice(http_stack: Stack) -> None:
    """SES may have accepted the message, so the next run repeats it and says so."""
    http_stack.open("web")
    http_stack.account.faults.drop("SendEmail", times=1)
    with pytest.raises(MailError):
        http_stack.run(run_id="e1")
    http_stack.run(run_id="e1")
    assert http_stack.subjects == ["Medium: SSH on web"]
    notice = (
        "Run e1 stopped before it could record its mail; this mail may repeat some of its findings."
    )
    assert notice in unwrapped(http_stack.texts[0])
    assert http_stack.slept == []


def test_each_run_stores_its_report(stack: Stack) -> None:
    """The key has the day and the run; the object is the report as JSON."""
    stack.open("web")
    stack.run(run_id="e1")
    stack.day(9)
    stack.run(run_id="e2")
    assert [key for key in stack.keys if not key.startswith("known/")] == [
        "head.json",
        "reports/2026/11/23/e1.json",
        "reports/2026/12/02/e2.json",
    ]
    report = json.loads(stack.stored("reports/2026/11/23/e1.json"))
    assert (report["run"]["id"], report["summary"]["medium"]) == ("e1", 1)
    assert [finding["status"] for finding in report["findings"]] == ["new"]


def test_a_write_whose_answer_is_lost_is_not_a_conflict(http_stack: Stack) -> None:
    """The client's retry finds what its first attempt wrote, and the run goes on."""
    http_stack.open("web")
    http_stack.account.faults.drop("PutObject", times=1)
    http_stack.run()
    assert len(http_stack.subjects) == 1
    assert http_stack.statuses == {"web": "new"}


def test_a_newly_authorized_port_is_not_resolved(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted as no longer listed, and is not reported as closed."""
    stack.open("web")
    stack.run()
    stack.day()
    authorized = Policy.parse({"authorizedPorts": ["tcp/22"]})
    monkeypatch.setattr("handler.app.deployed_policy", lambda: authorized)
    counts = stack.run()["counts"]
    assert (counts["resolved"], counts["mailed"], stack.statuses) == (0, 1, {})


def test_a_newly_trusted_range_is_not_resolved(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its finding is dropped without being reported as closed; others are not affected."""
    stack.open("own", source="8.8.8.0/24")
    stack.open("web")
    stack.run()
    stack.day()
    trusted = Policy.parse({"trustedCidrs": ["8.8.0.0/16"]})
    monkeypatch.setattr("handler.app.deployed_policy", lambda: trusted)
    counts = stack.run()["counts"]
    assert (counts["resolved"], counts["mailed"], stack.statuses) == (0, 0, {"web": "open"})


def test_a_partial_run_is_not_a_full_digest(stack: Stack) -> None:
    """It does not count as the first run or as a reminder."""
    stack.run({"regions": ["us-east-1"]})
    assert stack.state.last_full_digest_at is None
    stack.day()
    assert stack.run()["counts"]["mailed"] == 1


def test_a_region_removed_from_the_settings_is_mailed_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its findings are unverified in that run, and dropped after it."""
    stack.open("far", region="us-east-1")
    stack.run()
    stack.day()
    monkeypatch.setenv("AUDIT_REGIONS", "eu-west-1")
    counts = stack.run()["counts"]
    assert (counts["unverified"], counts["resolved"], counts["mailed"]) == (1, 0, 1)
    assert "No longer audited: us-east-1 / 123456789012" in stack.texts[-1]
    stack.day()
    counts = stack.run()["counts"]
    assert (counts["unverified"], counts["mailed"], stack.statuses) == (0, 0, {})


def test_a_change_in_a_region_that_is_not_audited(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The regions of the settings are read instead, and none is lost or regained."""
    monkeypatch.setenv("AUDIT_REGIONS", "us-east-1")
    stack.run()
    assert stack.run({**CHANGE, "id": "c1"})["counts"] == stack.run()["counts"]
    assert len(stack.subjects) == 1


def test_a_widened_prefix_list_is_mailed_without_attachments(http_stack: Stack) -> None:
    """It is widened although the interfaces cannot be read."""
    ec2 = http_stack.account.client("ec2")
    made = ec2.create_managed_prefix_list(
        PrefixListName="partners",
        AddressFamily="IPv4",
        MaxEntries=9,
        Entries=[{"Cidr": "8.0.0.0/8"}],
    )["PrefixList"]
    group_id = ec2.create_security_group(GroupName="lists", Description="x")["GroupId"]
    by_list = {"PrefixListIds": [{"PrefixListId": made["PrefixListId"]}]}
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **by_list}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    http_stack.run()
    http_stack.account.faults.deny("DescribeNetworkInterfaces", "eu-west-1")
    for _ in range(2):
        with pytest.raises(AuditIncompleteError):
            http_stack.run()
    mails = len(http_stack.subjects)
    ec2.modify_managed_prefix_list(
        PrefixListId=made["PrefixListId"],
        CurrentVersion=made["Version"],
        AddEntries=[{"Cidr": "0.0.0.0/0"}],
    )
    with pytest.raises(AuditIncompleteError):
        http_stack.run(run_id="widened")
    assert len(http_stack.subjects) == mails + 1
    report = json.loads(http_stack.stored("reports/2026/11/23/widened.json"))
    assert [finding["change"] for finding in report["findings"]] == ["widened"]


def test_an_unexpected_error_fails_one_target_only(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is in the target's coverage, and the other targets are read."""
    stack.open("web")

    def scan(target: Target, source: GroupSource, policy: Policy) -> Scan:
        if target.region == "us-east-1":
            raise KeyError("odd")
        return real_scan(target, source, policy)

    monkeypatch.setattr("handler.audit.scan_target", scan)
    with pytest.raises(AuditIncompleteError, match="us-east-1 was not read: KeyError: 'odd'"):
        stack.run()
    assert stack.subjects == ["1 region not read; 1 medium exposure"]


def test_a_run_that_cannot_name_its_account_mails_and_fails(stack: Stack) -> None:
    """Where STS refuses, the mail says that nothing could be read; later runs say it is again."""
    stack.open("web")
    stack.run()
    stack.day()
    stack.account.faults.add(
        Fault("GetCallerIdentity", code="AccessDenied", message="No\x1b[31m entry.", status=403)
    )
    message = "The account was not read: AccessDenied: No\ufffd\\[31m entry"
    with pytest.raises(AuditIncompleteError, match=message):
        stack.run()
    stack.account.faults.clear()
    stack.day()
    stack.run()
    _, failed, again = stack.texts
    assert failed.startswith("Nothing could be read in 1 region")
    assert "  the account (denied): AccessDenied: No\ufffd[31m entry." in failed
    assert "Read again: the account" in again
    assert stack.statuses == {"web": "open"}


def test_a_change_whose_region_could_not_be_read_is_tried_again(stack: Stack) -> None:
    """A reading that failed does not answer the event: the retry reads, and mails the opening."""
    stack.run()
    stack.time += timedelta(minutes=30)
    stack.open("web")
    event = stack.change_event("c1")
    stack.time += timedelta(minutes=2)
    stack.account.faults.deny("DescribeSecurityGroups", "eu-west-1")
    with pytest.raises(AuditIncompleteError):
        stack.run(event)
    stack.account.faults.clear()
    stack.time += timedelta(minutes=1)
    assert stack.run(event)["counts"]["new"] == 1


def test_a_part_of_an_unknown_account_is_not_stored_as_all_of_it(stack: Stack) -> None:
    """Where what is known is missing, a run of one region leaves the rest to the next whole run."""
    stack.open("web")
    stack.run()
    (key,) = [key for key in stack.keys if key.startswith("known/")]
    stack.account.client("s3").delete_object(Bucket=BUCKET, Key=key)
    stack.day()
    stack.open("fresh")
    stack.account.faults.deny("DescribeNetworkInterfaces", "eu-west-1")
    with pytest.raises(AuditIncompleteError):
        stack.run(stack.change_event("c1"))
    stack.account.faults.clear()
    with pytest.raises(AuditIncompleteError, match="is missing"):
        stack.run()
    assert "fresh" in stack.texts[-1]
