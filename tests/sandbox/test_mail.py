"""Mail that SES accepts and refuses."""

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.account import Account

MAIL = {
    "FromEmailAddress": "a@example.com",
    "Destination": {"ToAddresses": ["b@example.com"]},
    "Content": {"Raw": {"Data": b"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\nx"}},
}


def test_mail_is_read_back(account: Account) -> None:
    """An accepted mail has its sender, its recipients and the decoded message."""
    account.client("ses").verify_email_identity(EmailAddress="a@example.com")
    account.client("sesv2").send_email(**MAIL)
    (mail,) = account.mails()
    assert (mail.region, mail.sender, mail.recipients) == (
        "eu-west-1",
        "a@example.com",
        ("b@example.com",),
    )
    assert mail.message["Subject"] == "grüße"
    assert mail.message.get_content().strip() == "x"


def test_mail_from_an_unverified_sender_is_refused(account: Account) -> None:
    """SES accepts mail from verified identities only."""
    with pytest.raises(ClientError, match="MessageRejected"):
        account.client("sesv2").send_email(**MAIL)
    assert account.mails() == []


def test_refused_mail_is_not_accepted(account: Account) -> None:
    """With the fault SES answers MessageRejected, and no mail is kept."""
    account.client("ses").verify_email_identity(EmailAddress="a@example.com")
    account.faults.refuse_mail()
    with pytest.raises(ClientError, match="MessageRejected"):
        account.client("sesv2").send_email(**MAIL)
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
