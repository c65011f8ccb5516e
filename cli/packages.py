"""What to install when a command lacks a third-party package."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_SOURCES = Path(__file__).resolve().parent.parent
_ALWAYS_INSTALLED = frozenset({"boto3", "botocore", "click", "rich", "yaml"})


@contextmanager
def missing_package_reported() -> Iterator[None]:
    """Exit with 2 and the command that installs a package if importing it fails.

    Ctrl-C meanwhile exits with 1, as click does once it is imported.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("\nAborted!\n")
        sys.exit(1)
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        # A module that an installed package lacks is a bug, which a traceback shows best.
        if find_spec(package):
            raise
        requirement, folder = str(_SOURCES), ""
        if not (_SOURCES / "pyproject.toml").is_file():
            # On a package index, this name may be that of another project.
            requirement, folder = ".", " in a clone of the security-group-audit repository"
        if package not in _ALWAYS_INSTALLED:
            requirement += "[sandbox]"
        command = shlex.join([sys.executable, "-m", "pip", "install", requirement])
        sys.stderr.write(
            f"Error: this command needs {package}, which is not installed; to install it, run "
            f"{command}{folder}\n"
        )
        sys.exit(2)
