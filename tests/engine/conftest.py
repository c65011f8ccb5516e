"""Fixtures: an empty account, the Pulumi CLI, and a project that a test writes in a few lines."""

import os
import shutil
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from sandbox.aws.account import Account
from sandbox.deployment import pulumi_cli
from sandbox.deployment.deploy import Stack, open_stack
from sandbox.deployment.engine import EngineStack
from sandbox.deployment.project import Project
from sandbox.deployment.pulumi_cli import Cli, NoCliError, find_or_build

Declare = Callable[[str], Path]
Open = Callable[..., Stack]

PULUMI_YAML = """
name: trial
runtime: python
config:
  sender: {type: string}
  days: {type: integer, default: 7}
"""
STACK_YAML = """
config:
  aws:region: eu-west-1
  trial:sender: audit@example.com
"""
# What every program begins with.
PREAMBLE = """
import json
import pulumi
import pulumi_aws as aws
config = pulumi.Config()
trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action":
    "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]})
"""


@pytest.fixture(scope="session")
def cli() -> Cli:
    """The Pulumi CLI of this machine, built if need be; a machine that cannot have one skips."""
    try:
        return find_or_build(lambda _: None)
    except NoCliError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def account() -> Iterator[Account]:
    """An empty account."""
    with Account() as entered:
        yield entered


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without the Pulumi CLI, built or not, and without Go; the result is its PATH."""
    monkeypatch.setattr(pulumi_cli, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    return tmp_path / "tools"


def written(folder: Path, program: str = "") -> Path:
    """Write a project of two stacks, dev and prod; the result is its folder."""
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML)
    (folder / "Pulumi.dev.yaml").write_text(STACK_YAML)
    (folder / "Pulumi.prod.yaml").write_text(STACK_YAML)
    (folder / "__main__.py").write_text(PREAMBLE + textwrap.dedent(program))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of two stacks, dev and prod, that declares nothing."""
    folder = tmp_path / "project"
    folder.mkdir()
    return written(folder)


@pytest.fixture
def declare(folder: Path) -> Declare:
    """Writes the project's program, the preamble before it; the result is the project's folder."""
    return partial(written, folder)


@pytest.fixture(scope="session")
def created(cli: Cli, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state in which both projects' stacks dev and prod exist and hold nothing.

    To create a stack takes a third of the time that a deployment does.
    """
    state = tmp_path_factory.mktemp("created")
    trial = written(tmp_path_factory.mktemp("trial"))
    for folder in (project, trial):
        for name in ("dev", "prod"):
            EngineStack(Project(folder, name, {}), Account(), cli, state).create()
    return state


@pytest.fixture
def state(created: Path, tmp_path: Path) -> Path:
    """A state of the test's own in which all stacks exist and hold nothing."""
    return shutil.copytree(created, tmp_path / "state")


@pytest.fixture
def stack(account: Account, folder: Path, state: Path) -> Open:
    """Opens a stack of the project on the engine, all with the same state."""

    def opened(name: str = "dev", **config: object) -> Stack:
        return open_stack(folder, name, account, config=config, state=state, engine=True)

    return opened


@pytest.fixture
def product(project: Path, account: Account, state: Path) -> Open:
    """Opens stack dev of the product on the engine, with other settings if a test wants them."""

    def opened(folder: Path = project, **config: object) -> Stack:
        return open_stack(folder, "dev", account, config=config, state=state, engine=True)

    return opened
