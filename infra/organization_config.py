"""Reads which accounts a stack audits; the function's own rules validate them."""

from typing import Any

from handler.organization.configuration import Organization
from infra.config_reader import ConfigReader, refuse

# The ids travel in a condition of the scan role's policy, and all inline policies of a role have
# at most 10,240 characters.
MAX_ACCOUNTS = 500
DEFAULT_MEMBER_ROLE = "security-group-audit"


def read_organization(reader: ConfigReader) -> Organization | None:
    """The accounts that the stack audits; None if it audits its own account only.

    Raises ``SettingsError`` or ``pulumi.RunError`` with one sentence that names key, expectation
    and value.
    """
    document: dict[str, Any] = {
        "accounts": reader.items("accounts", []),
        "organizationalUnits": reader.items("organizationalUnits", []),
        "memberRoleName": reader.text("memberRoleName", DEFAULT_MEMBER_ROLE),
        "externalId": reader.text("externalId", "") or None,
        "digests": reader.items("digests", []),
    }
    accounts = document["accounts"]
    if len(accounts) > MAX_ACCOUNTS:
        expectation = f"at most {MAX_ACCOUNTS} account IDs"
        refuse("accounts", expectation, len(accounts), "use organizationalUnits")
    if accounts or document["organizationalUnits"]:
        return Organization.parse(document)
    # Pulumi fills in defaults, so that a setting with its default cannot be told from none.
    defaults: dict[str, object] = {
        "memberRoleName": DEFAULT_MEMBER_ROLE,
        "externalId": None,
        "digests": [],
    }
    for key, default in defaults.items():
        if document[key] != default:
            refuse(key, "left out without accounts or organizationalUnits", document[key])
    return None
