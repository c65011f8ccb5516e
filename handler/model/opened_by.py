"""Who opened a finding and how, according to CloudTrail."""

from enum import StrEnum
from typing import NamedTuple

# Two, because events reach CloudTrail's event history some minutes late.
_TRIES = 2
# More, because a throttled history may be readable later; limited, because access may be denied.
_TRIES_UNREAD = 10


class ActorKind(StrEnum):
    """What kind of principal made a call."""

    IAM_USER = "iam-user"
    ROLE = "role"
    IDENTITY_CENTER_USER = "identity-center-user"
    FEDERATED_USER = "federated-user"
    ACCOUNT = "account"
    SERVICE = "service"
    ROOT = "root"
    UNKNOWN = "unknown"


class Means(StrEnum):
    """What a call changed: a rule, a prefix list, or the groups of an interface."""

    RULE = "rule"
    PREFIX_LIST = "prefix-list"
    INTERFACE = "interface"


class Actor(NamedTuple):
    """A principal in readable form; ``name`` is its name alone, or None."""

    kind: ActorKind
    principal: str
    name: str | None = None


class OpenedBy(NamedTuple):
    """The latest call that opened a finding, and the number of ``others`` who took part.

    ``at`` is UTC in ISO 8601 with a Z, ``source_address`` an IP address or a service's name.
    """

    actor: Actor
    at: str
    event_id: str
    source_address: str | None = None
    means: Means = Means.RULE
    others: int = 0


class NotAttributed(NamedTuple):
    """The opening call has not been found yet.

    ``since`` is where the search in CloudTrail's event history starts, UTC in ISO 8601 with a Z,
    ``tries`` the number of searches. ``is_read`` is false if the last one could not read all of it.
    """

    since: str
    tries: int = 0
    is_read: bool = True

    @property
    def is_final(self) -> bool:
        """Whether the search is given up."""
        return self.tries >= (_TRIES if self.is_read else _TRIES_UNREAD)
