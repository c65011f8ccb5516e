"""The settings of a stack that audits many accounts, read and validated."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handler.model.network import ACCOUNT_ID
from infra.config_reader import ConfigReader, refuse, refuse_invalid_recipients

# The ids travel in a condition of the scan role's policy, and all inline policies of a role have
# at most 10,240 characters.
MAX_ACCOUNTS = 500
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
CONCURRENCY = range(1, 1000 + 1)
# A new account runs ten functions at a time.
DEFAULT_CONCURRENCY = 8
DEFAULT_MEMBER_ROLE = "security-group-audit"
# A role's name has at most 64 characters:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
SCAN_ROLE_SUFFIX = "-scan"
_ROLE_NAME = re.compile(rf"[\w+=,.@-]{{1,{64 - len(SCAN_ROLE_SUFFIX)}}}", re.ASCII)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
# Without quotes YAML reads an id as a number, and one with a leading zero as another number.
ACCOUNT_IDS = "account IDs of 12 digits in quotes"
# https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
_UNIT = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")


@dataclass(frozen=True, slots=True)
class TeamDigest:
    """The accounts that a team is mailed about, and its addresses."""

    accounts: tuple[str, ...]
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrganizationConfig:
    """The accounts to audit and how; ``external_id`` is None where none is needed."""

    accounts: tuple[str, ...]
    organizational_units: tuple[str, ...]
    member_role_name: str
    deploy_member_role: bool
    external_id: str | None
    scan_concurrency: int
    digests: tuple[TeamDigest, ...]

    @property
    def scan_role_name(self) -> str:
        """The name of the role that enters the accounts; the member roles trust it by this."""
        return f"{self.member_role_name}{SCAN_ROLE_SUFFIX}"

    @property
    def document(self) -> Mapping[str, Any]:
        """The content of organization.json in the functions' archive."""
        return {
            "accounts": list(self.accounts),
            "organizationalUnits": list(self.organizational_units),
            "memberRoleName": self.member_role_name,
            "externalId": self.external_id,
            "digests": [
                {"accounts": list(digest.accounts), "recipients": list(digest.recipients)}
                for digest in self.digests
            ],
        }


def read_organization(reader: ConfigReader) -> OrganizationConfig | None:
    """The accounts that the stack audits; None if it audits its own account only.

    Raises ``pulumi.RunError`` with one sentence that names key, expectation and value.
    """
    accounts = _read_ids(reader, "accounts", ACCOUNT_ID, ACCOUNT_IDS)
    units = _read_ids(
        reader,
        "organizationalUnits",
        _UNIT,
        "IDs of organizational units or the root, for example ou-ab12-cd34ef56",
    )
    if len(accounts) > MAX_ACCOUNTS:
        expectation = f"at most {MAX_ACCOUNTS} account IDs"
        refuse("accounts", expectation, len(accounts), "use organizationalUnits")
    organization = OrganizationConfig(
        accounts=accounts,
        organizational_units=units,
        member_role_name=_read_member_role_name(reader),
        deploy_member_role=_read_deploy_member_role(reader, units),
        external_id=_read_external_id(reader),
        scan_concurrency=reader.integer_within(
            "scanConcurrency", CONCURRENCY, "accounts at a time", DEFAULT_CONCURRENCY
        ),
        digests=_read_digests(reader, accounts, units),
    )
    if accounts or units:
        return organization
    _refuse_settings_without_accounts(organization)
    return None


def _read_ids(
    reader: ConfigReader, key: str, pattern: re.Pattern[str], expectation: str
) -> tuple[str, ...]:
    ids = reader.texts(key, default=(), called=expectation)
    _refuse_invalid_ids(key, ids, pattern, expectation)
    return tuple(sorted(ids))


def _refuse_invalid_ids(
    key: str, ids: Sequence[str], pattern: re.Pattern[str], expectation: str
) -> None:
    for item in ids:
        if not pattern.fullmatch(item):
            refuse(key, expectation, item)
        if ids.count(item) > 1:
            refuse(key, "different IDs", item, "it is there twice")


def _read_member_role_name(reader: ConfigReader) -> str:
    name = reader.text("memberRoleName", default=DEFAULT_MEMBER_ROLE)
    if not _ROLE_NAME.fullmatch(name):
        refuse("memberRoleName", "a role name of 1 to 59 letters, digits and _+=,.@-", name)
    return name


def _read_deploy_member_role(reader: ConfigReader, units: Sequence[str]) -> bool:
    deploy = reader.boolean("deployMemberRole", default=False)
    if deploy and not units:
        hint = "CloudFormation deploys the role to organizational units"
        refuse("deployMemberRole", "false without organizationalUnits", deploy, hint)
    return deploy


def _read_external_id(reader: ConfigReader) -> str | None:
    external_id = reader.text("externalId", default="")
    if external_id and not _EXTERNAL_ID.fullmatch(external_id):
        expectation = "2 to 1224 letters, digits and _+=,.@:/-"
        refuse("externalId", expectation, external_id)
    return external_id or None


def _read_digests(
    reader: ConfigReader, accounts: Sequence[str], units: Sequence[str]
) -> tuple[TeamDigest, ...]:
    digests = tuple(
        _parse_digest(f"digests[{number}]", value)
        for number, value in enumerate(reader.objects("digests"))
    )
    for number, digest in enumerate(digests):
        for account in digest.accounts:
            # Which accounts the organizational units have is not known before a run.
            if accounts and not units and account not in accounts:
                refuse(f"digests[{number}].accounts", "IDs that accounts lists", account)
    return digests


def _parse_digest(key: str, value: object) -> TeamDigest:
    if not isinstance(value, dict) or value.keys() != {"accounts", "recipients"}:
        refuse(key, "an object with accounts and recipients", value)
    accounts = _texts_of(f"{key}.accounts", value["accounts"], ACCOUNT_IDS)
    if not accounts:
        refuse(f"{key}.accounts", "at least one account ID", [])
    _refuse_invalid_ids(f"{key}.accounts", accounts, ACCOUNT_ID, ACCOUNT_IDS)
    recipients = _texts_of(f"{key}.recipients", value["recipients"], "mail addresses")
    refuse_invalid_recipients(f"{key}.recipients", recipients)
    return TeamDigest(tuple(sorted(accounts)), recipients)


def _texts_of(key: str, value: object, called: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        refuse(key, f"a list of {called}", value)
    return tuple(value)


def _refuse_settings_without_accounts(organization: OrganizationConfig) -> None:
    """Raises ``pulumi.RunError`` for a setting that has no meaning for a single account.

    Pulumi fills in defaults, so that a setting with its default cannot be told from none.
    """
    for key, value, default in (
        ("memberRoleName", organization.member_role_name, DEFAULT_MEMBER_ROLE),
        ("externalId", organization.external_id, None),
        ("scanConcurrency", organization.scan_concurrency, DEFAULT_CONCURRENCY),
        ("digests", organization.document["digests"], []),
    ):
        if value != default:
            refuse(key, "left out without accounts or organizationalUnits", value)
