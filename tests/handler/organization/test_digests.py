"""Digests of teams: each gets its own part once, after the digest of everything."""

from collections import defaultdict
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from handler.model.run import AuditIncompleteError
from handler.organization.configuration import TeamDigest
from tests.support.organization import ROOT, MemoryOrganization, refusal
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
    assert ["WORST ACCOUNTS" in text for text in organization.texts] == [True, False, False]
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


def test_a_team_reads_of_exceptions_of_its_own_accounts_only(
    organization: MemoryOrganization,
) -> None:
    """Also when they end, and match nothing."""
    exception = {"ports": "tcp/22", "reason": "a test", "owner": "ops", "until": "2026-11-30"}
    organization.apply(
        exceptions=[
            {**exception, "group": f"{name}-vpn", "account": account}
            for account, name in ((PAYMENTS, "payments"), (SHOP, "shop"))
        ]
    )
    organization.run()
    assert [("payments-vpn" in text, "shop-vpn" in text) for text in organization.texts] == [
        (True, True),
        (True, False),
        (False, True),
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


def run_with_refused_mail(organization: MemoryOrganization, *, answers: bool = True) -> None:
    """A run in which SES refuses the team's mail, or takes it and does not answer."""
    ses = organization.account.client("sesv2")
    send = ses.send_email
    rejected = refusal("SendEmail", "MessageRejected", "Not verified.")

    def send_or_refuse(**message: Any) -> Any:
        if message["Destination"]["ToAddresses"] != ["payments@example.com"]:
            return send(**message)
        if answers:
            raise rejected
        send(**message)
        raise ReadTimeoutError(endpoint_url="https://email.eu-west-1.amazonaws.com")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ses, "send_email", send_or_refuse)
        with pytest.raises(AuditIncompleteError, match="SES did not accept the digest"):
            organization.run()


def test_a_refused_team_digest_stops_no_other(organization: MemoryOrganization) -> None:
    """The next digest of everything says so, that team's is full, and other teams get none."""
    organization.run()
    organization.day()
    for account in (PAYMENTS, SHOP):
        organization.open(account, "database", port=5432)
    run_with_refused_mail(organization)
    assert [recipient for recipient, _ in mailed(organization)[3:]] == [
        "security@example.com",
        "shop@example.com",
    ]
    organization.day()
    organization.run()
    assert mailed(organization)[5:] == [
        ("security@example.com", "5 medium exposures: start with payments-web, SSH"),
        ("payments@example.com", "2 medium exposures: start with payments-web, SSH"),
    ]
    said = (
        "The digest for payments@example.com was not sent: SES did not accept the digest: Message"
    )
    assert said in unwrapped(organization.texts[5])
    assert "An earlier mail may not have reached you; this one lists all" in unwrapped(
        organization.texts[6]
    )
    assert "payments-web" in organization.texts[6]
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0


@pytest.mark.parametrize("notify", ["full", "changes"])
def test_a_refused_team_digest_is_not_forgotten_by_a_run_of_another_account(
    organization: MemoryOrganization, notify: str
) -> None:
    """The team gets it in the next run about its own account."""
    organization.run()
    organization.day()
    organization.open(PAYMENTS, "database", port=5432)
    run_with_refused_mail(organization)
    organization.sleep(60)
    organization.open(SHOP, "cache", port=6379)
    event = {"accounts": [SHOP]}
    organization.run(event if notify == "full" else event | {"notify": notify})
    sent = len(mailed(organization))
    organization.day()
    organization.run()
    assert [recipient for recipient, _ in mailed(organization)[sent:]] == [
        "security@example.com",
        "payments@example.com",
    ]
    assert "PostgreSQL" in organization.texts[-1]


def test_a_part_of_a_teams_accounts_is_not_all_of_them(organization: MemoryOrganization) -> None:
    """Reading another region by hand sends the team nothing that looks like an all-clear."""
    organization.run()
    organization.day()
    organization.open(PAYMENTS, "database", port=5432)
    run_with_refused_mail(organization)
    sent = len(mailed(organization))
    organization.sleep(60)
    organization.run({"accounts": [PAYMENTS], "regions": ["us-east-1"], "notify": "changes"})
    assert len(mailed(organization)) == sent
    organization.day()
    organization.run()
    assert mailed(organization)[-1][0] == "payments@example.com"
    assert "PostgreSQL" in organization.texts[-1]


def test_a_team_without_accounts_is_not_waited_for(organization: MemoryOrganization) -> None:
    """One digest says that the mail about its last account was refused."""
    organization.run()
    organization.day()
    organization.members[PAYMENTS].state = "SUSPENDED"
    run_with_refused_mail(organization)
    for port in (5432, 6379):
        organization.day()
        organization.open(SHOP, f"service-{port}", port=port)
        organization.run()
    said = "The digest for payments@example.com was not sent"
    texts = [
        t
        for (to, _), t in zip(mailed(organization), organization.texts, strict=True)
        if to == "security@example.com"
    ]
    assert [said in unwrapped(text) for text in texts[-3:]] == [False, True, False]


def test_a_team_hears_of_a_closing_whose_mail_was_refused(
    organization: MemoryOrganization,
) -> None:
    """Nothing is open any more, and the mail says that."""
    organization.run()
    organization.day()
    ec2 = organization.members[PAYMENTS].account.client("ec2", "eu-west-1")
    ec2.delete_security_group(GroupId="sg-eu-west-1-0")
    run_with_refused_mail(organization)
    organization.day()
    organization.run()
    assert mailed(organization)[-1] == (
        "payments@example.com",
        "Nothing open to the internet in 1 account",
    )


def test_a_team_digest_without_an_answer_may_have_arrived(
    organization: MemoryOrganization,
) -> None:
    """The next digest of everything does not say that it was not sent."""
    organization.run()
    organization.day()
    organization.open(PAYMENTS, "database", port=5432)
    run_with_refused_mail(organization, answers=False)
    organization.day()
    organization.run()
    assert "The digest for payments@example.com may not have arrived: SES did not accept" in (
        unwrapped(organization.texts[-2])
    )


def test_two_digests_may_go_to_the_same_address(organization: MemoryOrganization) -> None:
    """Each of them is mailed."""
    address = ("all@example.com",)
    organization.configure(
        units=(ROOT,), digests=(TeamDigest((PAYMENTS,), address), TeamDigest((SHOP,), address))
    )
    organization.run()
    assert mailed(organization)[1:] == [
        ("all@example.com", "Medium: SSH on payments-web"),
        ("all@example.com", "Medium: SSH on shop-web"),
    ]


def test_a_team_hears_that_its_account_is_left_out_and_back(
    organization: MemoryOrganization,
) -> None:
    """The other team does not."""
    organization.run()
    for state, subject in (
        ("SUSPENDED", "1 account left out"),
        ("ACTIVE", "1 account audited again; 1 still open (1 medium)"),
    ):
        organization.day()
        organization.members[PAYMENTS].state = state
        sent = len(mailed(organization))
        organization.run()
        assert mailed(organization)[sent + 1 :] == [("payments@example.com", subject)]


def test_a_digest_of_an_unknown_account_is_said(organization: MemoryOrganization) -> None:
    """In each digest of everything, but none is mailed for it."""
    ghost = TeamDigest((BLOG, "999999999999"), ("ghost@example.com",))
    organization.configure(units=(ROOT,), digests=(ghost,))
    organization.run()
    said = "digests names accounts that are not among those to audit: 999999999999."
    assert said in unwrapped(organization.texts[0])
    assert said not in unwrapped(organization.texts[1])
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0


def report_twice(
    organization: MemoryOrganization, dies_at: str, mails: int, lost: tuple[str, str] = ("", "")
) -> None:
    """A run whose report dies after that call with that many mails sent, and is tried again.

    S3 refuses each of the two attempts the object whose key holds the text in ``lost``.
    """
    organization.start(run="e1")
    organization.scan("e1")

    def answer(request: Any, send: Any, key: str) -> Any:
        if key and request.method == "GET" and key in request.url:
            raise refusal("GetObject", "AccessDenied", "No.")
        return send()

    def answer_and_die(request: Any, send: Any) -> Any:
        answered = answer(request, send, lost[0])
        if request.name == dies_at and len(organization.account.mails()) == mails:
            raise Killed
        return answered

    with pytest.raises(Killed), intercepted(answer_and_die):
        organization.report("e1")
    organization.sleep(120)
    with intercepted(lambda request, send: answer(request, send, lost[1])):
        organization.report("e1")


def test_a_second_attempt_keeps_the_kind_of_the_digest(organization: MemoryOrganization) -> None:
    """It commits a digest of changes as such: the weekly one is not put off."""
    organization.run()
    first = organization.head.last_full_digest_at
    organization.day()
    organization.open(PAYMENTS, "database", port=5432)
    report_twice(organization, dies_at="PutObject", mails=4)
    assert [recipient for recipient, _ in mailed(organization)[3:]] == [
        "security@example.com",
        "payments@example.com",
    ]
    assert organization.head.last_full_digest_at == first
    assert organization.head.abandoned == ()
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
    report_twice(organization, dies_at="SendEmail", mails=2)
    assert [recipient for recipient, _ in mailed(organization)] == [
        "security@example.com",
        "payments@example.com",
        "payments@example.com",
        "shop@example.com",
    ]


def test_a_second_attempt_that_reads_more_mails_it(organization: MemoryOrganization) -> None:
    """What the first one could not read is announced to all, who had been told of its failure."""
    organization.run()
    organization.day()
    organization.open(SHOP, "database", port=5432)
    report_twice(organization, dies_at="SendEmail", mails=5, lost=(f"scans/e1/{SHOP}", ""))
    assert mailed(organization)[3:] == [
        ("security@example.com", "1 account not read; 2 medium exposures"),
        ("shop@example.com", "Nothing could be read in 1 account"),
        ("security@example.com", "New medium: PostgreSQL on database"),
        ("payments@example.com", "Medium: SSH on payments-web"),
        ("shop@example.com", "New medium: PostgreSQL on database"),
    ]


@pytest.mark.parametrize(
    ("digests", "owed"),
    [
        pytest.param(
            (TeamDigest((PAYMENTS,), ("money@example.com",)), DIGESTS[1]),
            ["money@example.com"],
            id="recipients",
        ),
        pytest.param(
            (TeamDigest((PAYMENTS, BLOG), ("payments@example.com",)), DIGESTS[1]),
            ["payments@example.com"],
            id="accounts",
        ),
        pytest.param(
            (TeamDigest((PAYMENTS, BLOG), ("money@example.com",)), DIGESTS[1]),
            ["money@example.com", "shop@example.com"],
            id="both-so-all-teams",
        ),
        pytest.param(
            (TeamDigest((SHOP, PAYMENTS), ("web@example.com", "shop@example.com")),),
            ["web@example.com"],
            id="moved-to-another-team",
        ),
    ],
)
def test_a_refused_digest_that_is_changed_is_not_forgotten(
    organization: MemoryOrganization, digests: tuple[TeamDigest, ...], owed: list[str]
) -> None:
    """The digest that took its place lists all that is open, also after a run of another account.

    Where it has both other accounts and other recipients, each team's does.
    """
    organization.run()
    organization.day()
    organization.open(PAYMENTS, "database", port=5432)
    run_with_refused_mail(organization)
    organization.configure(units=(ROOT,), digests=digests)
    organization.sleep(60)
    organization.run({"accounts": [BLOG]})
    sent = len(mailed(organization))
    organization.day()
    organization.run()
    assert [recipient for recipient, _ in mailed(organization)[sent:]] == [
        "security@example.com",
        *owed,
    ]
    assert "PostgreSQL" in organization.texts[sent + 1]
    organization.day()
    assert organization.run()["counts"]["mailed"] == 0


def test_a_team_whose_account_cannot_be_read_stays_owed_a_digest(
    organization: MemoryOrganization,
) -> None:
    """It gets all that is open when the account is read again, and no promise of it before."""
    organization.run()
    organization.day()
    organization.open(PAYMENTS, "database", port=5432)
    run_with_refused_mail(organization)
    for trusts in (False, True):
        organization.day()
        organization.members[PAYMENTS].trusts = trusts
        with nullcontext() if trusts else pytest.raises(AuditIncompleteError):
            organization.run()
        assert mailed(organization)[-1][0] == "payments@example.com"
        assert ("this one lists all" in unwrapped(organization.texts[-1])) is trusts
        assert ("PostgreSQL" in organization.texts[-1]) is trusts
    assert organization.head.refused == {}


def test_the_order_of_a_digests_accounts_and_recipients_does_not_matter() -> None:
    """It stays the same digest."""
    digest = TeamDigest((PAYMENTS, SHOP), ("a@example.com", "b@example.com"))
    assert TeamDigest(*(part[::-1] for part in digest)).id == digest.id


def test_a_second_attempt_without_a_ledger_mails_all(organization: MemoryOrganization) -> None:
    """It cannot tell what was mailed, and a team gets all that is open, not a part of it."""
    organization.run()
    organization.day()
    organization.open(PAYMENTS, "database", port=5432)
    with pytest.raises(AuditIncompleteError, match="No"):
        report_twice(organization, dies_at="PutObject", mails=4, lost=("", f"known/{PAYMENTS}"))
    assert mailed(organization)[4:] == [
        ("security@example.com", "4 medium exposures: start with database, PostgreSQL"),
        ("payments@example.com", "2 medium exposures: start with database, PostgreSQL"),
        ("shop@example.com", "Medium: SSH on shop-web"),
    ]
