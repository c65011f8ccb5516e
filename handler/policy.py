"""What counts: how severe an exposure is, what the digest lists, and whose addresses are ours."""

from collections.abc import Mapping
from dataclasses import dataclass

from handler.address import Internets
from handler.model import Reach, Severity, Traffic
from handler.services import severity_for_world

KEYS = ("minimumSeverity", "trustedCidrs")
"""What policy.json may hold; the stack config's keys of the same names."""


class PolicyError(ValueError):
    """A policy that makes no sense; the message is a sentence that names key and value."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts. ``minimum_severity`` is the lowest one that the digest lists."""

    minimum_severity: Severity = Severity.LOW
    trusted_cidrs: tuple[str, ...] = ()

    @classmethod
    def parse(cls, document: object) -> "Policy":
        """The policy in a JSON object with the stack config's keys; what is missing is default.

        Raises ``PolicyError`` with one sentence that names key, value and expectation.
        """
        if not isinstance(document, Mapping):
            message = f"a policy must be an object, got {document!r}."
            raise PolicyError(message)
        unknown = sorted(map(str, document.keys() - KEYS))
        if unknown:
            message = f"a policy must have no keys but {', '.join(KEYS)}, got {unknown[0]!r}."
            raise PolicyError(message)
        default = cls()
        return cls(
            minimum_severity=_severity(
                "minimumSeverity", document.get("minimumSeverity", default.minimum_severity)
            ),
            trusted_cidrs=_cidrs("trustedCidrs", document.get("trustedCidrs", [])),
        )

    def lists(self, severity: Severity) -> bool:
        """Whether the digest lists findings of that severity, rather than count them."""
        return severity.rank <= self.minimum_severity.rank

    def severity(self, traffic: Traffic, reach: Reach) -> Severity:
        """How severe it is that ``reach`` of the internet reaches the traffic."""
        if reach is Reach.PUBLIC:
            return Severity.INFO
        world = severity_for_world(traffic)
        return world.lowered(1) if reach is Reach.WIDE else world


def _severity(key: str, value: object) -> Severity:
    try:
        return Severity(str(value))
    except ValueError as error:
        message = f"{key} must be one of {', '.join(Severity)}, got {value!r}."
        raise PolicyError(message) from error


def _cidrs(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(cidr, str) for cidr in value):
        message = f"{key} must be a list of CIDRs, got {value!r}."
        raise PolicyError(message)
    try:
        Internets(value)
    except ValueError as error:
        message = f"{key} must be a list of CIDRs: {error}"
        raise PolicyError(message) from error
    return tuple(value)
