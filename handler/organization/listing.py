"""The accounts of an organization, from AWS Organizations."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handler.model.network import ACCOUNT_ID
from handler.organization.configuration import Organization
from handler.organization.plan import Account, LeftOut, Listing
from handler.sanitize import clean_text

_ACTIVE = "ACTIVE"
_ROOT = "r-"


class ListingError(ValueError):
    """The accounts cannot be listed; the message is a sentence."""


def list_accounts(organizations: Any, organization: Organization) -> Listing:
    """The accounts that are named or in the units, sorted; inactive ones separately.

    ``organizations`` is a boto3 client. Raises one of ``aws.FAILURES``, or ``ListingError``.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for unit in organization.units:
        found |= {_id_of(account): account for account in _accounts_in(organizations, unit)}
    states = {account_id: _state_of(account) for account_id, account in found.items()}
    names = {account_id: clean_text(account.get("Name")) for account_id, account in found.items()}
    ids = sorted({*organization.accounts, *found})
    listing = Listing(
        tuple(Account(i, names.get(i)) for i in ids if states.get(i, _ACTIVE) == _ACTIVE),
        tuple(
            LeftOut(i, names.get(i), states[i]) for i in ids if states.get(i, _ACTIVE) != _ACTIVE
        ),
    )
    if not listing.accounts:
        raise ListingError("The list has no active account.")
    return listing


def _accounts_in(organizations: Any, unit: str) -> Iterator[Mapping[str, Any]]:
    """The accounts in a unit and all units below it; for a root, all of the organization."""
    if unit.startswith(_ROOT):
        yield from _items(organizations, "list_accounts", "Accounts", {})
        return
    parent = {"ParentId": unit}
    yield from _items(organizations, "list_accounts_for_parent", "Accounts", parent)
    operation, key = "list_organizational_units_for_parent", "OrganizationalUnits"
    for child in _items(organizations, operation, key, parent):
        yield from _accounts_in(organizations, str(child["Id"]))


def _items(
    organizations: Any, operation: str, key: str, arguments: Mapping[str, str]
) -> Iterable[Mapping[str, Any]]:
    for page in organizations.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def _id_of(account: Mapping[str, Any]) -> str:
    account_id = account.get("Id")
    if not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
        raise ListingError(
            f"AWS Organizations lists an account without an ID of 12 digits: {account_id!r}."
        )
    return account_id


def _state_of(account: Mapping[str, Any]) -> str:
    # State replaces Status, which does not show that an account is being closed.
    state = account.get("State")
    if not isinstance(state, str) or not state:
        raise ListingError(f"AWS Organizations gives no State of account {_id_of(account)}.")
    return clean_text(state) or ""
