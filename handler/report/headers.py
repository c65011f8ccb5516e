"""The headers of a mail except the subject: sender, recipients, thread, list and date."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address

from handler.model.run import Run
from handler.sanitize import cut

LONGEST_LINE = 998
"""The longest line of a mail that RFC 5322 allows, in characters."""
_LONGEST_NAME = 40
_NAME = "Security group audit"


def headers_of(
    sender: str, recipients: Sequence[str], run: Run
) -> Mapping[str, str | datetime | Address]:
    """The headers by name; the same for the same run.

    SES replaces Message-ID and Date. All mails of a stack have the same References, so that mail
    programs show them as one thread.
    """
    _, _, domain = sender.rpartition("@")
    stack = cut(run.stack, _LONGEST_NAME) if run.stack else ""
    name = f"{_NAME} ({stack})" if stack else _NAME
    root = _hash(run.stack or "")
    label = file_name(run.stack) or "default"
    return {
        "From": Address(name, addr_spec=sender),
        "To": ", ".join(recipients),
        "Date": datetime.fromisoformat(run.finished_at),
        "Message-ID": f"<{_hash(f'{run.id} {run.finished_at}')}@{domain}>",
        "References": f"<security-group-audit.{root}@{domain}>",
        "List-Id": f"{_NAME} <{label}.security-group-audit.{domain}>",
        # Requests that no out-of-office replies are sent (RFC 3834).
        "Auto-Submitted": "auto-generated",
    }


def file_name(stack: str | None) -> str:
    """The stack's name in a form for file and host names; may be empty."""
    return re.sub(r"[^A-Za-z0-9]+", "-", stack or "").strip("-")[:_LONGEST_NAME].lower()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
