"""One audit from the event to the mail, in an account of the sandbox."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from handler.app import lambda_handler
from handler.model.run import AuditIncompleteError, MailError
from handler.settings import SettingsError
from sandbox.aws.account import Account
from tests.support.stack import text_of, unwrapped

SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
CLOUDTRAIL = {"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "detail": {}}
WORLD = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account with a verified sender, and an audit of two of its regions."""
    with Account() as entered:
        for name, value in entered.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SES_SENDER", "audit@example.com")
        monkeypatch.setenv("SES_RECIPIENT", "a@example.com,b@example.com")
        monkeypatch.setenv("AUDIT_REGIONS", "eu-west-1,us-east-1")
        entered.client("sesv2").create_email_identity(EmailIdentity="audit@example.com")
        yield entered


def open_group(
    account: Account, permission: dict[str, object] | None = None, region: str = "eu-west-1"
) -> str:
    """Open tcp/22 to the world, or something else, in a new group; the result is its id."""
    ec2 = account.client("ec2", region)
    group_id: str = ec2.create_security_group(GroupName="web", Description="web")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=[permission or SSH | WORLD]
    )
    return group_id


def test_what_is_open_is_mailed_once(account: Account) -> None:
    """Two open groups in two regions are one mail to all recipients."""
    open_group(account)
    open_group(account, region="us-east-1")
    lambda_handler(SCHEDULED, None)
    (mail,) = account.mails()
    assert mail.message["Subject"] == ("[security groups] 2 medium exposures: start with web, SSH")
    assert (mail.message["From"], mail.message["To"]) == (
        "Security group audit <audit@example.com>",
        "a@example.com, b@example.com",
    )
    assert set(mail.recipients) == {"a@example.com", "b@example.com"}
    assert [part.get_content_type() for part in mail.message.iter_parts()] == [
        "multipart/alternative",
        "text/csv",
    ]


def test_the_result_is_complete(account: Account) -> None:
    """The result has status code 200, the body and the run's counts."""
    open_group(account)
    assert lambda_handler(SCHEDULED, None) == {
        "statusCode": 200,
        "body": "Audit complete.",
        "counts": {
            "targets": 2,
            "targetsNotRead": 0,
            "groups": 3,
            "rules": 1,
            "findings": 1,
            "critical": 0,
            "high": 0,
            "medium": 1,
            "low": 0,
            "info": 0,
            "new": 0,
            "reopened": 0,
            "resolved": 0,
            "excepted": 0,
            "unverified": 0,
            "mailed": 1,
        },
    }


def test_nothing_open_is_not_mailed_on_schedule(account: Account) -> None:
    """A scheduled run without findings sends no mail."""
    assert lambda_handler(SCHEDULED, None)["counts"]["mailed"] == 0
    assert account.mails() == []


def test_a_manual_run_always_mails(account: Account) -> None:
    """A manual run mails the coverage even if nothing is open."""
    lambda_handler({}, None)
    (mail,) = account.mails()
    assert mail.message["Subject"] == (
        "[security groups] Nothing open to the internet in 2 regions"
    )
    assert "All 2 regions read: 2 groups, 0 rules." in text_of(mail.message)


@pytest.mark.usefixtures("account")
def test_notify_always_mails_without_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """With notify always a scheduled run mails although nothing is open."""
    monkeypatch.setenv("NOTIFY", "always")
    assert lambda_handler(SCHEDULED, None)["counts"]["mailed"] == 1


@pytest.mark.parametrize(
    ("event", "started"),
    [
        pytest.param(SCHEDULED, "Scheduled run", id="schedule"),
        pytest.param({"source": "aws.scheduler"}, "Scheduled run", id="scheduler"),
        pytest.param(CLOUDTRAIL, "Run after a change", id="cloudtrail"),
        pytest.param({}, "Manual run", id="empty"),
        pytest.param({"key1": "value1", "key2": "value2"}, "Manual run", id="console"),
        pytest.param(None, "Manual run", id="null"),
        pytest.param([1, 2], "Manual run", id="list"),
        pytest.param("now", "Manual run", id="text"),
        pytest.param({"source": ["aws.events"]}, "Manual run", id="odd-source"),
    ],
)
def test_every_event_runs_the_audit(account: Account, event: object, started: str) -> None:
    """The mail names the trigger: schedule, change or manual."""
    open_group(account)
    lambda_handler(event, None)
    (mail,) = account.mails()
    assert started in text_of(mail.message)


@pytest.mark.usefixtures("account")
def test_without_regions_all_enabled_ones_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a list of regions, the account's enabled regions are the targets."""
    monkeypatch.setenv("AUDIT_REGIONS", "all")
    assert lambda_handler(SCHEDULED, None)["counts"]["targets"] == 17


def test_the_log_of_a_run(caplog: pytest.LogCaptureFixture, account: Account) -> None:
    """Start, each target, each finding and the end are lines whose facts are text or numbers."""
    group_id = open_group(account)
    with caplog.at_level(logging.INFO, logger="handler"):
        lambda_handler(SCHEDULED, None)
    assert [record.message for record in caplog.records] == [
        "Audit started.",
        "Target read.",
        "Target read.",
        "Finding.",
        "Audit finished.",
    ]
    facts = vars(caplog.records[3])
    assert (facts["groupId"], facts["severity"], facts["ports"]) == (group_id, "medium", "22-22")
    assert vars(caplog.records[4])["medium"] == 1


def test_the_log_names_no_recipient(caplog: pytest.LogCaptureFixture, account: Account) -> None:
    """No email address is in any log record."""
    open_group(account)
    with caplog.at_level(logging.INFO):
        lambda_handler({}, None)
    assert "@example.com" not in "".join(str(vars(record)) for record in caplog.records)


def test_an_unreadable_list_fails_the_run_after_the_mail(account: Account) -> None:
    """The findings are mailed, and then the run fails."""
    by_list: dict[str, object] = {
        "IpProtocol": "-1",
        "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}],
    }
    group_id = open_group(account, by_list)
    with pytest.raises(AuditIncompleteError) as error:
        lambda_handler(SCHEDULED, None)
    assert str(error.value) == (
        f"The audit is incomplete: {group_id} in eu-west-1: prefix list pl-0123456789abcdef0 "
        "could not be read: this account has no such list, and none is shared with it."
    )
    assert len(account.mails()) == 1


def test_a_region_that_was_not_read_fails_the_run_after_the_mail(
    account: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The findings of the other regions are mailed, and then the run fails."""
    monkeypatch.setenv("AUDIT_REGIONS", "eu-west-1,us-east-1")
    open_group(account)
    account.faults.deny("DescribeSecurityGroups", "us-east-1")
    with pytest.raises(
        AuditIncompleteError,
        match=r"incomplete: Region us-east-1 was not read: Unauthorized",
    ):
        lambda_handler(SCHEDULED, None)
    (mail,) = account.mails()
    assert mail.message["Subject"] == ("[security groups] 1 region not read; 1 medium exposure")
    assert "Target not read." in caplog.messages


def test_a_refused_mail_fails_the_run(account: Account) -> None:
    """A message that SES rejects raises a MailError with SES's answer."""
    open_group(account)
    account.faults.refuse_mail()
    with pytest.raises(MailError, match=r"^SES did not accept the digest: MessageRejected: "):
        lambda_handler(SCHEDULED, None)


def test_a_mail_whose_answer_is_lost_is_not_sent_again(account: Account) -> None:
    """SES is called once, because it may have accepted the message."""
    account.faults.drop("SendEmail")
    with pytest.raises(MailError, match=r"^SES did not accept the digest: "):
        lambda_handler({}, None)
    assert [call.operation for call in account.calls].count("SendEmail") == 1


def test_a_missing_setting_fails_before_anything_is_read(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SES_SENDER nothing is read and nothing is sent."""
    monkeypatch.delenv("SES_SENDER")
    with pytest.raises(SettingsError, match=r"^environment variable SES_SENDER must be"):
        lambda_handler({}, None)
    assert account.mails() == []


def test_a_change_in_another_account_is_ignored(account: Account) -> None:
    """The function's ARN has the account whose changes count; nothing is read."""
    open_group(account)
    context = SimpleNamespace(
        aws_request_id="1", invoked_function_arn=f"arn:aws:lambda:eu-west-1:{account.id}:function:a"
    )
    other = CLOUDTRAIL | {"account": "210987654321"}
    assert lambda_handler(other, context)["counts"] == {"mailed": 0}
    assert not [call for call in account.calls if call.operation == "DescribeSecurityGroups"]
    assert lambda_handler(CLOUDTRAIL | {"account": account.id}, context)["counts"]["targets"] == 2


def test_a_region_that_was_enabled_later_is_said(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes there start no run until the next deployment; without realtime nothing is said."""
    open_group(account)
    lambda_handler(SCHEDULED, None)
    monkeypatch.setenv("REALTIME_REGIONS", "eu-west-1")
    lambda_handler(SCHEDULED, None)
    before, after = (unwrapped(text_of(mail.message)) for mail in account.mails())
    assert "pulumi up" not in before
    assert (
        f"us-east-1 / {account.id}: only the schedule sees changes, because the region was "
        "enabled after the last deployment. Run pulumi up so that changes in it start a run."
        in after
    )
    assert f"eu-west-1 / {account.id}:" not in after
