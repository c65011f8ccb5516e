"""Which package, folder and module may import which."""

import ast
import re
import sys
from collections import Counter, defaultdict
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from cli.__main__ import main

PROJECT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "handler": {"boto3", "botocore", "handler"},
    # infra validates config by the function's own rules for policies, accounts and settings.
    "infra": {
        "botocore",
        "pulumi",
        "pulumi_aws",
        "handler.model",
        "handler.organization.configuration",
        "handler.policy",
        "handler.sanitize",
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
    "tools": {"botocore", "rich", "tools"},
}
UNRESTRICTED = {"benchmarks", "tests"}
# The folders of the handler and the modules beside them, the lowest layer first; "handler" is the
# package's own __init__.py.
LAYERS = (
    {"handler", "clock", "sanitize"},
    {"aws", "model"},
    {"assume_role", "attribution", "ec2", "exposure", "policy", "report"},
    {"assess", "csv_attachment", "settings"},
    {"digest_choice", "event", "event_bus", "ledger", "mail", "scan"},
    {"audit", "logs"},
    {"result"},
    {"organization"},
    {"app"},
)
PURE = {
    "handler/attribution/actor.py",
    "handler/attribution/cloudtrail_event.py",
    "handler/attribution/opening_calls.py",
    "handler/model",
    "handler/exposure",
    "handler/policy",
    "handler/assess",
    "handler/report",
    "infra/organization_permissions.py",
    "infra/permissions.py",
    "infra/state_machine.py",
    "infra/schedule_expression.py",
}
IMPURE_MODULES = {
    "boto3",
    "botocore",
    "handler.aws",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uuid",
}
# Of handler/clock.py, day_of and second_of only convert.
IMPURE_CALLS = {
    "TimeBudget",
    "input",
    "monotonic",
    "now",
    "open",
    "precise_timestamp",
    "print",
    "sleep",
    "timestamp",
    "today",
    "utcnow",
}


def modules(*packages: str) -> dict[str, Path]:
    """The file of each module of the packages, by the module's dotted name."""
    files = [file for package in packages for file in (PROJECT / package).rglob("*.py")]
    assert files
    names = {file: ".".join(file.relative_to(PROJECT).with_suffix("").parts) for file in files}
    return {name.removesuffix(".__init__"): file for file, name in names.items()}


@cache
def imports(file: Path) -> frozenset[str]:
    """The dotted names that a file imports, also inside of functions: ``module.name``."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def calls(file: Path) -> set[str]:
    """The names of the functions and methods that a file calls."""
    called = (
        node.func
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
    )
    return {getattr(function, "attr", getattr(function, "id", "")) for function in called}


def is_within(name: str, packages: set[str]) -> bool:
    """Whether a dotted name is one of the packages, or inside of one."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in packages for length in range(1, len(parts) + 1))


def graph(package: str) -> dict[str, set[str]]:
    """The modules of the package that each of its modules imports."""
    known = modules(package)

    def imported_module(name: str) -> str:
        return name if name in known else name.rpartition(".")[0]

    return {
        name: (set(map(imported_module, imports(file))) & known.keys()) - {name}
        for name, file in known.items()
    }


def part_of(module: str) -> str:
    """The folder or module directly below its package; the package for its own __init__.py."""
    package, *inside = module.split(".")
    return inside[0] if inside else package


def test_the_table_of_folders_names_each_import() -> None:
    """docs/architecture.md names in a folder's row the modules of others that it may import."""
    text = (PROJECT / "docs/architecture.md").read_text("utf-8")
    for folder, allowed in ALLOWED.items():
        (row,) = re.findall(rf"^\| `{folder}/` \|.*$", text, re.MULTILINE)
        others = {name for name in allowed if name.partition(".")[0] in ALLOWED} - {folder}
        assert others <= set(re.findall(r"`([\w.]+)`", row)), folder


def test_each_package_has_a_row() -> None:
    """Every package of the repository is in ALLOWED, but for those that may import everything."""
    packages = {file.parent.name for file in PROJECT.glob("*/__init__.py")}
    assert packages == ALLOWED.keys() | UNRESTRICTED


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_package_imports_only_what_its_row_allows(package: str) -> None:
    """A package imports the standard library and the packages of its row in ALLOWED."""
    allowed = ALLOWED[package] | sys.stdlib_module_names
    foreign = [
        f"{module} imports {name}"
        for module, file in modules(package).items()
        for name in imports(file)
        if not is_within(name, allowed)
    ]
    assert foreign == []


def test_each_part_of_the_handler_has_one_layer() -> None:
    """LAYERS holds every folder and every module of the handler once."""
    parts = [part for layer in LAYERS for part in layer]
    assert sorted(parts) == sorted({part_of(name) for name in modules("handler")})


def test_part_of_the_handler_imports_lower_layers_only() -> None:
    """A folder or module imports nothing else of its own layer, and nothing of a higher one."""
    layer_of = {part: number for number, layer in enumerate(LAYERS) for part in layer}
    upward = [
        f"{module} imports {target}"
        for module, targets in graph("handler").items()
        for target in targets
        if part_of(module) != part_of(target)
        if layer_of[part_of(module)] <= layer_of[part_of(target)]
    ]
    assert upward == []


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_no_module_imports_itself_through_others(package: str) -> None:
    """The modules of a package have an order in which each imports earlier ones only."""
    assert list(TopologicalSorter(graph(package)).static_order())


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_no_folder_imports_itself_through_others(package: str) -> None:
    """The folders and modules directly below a package have such an order as well."""
    parts: dict[str, set[str]] = defaultdict(set)
    for module, targets in graph(package).items():
        parts[part_of(module)] |= set(map(part_of, targets)) - {part_of(module)}
    assert list(TopologicalSorter(parts).static_order())


def test_file_names_differ() -> None:
    """No two modules of handler, infra and cli share a file name.

    __init__.py may repeat, and a command's module of the cli has the name of the command.
    """
    commands = {PROJECT / "cli" / f"{command}.py" for command in main.commands}
    files = set(modules("handler", "infra", "cli").values())
    assert commands <= files
    counts = Counter(file.name for file in files - commands if file.name != "__init__.py")
    assert [name for name, number in counts.items() if number > 1] == []


@pytest.mark.parametrize("place", sorted(PURE))
def test_evaluation_and_rendering_are_pure(place: str) -> None:
    """What these modules return depends on no clock, environment, file, network or chance."""
    root = PROJECT / place
    files = [root] if root.suffix else list(root.rglob("*.py"))
    assert files
    for file in files:
        impure = [name for name in imports(file) if is_within(name, IMPURE_MODULES)]
        assert impure == [], f"{file} imports {impure}"
        assert not calls(file) & IMPURE_CALLS, file
