"""Who opened a finding, and how, as CloudTrail recorded it."""

from enum import StrEnum
from typing import NamedTuple

# CloudTrail's event history may have an event some minutes late, and so in the next run only.
_TRIES = 2
# A history that throttles may be read in a later run; one that is denied is given up.
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
    """A principal in readable form; ``name`` is its name alone, None where it has none."""

    kind: ActorKind
    principal: str
    name: str | None = None


class OpenedBy(NamedTuple):
    """The latest call that opened a finding, and how many ``others`` took part in it.

    ``at`` is UTC in ISO 8601 with a Z, ``source_address`` an IP address or the name of a service.
    """

    actor: Actor
    at: str
    event_id: str
    source_address: str | None = None
    means: Means = Means.RULE
    others: int = 0


class NotAttributed(NamedTuple):
    """A finding whose opening was not found so far.

    ``since`` is from when on to look for it in CloudTrail's event history, UTC in ISO 8601 with a
    Z, and ``tries`` how often that was done. ``is_read`` is false where not all of it was read
    the last time.
    """

    since: str
    tries: int = 0
    is_read: bool = True

    @property
    def is_final(self) -> bool:
        """Whether it is not looked for again."""
        return self.tries >= (_TRIES if self.is_read else _TRIES_UNREAD)
