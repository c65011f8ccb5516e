"""Fixtures: an empty account, the Pulumi CLI, and a project that a test writes in a few lines."""

import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.aws.account import Account
from sandbox.deployment import pulumi_cli
from sandbox.deployment.deploy import Stack, open_stack
from sandbox.deployment.pulumi_cli import Cli, NoCliError, find

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
        return find(lambda _: None)
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of two stacks, dev and prod, without a program."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML)
    (folder / "Pulumi.dev.yaml").write_text(STACK_YAML)
    (folder / "Pulumi.prod.yaml").write_text(STACK_YAML)
    return folder


@pytest.fixture
def declare(folder: Path) -> Declare:
    """Writes the project's program, the preamble before it; the result is the project's folder."""

    def write(program: str) -> Path:
        (folder / "__main__.py").write_text(PREAMBLE + textwrap.dedent(program))
        return folder

    return write


@pytest.fixture
def stack(cli: Cli, account: Account, folder: Path, tmp_path: Path) -> Open:
    """Opens a stack of the project on the engine, all with the same state."""
    assert cli.path.exists()

    def opened(name: str = "dev", **config: object) -> Stack:
        state = tmp_path / "state"
        return open_stack(folder, name, account, config=config, state=state, engine=True)

    return opened
