"""The folder that replaces Lambda's Python runtime, with only boto3 and awslambdaric."""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = Path(__file__).with_name("requirements.txt")
CACHE = Path(__file__).parents[2] / ".cache" / "lambda-runtime"


def location(cache: Path = CACHE) -> Path:
    """The path of the folder for these pins and this interpreter, which may not exist yet."""
    key = hashlib.sha256(PINS.read_bytes())
    key.update(f"{sys.version} {platform.system()} {platform.machine()}".encode())
    return cache / key.hexdigest()[:16]


def prepare(cache: Path = CACHE) -> Path:
    """The folder, installed first if it is missing; says so, because that takes some seconds.

    Raises ``RuntimeError`` with pip's own words if it cannot be installed.
    """
    folder = location(cache)
    if folder.is_dir():
        return folder
    sys.stderr.write(f"Installing Lambda's Python runtime ({PINS.name}) to {folder}.\n")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as unfinished:
        target = Path(unfinished) / "runtime"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--target", str(target)]
        command += ["--requirement", str(PINS)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (pip)
        if run.returncode:
            raise RuntimeError(
                f"Lambda's Python runtime could not be installed from {PINS}:\n{run.stderr}"
            )
        if not any(target.glob("runtime_client*")):
            # awslambdaric builds its client on Linux only.
            shutil.copy(Path(__file__).with_name("runtime_client.py"), target)
        try:
            target.rename(folder)
        except OSError:
            if not folder.is_dir():  # else somebody else was quicker, with the same pins
                raise
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{prepare()}\n")
