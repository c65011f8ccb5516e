"""The documents list what the code has."""

import json
import re
from pathlib import Path

import pytest
import yaml

from cli.__main__ import main
from handler.model.attachment import Attachment
from handler.model.finding import Kind, Severity, Status
from handler.model.reach import Reach
from handler.model.run import CoverageStatus, Trigger
from handler.report.digest import DigestKind
from infra import permissions


def rows(document: Path, heading: str) -> list[list[str]]:
    """The cells, by row, of the first table whose heading row begins with that column."""
    lines = document.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    cells = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return cells


def default_text(value: object) -> str:
    """A default value as the README shows it."""
    if isinstance(value, list):
        return f"`[{', '.join(value)}]`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def test_readme_lists_the_settings(project: Path) -> None:
    """The table of settings has the keys, defaults and descriptions of Pulumi.yaml, in order."""
    declared = yaml.safe_load((project / "Pulumi.yaml").read_text("utf-8"))["config"]
    assert rows(project / "README.md", "key") == [
        [
            f"`{key}`",
            default_text(setting["default"]) if "default" in setting else "required",
            setting["description"],
        ]
        for key, setting in declared.items()
    ]


def test_readme_lists_the_permissions(project: Path) -> None:
    """The table of actions has exactly those that the function may use, each with a reason."""
    table = rows(project / "README.md", "action")
    actions = {
        *permissions.READ_ACTIONS,
        *permissions.MAIL_ACTIONS,
        *permissions.LEDGER_LIST_ACTIONS,
        *permissions.LEDGER_READ_ACTIONS,
        *permissions.LEDGER_WRITE_ACTIONS,
        *permissions.LOG_ACTIONS,
    }
    assert {row[0].strip("`") for row in table} == actions
    assert all(row[2] for row in table)


def test_readme_lists_the_options_of_audit(project: Path) -> None:
    """Each option of `audit` has its row."""
    listed = "".join(row[0] for row in rows(project / "README.md", "option"))
    options = {option.opts[0] for option in main.commands["audit"].params}
    assert not [option for option in options if f"`{option}`" not in listed]


def test_readme_names_the_exports(project: Path) -> None:
    """The README names each of the program's nine exports."""
    component = (project / "infra" / "component.py").read_text("utf-8")
    readme = (project / "README.md").read_text("utf-8")
    (outputs,) = re.findall(r"self\.outputs = {(.*?)}", component, re.DOTALL)
    exports = re.findall(r'"(\w+)":', outputs)
    assert len(exports) == 9
    assert not [name for name in exports if f"`{name}`" not in readme]


@pytest.mark.parametrize(
    "words", [Reach, Kind, Severity, CoverageStatus, Attachment, Status, Trigger, DigestKind]
)
def test_the_architecture_explains_the_words(project: Path, words: type[Reach]) -> None:
    """Every value of the report's vocabulary stands in the architecture's list of words."""
    meanings = "".join(row[1] for row in rows(project / "docs" / "architecture.md", "word"))
    assert not [word for word in words if f"`{word}`" not in meanings]


def test_the_architecture_names_the_packages(project: Path) -> None:
    """Every package of the repository has its row."""
    table = "".join(row[0] for row in rows(project / "docs" / "architecture.md", "folder"))
    packages = {file.parent.name for file in project.glob("*/__init__.py")}
    assert not [name for name in packages if f"`{name}/`" not in table]


def test_links_lead_somewhere(project: Path) -> None:
    """Files that the documents link to exist."""
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/severity.md",
        "sandbox/README.md",
    ):
        document = project / name
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), target
