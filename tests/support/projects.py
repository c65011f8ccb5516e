"""The project in a folder of its own, where files may be changed."""

import shutil
from pathlib import Path


def copy_project(project: Path, folder: Path) -> Path:
    """A copy of the Pulumi program with the stacks dev and prod, the latter from the example."""
    folder.mkdir()
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy2(project / name, folder)
    shutil.copy2(project / "docs" / "Pulumi.example.yaml", folder / "Pulumi.prod.yaml")
    for name in ("handler", "infra"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(project / name, folder / name, ignore=ignore)
    return folder
