"""Pulumi.yaml, the Pulumi program and the function agree on settings and variables."""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from handler.organization.configuration import Organization, TeamDigest
from handler.policy import policy
from handler.settings import Settings
from tests.infra.conftest import Deploy, Deployment
from tests.infra.resource_types import FUNCTION


class RecordingEnvironment(Mapping[str, str]):
    """An environment that records the names of the variables that are read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.read_names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read_names.add(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def declared_settings(project: Path) -> dict[str, Any]:
    """The settings that Pulumi.yaml declares, by key."""
    declaration = yaml.safe_load((project / "Pulumi.yaml").read_text("utf-8"))
    return dict(declaration["config"])


def read_keys(project: Path) -> set[str]:
    """The keys that the modules of the config read: the first text of each call of a reader."""
    files = [project / "infra" / name for name in ("config.py", "organization_config.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    readers = {"text", "items", "boolean", "choice", "integer"}
    texts_of_calls = [
        [
            argument.value
            for argument in node.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        for node in nodes
        if isinstance(node, ast.Call)
        if getattr(node.func, "attr", getattr(node.func, "id", "")) in readers
    ]
    return {texts[0] for texts in texts_of_calls if texts}


def resources(deployment: Deployment) -> dict[tuple[str, str], dict[str, Any]]:
    """The inputs of each resource by type and name, without the code, which has no equality."""
    return {
        (kind, name): {key: value for key, value in inputs.items() if key != "code"}
        for kind, named_inputs in deployment.resources.items()
        for name, inputs in named_inputs.items()
    }


def test_function_reads_the_variables_that_the_program_sets(deploy: Deploy) -> None:
    """The function reads every variable of its environment and no other one."""
    variables = deploy().one(FUNCTION)["environment"]["variables"]
    environment = RecordingEnvironment(variables)
    Settings.from_env(environment)
    assert environment.read_names == set(variables)


def test_function_reads_the_organization_that_the_program_writes(deploy: Deploy) -> None:
    """organization.json of a stack with every setting for many accounts is valid."""
    deployment = deploy(
        accounts=["111122223333"],
        organizationalUnits=["ou-ab12-cd34ef56"],
        memberRoleName="audit-prod",
        externalId="our-audit",
        digests=[{"accounts": ["111122223333"], "recipients": ["shop-team@example.com"]}],
    )
    archive = deployment.named(FUNCTION, "function")["code"].assets
    organization = Organization.parse(json.loads(archive["organization.json"].text))
    assert organization == Organization(
        accounts=("111122223333",),
        units=("ou-ab12-cd34ef56",),
        member_role="audit-prod",
        external_id="our-audit",
        digests=(TeamDigest(("111122223333",), ("shop-team@example.com",)),),
    )


def test_pulumi_yaml_declares_each_setting(project: Path) -> None:
    """Pulumi.yaml declares exactly the keys that the program reads, with type and description."""
    settings = declared_settings(project)
    assert settings.keys() == read_keys(project)
    assert all(setting["description"] and setting["type"] for setting in settings.values())


def test_policy_keys_are_settings(project: Path) -> None:
    """Each key of policy.json has the same name in the stack's config."""
    assert set(policy.POLICY_KEYS) <= declared_settings(project).keys()


def test_declared_defaults_are_those_of_the_program(deploy: Deploy, project: Path) -> None:
    """A stack that sets every default of Pulumi.yaml declares the same resources."""
    settings = declared_settings(project)
    defaults = {
        key: setting["default"] for key, setting in settings.items() if "default" in setting
    }
    assert resources(deploy(**defaults)) == resources(deploy())


def test_only_sender_and_recipients_are_required(project: Path) -> None:
    """Every other setting has a default."""
    settings = declared_settings(project)
    required = {key for key, setting in settings.items() if "default" not in setting}
    assert required == {"sender", "recipients"}
