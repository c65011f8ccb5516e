"""What program and function agree on: settings, their defaults, and the environment."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from handler.policy import policy
from handler.settings import Settings
from tests.infra.conftest import Deploy

FUNCTION = "aws:lambda/function:Function"


class Recorder(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def declared(project: Path) -> dict[str, Any]:
    """The settings that Pulumi.yaml declares."""
    settings: dict[str, Any] = yaml.safe_load((project / "Pulumi.yaml").read_text("utf-8"))
    return dict(settings["config"])


def read_keys(project: Path) -> set[str]:
    """The keys that infra/config.py asks its reader for."""
    tree = ast.parse((project / "infra" / "config.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    readers = {"text", "texts", "objects", "boolean", "integer"}
    asked = {
        argument.value
        for call in calls
        for argument in call.args
        if (isinstance(call.func, ast.Attribute) and call.func.attr in readers)
        or (isinstance(call.func, ast.Name) and call.func.id == "_read_integer_within")
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    return asked - {"MB", "days", "seconds"}


def test_the_function_reads_what_the_program_sets(deploy: Deploy) -> None:
    """Every variable of the environment is read, and no other one is."""
    variables = deploy().one(FUNCTION)["environment"]["variables"]
    environment = Recorder(variables)
    Settings.from_env(environment)
    assert environment.asked == set(variables)


def test_every_setting_is_declared(project: Path) -> None:
    """Pulumi.yaml declares what the program reads, with type and description."""
    settings = declared(project)
    assert settings.keys() == read_keys(project)
    assert all(setting["description"] and setting["type"] for setting in settings.values())


def test_policy_keys_have_their_settings_names(project: Path) -> None:
    """What counts has the same name in stack config and in policy.json."""
    assert set(policy.POLICY_KEYS) <= declared(project).keys()


def test_the_defaults_are_the_programs(deploy: Deploy, project: Path) -> None:
    """Spelling out every default of Pulumi.yaml changes nothing."""
    settings = declared(project)
    defaults = {key: each["default"] for key, each in settings.items() if "default" in each}
    spelled_out, silent = deploy(**defaults), deploy()
    strip = {"code"}
    for kind, resources in silent.resources.items():
        for name, inputs in resources.items():
            other = spelled_out.resources[kind][name]
            assert {k: v for k, v in inputs.items() if k not in strip} == {
                k: v for k, v in other.items() if k not in strip
            }


def test_only_sender_and_recipients_are_required(project: Path) -> None:
    """Everything else has a default."""
    settings = declared(project)
    assert {key for key, each in settings.items() if "default" not in each} == {
        "sender",
        "recipients",
    }
