"""Builds an organization: organizational units and member accounts, managed by the account."""

from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend
from moto.organizations.models import organizations_backends

from sandbox.aws.account import Account
from sandbox.aws.networks import Networks


@dataclass(frozen=True, slots=True)
class Member:
    """A member account of the organization; it is filled and called like the account itself."""

    id: str
    name: str
    account: Account

    @property
    def networks(self) -> Networks:
        """The settings of the networks of all accounts."""
        return self.account.networks

    def client(self, service: str, region: str = "eu-west-1") -> Any:
        """A boto3 client of the member, signed with its owner's key; it does not retry."""
        return self.account.client(service, region, self.id)


class Organization:
    """The organization of which the account is the management account."""

    def __init__(self, account: Account) -> None:
        """Makes the account, which is in no organization yet, one's management account.

        ``units`` are the ids of the units by name, ``members`` the accounts by id.
        """
        self.units: dict[str, str] = {}
        self.members: dict[str, Member] = {}
        self._account = account
        self._client = account.client("organizations")
        created = self._client.create_organization(FeatureSet="ALL")
        self.id = str(created["Organization"]["Id"])
        self.root = str(self._client.list_roots()["Roots"][0]["Id"])

    def add_unit(self, name: str, parent: str | None = None) -> str:
        """The id of a new organizational unit in the one with this name, or else in the root."""
        created = self._client.create_organizational_unit(
            Name=name, ParentId=self.units[parent] if parent else self.root
        )
        self.units[name] = str(created["OrganizationalUnit"]["Id"])
        return self.units[name]

    def add_account(self, account_id: str, name: str, unit: str | None = None) -> Member:
        """A new empty member in the unit with this name, or else in the root."""
        created = self._client.create_account(AccountName=name, Email=f"{name}@example.com")
        random_id = created["CreateAccountStatus"]["AccountId"]
        get_backend("organizations")[self._account.id]["aws"].get_account_by_id(
            random_id
        ).id = account_id
        masters = organizations_backends.master_accounts
        masters[account_id] = masters.pop(random_id)
        self.members[account_id] = Member(account_id, name, self._account)
        self.move(account_id, unit)
        return self.members[account_id]

    def move(self, account_id: str, unit: str | None) -> None:
        """Move a member into the unit with this name, or else to the root."""
        (parent,) = self._client.list_parents(ChildId=account_id)["Parents"]
        self._client.move_account(
            AccountId=account_id,
            SourceParentId=parent["Id"],
            DestinationParentId=self.units[unit] if unit else self.root,
        )
        self._account.stack_sets.deploy()

    def suspend(self, account_id: str) -> None:
        """Close a member, whose state is SUSPENDED from then on."""
        self._client.close_account(AccountId=account_id)
        self._account.stack_sets.deploy()

    def remove(self, account_id: str) -> None:
        """Let a member leave, which deletes what stack sets created in it."""
        self._client.remove_account_from_organization(AccountId=account_id)
        self._account.stack_sets.deploy()
