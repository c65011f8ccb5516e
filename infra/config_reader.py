"""Typed reading of the stack's config, with one sentence for whatever does not fit."""

import difflib
import json
from typing import Any, NoReturn

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env


def refuse(key: str, expectation: str, value: object, hint: str = "") -> NoReturn:
    """Stop the deployment with one sentence that names the key, the expectation and the value."""
    detail = f": {hint}" if hint else ""
    message = f"{key} must be {expectation}, got {value!r}{detail}."
    raise pulumi.RunError(message)


class ConfigReader:
    """The stack's values under the project's namespace; remembers which keys were read."""

    def __init__(self) -> None:
        # pulumi.Config answers for a key one asks for and cannot list keys; a misspelt one
        # would be ignored. These are the two places it looks in.
        namespace = f"{pulumi.get_project()}:"
        self._values: dict[str, Any] = {
            key.removeprefix(namespace): value
            for key, value in {**get_config_env(), **CONFIG.get()}.items()
            if key.startswith(namespace)
        }
        self._known: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """The value as it was typed; without a default the key is required."""
        value = self._value(key)
        if value is None and default is None:
            message = f"Stack '{pulumi.get_stack()}' is missing configuration value '{key}'."
            raise pulumi.RunError(message)
        return str(default if value is None else value)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """The value as a list of texts; without a default the key is required."""
        if self._value(key) is None and default is not None:
            return default
        text = self.text(key)
        value = _from_json(text)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            refuse(key, "a list of texts", text)
        return tuple(value)

    def objects(self, key: str) -> list[Any]:
        """The value as a list of anything, empty by default."""
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

    def refuse_unknown(self) -> None:
        """Refuse the first key that nothing asked for: a typo must not be ignored."""
        for key in sorted(self._values.keys() - self._known):
            nearest = difflib.get_close_matches(key, self._known, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else "README.md lists the settings."
            message = f"{key} is no setting of {pulumi.get_project()}; {hint}"
            raise pulumi.RunError(message)

    def _value(self, key: str) -> object:
        self._known.add(key)
        return self._values.get(key)


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
