"""The recipients of one mail, as a stack's config may name them."""

from collections.abc import Sequence

from handler.settings import MAIL_ADDRESS
from infra.config_reader import refuse

# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MAX_RECIPIENTS = 50


def refuse_invalid_recipients(key: str, recipients: Sequence[str]) -> None:
    """Raises ``pulumi.RunError`` unless these are 1 to 50 different mail addresses."""
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        refuse(key, f"1 to {MAX_RECIPIENTS} mail addresses", len(recipients))
    for recipient in recipients:
        if not MAIL_ADDRESS.fullmatch(recipient):
            refuse(key, "a list of mail addresses", recipient)
        if sum(recipient.lower() == other.lower() for other in recipients) > 1:
            refuse(key, "different mail addresses", recipient, "it is there twice")
