"""docs/architecture.md describes the tree as it is."""

import ast
import re
from pathlib import Path

import pytest

from tests.contract.test_dependencies import LAYERS, modules

_DRAWING = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def architecture(project: Path) -> str:
    """The text of the document."""
    return (project / "docs" / "architecture.md").read_text("utf-8")


def test_every_module_has_one_row(project: Path, architecture: str) -> None:
    """Each module of handler, infra and cli with code has one row, and each row its module."""
    files = modules("handler", "infra", "cli").values()
    with_code = [file for file in files if len(ast.parse(file.read_text("utf-8")).body) > 1]
    rows = re.findall(r"^\| `(\w+/[\w/]+\.py)` \|", architecture, re.MULTILINE)
    assert sorted(rows) == sorted(file.relative_to(project).as_posix() for file in with_code)


def test_every_package_folder_is_named(project: Path, architecture: str) -> None:
    """Each folder with Python modules is named; of tests, which mirror the others, the root is."""
    files = {
        *project.glob("*/__init__.py"),
        *modules("handler", "infra", "cli", "sandbox").values(),
    }
    folders = {f"{file.parent.relative_to(project).as_posix()}/" for file in files}
    assert not [folder for folder in sorted(folders) if f"`{folder}`" not in architecture]


def test_every_named_path_exists(project: Path, architecture: str) -> None:
    """A path in a package of the repository leads to a file or a folder."""
    packages = "|".join(file.parent.name for file in project.glob("*/__init__.py"))
    paths = re.findall(rf"`((?:{packages})/[\w/.]*)`", architecture)
    assert not [path for path in paths if not (project / path).exists()]


def test_the_drawings_show_the_layers(project: Path, architecture: str) -> None:
    """One has every part of the handler in its layer, the other names existing parts only."""
    data_flow, layers = _DRAWING.findall(architecture)
    subgraphs = re.findall(r"^ +subgraph (.*?)^ +end$", layers, re.MULTILINE | re.DOTALL)
    parts = [re.findall(r'^ +(\w+)\["([\w.]+)/?"\]$', body, re.MULTILINE) for body in subgraphs]
    assert [{part for part, _ in layer} for layer in reversed(parts)] == [
        layer - {"handler"} for layer in LAYERS
    ]
    labels = [label for layer in parts for _, label in layer]
    labels += [
        name for names in re.findall(r'\|"?([^|"]+)"?\|', data_flow) for name in names.split(", ")
    ]
    assert not [label for label in labels if not (project / "handler" / label).exists()]
