"""The installed package: its commands, and what they say when something is missing."""

import json
import subprocess
import sys
import tomllib
import venv
from importlib import import_module, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cli.packages import missing_package_reported
from handler import VERSION
from tests.support.security_groups import answer, permission

PYTHON = Path("bin", "python")
SG_AUDIT = Path("bin", "sg-audit")


def run(*command: str | Path, cwd: Path, check: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=check)


def link_packages(site_packages: Path, names: list[str]) -> None:
    """Link the packages, and what they require, from this environment into another one."""
    for name in names:
        package = metadata.distribution(name)
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            link = site_packages / top
            if not link.exists():
                link.symlink_to(Path(str(package.locate_file(top))))
        required = map(Requirement, package.requires or ())
        link_packages(
            site_packages,
            [
                requirement.name
                for requirement in required
                if not requirement.marker or requirement.marker.evaluate({"extra": ""})
            ],
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """A virtual environment that holds the package and what it requires without its extra."""
    folder = tmp_path_factory.mktemp("package")
    project = pytestconfig.rootpath
    python = folder / "venv" / PYTHON
    build = (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    install = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
    )
    run(*build, cwd=project, check=True)
    venv.create(folder / "venv", symlinks=True)
    run(*install, *folder.glob("*.whl"), cwd=folder, check=True)
    (site_packages,) = (folder / "venv").glob("lib/python*/site-packages")
    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    link_packages(site_packages, [Requirement(line).name for line in declared["dependencies"]])
    return folder / "venv"


def test_the_package_has_the_version_of_the_audit(environment: Path, tmp_path: Path) -> None:
    """--version prints the version that mails and SARIF show."""
    completed = run(environment / SG_AUDIT, "--version", cwd=tmp_path)
    assert completed.stdout == f"security-group-audit, version {VERSION}\n"


def test_help_shows_the_command_that_was_typed(
    environment: Path, tmp_path: Path, project: Path
) -> None:
    """Usage begins with sg-audit for the script, and with python -m cli in a clone."""
    script = run(environment / SG_AUDIT, "audit", "--help", cwd=tmp_path)
    module = run(environment / PYTHON, "-m", "cli", "audit", "--help", cwd=project)
    assert script.stdout.startswith("Usage: sg-audit audit [OPTIONS]\n")
    assert module.stdout.startswith("Usage: python -m cli audit [OPTIONS]\n")


def test_bash_completes_commands_options_and_choices(environment: Path, tmp_path: Path) -> None:
    """What --help says for bash completes an option and each choice that fits."""
    script = (
        f"export PATH={environment / 'bin'}:$PATH; "
        'eval "$(_SG_AUDIT_COMPLETE=bash_source sg-audit)"; '
        "complete -p sg-audit > /dev/null; "
        "for last in a --fr --format=s; do COMP_WORDS=(sg-audit audit $last); COMP_CWORD=2; "
        "[ $last = a ] && COMP_WORDS=(sg-audit a) COMP_CWORD=1; "
        'COMPREPLY=(); _sg_audit_completion sg-audit; echo "${COMPREPLY[@]}"; done'
    )
    completed = run("bash", "-c", script, cwd=tmp_path)
    assert (completed.stdout.splitlines(), completed.stderr) == (
        ["audit", "--from-file", "sarif"],
        "",
    )


def test_the_package_audits_a_snapshot(environment: Path, tmp_path: Path) -> None:
    """The audit needs neither the extra nor the project's folder, with a policy in YAML as well."""
    snapshot = {"SecurityGroups": [answer(permission("tcp", 22, 22, "0.0.0.0/0"))]}
    (tmp_path / "groups.json").write_text(json.dumps(snapshot))
    (tmp_path / "policy.yaml").write_text("authorizedPorts: [tcp/443]")
    audit = ("audit", "--from-file", "groups.json", "--policy", "policy.yaml", "--fail-on", "low")
    completed = run(environment / SG_AUDIT, *audit, cwd=tmp_path)
    assert completed.returncode == 1, completed.stderr
    assert "sg-1" in completed.stdout


@pytest.mark.parametrize("command", ["demo", "invoke", "invoke --live", "demo --stack prod"])
def test_a_command_names_the_extra_that_it_lacks(
    environment: Path, project: Path, command: str
) -> None:
    """Without the extra, a command in a clone exits with 2 and says how to install it."""
    completed = run(environment / PYTHON, "-m", "cli", *command.split(), cwd=project)
    assert completed.returncode == 2
    assert completed.stderr == (
        "Error: this command needs moto, which is not installed; to install it, run "
        f"{environment / PYTHON} -m pip install '{project}[sandbox]'\n"
    )


@pytest.mark.parametrize("command", ["report", "report --live", "audit --region eu-west-1"])
def test_other_commands_need_no_extra(environment: Path, project: Path, command: str) -> None:
    """Without the extra, a clone reads ledgers and accounts, or says in a line why it cannot."""
    completed = run(environment / PYTHON, "-m", "cli", *command.split(), cwd=project)
    assert "Traceback" not in completed.stderr
    assert "install" not in completed.stderr


def test_a_clone_installs_no_more_than_a_command_needs(project: Path) -> None:
    """Without any third-party package, audit asks for the package without its extra."""
    completed = run(sys.executable, "-S", "-m", "cli", "audit", cwd=project)
    assert completed.returncode == 2
    assert completed.stderr == (
        "Error: this command needs click, which is not installed; to install it, run "
        f"{sys.executable} -m pip install {project}\n"
    )


def test_a_module_that_an_installed_package_lacks_is_no_missing_package() -> None:
    """An import that fails inside an installed package keeps its traceback."""
    with pytest.raises(ModuleNotFoundError), missing_package_reported():
        import_module("click.missing")


def test_an_interrupted_start_is_one_word(project: Path, tmp_path: Path) -> None:
    """Ctrl-C while the packages are imported exits with 1, as it does later."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    command = (f"PYTHONPATH={tmp_path}", sys.executable, "-m", "cli")
    completed = run("env", *command, cwd=project)
    assert (completed.returncode, completed.stderr) == (1, "\nAborted!\n")


@pytest.mark.parametrize("command", ["demo", "invoke", "invoke --live", "report"])
def test_a_command_asks_for_the_project_that_it_lacks(
    environment: Path, tmp_path: Path, command: str
) -> None:
    """Outside a clone, it exits with 2 and says where to run it, before it asks for the extra."""
    completed = run(environment / SG_AUDIT, *command.split(), cwd=tmp_path)
    assert completed.returncode == 2
    assert completed.stderr.splitlines()[-1] == (
        "Error: the installed package does not contain the Pulumi project: in a clone of the "
        "security-group-audit repository run `pip install '.[sandbox]'` and "
        f"`python -m cli {command.split(maxsplit=1)[0]}`."
    )


def test_the_requirements_agree(project: Path) -> None:
    """The package, `pulumi up` and the tests ask for the same versions of the same packages."""

    def lines(file: str) -> set[str]:
        return set((project / file).read_text("utf-8").splitlines())

    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    sandbox = set(declared["optional-dependencies"]["sandbox"])
    pulumi = {line for line in sandbox if line.startswith("pulumi")}
    requested = {line for line in lines("requirements.txt") if not line.startswith("#")}
    assert requested == pulumi | set(declared["dependencies"])
    assert sandbox - pulumi <= lines("requirements-dev.in")
