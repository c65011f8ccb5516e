"""Which package, room and module may import which."""

import ast
import re
import sys
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "handler": {"boto3", "botocore", "handler"},
    # infra validates config by the function's own rules for policies and settings.
    "infra": {
        "pulumi",
        "pulumi_aws",
        "handler.model",
        "handler.policy",
        "handler.settings",
        "infra",
    },
    "cli": {"boto3", "botocore", "cli", "click", "handler", "rich", "sandbox", "yaml"},
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
# The rooms of the handler, from the ground floor up. A room is a folder or a module beside the
# folders; it imports rooms of lower floors only, and so none beside it.
FLOORS = (
    {"aws", "clock", "sanitize"},
    {"model"},
    {"ec2", "exposure", "policy", "report"},
    {"assess", "settings"},
    {"event", "ledger", "mail", "scan"},
    {"audit", "logs"},
    {"app"},
)
# What evaluates and renders does no I/O and reads no clock.
PURE = {
    "handler/model",
    "handler/exposure",
    "handler/policy",
    "handler/assess",
    "handler/report",
    "infra/permissions.py",
    "infra/schedule_expression.py",
}
IMPURE = {"boto3", "botocore", "logging", "os", "pathlib", "random", "time"}
# A command's module has the name of the command, which may be that of a module of the handler.
COMMANDS = {"audit.py", "demo.py", "invoke.py", "report.py"}


def modules(*packages: str) -> dict[str, Path]:
    """The file of each module of the packages, by the module's name."""
    files = (file for package in packages for file in (PROJECT / package).rglob("*.py"))
    names = {file: ".".join(file.relative_to(PROJECT).with_suffix("").parts) for file in files}
    return {name.removesuffix(".__init__"): file for file, name in names.items()}


@cache
def imports(file: Path) -> frozenset[str]:
    """Every module that a file imports, anywhere in it; names it imports from packages included."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def graph(*packages: str) -> dict[str, set[str]]:
    """The modules of the packages that each of them imports."""
    known = modules(*packages)

    def module_of(name: str) -> str | None:
        return name if name in known else next(filter(known.get, [name.rpartition(".")[0]]), None)

    return {
        name: {target for target in map(module_of, imports(file)) if target and target != name}
        for name, file in known.items()
    }


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_only_what_they_may(package: str) -> None:
    """A package imports the standard library and the packages that its row allows."""
    allowed = ALLOWED[package]
    for file in modules(package).values():
        for name in imports(file):
            parts = name.split(".")
            known = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
            assert known & allowed or parts[0] in sys.stdlib_module_names, f"{file} imports {name}"


def test_every_room_of_the_handler_imports_lower_floors_only() -> None:
    """A room imports no room of its own floor or of a higher one; each room has one floor."""
    floor_of = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    rooms = {name: name.split(".")[1] for name in modules("handler") if "." in name}
    assert set(rooms.values()) == set(floor_of)
    upward = [
        f"{name} imports {target}"
        for name, targets in graph("handler").items()
        for target in targets
        if name in rooms and target in rooms and rooms[name] != rooms[target]
        if floor_of[rooms[target]] >= floor_of[rooms[name]]
    ]
    assert upward == []


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_no_module_imports_itself_through_others(package: str) -> None:
    """The modules of a package have an order in which each imports earlier ones only."""
    assert list(TopologicalSorter(graph(package)).static_order())


def test_file_names_differ() -> None:
    """No two modules of handler, infra and cli have one file name, but the commands' modules."""
    files = modules("handler", "infra", "cli").values()
    counts = Counter(file.name for file in files if file.name not in {"__init__.py", *COMMANDS})
    assert [name for name, number in counts.items() if number > 1] == []


@pytest.mark.parametrize("place", sorted(PURE))
def test_what_evaluates_and_renders_is_pure(place: str) -> None:
    """No clock, environment, file, network or chance decides what it returns."""
    root = PROJECT / place
    for file in [root] if root.suffix else root.rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(file)} & IMPURE
        assert not re.search(r"\b(now|today|utcnow|timestamp)\(", file.read_text("utf-8"))
