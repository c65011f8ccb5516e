"""Mail: read back whichever operation of SES sent it."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account

RAW = (
    b"From: a@example.com\r\nTo: B <b@example.com>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\nx"
)
SIMPLE = {
    "Subject": {"Data": "grüße"},
    "Body": {"Text": {"Data": "x"}, "Html": {"Data": "<p>x</p>"}},
}
TO = {"ToAddresses": ["b@example.com"]}


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(
            lambda client: client("ses").send_email(
                Source="a@example.com", Destination=TO, Message=SIMPLE
            ),
            id="ses-simple",
        ),
        pytest.param(
            lambda client: client("ses").send_raw_email(RawMessage={"Data": RAW}), id="ses-raw"
        ),
        pytest.param(
            lambda client: client("sesv2").send_email(
                FromEmailAddress="a@example.com", Destination=TO, Content={"Simple": SIMPLE}
            ),
            id="sesv2-simple",
        ),
        pytest.param(
            lambda client: client("sesv2").send_email(Content={"Raw": {"Data": RAW}}),
            id="sesv2-raw",
        ),
    ],
)
def test_mail_is_read_back(account: Account, send: Callable[..., object]) -> None:
    """Sender, recipients and the decoded subject are the same for all four ways."""
    account.client("ses").verify_email_identity(EmailAddress="a@example.com")
    send(account.client)
    (mail,) = account.mails()
    assert (mail.region, mail.sender, mail.recipients) == (
        "eu-west-1",
        "a@example.com",
        ("b@example.com",),
    )
    assert mail.message["Subject"] == "grüße"
    body = mail.message.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "x"


def test_hidden_recipients_are_recipients(account: Account) -> None:
    """A blind copy is delivered and not named in the message."""
    account.client("ses").verify_email_identity(EmailAddress="a@example.com")
    hidden = {**TO, "BccAddresses": ["c@example.com"]}
    account.client("sesv2").send_email(
        FromEmailAddress="a@example.com", Destination=hidden, Content={"Simple": SIMPLE}
    )
    (mail,) = account.mails()
    assert mail.recipients == ("b@example.com", "c@example.com")
    assert b"c@example.com" not in mail.raw


def test_mail_from_an_unverified_sender_is_refused(account: Account) -> None:
    """SES accepts mail from verified identities only."""
    with pytest.raises(ClientError, match="MessageRejected"):
        account.client("sesv2").send_email(
            FromEmailAddress="a@example.com", Destination=TO, Content={"Simple": SIMPLE}
        )
    assert account.mails() == []


def test_an_identity_exists_once(account: Account) -> None:
    """Creating an identity a second time is an error."""
    sesv2 = account.client("sesv2")
    sesv2.create_email_identity(EmailIdentity="a@example.com")
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        sesv2.create_email_identity(EmailIdentity="a@example.com")


def test_the_account_is_in_the_mail_sandbox(account: Account) -> None:
    """GetAccount tells the quota of a fresh account."""
    answer = account.client("sesv2").get_account()
    assert answer["ProductionAccessEnabled"] is False
    assert answer["SendQuota"]["Max24HourSend"] == 200
