"""The user's Pulumi project: its files, its config and its program."""

import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from sandbox.deployment.stack import DeployError


@dataclass(frozen=True)
class Project:
    """One stack of a Pulumi project, with overrides of its config."""

    folder: Path
    stack: str
    overrides: Mapping[str, object]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The content of Pulumi.yaml."""
        return _load(self.folder / "Pulumi.yaml")

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self.settings["name"])

    def config(self) -> dict[str, Any]:
        """The stack's config, every key with its namespace; an override of None removes a key.

        Raises ``DeployError`` for a secret of the stack's file that no override replaces: its key
        is the user's alone.
        """
        file = self.folder / f"Pulumi.{self.stack}.yaml"
        config = (_load(file).get("config") or {}) if file.exists() else {}
        for key, value in self.overrides.items():
            config[key if ":" in key else f"{self.name}:{key}"] = value
        for key, value in config.items():
            if isinstance(value, dict) and set(value) == {"secure"}:
                raise DeployError(
                    f"{file.name} holds {key} as a secret, which only its owner can decrypt: "
                    "the sandbox needs another value for it."
                )
        return {key: value for key, value in config.items() if value is not None}

    def complete_config(self) -> dict[str, Any]:
        """The config with the defaults of Pulumi.yaml, as the engine completes it.

        Raises ``DeployError`` in the engine's words if required values are missing.
        """
        config, missing = self.config(), []
        for key, declared in (self.settings.get("config") or {}).items():
            full = key if ":" in key else f"{self.name}:{key}"
            if full in config:
                continue
            facts = declared if isinstance(declared, dict) else {"value": declared}
            if "value" in facts or "default" in facts:
                config[full] = facts.get("value", facts.get("default"))
            else:
                missing.append(f"'{key}'")
        if missing:
            values = "values" if len(missing) > 1 else "value"
            keys = " and ".join(sorted(missing))
            raise DeployError(f"Stack '{self.stack}' is missing configuration {values} {keys}")
        return config

    def run(self) -> None:
        """Run the program as Pulumi does, with the project's own modules freshly loaded."""
        with _project_modules(self.folder):
            runpy.run_path(str(self.folder / "__main__.py"), run_name="__main__")


def _load(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text("utf-8")) or {}


@contextmanager
def _project_modules(folder: Path) -> Iterator[None]:
    """Import the project's modules from its folder, also if others have their names."""
    names = {path.stem for path in folder.glob("*.py")}
    names |= {path.parent.name for path in folder.glob("*/__init__.py")}
    names -= {"__main__", "sandbox"}  # The sandbox runs the program and is not loaded twice.

    def loaded() -> list[str]:
        # A copy: other threads import while this looks.
        return [name for name in list(sys.modules) if name.split(".")[0] in names]

    before = {name: sys.modules.pop(name) for name in loaded()}
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(before)
