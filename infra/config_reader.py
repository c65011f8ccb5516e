"""Reads the stack's config as typed values, with one sentence for each value that is invalid."""

import difflib
import json
from collections.abc import Sequence
from typing import Any, NoReturn

import pulumi
from pulumi.runtime.config import (
    CONFIG,
    get_config_env,
    get_config_secret_keys_env,
    is_config_secret,
)

from handler.sanitize import expected
from handler.settings import MAIL_ADDRESS

# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MAX_RECIPIENTS = 50


def refuse(key: str, expectation: str, value: object, hint: str = "") -> NoReturn:
    """Raises ``pulumi.RunError`` with one sentence that names key, expectation, value and hint."""
    raise pulumi.RunError(expected(key, expectation, value, hint))


def refuse_invalid_recipients(key: str, recipients: Sequence[str]) -> None:
    """Raises ``pulumi.RunError`` unless these are 1 to 50 different mail addresses."""
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        refuse(key, f"1 to {MAX_RECIPIENTS} mail addresses", len(recipients))
    for recipient in recipients:
        if not MAIL_ADDRESS.fullmatch(recipient):
            refuse(key, "a list of mail addresses", recipient)
        if sum(recipient.lower() == other.lower() for other in recipients) > 1:
            refuse(key, "different mail addresses", recipient, "it is there twice")


class ConfigReader:
    """The stack's config under the project's namespace.

    Every method raises ``pulumi.RunError`` with one sentence if the value is not of its type.
    """

    def __init__(self) -> None:
        # pulumi.Config cannot list keys, and a misspelt one would be ignored. These are the two
        # places where it looks a key up.
        namespace = f"{pulumi.get_project()}:"
        self._values: dict[str, Any] = {
            key.removeprefix(namespace): value
            for key, value in {**get_config_env(), **CONFIG.get()}.items()
            if key.startswith(namespace)
        }
        self._read_keys: set[str] = set()
        for key in sorted(self._values):
            full_key = namespace + key
            if full_key in get_config_secret_keys_env() or is_config_secret(full_key):
                raise pulumi.RunError(
                    f"{key} must be set without --secret, because AWS and the stack's state "
                    "show its value."
                )

    def text(self, key: str, default: str | None = None) -> str:
        """The value as it stands in the config; without a default the key is required."""
        value = self._value(key)
        if value is None and default is None:
            raise pulumi.RunError(
                f"Stack '{pulumi.get_stack()}' is missing configuration value '{key}'."
            )
        return str(default if value is None else value)

    def texts(
        self, key: str, default: tuple[str, ...] | None = None, *, called: str = "texts"
    ) -> tuple[str, ...]:
        """The value as a list of texts; without a default the key is required.

        ``called`` is what a sentence calls the texts.
        """
        if self._value(key) is None and default is not None:
            return default
        text = self.text(key)
        value = _from_json(text)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            refuse(key, f"a list of {called}", text)
        return tuple(value)

    def objects(self, key: str) -> list[Any]:
        """The value as a list of any JSON values, empty by default."""
        text = self.text(key, default="[]")
        value = _from_json(text)
        if not isinstance(value, list):
            refuse(key, "a list", text)
        return value

    def boolean(self, key: str, *, default: bool) -> bool:
        """The value as true or false."""
        text = self.text(key, default=json.dumps(default))
        value = _from_json(text)
        if not isinstance(value, bool):
            refuse(key, "true or false", text)
        return value

    def integer(self, key: str, default: int) -> int:
        """The value as a whole number."""
        text = self.text(key, default=str(default))
        value = _from_json(text)
        if not isinstance(value, int) or isinstance(value, bool):
            refuse(key, "a whole number", text)
        return value

    def integer_within(self, key: str, bounds: range, unit: str, default: int) -> int:
        """The value as a whole number within the bounds."""
        value = self.integer(key, default)
        if value not in bounds:
            refuse(key, f"{bounds[0]} to {bounds[-1]} {unit}", value)
        return value

    def refuse_unknown_keys(self) -> None:
        """Raises ``pulumi.RunError`` for the first key that was never read, such as a typo."""
        for key in sorted(self._values.keys() - self._read_keys):
            nearest = difflib.get_close_matches(key, self._read_keys, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else "see docs/configuration.md."
            raise pulumi.RunError(f"{key} is no setting of {pulumi.get_project()}; {hint}")

    def _value(self, key: str) -> object:
        self._read_keys.add(key)
        return self._values.get(key)


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
