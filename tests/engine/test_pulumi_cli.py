"""Which Pulumi CLI is used, and what happens where there is none."""

from pathlib import Path

import pytest

from sandbox.deployment import pulumi_cli
from sandbox.deployment.pulumi_cli import NoCliError


def tool(folder: Path, name: str, script: str) -> None:
    """Put a shell script on the path."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_cli_on_path_is_used(bare_machine: Path) -> None:
    """A CLI that is there is used, whatever tools/pulumi pins."""
    tool(bare_machine, "pulumi", "echo v3.300.1")
    cli = pulumi_cli.find(pytest.fail)
    assert cli.path == (bare_machine / "pulumi").resolve()
    assert str(cli) == "Pulumi CLI v3.300.1 (from PATH)"


def test_cli_in_pulumi_home_is_used(bare_machine: Path) -> None:
    """The installer's own folder counts, on the path or not."""
    home = bare_machine.parent / "home"
    home.mkdir()
    tool(home / "bin", "pulumi", "echo v3.300.1")
    assert pulumi_cli.find(pytest.fail).path == (home / "bin" / "pulumi").resolve()


@pytest.mark.parametrize(
    ("script", "version"),
    [
        pytest.param("echo v3.205.0", "3.205.0", id="too old"),
        pytest.param("exit 1", "?", id="broken"),
    ],
)
def test_unusable_cli_is_passed_over(bare_machine: Path, script: str, version: str) -> None:
    """A CLI that cannot serve is named, and the search goes on."""
    tool(bare_machine, "pulumi", script)
    lines: list[str] = []
    with pytest.raises(NoCliError):
        pulumi_cli.find(lines.append)
    path = (bare_machine / "pulumi").resolve()
    assert lines == [f"Passing over {path}: v3.206.0 or later is needed, it is v{version}."]


@pytest.mark.usefixtures("bare_machine")
def test_neither_cli_nor_go() -> None:
    """Without a CLI and without Go, NoCliError has the reason."""
    with pytest.raises(NoCliError) as failure:
        pulumi_cli.find_or_build(pytest.fail)
    assert str(failure.value) == (
        "There is no Pulumi CLI on this machine, and no Go to build one with."
    )


def go(folder: Path, packages: int) -> None:
    """Put a Go on the path that builds a file of two letters from that many packages."""
    script = f"""
        PATH=/usr/bin:/bin
        [ "$1" = list ] && exec seq {packages}
        seq {packages} >&2
        while [ "$1" != -o ]; do shift; done
        mkdir -p "${{2%/*}}"
        echo hi > "$2"
    """
    tool(folder, "go", script)


def test_go_is_not_started_unasked(bare_machine: Path) -> None:
    """Where a CLI could be built, find names the command that builds it."""
    go(bare_machine, packages=1)
    with pytest.raises(NoCliError) as failure:
        pulumi_cli.find(pytest.fail)
    assert str(failure.value) == (
        "There is no Pulumi CLI on this machine; `make engine` builds one."
    )


def test_go_builds_the_pinned_version_once(bare_machine: Path) -> None:
    """The version of go.mod is built to the cache, every 100 packages are one line of progress."""
    go(bare_machine, packages=1250)
    lines: list[str] = []
    cli = pulumi_cli.find_or_build(lines.append)
    assert str(cli) == "Pulumi CLI v3.225.0 (built from tools/pulumi)"
    assert cli.path.read_text() == "hi\n"
    assert lines[0].startswith("Building the Pulumi CLI v3.225.0 with ")
    assert lines[1:3] == ["  100 of 1,250 packages", "  200 of 1,250 packages"]
    assert lines[-2] == "  1,200 of 1,250 packages"
    assert pulumi_cli.find(pytest.fail) == cli


def test_failed_build_leaves_nothing(bare_machine: Path, tmp_path: Path) -> None:
    """When Go fails, its last words are the reason, and the next search starts afresh."""
    tool(bare_machine, "go", "echo 'verifying module: checksum mismatch' >&2; exit 1")
    with pytest.raises(NoCliError, match="could not build the Pulumi CLI: verifying module"):
        pulumi_cli.find_or_build(lambda _: None)
    assert list((tmp_path / "cache").iterdir()) == []


def test_another_go_sum_is_another_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is cached belongs to the exact sources it was built from."""
    before = pulumi_cli.built_path()
    (tmp_path / "go.mod").write_bytes((pulumi_cli.TOOLS / "go.mod").read_bytes())
    (tmp_path / "go.sum").write_text("other")
    monkeypatch.setattr(pulumi_cli, "TOOLS", tmp_path)
    assert pulumi_cli.built_path() != before
