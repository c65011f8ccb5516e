"""Which accounts are audited, through which role, and which teams get a digest."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from handler.model.network import ACCOUNT_ID
from handler.sanitize import expected
from handler.settings import MAIL_ADDRESS, SettingsError

# https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html
_UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32}")
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_FILE = Path(__file__).resolve().parent.parent.parent / "organization.json"
_NAME = "organization.json"
_KEYS = ("accounts", "organizationalUnits", "memberRoleName", "externalId", "digests")
_DIGEST_KEYS = ("accounts", "recipients")


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
        """The settings in a JSON object. Raises ``SettingsError`` with one sentence."""
        fields = _object(_NAME, document, _KEYS)
        external_id = fields["externalId"]
        organization = cls(
            accounts=_texts(fields, "accounts", ACCOUNT_ID, "a list of account IDs"),
            units=_texts(fields, "organizationalUnits", _UNIT_ID, "a list of ou- and r- IDs"),
            member_role=_text(fields, "memberRoleName", _ROLE_NAME, "a role's name"),
            external_id=external_id and _text(fields, "externalId", _EXTERNAL_ID, "an external ID"),
            digests=_digests(fields["digests"]),
        )
        if not organization.accounts and not organization.units:
            raise SettingsError(f"{_NAME}: accounts and organizationalUnits are both empty")
        return organization


def deployed_organization() -> Organization | None:
    """The settings in the zip; None if it has none, because only one account is audited.

    Raises ``SettingsError`` with one sentence.
    """
    if not _FILE.exists():
        return None
    try:
        document = json.loads(_FILE.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"{_NAME} must be JSON: {error}.") from error
    return Organization.parse(document)


def _digests(value: object) -> tuple[TeamDigest, ...]:
    if not isinstance(value, list):
        raise SettingsError(expected(f"{_NAME}: digests", "a list", value))
    digests = []
    for number, entry in enumerate(value):
        key = f"digests[{number}]"
        fields = _object(f"{_NAME}: {key}", entry, _DIGEST_KEYS)
        digest = TeamDigest(
            _texts(fields, "accounts", ACCOUNT_ID, "a list of account IDs", key),
            _texts(fields, "recipients", MAIL_ADDRESS, "a list of mail addresses", key),
        )
        if not digest.accounts or not digest.recipients:
            raise SettingsError(f"{_NAME}: {key}: accounts or recipients are empty")
        digests.append(digest)
    return tuple(digests)


def _object(name: str, value: object, keys: tuple[str, ...]) -> Mapping[str, Any]:
    """An object with exactly these keys."""
    if not isinstance(value, Mapping) or value.keys() != set(keys):
        raise SettingsError(expected(name, f"an object with {', '.join(keys)}", value))
    return value


def _text(fields: Mapping[str, Any], key: str, pattern: re.Pattern[str], expectation: str) -> str:
    value = fields[key]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise SettingsError(expected(f"{_NAME}: {key}", expectation, value))
    return value


def _texts(
    fields: Mapping[str, Any],
    key: str,
    pattern: re.Pattern[str],
    expectation: str,
    inside: str = "",
) -> tuple[str, ...]:
    values = fields[key]
    is_list = isinstance(values, list)
    if not is_list or not all(isinstance(v, str) and pattern.fullmatch(v) for v in values):
        name = f"{_NAME}: {inside}.{key}" if inside else f"{_NAME}: {key}"
        raise SettingsError(expected(name, expectation, values))
    return tuple(dict.fromkeys(values))
