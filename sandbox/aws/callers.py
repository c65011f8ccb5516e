"""Who signs requests: the account that an access key belongs to, and the role behind it."""

import re
from dataclasses import dataclass

from moto.core.models import DEFAULT_ACCOUNT_ID

OWNER = "AKIASANDBOX000000000"
"""The access key id of whoever set the account up."""

_OWNER_OF = re.compile(r"AKIA(\d{12})0000")


@dataclass(frozen=True, slots=True)
class Caller:
    """The account of a caller and the ARN of its role; who has no role may do anything."""

    account: str = DEFAULT_ACCOUNT_ID
    role: str | None = None

    @property
    def arn(self) -> str:
        """The principal as trust policies name it."""
        return self.role or f"arn:aws:iam::{self.account}:root"

    @property
    def user(self) -> str:
        """The ARN by which AWS names who called: of a role, its session."""
        if self.role is None:
            return self.arn
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role.rpartition('/')[2]}/sandbox"


class Callers:
    """The callers by access key id; unknown keys are the default account's."""

    def __init__(self) -> None:
        self._known: dict[str, Caller] = {}

    def add(self, key: str, caller: Caller) -> None:
        """Let a key stand for a caller from now on."""
        self._known[key] = caller

    def of(self, key: str) -> Caller:
        """Who signs with a key."""
        owner = _OWNER_OF.fullmatch(key)
        return self._known.get(key) or (Caller(owner[1]) if owner else Caller())


def owner_of(account_id: str) -> str:
    """The access key id of whoever owns an account."""
    return OWNER if account_id == DEFAULT_ACCOUNT_ID else f"AKIA{account_id}0000"
