"""organization.json is read strictly: a value with another meaning must not leave accounts out."""

import json
from pathlib import Path
from typing import Any

import pytest

from handler.organization import configuration
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


def test_settings_are_written_as_they_are_read() -> None:
    """The document of an organization is the one that it was read from."""
    assert json.loads(json.dumps(Organization.parse(DOCUMENT).document)) == DOCUMENT


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"recipients": []},
            "organization.json must be an object with accounts, organizationalUnits, memberRole",
        ),
        ({"accounts": "1"}, "accounts must be a list of account IDs of 12 digits in quotes, got "),
        (
            {"accounts": [], "organizationalUnits": []},
            "accounts must be given without organizationalUnits, got [].",
        ),
        ({"memberRoleName": None}, "memberRoleName must be a role name of 1 to 59 letters, "),
        ({"externalId": 12}, "externalId must be 2 to 1224 letters, digits and _+=,.@:/-, got 12."),
        ({"digests": {}}, "digests must be a list, got {}."),
    ],
)
def test_another_value_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], sentence: str
) -> None:
    """The SettingsError is one sentence with file, key, value and expectation.

    tests/infra/test_organization_config.py has what the stack's config may hold as well.
    """
    file = tmp_path / "organization.json"
    file.write_text(json.dumps(DOCUMENT | changes), encoding="utf-8")
    monkeypatch.setattr(configuration, "_FILE", file)
    with pytest.raises(SettingsError) as error:
        deployed_organization()
    assert str(error.value).startswith(f"organization.json is invalid: {sentence}")


def test_file_that_is_not_json_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged organization.json raises a SettingsError of one sentence."""
    file = tmp_path / "organization.json"
    file.write_text("{", encoding="utf-8")
    monkeypatch.setattr(configuration, "_FILE", file)
    with pytest.raises(SettingsError, match=r"^organization\.json is invalid: "):
        deployed_organization()
