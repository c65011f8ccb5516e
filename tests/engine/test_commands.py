"""The commands of the documents run as they are written."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.aws.account import Account
from sandbox.aws.seed import seed
from sandbox.deployment.pulumi_cli import Cli
from tests.conftest import PROJECT
from tests.support import aws_cli

# In the order in which a user reads them; the last one ends with the stack's removal.
DOCUMENTS = (
    "README.md",
    "docs/configuration.md",
    "docs/exceptions.md",
    "docs/formats.md",
    "docs/organization.md",
    "docs/operations.md",
)
NOT_RUN = {
    "git clone": "the repository is here already",
    "cd security-group-audit": "it is the working directory already",
    "make demo": "tests/cli/test_demo.py runs it",
    "sg-audit audit --account": "tests/cli/test_audit_accounts.py reads other accounts",
    "sg-audit audit --role": "as above",
    "pipx install .": "tests/cli/test_package.py installs the package",
    "pulumi login --local": "it would keep the state in the home of whoever runs the tests",
    "venv/bin/python -m cli invoke": "tests/cli/test_invoke.py runs it",
    "venv/bin/python -m cli report --live --stack org": "tests/cli/test_report_accounts.py does",
    "git pull": "the copy of the repository has no origin",
    "pulumi install": "it needs Pulumi's Python language host, which no package registry has",
    "aws logs tail": "version 1 of the AWS CLI, the only one on PyPI, does not have it",
    "pulumi stack init organization": "tests/engine/test_many_accounts.py deploys many accounts",
    "aws cloudformation": "the stack of these tests audits one account",
    "aws organizations": "as above",
    "aws stepfunctions": "as above",
    "pulumi stack output memberRoleTemplate": "as above",
    "pulumi config set deleteReports false": "tests/engine/test_product.py keeps the reports",
    "pulumi destroy --continue-on-error": "as above",
    "pulumi stack rm --force": "as above",
}
"""Commands, by how they begin, that cannot run here, with the reason."""
FAILING = {
    "sg-audit audit --region eu-west-1 --fail-on high": "the account has critical findings",
    "sg-audit audit --from-file groups.json": "it has critical findings, and no prefix lists",
}
"""Commands, by how they begin, whose status is not 0, with the reason."""
BASH = "/bin/bash"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str) -> list[str]:
    """The document's shell commands, block by block; steps of a workflow are blocks, too."""
    found = []
    for language, content in FENCE.findall((PROJECT / document).read_text("utf-8")):
        assert language in {"sh", "yaml", "mermaid"}, f"{document} has a block of {language!r}"
        if language == "sh":
            found.append(content)
        elif language == "yaml" and isinstance(steps := yaml.safe_load(content), list):
            found += [f"{step['run']}\n" for step in steps if "run" in step]
    return found


def commands(block: str) -> list[str]:
    """The commands of a block; one that goes on in the next line is one."""
    lines = re.sub(r"\\\n\s*", "", block).splitlines()
    if any(line.startswith(("  ", "done")) for line in lines):
        return ["\n".join(lines)]
    return lines


def scripts() -> Iterator[tuple[str, list[str]]]:
    """Each document's blocks, without what does not run here.

    What the documents repeat word for word runs the first and the last time: ``pulumi up`` takes
    seconds, and the last one applies the settings of all blocks.
    """
    kept = [
        (document, [command for command in commands(block) if not begins(command, NOT_RUN)])
        for document in DOCUMENTS
        for block in blocks(document)
    ]
    left = Counter(command for _, block in kept for command in block)
    begun: set[str] = set()
    for document, block in kept:
        left.subtract(block)
        run = [command for command in block if command not in begun or not left[command]]
        begun.update(block)
        if run:
            yield document, run


def begins(command: str, table: dict[str, str]) -> bool:
    """Whether a row of the table is the beginning of the command."""
    return any(command.startswith(beginning) for beginning in table)


@pytest.fixture(scope="module")
def bin_folder(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the PATH with the programs that the commands call."""
    folder = tmp_path_factory.mktemp("bin")
    aws = aws_cli.prepare()
    python = shlex.quote(sys.executable)
    operation = PROJECT / "tests" / "support" / "pulumi_operation.py"
    programs = {
        "pulumi": f"""
            case "$1" in preview|up|refresh|destroy)
                PYTHONPATH={PROJECT} exec {python} {operation} {cli.path} "$@"
            esac
            [ "$1 $2" != "stack rm" ] || set -- "$@" --yes
            exec {cli.path} "$@"
        """,
        "sg-audit": f'exec {python} -m cli "$@"',
        # Version 1 takes payloads as they are, and does not know the option that says so.
        "aws": f"""
            for argument; do
                shift
                case "$argument" in
                    --cli-binary-format|raw-in-base64-out) ;;
                    *) set -- "$@" "$argument" ;;
                esac
            done
            PYTHONPATH={aws.parents[1]} exec {python} {aws} "$@"
        """,
    }
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the repository, with the virtual environment of the tests as its own."""
    ignored = shutil.ignore_patterns(".*", "venv", "__pycache__")
    shutil.copytree(PROJECT, tmp_path / "clone", ignore=ignored)
    (tmp_path / "clone" / "venv").symlink_to(sys.prefix)
    (tmp_path / "clone" / ".cache").symlink_to(PROJECT / ".cache")
    return tmp_path / "clone"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_are_shell(document: str) -> None:
    """Bash parses every block of commands."""
    for block in blocks(document):
        subprocess.run([BASH, "-n"], input=block, text=True, check=True)


def test_each_exception_is_in_the_documents() -> None:
    """No command is excepted here that no document has."""
    written = [
        command
        for document in DOCUMENTS
        for block in blocks(document)
        for command in commands(block)
    ]
    for beginning in (*NOT_RUN, *FAILING):
        assert any(command.startswith(beginning) for command in written), beginning


def test_other_documents_have_no_commands() -> None:
    """Each document with commands is among those that run."""
    documents = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")]
    names = [document.relative_to(PROJECT).as_posix() for document in documents]
    assert not [name for name in names if name not in DOCUMENTS and blocks(name)]


def test_commands_run(clone: Path, bin_folder: Path, tmp_path: Path, account: Account) -> None:
    """The commands of the documents succeed, one block after the other, in a seeded account."""
    seed(account)
    state = tmp_path / "state"
    state.mkdir()
    environment = {
        **account.environment(),
        "HOME": str(tmp_path),
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "choose one and keep it",
        "PULUMI_HOME": str(tmp_path / "pulumi"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    for document, block in scripts():
        lines = [
            f"if {command}; then exit 1; fi" if begins(command, FAILING) else command
            for command in block
        ]
        script = "\n".join(lines).replace("VERSION-ID", version_id(account))
        process = subprocess.run(
            [BASH, "-euo", "pipefail", "-c", script],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert process.returncode == 0, f"{document}:\n{script}\n{process.stdout}"
    assert account.client("lambda").list_functions()["Functions"] == []


def version_id(account: Account) -> str:
    """The last version of the ledger's head, which the documents restore; empty without one."""
    s3 = account.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        listed = s3.list_object_versions(Bucket=bucket["Name"], Prefix="head.json")
        for version in listed.get("Versions", ()):
            return str(version["VersionId"])
    return ""
