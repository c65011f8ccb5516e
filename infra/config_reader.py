"""Reads the stack's config as typed values, with one sentence for each value that is invalid."""

import difflib
import json
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

import pulumi
from pulumi.runtime.config import (
    CONFIG,
    get_config_env,
    get_config_secret_keys_env,
    is_config_secret,
)

from handler.sanitize import expected

_Value = TypeVar("_Value", bool, int, list[Any])


def refuse(key: str, expectation: str, value: object, hint: str = "") -> NoReturn:
    """Raises ``pulumi.RunError`` with one sentence that names key, expectation, value and hint."""
    raise pulumi.RunError(expected(key, expectation, value, hint))


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
        self._read_keys.add(key)
        value = self._values.get(key)
        if value is None and default is None:
            raise pulumi.RunError(
                f"Stack '{pulumi.get_stack()}' is missing configuration value '{key}'."
            )
        return str(default if value is None else value)

    def items(self, key: str, default: list[Any] | None = None) -> list[Any]:
        """The value as a list of any JSON values; without a default the key is required."""
        return self._json(key, list, "a list", default)

    def boolean(self, key: str, *, default: bool) -> bool:
        """The value as true or false."""
        return self._json(key, bool, "true or false", default)

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """The value, which is one of the choices."""
        value = self.text(key, default)
        if value not in choices:
            refuse(key, f"one of {', '.join(choices)}", value)
        return value

    def integer(self, key: str, low: int, high: int, unit: str, *, default: int) -> int:
        """The value as a whole number of that unit, from ``low`` to ``high``."""
        value = self._json(key, int, "a whole number", default)
        if not low <= value <= high:
            refuse(key, f"{low} to {high} {unit}", value)
        return value

    def refuse_unknown_keys(self) -> None:
        """Raises ``pulumi.RunError`` for the first key that was never read, such as a typo."""
        for key in sorted(self._values.keys() - self._read_keys):
            nearest = difflib.get_close_matches(key, self._read_keys, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else "see docs/configuration.md."
            raise pulumi.RunError(f"{key} is no setting of {pulumi.get_project()}; {hint}")

    def _json(
        self, key: str, kind: type[_Value], expectation: str, default: _Value | None
    ) -> _Value:
        text = self.text(key, None if default is None else json.dumps(default))
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        # Not isinstance, to which true is a whole number.
        if type(value) is not kind:
            refuse(key, expectation, text)
        return value
