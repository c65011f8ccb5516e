"""Which package may import which."""

import ast
import re
import sys
from pathlib import Path

import pytest

ALLOWED = {
    "handler": {"boto3", "botocore", "handler"},
    "infra": {"pulumi", "pulumi_aws", "handler.policy", "infra"},
    "sandbox": {
        "boto3",
        "botocore",
        "google",
        "grpc",
        "moto",
        "pulumi",
        "pulumi_aws",
        "sandbox",
        "semver",
        "werkzeug",
        "yaml",
    },
}


def imports(file: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            found.add(str(node.module))
    return found


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_keep_to_their_rooms(project: Path, package: str) -> None:
    """A package imports the standard library and what its list allows, nothing else."""
    for file in sorted((project / package).rglob("*.py")):
        foreign = {
            name
            for name in imports(file)
            if name.split(".")[0] not in sys.stdlib_module_names
            and not {name, name.split(".")[0]} & ALLOWED[package]
        }
        assert not foreign, f"{file.relative_to(project)} imports {foreign}"


@pytest.mark.parametrize(
    ("package", "modules"),
    [
        (
            "handler",
            (
                "address",
                "exceptions",
                "exposure",
                "findings",
                "fix",
                "model",
                "policy",
                "services",
                "severity",
                "together",
                "written",
            ),
        ),
        ("handler/report", ("csv", "digest", "document", "fit", "html", "text", "words")),
        ("infra", ("permissions", "schedule_expression")),
    ],
)
def test_the_core_is_pure(project: Path, package: str, modules: tuple[str, ...]) -> None:
    """What judges and words does no I/O and reads no clock."""
    impure = {"boto3", "botocore", "logging", "os", "pathlib", "random", "time"}
    for module in modules:
        file = project / package / f"{module}.py"
        assert not imports(file) & impure
        assert not re.search(r"\b(now|today|utcnow)\(", file.read_text("utf-8"))
