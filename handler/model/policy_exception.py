"""What may stay open, and until when."""

from datetime import date
from typing import NamedTuple

from handler.model.traffic import Traffic


class PolicyException(NamedTuple):
    """What may stay open, why, who is responsible for it, and until when.

    ``group`` is an id or a name, ``source`` a CIDR or pl- id. None stands for all sources, accounts
    or regions. ``until`` is inclusive, in UTC.
    """

    group: str
    ports: str
    traffic: Traffic
    reason: str
    owner: str
    until: date
    source: str | None = None
    account: str | None = None
    region: str | None = None

    @property
    def key(self) -> str:
        """A text that identifies the exception."""
        fields = (self.group, self.ports, self.source, self.account, self.region, self.until)
        return "|".join(map(str, fields))


class ExceptionReview(NamedTuple):
    """The policy's exceptions that need attention."""

    expired: tuple[PolicyException, ...] = ()
    expiring: tuple[PolicyException, ...] = ()
    unused: tuple[PolicyException, ...] = ()
