"""The mail that an account accepted."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage

from sandbox.aws.protocol import Operation


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted mail; ``raw`` is the message as it is sent."""

    region: str
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes


def read_mail(operation: Operation) -> Mail:
    """The mail that a SendEmail carries as a raw message, the only kind that the audit sends."""
    parameters = operation.parameters
    raw: bytes = parameters["Content"]["Raw"]["Data"]
    return Mail(
        region=operation.region,
        sender=parameters["FromEmailAddress"],
        recipients=tuple(parameters["Destination"]["ToAddresses"]),
        message=email.message_from_bytes(raw, policy=email.policy.default),
        raw=raw,
    )
