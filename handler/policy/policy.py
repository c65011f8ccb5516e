"""A stack's policy: what is listed, what is trusted, and what may stay open."""

from datetime import date
from functools import partial
from typing import NamedTuple

from handler.model.finding import Severity
from handler.model.policy_exception import PolicyException
from handler.model.traffic import Traffic
from handler.policy import validation
from handler.policy.validation import list_at

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
        minimum = fields.get("minimumSeverity", cls().minimum_severity)
        return cls(
            validation.severity("minimumSeverity", minimum),
            list_at("trustedCidrs", fields, validation.trusted_cidr, "a list of CIDRs"),
            list_at("authorizedPorts", fields, validation.authorized_port),
            list_at("exceptions", fields, partial(validation.exception, today=today)),
        )
