"""The demo's scenes: one account, or an organization of a dozen."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.aws.account import Account
from sandbox.aws.members import Member
from sandbox.aws.sample_organization import ACCOUNTS, REFUSING
from sandbox.aws.seed import open_elsewhere, seed, seed_organization

_MEMBER_ROLE = "security-group-audit"
_USER = "alice"


@dataclass(frozen=True, slots=True)
class FilledAccount:
    """The account with the sample's groups, and the stack's config for the scene."""

    sample: Account | Member
    config: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens in the accounts besides the stack's own runs.

    ``content`` describes what ``fill`` creates. ``before_first_run`` and ``after_second_run``
    change something and return what it was. ``has_team`` is whether the first run mails a team its
    part.
    """

    fill: Callable[[Account], FilledAccount]
    content: str
    before_first_run: Callable[[Account], str] | None = None
    after_second_run: Callable[[Account], str] | None = None
    has_team: bool = False


def _fill_account(account: Account) -> FilledAccount:
    seed(account)
    return FilledAccount(account, {"realtime": True})


def _fill_organization(account: Account) -> FilledAccount:
    organization = seed_organization(account)
    units = [organization.units[name] for name in ("workloads", "platform")]
    shop, payments, *_ = (sample.id for sample in ACCOUNTS)
    config = {
        "organizationalUnits": units,
        "deployMemberRole": True,
        "digests": [{"accounts": [payments], "recipients": ["payments-team@example.com"]}],
    }
    return FilledAccount(organization.members[shop], config)


def _refuse(account: Account) -> str:
    """Let the role in one member trust its own account only."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{REFUSING}:root"},
        "Action": "sts:AssumeRole",
    }
    account.client("iam", account_id=REFUSING).update_assume_role_policy(
        RoleName=_MEMBER_ROLE,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    (name,) = (sample.name for sample in ACCOUNTS if sample.id == REFUSING)
    return f"{name} no longer trusts the audit role"


def _open_elsewhere(account: Account) -> str:
    """Let a user open a port in another region."""
    return f"{_USER} opens SSH on {open_elsewhere(account, _USER)} in us-east-1"


SCENES = {
    "account": Scene(
        _fill_account,
        "filled with security groups of every kind",
        after_second_run=_open_elsewhere,
    ),
    "organization": Scene(
        _fill_organization,
        f"manages {len(ACCOUNTS)} others, one of them suspended",
        _refuse,
        has_team=True,
    ),
}
