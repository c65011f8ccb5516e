"""organization.json is read strictly: a value with another meaning must not leave accounts out."""

from typing import Any

import pytest

from handler.organization.configuration import Organization, TeamDigest, deployed_organization
from handler.settings import SettingsError

DOCUMENT: dict[str, Any] = {
    "accounts": ["111122223333"],
    "organizationalUnits": ["ou-ab12-11112222", "r-ab12"],
    "memberRoleName": "security-group-audit",
    "externalId": None,
    "digests": [{"accounts": ["111122223333"], "recipients": ["team@example.com"]}],
}


def test_without_a_file_one_account_is_audited() -> None:
    """Without organization.json there is no organization."""
    assert deployed_organization() is None


def test_every_setting_is_read() -> None:
    """Accounts, units, the role, the external id and digests have the values of the document."""
    assert Organization.parse(DOCUMENT | {"externalId": "shared-id"}) == Organization(
        accounts=("111122223333",),
        units=("ou-ab12-11112222", "r-ab12"),
        member_role="security-group-audit",
        external_id="shared-id",
        digests=(TeamDigest(("111122223333",), ("team@example.com",)),),
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"accounts": ["1234"]}, "accounts: ['1234'] is not a list of account IDs"),
        ({"accounts": [111122223333]}, "accounts: [111122223333] is not a list of account IDs"),
        ({"accounts": "111122223333"}, "accounts: '111122223333' is not a list of account IDs"),
        ({"organizationalUnits": ["ou-1"]}, "organizationalUnits: ['ou-1'] is not a list of ou-"),
        ({"accounts": [], "organizationalUnits": []}, "accounts and organizationalUnits are both"),
        ({"memberRoleName": "a/b"}, "memberRoleName: 'a/b' is not a role's name"),
        ({"externalId": "a"}, "externalId: 'a' is not an external ID"),
        ({"digests": {}}, "digests: {} is not a list"),
        (
            {"digests": [{"accounts": ["111122223333"], "recipients": ["team"]}]},
            r"digests[0].recipients: ['team'] is not a list of mail addresses",
        ),
        ({"digests": [{"accounts": []}]}, "digests[0]: {'accounts': []} is not an object with"),
        ({"recipients": []}, "organization.json: {"),
    ],
)
def test_another_value_is_refused(changes: dict[str, Any], sentence: str) -> None:
    """The SettingsError is one sentence with key, value and expectation."""
    with pytest.raises(SettingsError) as error:
        Organization.parse(DOCUMENT | changes)
    assert sentence in str(error.value)
