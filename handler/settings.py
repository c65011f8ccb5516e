"""How the function is wired: what its environment and the policy.json beside it say."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from handler.model import ALL_REGIONS
from handler.policy import Policy, PolicyError

_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\"]+")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")
"""What the name of a region looks like."""
_POLICY = Path(__file__).resolve().parent.parent / "policy.json"


class SettingsError(ValueError):
    """Wiring that makes no sense; the message is a sentence that names variable and value."""


class Notify(StrEnum):
    """When a run that nobody started by hand mails."""

    CHANGES = "changes"
    FINDINGS = "findings"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's wiring; ``regions`` is empty for every region enabled for the account.

    Without a ``ledger_bucket`` nothing is remembered.
    """

    sender: str
    recipients: tuple[str, ...]
    regions: tuple[str, ...] = ()
    notify: Notify = Notify.CHANGES
    ledger_bucket: str | None = None
    stack: str | None = None

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings in ``SES_SENDER``, ``SES_RECIPIENT`` (comma-separated), ``AUDIT_REGIONS``
        (comma-separated or all), ``NOTIFY``, ``LEDGER_BUCKET`` and ``STACK``; the first two are
        required.

        Raises ``SettingsError`` with one sentence that names variable, value and expectation.
        """
        sender = environment.get("SES_SENDER", "").strip()
        if not _ADDRESS.fullmatch(sender):
            _refuse("SES_SENDER", "a mail address", sender)
        recipients = _items(environment.get("SES_RECIPIENT", ""))
        if not recipients or not all(map(_ADDRESS.fullmatch, recipients)):
            expectation = "mail addresses separated by commas"
            _refuse("SES_RECIPIENT", expectation, environment.get("SES_RECIPIENT", ""))
        regions = _items(environment.get("AUDIT_REGIONS", ALL_REGIONS))
        if not regions or not all(map(REGION.fullmatch, set(regions) - {ALL_REGIONS})):
            expectation = f"{ALL_REGIONS} or regions separated by commas"
            _refuse("AUDIT_REGIONS", expectation, environment["AUDIT_REGIONS"])
        notify = environment.get("NOTIFY", Notify.CHANGES)
        if notify not in set(Notify):
            _refuse("NOTIFY", f"one of {', '.join(Notify)}", notify)
        return cls(
            sender=sender,
            recipients=recipients,
            regions=() if ALL_REGIONS in regions else regions,
            notify=Notify(notify),
            ledger_bucket=environment.get("LEDGER_BUCKET") or None,
            stack=environment.get("STACK") or None,
        )


def deployed_policy() -> Policy:
    """The policy in the zip; the default one where there is no policy.json.

    Raises ``PolicyError`` with one sentence.
    """
    if not _POLICY.exists():
        return Policy()
    try:
        document = json.loads(_POLICY.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"policy.json must be JSON: {error}."
        raise PolicyError(message) from error
    return Policy.parse(document)


def _items(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _refuse(variable: str, expectation: str, value: str) -> NoReturn:
    got = repr(value) if value else "nothing"
    message = f"environment variable {variable} must be {expectation}, got {got}."
    raise SettingsError(message)
