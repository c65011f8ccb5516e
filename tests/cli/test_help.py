"""The help of each command: its examples, defaults and exit statuses."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.__main__ import main

COMMANDS = sorted(main.commands)


def help_text(*command: str) -> str:
    """What a command prints with --help, on a terminal of 80 columns."""
    return CliRunner().invoke(main, [*command, "--help"], terminal_width=80).output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_example_is_a_valid_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example of a command's help has options and values that the command takes."""
    monkeypatch.chdir(tmp_path)
    for file in ("event.json", "groups.json", "policy.yaml"):
        (tmp_path / file).touch()
    examples = re.findall(
        r"^  +(?:sg-audit|venv/bin/python -m cli) (.+)$", help_text(name), re.MULTILINE
    )
    assert examples
    for example in examples:
        command, *arguments = shlex.split(example)
        with main.commands[command].make_context(command, arguments) as context:
            assert context.args == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_has_a_default_or_is_left_out(name: str) -> None:
    """The help of an option ends with its default, unless it is a flag or has none."""
    options = [p for p in main.commands[name].params if isinstance(p, click.Option)]
    text = " ".join(help_text(name).split())
    without_default = {"snapshots", "policy_file", "role", "external_id"}
    with_default = [o for o in options if not o.is_flag and o.name not in without_default]
    assert text.count("[default: ") == len(with_default)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_fits_into_80_columns(command: tuple[str, ...]) -> None:
    """No line of a help text is wider, examples and exit statuses included."""
    assert [line for line in help_text(*command).splitlines() if len(line) > 80] == []


def test_exit_statuses_of_audit() -> None:
    """0 is clean, 1 is --fail-on, 2 is nothing reported, 3 is incomplete."""
    statuses = re.findall(r"^  +(\d)  (.+)$", help_text("audit"), re.MULTILINE)
    assert statuses == [
        ("0", "everything was read, and --fail-on is not met"),
        ("1", "everything was read, and --fail-on is met"),
        ("2", "nothing was reported: bad option or file, no credentials"),
        ("3", "something was not read, whether or not --fail-on is met"),
    ]


def test_help_says_how_the_shell_completes() -> None:
    """The help of the program has the line that a shell's profile needs."""
    assert 'eval "$(_SG_AUDIT_COMPLETE=bash_source sg-audit)"' in help_text()
