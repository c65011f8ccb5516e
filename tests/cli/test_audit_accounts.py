"""The audit of other accounts, through a role in each."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from sandbox.aws.account import Account
from sandbox.aws.faults import Fault

OWN = "123456789012"
MEMBERS = ("111122223333", "444455556666")
STRICT = "777788889999"
ROLE = "audit/reader"
REGIONS = ("--region", "eu-west-1", "--region", "us-east-1")


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["audit", *arguments])


def read(*accounts: str) -> list[str]:
    """The options that name the accounts, the role, and two regions."""
    return [*(f"--account={account}" for account in accounts), f"--role={ROLE}", *REGIONS]


def report(*arguments: str, status: int) -> dict[str, Any]:
    """The report in JSON; asserts the exit status."""
    result = run(*arguments, "--format", "json")
    assert result.exit_code == status, result.output
    return dict(json.loads(result.stdout))


def open_ssh(account: Account, member: str, external_id: str | None = None) -> None:
    """Make a role that trusts the caller in a member account, and a group there that opens SSH."""
    condition = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    trust = {"Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "sts:AssumeRole"}
    reads = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}

    def document(statement: dict[str, Any]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam = account.client("iam", account_id=member)
    iam.create_role(
        Path="/audit/",
        RoleName="reader",
        AssumeRolePolicyDocument=document(trust | {"Condition": condition}),
    )
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=document(reads))
    ec2 = account.client("ec2", account_id=member)
    group = ec2.create_security_group(GroupName=f"ssh-{member}", Description="SSH")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )


@pytest.fixture(scope="module")
def accounts() -> Iterator[Account]:
    """The caller's account, two that trust it, and one that asks for an external ID as well."""
    with Account() as account:
        for member in MEMBERS:
            open_ssh(account, member)
        open_ssh(account, STRICT, "pineapple")
        yield account


@pytest.fixture
def account(accounts: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The accounts without faults and earlier calls; the credentials are those of the caller."""
    accounts.faults.clear()
    accounts.calls.clear()
    for name, value in accounts.environment().items():
        monkeypatch.setenv(name, value)
    return accounts


@pytest.mark.usefixtures("account")
def test_accounts_are_in_one_report() -> None:
    """Two accounts in two regions are four targets, each finding with its own account."""
    found = report(*read(*MEMBERS), status=0)
    targets = [(coverage["account"], coverage["region"]) for coverage in found["coverage"]]
    assert targets == [
        ("111122223333", "eu-west-1"),
        ("111122223333", "us-east-1"),
        ("444455556666", "eu-west-1"),
        ("444455556666", "us-east-1"),
    ]
    groups = [(finding["account"], finding["groupName"]) for finding in found["findings"]]
    assert groups == [("111122223333", "ssh-111122223333"), ("444455556666", "ssh-444455556666")]


@pytest.mark.usefixtures("account")
def test_fail_on_counts_the_findings_of_every_account() -> None:
    """A finding in one of two accounts exits with 1 where --fail-on is met."""
    assert run(*read(OWN, MEMBERS[0]), "--fail-on", "medium").exit_code == 1


@pytest.mark.usefixtures("account")
def test_account_that_cannot_be_entered_is_denied() -> None:
    """It exits with 3 and is denied with AWS's words; the other account is read."""
    coverages = report(*read("222233334444", MEMBERS[0]), status=3)["coverage"]
    assert [(c["account"], c["region"], c["status"]) for c in coverages] == [
        ("111122223333", "eu-west-1", "ok"),
        ("111122223333", "us-east-1", "ok"),
        ("222233334444", "all", "denied"),
    ]
    assert coverages[2]["error"] == (
        "AccessDenied: User: arn:aws:iam::123456789012:root is not authorized to perform: "
        "sts:AssumeRole on resource: arn:aws:iam::222233334444:role/audit/reader."
    )


@pytest.mark.usefixtures("account")
def test_accounts_are_counted() -> None:
    """The headline says how many accounts were not read, and JSON has the numbers of each."""
    arguments = read("222233334444", MEMBERS[0])
    lines = run(*arguments).stdout.splitlines()
    assert lines[-2:] == [
        "1 of 2 accounts read (2 regions): 3 groups, 1 rule.",
        "1 account not read; 1 medium finding",
    ]
    accounts = [
        (account["id"], account["medium"], account["complete"])
        for account in report(*arguments, status=3)["accounts"]
    ]
    assert accounts == [("111122223333", 1, True), ("222233334444", 0, False)]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param((), 3, id="none"),
        pytest.param(("--external-id", "pine/apple"), 3, id="another"),
        pytest.param(("--external-id", "pineapple"), 0, id="the-one"),
    ],
)
def test_external_id_opens_a_role_that_asks_for_it(arguments: tuple[str, ...], status: int) -> None:
    """A role whose trust policy asks for an external ID is entered with that one only."""
    assert run(*read(STRICT), *arguments).exit_code == status


def test_own_account_is_read_without_the_role(account: Account) -> None:
    """The role is assumed in the other accounts only, once for each that is named."""
    report(*read(OWN, MEMBERS[0], MEMBERS[0]), status=0)
    assumed = [call.caller for call in account.calls if call.operation == "AssumeRole"]
    assert len(assumed) == 1


def test_caller_without_valid_credentials_is_one_sentence(account: Account) -> None:
    """Where the caller's own account is not known, the audit exits with 2 and one line."""
    message = "The security token included in the request is invalid"
    account.faults.add(Fault("GetCallerIdentity", code="InvalidClientTokenId", message=message))
    result = run(*read(*MEMBERS))
    sentence = f"the account could not be read: InvalidClientTokenId: {message}."
    assert (result.exit_code, result.stderr) == (2, f"Error: {sentence}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("--account", "12"), "'12' is not an account ID of 12 digits.", id="id"),
        pytest.param(
            ("--account", MEMBERS[0], "--role", "arn:aws:iam::1:role/a"),
            "'arn:aws:iam::1:role/a' is not the name of a role, without its ARN.",
            id="arn",
        ),
        pytest.param(
            ("--external-id", "a b"),
            "'a b' is not an external ID: 2 to 1,224 letters, digits and _+=,.@:/-.",
            id="malformed-external-id",
        ),
        pytest.param(
            ("--region", "nowhere"), "'nowhere' is not a region like eu-west-1.", id="region"
        ),
        pytest.param(("--region", ""), "'' is not a region like eu-west-1.", id="no-region"),
        pytest.param(
            ("--account", MEMBERS[0]), "--account and --role need each other.", id="no-role"
        ),
        pytest.param(("--role", "a"), "--account and --role need each other.", id="no-account"),
        pytest.param(
            ("--external-id", "ab"), "--external-id needs --account and --role.", id="external-id"
        ),
        pytest.param(
            ("--from-file", "-", "--account", MEMBERS[0], "--role", "a"),
            "--from-file reads no account: leave out --profile, --region and --account.",
            id="snapshot",
        ),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    """Options that are malformed, or lack another one, exit with 2 and a sentence."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr.splitlines()[-1].endswith(sentence)) == (2, True)
