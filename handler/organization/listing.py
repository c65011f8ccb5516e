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
    listed: dict[str, Account | LeftOut] = {i: Account(i) for i in organization.accounts}
    for unit in organization.units:
        listed |= {found.id: found for found in map(_account, _accounts_in(organizations, unit))}
    in_order = [account for _, account in sorted(listed.items())]
    listing = Listing(
        tuple(account for account in in_order if isinstance(account, Account)),
        tuple(account for account in in_order if isinstance(account, LeftOut)),
    )
    if not listing.accounts:
        raise ListingError("The list has no active account.")
    return listing


def _accounts_in(organizations: Any, unit: str) -> Iterator[Mapping[str, Any]]:
    """The accounts in a unit and all units below it; for a root, all of the organization."""
    if unit.startswith(_ROOT):
        yield from _items(organizations, "list_accounts", "Accounts")
        return
    yield from _items(organizations, "list_accounts_for_parent", "Accounts", ParentId=unit)
    operation, key = "list_organizational_units_for_parent", "OrganizationalUnits"
    for child in _items(organizations, operation, key, ParentId=unit):
        yield from _accounts_in(organizations, str(child["Id"]))


def _items(
    organizations: Any, operation: str, key: str, **arguments: str
) -> Iterable[Mapping[str, Any]]:
    for page in organizations.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def _account(found: Mapping[str, Any]) -> Account | LeftOut:
    account_id, state = found.get("Id"), found.get("State")
    if not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
        raise ListingError(
            f"AWS Organizations lists an account without an ID of 12 digits: {account_id!r}."
        )
    # State replaces Status, which does not show that an account is being closed.
    if not isinstance(state, str) or not state:
        raise ListingError(f"AWS Organizations gives no State of account {account_id}.")
    name = clean_text(found.get("Name"))
    if state == _ACTIVE:
        return Account(account_id, name)
    return LeftOut(account_id, name, clean_text(state) or "")
