"""The organization of an account, as moto stores it."""

from collections.abc import Iterator

from moto.backends import get_backend
from moto.organizations.models import organizations_backends


def management_account_of(account_id: str) -> str:
    """The management account of the organization of an account; else the account itself."""
    management, _ = organizations_backends.master_accounts.get(account_id, (account_id, "aws"))
    return str(management)


def organization_of(account_id: str) -> str | None:
    """The id of the organization of an account, for example o-a1b2c3d4e5."""
    organization = get_backend("organizations")[management_account_of(account_id)]["aws"].org
    return organization.id if organization else None


def active_accounts(account_id: str, parent: str) -> Iterator[str]:
    """The accounts in a root or unit and all units below it that are active.

    ``account_id`` is any account of the organization.
    """
    backend = get_backend("organizations")[management_account_of(account_id)]["aws"]
    for account in backend.accounts:
        if account.parent_id == parent and account.state == "ACTIVE":
            yield account.id
    for unit in backend.ou:
        if unit.parent_id == parent:
            yield from active_accounts(account_id, unit.id)
