"""The callers of the account: the account and role of an access key."""

import re
from dataclasses import dataclass

from moto.core.models import DEFAULT_ACCOUNT_ID

OWNER = "AKIASANDBOX000000000"
"""The access key id of the account's owner."""

_OWNER_OF = re.compile(r"AKIA(\d{12})0000")


@dataclass(frozen=True, slots=True)
class Caller:
    """The account of a caller and the ARN of its role; a caller without one may do anything."""

    account: str = DEFAULT_ACCOUNT_ID
    role: str | None = None

    @property
    def arn(self) -> str:
        """The principal as trust policies name it."""
        return self.role or f"arn:aws:iam::{self.account}:root"

    @property
    def user(self) -> str:
        """The ARN by which AWS names the caller; for a role, that of its session."""
        if self.role is None:
            return self.arn
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role.rpartition('/')[2]}/sandbox"


class Callers:
    """The callers by access key id; an unknown key is the default account's."""

    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}

    def add(self, key: str, caller: Caller) -> None:
        """Assign a key to a caller."""
        self._callers[key] = caller

    def get(self, key: str) -> Caller:
        """The caller that signs with a key."""
        owner = _OWNER_OF.fullmatch(key)
        return self._callers.get(key) or (Caller(owner[1]) if owner else Caller())


def owner_of(account_id: str) -> str:
    """The access key id of an account's owner."""
    return OWNER if account_id == DEFAULT_ACCOUNT_ID else f"AKIA{account_id}0000"
