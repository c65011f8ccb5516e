"""Runs over many accounts, one after the other: what is mailed, and what becomes of accounts."""

import csv
import gzip
import io
import json

import pytest

from handler.model.run import AuditIncompleteError, MailError
from handler.organization.plan import PlanError
from sandbox.aws.faults import Fault
from tests.support.organization import MemoryOrganization, refusal
from tests.support.stack import unwrapped

PAYMENTS, SHOP, OLD = "111122223333", "222233334444", "333344445555"


@pytest.fixture(autouse=True)
def members(organization: MemoryOrganization) -> None:
    """Two active accounts with an open group each."""
    organization.join(PAYMENTS, "payments")
    organization.join(SHOP, "shop")
    organization.open(PAYMENTS, "web")
    organization.open(SHOP, "web")


def use_exceptions(organization: MemoryOrganization, *accounts: str) -> None:
    """Accept SSH on the group web of each of these accounts."""
    exception = {
        "group": "web",
        "ports": "tcp/22",
        "reason": "bastion",
        "owner": "ops",
        "until": "2027-06-01",
    }
    organization.apply(exceptions=[exception | {"account": a} for a in accounts])


def test_all_accounts_are_one_mail(organization: MemoryOrganization) -> None:
    """It names the accounts, and the run commits what is known of each."""
    assert organization.run()["counts"]["findings"] == 2
    assert organization.subjects == ["2 medium exposures: start with web, SSH"]
    text = unwrapped(organization.texts[0])
    assert "eu-west-1 / payments (111122223333)" in text
    assert "eu-west-1 / shop (222233334444)" in text
    assert "All 4 regions of 2 accounts read: 2 groups, 2 rules." in text
    assert sorted(organization.head.accounts) == [PAYMENTS, SHOP]


def test_only_changes_are_mailed_after_the_first_run(organization: MemoryOrganization) -> None:
    """A day without one mails nothing; an opening and a closing are mailed once."""
    organization.run()
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0
    organization.day()
    organization.open(SHOP, "database", port=5432)
    organization.run()
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0
    assert organization.subjects[1:] == ["New medium: PostgreSQL on database"]
    assert "Still open: 2 (2 medium), in the CSV." in unwrapped(organization.texts[-1])


def test_an_event_that_is_answered_is_not_mailed_again(organization: MemoryOrganization) -> None:
    """The second report of the same run does nothing."""
    name = organization.start()["execution"].rpartition(":")[2]
    organization.scan(name)
    organization.report(name)
    assert organization.report(name)["counts"] == {"mailed": 0}
    assert len(organization.subjects) == 1


def test_an_account_that_cannot_be_entered_stops_no_other(
    organization: MemoryOrganization,
) -> None:
    """It is first in the mail with the words of AWS, the others are read, and the run fails."""
    organization.members[PAYMENTS].trusts = False
    with pytest.raises(AuditIncompleteError, match=r"payments \(111122223333\) was not read: Acc"):
        organization.run()
    assert organization.subjects == ["1 account not read; 1 medium exposure"]
    text = unwrapped(organization.texts[0])
    assert "payments (111122223333) (denied): AccessDenied: User is not authorized" in text
    assert text.index("NOT READ") < text.index("MEDIUM (1)")
    assert "1 of 2 accounts read (2 regions): 1 group, 1 rule." in text


def test_the_reason_of_a_refusal_is_not_cut(organization: MemoryOrganization) -> None:
    """AWS's words end with the role that refuses, and with the kind of policy that forbids it."""
    payments = organization.members[PAYMENTS]
    reason = (
        "User: arn:aws:sts::123456789012:assumed-role/security-group-audit-scan/"
        "security-group-audit-scan-function-1a2b3c4 is not authorized to perform: sts:AssumeRole "
        f"on resource: arn:aws:iam::{PAYMENTS}:role/security-group-audit with an explicit deny in "
        "a service control policy: arn:aws:organizations::123456789012:policy/o-ab12cd34ef/"
        "service_control_policy/p-ab12cd34"
    )
    payments.name, payments.trusts, payments.refusal = 50 * "p", False, reason
    with pytest.raises(AuditIncompleteError) as error:
        organization.run()
    assert f"{PAYMENTS}) was not read: AccessDenied: {reason}." in str(error.value)
    assert f"({PAYMENTS}) (denied): AccessDenied: {reason}." in unwrapped(organization.texts[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("dies", "its scan ended without a result."),
        ("fails", "its scan failed: Lambda.Unknown: Killed"),
    ],
)
def test_a_child_that_dies_is_said(
    organization: MemoryOrganization, change: str, words: str
) -> None:
    """The account is not read, and what was known of it is not resolved."""
    organization.run()
    organization.day()
    setattr(organization.members[SHOP], change, True)
    with pytest.raises(AuditIncompleteError):
        organization.run()
    assert organization.subjects[1] == "1 account not read; 1 medium exposure"
    assert f"shop (222233334444) (failed): {words}" in unwrapped(organization.texts[-1])
    organization.day()
    setattr(organization.members[SHOP], change, False)
    counts = organization.run()["counts"]
    assert (counts["new"], counts["reopened"], counts["resolved"]) == (0, 0, 0)


def test_a_failed_listing_is_mailed_and_fails_the_run(organization: MemoryOrganization) -> None:
    """Nothing was read, nothing is resolved, and no account is said to be left out."""
    organization.run()
    organization.day()
    organization.listing_error = refusal("ListAccounts", "AccessDeniedException", "No entry.")
    with pytest.raises(AuditIncompleteError, match=r"The list of accounts was not read: AccessD"):
        organization.run()
    assert organization.subjects[-1] == "The accounts could not be listed"
    assert "the list of accounts (failed): AccessDeniedException: No entry." in unwrapped(
        organization.texts[-1]
    )
    organization.day()
    organization.listing_error = None
    counts = organization.run()["counts"]
    assert (counts["new"], counts["resolved"]) == (0, 0)


def test_an_account_that_leaves_is_said_once_and_not_resolved(
    organization: MemoryOrganization,
) -> None:
    """Its findings are not called resolved, and it is known by its name when it comes back."""
    organization.run()
    gone = organization.members.pop(SHOP)
    organization.day()
    assert organization.run()["counts"]["resolved"] == 0
    said = "Left out: shop (222233334444): it is no longer among the accounts to audit"
    assert said in unwrapped(organization.texts[-1])
    assert organization.subjects[-1] == "1 account left out; 1 still open (1 medium)"
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0
    organization.members[SHOP] = gone
    organization.day(80)
    counts = organization.run()["counts"]
    assert (counts["new"], counts["reopened"], counts["mailed"]) == (0, 0, 1)
    assert "Audited again: shop (222233334444)" in unwrapped(organization.texts[-1])


def test_an_account_that_leaves_is_forgotten_after_90_days(
    organization: MemoryOrganization,
) -> None:
    """Its findings are new when it comes back later."""
    organization.run()
    gone = organization.members.pop(SHOP)
    organization.day(91)
    organization.run()
    assert sorted(organization.head.accounts) == [PAYMENTS]
    organization.members[SHOP] = gone
    organization.day()
    assert organization.run()["counts"]["new"] == 1


def test_an_account_that_is_not_active_is_said_once(organization: MemoryOrganization) -> None:
    """The first mail names it with its state; a later change of the state is said as well."""
    organization.join(OLD, "old", state="SUSPENDED")
    organization.run()
    assert "Left out: old (333344445555): its state is SUSPENDED" in unwrapped(
        organization.texts[-1]
    )
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0
    organization.day()
    organization.members[OLD].state = "CLOSED"
    assert organization.run()["counts"]["mailed"] == 1


def test_a_new_account_is_compared_with_nothing(organization: MemoryOrganization) -> None:
    """What it opens is new, and nothing else is mailed."""
    organization.run()
    organization.day()
    organization.join(OLD, "fresh")
    organization.open(OLD, "db", port=5432)
    organization.run()
    assert organization.subjects[-1] == "New medium: PostgreSQL on db"


def test_a_run_of_one_account_moves_only_its_own_pointer(
    organization: MemoryOrganization,
) -> None:
    """The other account stays as it was, and is not said to be left out."""
    organization.run()
    before = organization.head.accounts
    organization.day()
    assert organization.run({"accounts": [SHOP]})["counts"]["targets"] == 2
    after = organization.head.accounts
    assert after[PAYMENTS] == before[PAYMENTS]
    assert after[SHOP] != before[SHOP]
    assert "Left out" not in organization.texts[-1]


def test_what_no_mail_has_said_is_said_later(organization: MemoryOrganization) -> None:
    """A closing that was damped is mailed when it has lasted a week: no mail had said it."""
    organization.run()
    client = organization.members[SHOP].account.client("ec2", "eu-west-1")
    ranges = [{"CidrIp": "0.0.0.0/0"}]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}
    for change in ("revoke", "authorize", "revoke", "authorize", "revoke"):
        organization.day()
        getattr(client, f"{change}_security_group_ingress")(
            GroupId="sg-eu-west-1-0", IpPermissions=[ssh]
        )
        organization.run()
    mails = len(organization.subjects)
    organization.day(8)
    organization.run()
    assert len(organization.subjects) == mails + 1
    assert "RESOLVED (1)" in organization.texts[-1]


def test_a_dry_run_returns_counts_and_leaves_nothing(organization: MemoryOrganization) -> None:
    """No mail is sent, and nothing but plan and scans is stored."""
    counts = organization.run({"dryRun": True})["counts"]
    assert (counts["findings"], counts["mailed"]) == (2, 0)
    assert organization.subjects == []
    assert {key.partition("/")[0] for key in organization.keys} == {"plans", "scans"}


def test_the_report_has_the_findings_of_all_accounts(organization: MemoryOrganization) -> None:
    """The stored JSON names the accounts; the CSV has a column with their names."""
    organization.run(run="e1")
    stored = organization.stored("reports/2026/11/23/e1.json.gz")
    report = json.loads(gzip.decompress(stored))
    assert [(a["id"], a["name"], a["medium"]) for a in report["accounts"]] == [
        (PAYMENTS, "payments", 1),
        (SHOP, "shop", 1),
    ]
    assert [f["account"] for f in report["findings"]] == [PAYMENTS, SHOP]
    assert len(report["coverage"]) == 4
    (attachment,) = organization.account.mails()[0].message.iter_attachments()
    rows = list(csv.DictReader(io.StringIO(attachment.get_content())))
    assert [row["accountName"] for row in rows] == ["payments", "shop"]


def test_an_exception_of_one_account_accepts_its_findings_only(
    organization: MemoryOrganization,
) -> None:
    """It is used although the other account has the same group; one that nothing uses is named."""
    use_exceptions(organization, SHOP, OLD)
    counts = organization.run()["counts"]
    assert (counts["findings"], counts["excepted"]) == (1, 1)
    text = unwrapped(organization.texts[0])
    assert f"Matches nothing: tcp/22 on web in account {OLD}" in text
    assert f"Matches nothing: tcp/22 on web in account {SHOP}" not in text


def test_a_refused_mail_leaves_the_ledger_as_it_was(organization: MemoryOrganization) -> None:
    """The run fails, and the next attempt mails the same."""
    organization.account.faults.add(Fault("SendEmail", code="MessageRejected", times=1))
    with pytest.raises(MailError):
        organization.run(run="e1")
    organization.report("e1")
    assert organization.subjects == ["2 medium exposures: start with web, SSH"]


def test_a_denied_ledger_is_reported(organization: MemoryOrganization) -> None:
    """All that is open is mailed with the error, and the run fails."""
    organization.run()
    organization.day()
    name = organization.start()["execution"].rpartition(":")[2]
    organization.scan(name)
    organization.account.faults.add(Fault("PutObject", code="AccessDenied", message="No."))
    with pytest.raises(AuditIncompleteError, match="ledger could not be written: AccessDenied"):
        organization.report(name)
    assert organization.subjects[-1] == "2 medium exposures: start with web, SSH"
    assert "What has changed is not known" in unwrapped(organization.texts[-1])


def test_an_unknown_account_is_not_new(organization: MemoryOrganization) -> None:
    """Where what is known of one account is missing, only its changes are not known."""
    organization.run()
    key = organization.head.accounts[SHOP].key
    organization.account.client("s3").delete_object(Bucket="ledger", Key=key)
    organization.day()
    with pytest.raises(AuditIncompleteError, match=f"state of account {SHOP} is missing"):
        organization.run()
    assert organization.subjects[-1] == "2 medium exposures: start with web, SSH"


def test_what_a_later_run_has_read_stands(organization: MemoryOrganization) -> None:
    """The slower run reports that reading as it is known: nothing is lost, and nothing is new."""
    organization.run()
    organization.day()
    organization.start(run="slow")
    organization.scan("slow")
    organization.open(SHOP, "late", port=5432)
    organization.sleep(60)
    organization.run({"accounts": [SHOP], "notify": "changes"}, run="fast")
    counts = organization.report("slow")["counts"]
    assert (counts["medium"], counts["new"], counts["resolved"], counts["mailed"]) == (3, 0, 0, 0)
    organization.day()
    counts = organization.run()["counts"]
    assert (counts["medium"], counts["new"], counts["resolved"]) == (3, 0, 0)


def test_only_the_region_that_was_read_later_is_taken_over(
    organization: MemoryOrganization,
) -> None:
    """What the slower run has found in another region is reported by it."""
    organization.run()
    organization.day()
    organization.open(SHOP, "database", port=5432, region="eu-west-1")
    organization.start(run="slow")
    organization.scan("slow")
    organization.sleep(30)
    event = {"accounts": [SHOP], "regions": ["us-east-1"], "notify": "changes"}
    organization.run(event, run="fast")
    organization.report("slow")
    assert organization.subjects[-1] == "New medium: PostgreSQL on database"


def test_an_account_that_was_not_listed_for_long_stays_known(
    organization: MemoryOrganization,
) -> None:
    """What is known of it is kept until a listing without it is 90 days old."""
    organization.run()
    organization.day(91)
    organization.listing_error = refusal("ListAccounts", "AccessDeniedException", "Denied.")
    with pytest.raises(AuditIncompleteError):
        organization.run()
    organization.listing_error = None
    organization.day()
    organization.run({"accounts": [SHOP], "notify": "changes"})
    assert sorted(organization.head.accounts) == [PAYMENTS, SHOP]
    organization.day()
    assert organization.run()["counts"]["new"] == 0


def test_accounts_that_leave_are_said_where_all_are_compared_twice(
    organization: MemoryOrganization,
) -> None:
    """The weekly mail seems due until the account that was not read before is read again."""
    organization.run()
    organization.day()
    organization.members[PAYMENTS].trusts = False
    with pytest.raises(AuditIncompleteError):
        organization.run()
    organization.day(8)
    organization.members[PAYMENTS].trusts = True
    organization.members[SHOP].state = "SUSPENDED"
    organization.run()
    assert organization.subjects[-1].startswith("1 account left out, 1 region can be read again")
    assert "Left out: shop (222233334444): its state is SUSPENDED" in unwrapped(
        organization.texts[-1]
    )


@pytest.mark.parametrize("state", ["SUSPENDED", None])
def test_an_exception_of_an_account_that_is_left_out_is_not_unused(
    organization: MemoryOrganization, state: str | None
) -> None:
    """Whoever deletes it would have the finding back with the account."""
    use_exceptions(organization, SHOP)
    organization.run()
    organization.day()
    if state:
        organization.members[SHOP].state = state
    else:
        del organization.members[SHOP]
    organization.run()
    assert "Left out: shop" in unwrapped(organization.texts[-1])
    assert "Matches nothing" not in organization.texts[-1]


def test_accounts_with_the_same_reason_are_one_line(organization: MemoryOrganization) -> None:
    """It has AWS's reason once, the names of a hundred, and the number of the others."""
    for number in range(500):
        organization.join(f"{number:012}", f"team-{number}", trusts=False)
    with pytest.raises(AuditIncompleteError):
        organization.run()
    text = unwrapped(organization.texts[0])
    assert (
        "team-0 (000000000000) (denied): AccessDenied: User is not authorized to perform: "
        "sts:AssumeRole on resource: arn:aws:iam::000000000000:role/security-group-audit. "
        "The same in 499 more: team-1 (000000000001), team-2 (000000000002), "
    ) in text
    assert text.count("AccessDenied") == 1
    assert text.count(" (000000000") == 101
    assert "team-100 (000000000100) and 399 more." in text


def test_a_report_without_a_plan_fails(organization: MemoryOrganization) -> None:
    """The error names the key."""
    with pytest.raises(PlanError, match=r"no plan of the run \(plans/e9/plan.json\)"):
        organization.report("e9")


@pytest.mark.parametrize("skip", [0, 1], ids=["plan.json", "accounts.json"])
def test_a_plan_that_s3_refuses_is_read_by_the_next_attempt(
    organization: MemoryOrganization, skip: int
) -> None:
    """The error has the name for which the state machine tries again, and the words of S3."""
    name = organization.start()["execution"].rpartition(":")[2]
    organization.scan(name)
    slow = Fault("GetObject", skip=skip, code="SlowDown", message="Later.", status=503)
    organization.account.faults.add(slow)
    with pytest.raises(PlanError, match=r"The run's plan could not be read: SlowDown: Later\."):
        organization.report(name)
    organization.account.faults.clear()
    organization.report(name)
    assert len(organization.subjects) == 1


def test_the_worst_accounts_are_named_and_the_others_counted(
    organization: MemoryOrganization,
) -> None:
    """The first mail names 20 accounts by their findings, the worst first."""
    for number in range(22):
        organization.join(f"{number:012}", f"account-{number:02}")
    for number in range(21):
        for port in range(number + 2):
            organization.open(f"{number:012}", f"group-{port}", port=5000 + port)
    organization.run()
    text = organization.texts[0]
    worst = text.partition("WORST ACCOUNTS")[2].partition("\r\n\r\n")[0].split("\r\n")
    assert worst[1] == "  account-20 (000000000020): 1 medium, 21 low"
    assert worst[20] == "  account-01 (000000000001): 1 medium, 2 low"
    assert worst[21:] == ["  and 3 more accounts with findings.", "  1 account without findings."]


def test_a_scan_that_is_odd_stops_no_other(organization: MemoryOrganization) -> None:
    """The account is not read, and the mail says why."""
    organization.start(run="e1")
    organization.scan("e1")
    s3 = organization.account.client("s3")
    s3.put_object(Bucket="ledger", Key=f"scans/e1/{SHOP}.json.gz", Body=b"odd")
    with pytest.raises(AuditIncompleteError):
        organization.report("e1")
    assert organization.subjects == ["1 account not read; 1 medium exposure"]
    words = "shop (222233334444) (failed): its scan cannot be read (BadGzipFile: "
    assert words in unwrapped(organization.texts[0])


def test_a_scan_that_cannot_be_fetched_stops_no_other(
    organization: MemoryOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is not read, and the mail has the words of S3."""
    organization.start(run="e1")
    organization.scan("e1")
    s3 = organization.account.client("s3")
    get = s3.get_object

    def get_or_refuse(**arguments: str) -> object:
        if arguments["Key"].endswith(f"{SHOP}.json.gz"):
            raise refusal(operation="GetObject", code="AccessDenied", message="No.")
        return get(**arguments)

    monkeypatch.setattr(s3, "get_object", get_or_refuse)
    with pytest.raises(AuditIncompleteError):
        organization.report("e1")
    words = "shop (222233334444) (failed): its scan could not be read: AccessDenied: No."
    assert words in unwrapped(organization.texts[0])
