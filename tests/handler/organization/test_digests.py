"""Digests of teams: each gets its own part once, after the digest of everything."""

from collections import defaultdict
from contextlib import suppress
from typing import Any

import pytest

from handler.model.run import AuditIncompleteError
from handler.organization.configuration import TeamDigest
from sandbox.aws.faults import Fault
from tests.support.organization import ROOT, MemoryOrganization
from tests.support.stack import Killed, intercepted, killed, unwrapped

PAYMENTS, SHOP, BLOG = "111122223333", "222233334444", "333344445555"
DIGESTS = (
    TeamDigest((PAYMENTS,), ("payments@example.com",)),
    TeamDigest((SHOP,), ("shop@example.com", "web@example.com")),
)


def join(organization: MemoryOrganization) -> None:
    """Three accounts with an open group each, of which two have a team."""
    for account, name in ((PAYMENTS, "payments"), (SHOP, "shop"), (BLOG, "blog")):
        organization.join(account, name)
        organization.open(account, f"{name}-web")
    organization.configure(units=(ROOT,), digests=DIGESTS)


@pytest.fixture(autouse=True)
def members(organization: MemoryOrganization) -> None:
    """The accounts before the first run."""
    join(organization)


def mailed(organization: MemoryOrganization) -> list[tuple[str, str]]:
    """The first recipient and the subject of each mail."""
    mails = organization.account.mails()
    return [
        (mail.recipients[0], str(mail.message["Subject"]).removeprefix("[dev] ")) for mail in mails
    ]


def test_each_team_gets_its_own_part(organization: MemoryOrganization) -> None:
    """The digest of everything comes first, and a team reads of its own accounts only."""
    organization.run()
    assert mailed(organization) == [
        ("security@example.com", "3 medium exposures: start with payments-web, SSH"),
        ("payments@example.com", "Medium: SSH on payments-web"),
        ("shop@example.com", "Medium: SSH on shop-web"),
    ]
    mail = organization.account.mails()[1]
    assert mail.message["To"] == "payments@example.com"
    assert "All 2 regions of 1 account read" in unwrapped(organization.texts[1])
    (attachment,) = mail.message.iter_attachments()
    rows = attachment.get_content().splitlines()
    assert len(rows) == 2
    assert "payments-web" in rows[1]


def test_a_team_without_changes_gets_no_mail(organization: MemoryOrganization) -> None:
    """Only the team in whose account something has opened reads of it."""
    organization.run()
    organization.day()
    organization.open(SHOP, "database", port=5432)
    organization.run()
    assert mailed(organization)[3:] == [
        ("security@example.com", "New medium: PostgreSQL on database"),
        ("shop@example.com", "New medium: PostgreSQL on database"),
    ]


def test_an_account_that_could_not_be_read_is_said_to_its_team(
    organization: MemoryOrganization,
) -> None:
    """The others do not read of it."""
    organization.members[SHOP].trusts = False
    with pytest.raises(AuditIncompleteError):
        organization.run()
    assert mailed(organization)[1:] == [
        ("payments@example.com", "Medium: SSH on payments-web"),
        ("shop@example.com", "Nothing could be read in 1 account"),
    ]


def test_a_refused_team_digest_stops_no_other(organization: MemoryOrganization) -> None:
    """The run fails; the next digest of everything says so, and that team's is full."""
    organization.run()
    organization.day()
    for account in (PAYMENTS, SHOP):
        organization.open(account, "database", port=5432)
    refuse = organization.account.faults.add
    send = organization.account.client("sesv2").send_email

    def send_or_refuse(**message: object) -> object:
        if "payments@example.com" in str(message["Destination"]):
            refuse(Fault("SendEmail", code="MessageRejected", message="Not verified.", times=1))
        return send(**message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(organization.account.client("sesv2"), "send_email", send_or_refuse)
        with pytest.raises(AuditIncompleteError, match="MessageRejected: Not verified"):
            organization.run()
    assert [recipient for recipient, _ in mailed(organization)[3:]] == [
        "security@example.com",
        "shop@example.com",
    ]
    organization.day()
    organization.run()
    assert [recipient for recipient, _ in mailed(organization)[5:]] == [
        "security@example.com",
        "payments@example.com",
        "shop@example.com",
    ]
    said = "The digest for payments@example.com was not sent: SES did not take the digest: Message"
    assert said in unwrapped(organization.texts[5])
    assert "payments-web" in organization.texts[6]
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0


@pytest.mark.parametrize("answered", [False, True])
def test_a_second_attempt_continues_after_what_was_sent(*, answered: bool) -> None:
    """A report that is killed at any request is continued: each mail arrives once, or says why."""
    repeated = "Run e1 stopped before it could record its mail; this mail may repeat some"
    at, requests = 0, [1]
    while len(requests) >= at:
        at += 1
        with pytest.MonkeyPatch.context() as patch:
            organization = MemoryOrganization(patch)
            join(organization)
            organization.start(run="e1")
            organization.scan("e1")
            with suppress(Killed), killed(at, answered=answered) as requests:
                organization.report("e1")
            organization.sleep(120)
            organization.report("e1")
            texts = defaultdict(list)
            for (recipient, _), text in zip(mailed(organization), organization.texts, strict=True):
                texts[recipient].append(unwrapped(text))
        assert sorted(texts) == ["payments@example.com", "security@example.com", "shop@example.com"]
        assert not [t for first, *again in texts.values() for t in again if repeated not in t], at
    assert at > 15


def test_a_mail_that_was_accepted_is_not_sent_again(organization: MemoryOrganization) -> None:
    """Of a report that died after a team's mail, only that mail is repeated, and the rest sent."""
    organization.start(run="e1")
    organization.scan("e1")

    def die_after_the_second_mail(request: Any, send: Any) -> Any:
        answer = send()
        if request.name == "SendEmail" and len(organization.account.mails()) == 2:
            raise Killed
        return answer

    with pytest.raises(Killed), intercepted(die_after_the_second_mail):
        organization.report("e1")
    organization.sleep(120)
    organization.report("e1")
    assert [recipient for recipient, _ in mailed(organization)] == [
        "security@example.com",
        "payments@example.com",
        "payments@example.com",
        "shop@example.com",
    ]
