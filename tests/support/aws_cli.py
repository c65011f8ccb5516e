"""The AWS CLI in a virtual environment of its own, since it pins another botocore than ours."""

import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "1.46.3"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "aws-cli"


def prepare(cache: Path = CACHE) -> Path:
    """The path of `aws`, installed first if it is missing."""
    folder = cache / f"{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as unfinished:
            target = Path(unfinished) / "packages"
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target)]
            command += ["--disable-pip-version-check", f"awscli=={VERSION}"]
            subprocess.run(command, check=True)
            target.rename(folder)
    return folder / "bin" / "aws"
