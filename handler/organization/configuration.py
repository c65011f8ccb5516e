"""Which accounts are audited, through which role, and which teams get a digest."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from handler.model.network import ACCOUNT_ID
from handler.settings import SettingsError, parse_recipients, parse_texts, refuse

# https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html
_UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32}")
_UNIT_IDS = "IDs of organizational units or the root, for example ou-ab12-cd34ef56"
_SCAN_ROLE_SUFFIX = "-scan"
# A role's name has at most 64 characters:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_ROLE_NAME = re.compile(rf"[\w+=,.@-]{{1,{64 - len(_SCAN_ROLE_SUFFIX)}}}", re.ASCII)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_FILE = Path(__file__).resolve().parent.parent.parent / "organization.json"
_KEYS = ("accounts", "organizationalUnits", "memberRoleName", "externalId", "digests")


class TeamDigest(NamedTuple):
    """The digest of a team: its accounts and recipients."""

    accounts: tuple[str, ...]
    recipients: tuple[str, ...]

    @property
    def id(self) -> str:
        """The id of its mail: a hash of the accounts, and one of the recipients."""
        parts = (repr(sorted(part)).encode() for part in self)
        return "-".join(hashlib.sha256(part).hexdigest()[:8] for part in parts)


def owed_digests(refused: Iterable[str], digests: Sequence[TeamDigest]) -> frozenset[str]:
    """The ids of the digests that are owed a mail because one was refused.

    If a refused mail's own digest is no longer configured, these are the digests with the same
    accounts or the same recipients, or else all.
    """
    owed: set[str] = set()
    ids = {digest.id for digest in digests}
    for mail in refused:
        similar = {i for i in ids if set(mail.split("-")) & set(i.split("-"))}
        owed |= {mail} & ids or similar or ids
    return frozenset(owed)


class Organization(NamedTuple):
    """The accounts to audit: by ID, and by the organizational units or roots that they are in.

    ``member_role`` is the name of the role to assume in each account, ``external_id`` the external
    ID for it.
    """

    accounts: tuple[str, ...]
    units: tuple[str, ...]
    member_role: str
    external_id: str | None = None
    digests: tuple[TeamDigest, ...] = ()

    @classmethod
    def parse(cls, document: object) -> "Organization":
        """The settings in a JSON object, IDs sorted. Raises ``SettingsError`` with one sentence."""
        if not isinstance(document, Mapping) or document.keys() != set(_KEYS):
            refuse("organization.json", f"an object with {', '.join(_KEYS)}", document)
        accounts = _account_ids("accounts", document["accounts"])
        units = parse_texts(
            "organizationalUnits", document["organizationalUnits"], _UNIT_ID, _UNIT_IDS
        )
        if not accounts and not units:
            refuse("accounts", "given without organizationalUnits", [])
        role, external_id = document["memberRoleName"], document["externalId"]
        if not isinstance(role, str) or not _ROLE_NAME.fullmatch(role):
            refuse("memberRoleName", "a role name of 1 to 59 letters, digits and _+=,.@-", role)
        if external_id is not None and not (
            isinstance(external_id, str) and EXTERNAL_ID.fullmatch(external_id)
        ):
            refuse("externalId", "2 to 1224 letters, digits and _+=,.@:/-", external_id)
        # Which accounts the organizational units have is not known before a run.
        known = () if units else accounts
        return cls(
            accounts, tuple(sorted(units)), role, external_id, _digests(document["digests"], known)
        )

    @property
    def document(self) -> Mapping[str, Any]:
        """The JSON object with these settings."""
        return {
            "accounts": self.accounts,
            "organizationalUnits": self.units,
            "memberRoleName": self.member_role,
            "externalId": self.external_id,
            "digests": [digest._asdict() for digest in self.digests],
        }

    @property
    def scan_role(self) -> str:
        """The name of the role that assumes the member roles, which trust it by this name."""
        return f"{self.member_role}{_SCAN_ROLE_SUFFIX}"


def deployed_organization() -> Organization | None:
    """The settings in the zip; None if it has none, because only one account is audited.

    Raises ``SettingsError`` with one sentence.
    """
    if not _FILE.exists():
        return None
    try:
        return Organization.parse(json.loads(_FILE.read_text(encoding="utf-8")))
    except ValueError as error:
        raise SettingsError(f"organization.json is invalid: {error}") from error


def _digests(value: object, known: Sequence[str]) -> tuple[TeamDigest, ...]:
    """The digests; if accounts are ``known``, they must be among these."""
    if not isinstance(value, list):
        refuse("digests", "a list", value)
    digests: dict[str, TeamDigest] = {}
    for number, entry in enumerate(value):
        key = f"digests[{number}]"
        if not isinstance(entry, Mapping) or entry.keys() != set(TeamDigest._fields):
            refuse(key, "an object with accounts and recipients", entry)
        accounts = _account_ids(f"{key}.accounts", entry["accounts"])
        if not accounts:
            refuse(f"{key}.accounts", "at least one account ID", [])
        if known and (unknown := sorted(set(accounts) - set(known))):
            refuse(f"{key}.accounts", "IDs that accounts lists", unknown[0])
        digest = TeamDigest(accounts, parse_recipients(f"{key}.recipients", entry["recipients"]))
        if digest.id in digests:
            refuse(key, "different from the other digests", entry, "it is there twice")
        digests[digest.id] = digest
    return tuple(digests.values())


def _account_ids(key: str, value: object) -> tuple[str, ...]:
    # Without quotes YAML reads an ID as a number, and one with a leading zero as another number.
    return tuple(sorted(parse_texts(key, value, ACCOUNT_ID, "account IDs of 12 digits in quotes")))
