"""A stack's policy: what is listed, what is trusted, and what may stay open."""

from datetime import date
from typing import NamedTuple

from handler.model.finding import Severity
from handler.model.run import PolicyException
from handler.model.traffic import Traffic
from handler.policy import validation

POLICY_KEYS = ("minimumSeverity", "trustedCidrs", "authorizedPorts", "exceptions")
"""The keys of policy.json, which are also keys of the stack's config."""


class Policy(NamedTuple):
    """What a stack lists, trusts and accepts.

    ``minimum_severity`` is the lowest severity that the digest lists. ``trusted_cidrs`` do not
    count as internet. ``authorized_ports`` may be open in every group.
    """

    minimum_severity: Severity = Severity.LOW
    trusted_cidrs: tuple[str, ...] = ()
    authorized_ports: tuple[Traffic, ...] = ()
    exceptions: tuple[PolicyException, ...] = ()

    @classmethod
    def parse(cls, document: object, today: date | None = None) -> "Policy":
        """The policy in a JSON object with the keys of policy.json; missing keys have defaults.

        With ``today``, exceptions that expired more than a year ago are refused, so that authors
        clean them up; a deployed function passes None, so as not to fail one day because of them.
        Raises ``PolicyError`` with one sentence that names key, value and expectation.
        """
        fields = validation.require_object("policy", document, POLICY_KEYS)
        return cls(
            minimum_severity=validation.severity(
                "minimumSeverity", fields.get("minimumSeverity", cls().minimum_severity)
            ),
            trusted_cidrs=validation.trusted_cidrs("trustedCidrs", fields.get("trustedCidrs", [])),
            authorized_ports=validation.authorized_ports(
                "authorizedPorts", fields.get("authorizedPorts", [])
            ),
            exceptions=validation.exceptions("exceptions", fields.get("exceptions", []), today),
        )
