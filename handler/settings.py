"""The function's settings from environment variables, and its policy from policy.json."""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, NoReturn

from handler.model.network import ALL_REGIONS, REGION_NAME
from handler.policy.policy import Policy
from handler.policy.validation import PolicyError
from handler.sanitize import expected

# SES accepts ASCII only; a comma would split the list in the function's environment, and * or ? in
# the ARN of an identity would let the function send as others.
_LOCAL_PART = r"[A-Za-z0-9!#$%&'+/=^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'+/=^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAIL_ADDRESS = re.compile(rf"(?=.{{1,254}}$)(?=[^@]{{1,64}}@){_LOCAL_PART}@(?:{_LABEL}\.)+{_LABEL}")
"""The form of a mail address in the stack's config and in the function's environment."""
# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MAX_RECIPIENTS = 50
_POLICY = Path(__file__).resolve().parent.parent / "policy.json"


class SettingsError(ValueError):
    """An invalid value in the settings; the message is a sentence with its name and value."""


class Notify(StrEnum):
    """When a run mails; in the settings, when a scheduled run does."""

    CHANGES = "changes"
    FINDINGS = "findings"
    ALWAYS = "always"


class Settings(NamedTuple):
    """The function's settings; ``regions`` is empty for every region enabled for the account.

    Without a ``ledger_bucket`` there is no ledger. With ``attribution``, findings say who opened
    them; with ``publish_events``, each change is put on the event bus. Changes in
    ``realtime_regions`` start a run; empty if none do. People with an address in ``copied_domains``
    get the findings they opened.
    """

    sender: str
    recipients: tuple[str, ...]
    regions: tuple[str, ...] = ()
    notify: Notify = Notify.CHANGES
    ledger_bucket: str | None = None
    stack: str | None = None
    attribution: bool = True
    publish_events: bool = False
    realtime_regions: tuple[str, ...] = ()
    copied_domains: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings in ``SES_SENDER``, ``SES_RECIPIENT`` (comma-separated), ``AUDIT_REGIONS``
        (comma-separated or all), ``NOTIFY``, ``LEDGER_BUCKET``, ``STACK``, ``ATTRIBUTION`` and
        ``PUBLISH_EVENTS`` (true or false), ``REALTIME_REGIONS`` and ``COPY_ACTOR``
        (comma-separated); the first two are required.

        Raises ``SettingsError`` with one sentence that names variable, value and expectation.
        """
        sender = environment.get("SES_SENDER", "").strip()
        if not MAIL_ADDRESS.fullmatch(sender):
            _refuse("SES_SENDER", "a mail address", sender)
        recipients = parse_recipients(
            "environment variable SES_RECIPIENT", list(_items(environment.get("SES_RECIPIENT", "")))
        )
        notify = environment.get("NOTIFY", Notify.CHANGES)
        if notify not in set(Notify):
            _refuse("NOTIFY", f"one of {', '.join(Notify)}", notify)
        return cls(
            sender=sender,
            recipients=recipients,
            regions=regions_in(environment),
            notify=Notify(notify),
            ledger_bucket=environment.get("LEDGER_BUCKET") or None,
            stack=environment.get("STACK") or None,
            attribution=_boolean(environment, "ATTRIBUTION", default=True),
            publish_events=_boolean(environment, "PUBLISH_EVENTS", default=False),
            copied_domains=_items(environment.get("COPY_ACTOR", "").lower()),
            realtime_regions=_items(environment.get("REALTIME_REGIONS", "")),
        )


def regions_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The regions in ``AUDIT_REGIONS``; empty for all. Raises ``SettingsError``."""
    regions = _items(environment.get("AUDIT_REGIONS", ALL_REGIONS))
    if not regions or not all(map(REGION_NAME.fullmatch, set(regions) - {ALL_REGIONS})):
        expectation = f"{ALL_REGIONS} or regions separated by commas"
        _refuse("AUDIT_REGIONS", expectation, environment["AUDIT_REGIONS"])
    return () if ALL_REGIONS in regions else regions


def required(environment: Mapping[str, str], variable: str) -> str:
    """The value of a variable that must be set. Raises ``SettingsError``."""
    if not (value := environment.get(variable, "").strip()):
        _refuse(variable, "a text", value)
    return value


def refuse(key: str, expectation: str, value: object, hint: str = "") -> NoReturn:
    """Raise a ``SettingsError`` with one sentence that names key, expectation, value and hint."""
    raise SettingsError(expected(key, expectation, value, hint))


def parse_texts(key: str, value: object, form: re.Pattern[str], kind: str) -> tuple[str, ...]:
    """A list of different texts of that form. Raises ``SettingsError``, which names their kind."""
    if not isinstance(value, list):
        refuse(key, f"a list of {kind}", value)
    seen = set()
    for item in value:
        if not isinstance(item, str) or not form.fullmatch(item):
            refuse(key, kind, item)
        if item.lower() in seen:
            refuse(key, "a list without duplicates", item, "it is there twice")
        seen.add(item.lower())
    return tuple(value)


def parse_recipients(key: str, value: object) -> tuple[str, ...]:
    """The recipients of one mail: 1 to 50 different addresses. Raises ``SettingsError``."""
    recipients = parse_texts(key, value, MAIL_ADDRESS, "mail addresses")
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        refuse(key, f"1 to {MAX_RECIPIENTS} mail addresses", len(recipients))
    return recipients


def deployed_policy() -> Policy:
    """The policy in the zip; the default policy if there is no policy.json.

    Raises ``PolicyError`` with one sentence.
    """
    if not _POLICY.exists():
        return Policy()
    try:
        document = json.loads(_POLICY.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PolicyError(f"policy.json must be JSON: {error}.") from error
    return Policy.parse(document)


def _items(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _boolean(environment: Mapping[str, str], variable: str, *, default: bool) -> bool:
    value = environment.get(variable, str(default).lower())
    if value not in {"true", "false"}:
        _refuse(variable, "true or false", value)
    return value == "true"


def _refuse(variable: str, expectation: str, value: str) -> NoReturn:
    refuse(f"environment variable {variable}", expectation, value)
