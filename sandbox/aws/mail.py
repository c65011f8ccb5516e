"""The mail an account accepted, whichever operation of SES sent it."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from sandbox.aws.protocol import Operation


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted mail; `raw` is what a mail server would have been given."""

    region: str
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes


def read_mail(operation: Operation) -> Mail:
    """The mail that SendRawEmail or one of the two SendEmail of SES carries."""
    parameters = operation.parameters
    content = parameters.get("Content", {})
    raw = parameters.get("RawMessage") or content.get("Raw")
    sender = parameters.get("Source") or parameters.get("FromEmailAddress")
    simple = parameters.get("Message") or content.get("Simple")
    destination = parameters.get("Destination", {})
    recipients = list(parameters.get("Destinations", []))
    for kind in ("ToAddresses", "CcAddresses", "BccAddresses"):
        recipients += destination.get(kind, [])
    data: bytes = raw["Data"] if raw else bytes(_compose(str(sender), destination, simple))
    message = email.message_from_bytes(data, policy=email.policy.default)
    headers = [header for name in ("To", "Cc", "Bcc") for header in message.get_all(name, [])]
    return Mail(
        region=operation.region,
        sender=sender or str(message["From"]),
        recipients=tuple(recipients or (address for _, address in getaddresses(headers))),
        message=message,
        raw=data,
    )


def _compose(
    sender: str, destination: dict[str, list[str]], simple: dict[str, Any]
) -> EmailMessage:
    """The message SES makes of a subject and bodies."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = sender
    for header, kind in (("To", "ToAddresses"), ("Cc", "CcAddresses")):
        if destination.get(kind):
            message[header] = ", ".join(destination[kind])
    message["Subject"] = simple["Subject"]["Data"]
    body = simple["Body"]
    if "Text" in body:
        message.set_content(body["Text"]["Data"])
    if "Html" in body:
        add = message.add_alternative if "Text" in body else message.set_content
        add(body["Html"]["Data"], subtype="html")
    return message
