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
        ({"accounts": ["1234"]}, "accounts must be a list of account IDs, got ['1234']."),
        (
            {"accounts": [111122223333]},
            "accounts must be a list of account IDs, got [111122223333].",
        ),
        (
            {"accounts": "111122223333"},
            "accounts must be a list of account IDs, got '111122223333'.",
        ),
        (
            {"organizationalUnits": ["ou-1"]},
            "organizationalUnits must be a list of ou- and r- IDs, got ['ou-1'].",
        ),
        ({"accounts": [], "organizationalUnits": []}, "accounts and organizationalUnits are both"),
        ({"memberRoleName": "a/b"}, "memberRoleName must be a role's name, got 'a/b'."),
        ({"externalId": "a"}, "externalId must be an external ID, got 'a'."),
        ({"digests": {}}, "digests must be a list, got {}."),
        (
            {"digests": [{"accounts": ["111122223333"], "recipients": ["team"]}]},
            r"digests[0].recipients must be a list of mail addresses, got ['team'].",
        ),
        (
            {"digests": [{"accounts": []}]},
            "digests[0] must be an object with accounts, recipients, got {'accounts': []}.",
        ),
        ({"recipients": []}, "organization.json must be an object with accounts, "),
    ],
)
def test_another_value_is_refused(changes: dict[str, Any], sentence: str) -> None:
    """The SettingsError is one sentence with key, value and expectation."""
    with pytest.raises(SettingsError) as error:
        Organization.parse(DOCUMENT | changes)
    assert sentence in str(error.value)
