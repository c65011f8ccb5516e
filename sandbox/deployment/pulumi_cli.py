"""Finds a Pulumi CLI, or builds the one that tools/pulumi pins; ``make engine`` runs it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from semver import VersionInfo

ROOT: Final = Path(__file__).resolve().parents[2]
TOOLS: Final = ROOT / "tools" / "pulumi"
CACHE: Final = ROOT / ".cache" / "pulumi"
MODULE: Final = "github.com/pulumi/pulumi"
# The first that sends its events to a gRPC server.
OLDEST: Final = VersionInfo(3, 206, 0)
_PACKAGES_PER_MESSAGE: Final = 100

Say = Callable[[str], None]


class NoCliError(Exception):
    """There is no Pulumi CLI and none can be built; the message says why."""


@dataclass(frozen=True, slots=True)
class Cli:
    """A Pulumi CLI that the sandbox can use."""

    path: Path
    version: VersionInfo
    origin: str

    def __str__(self) -> str:
        return f"Pulumi CLI v{self.version} ({self.origin})"


def find(say: Say) -> Cli:
    """The CLI that is installed, else the pinned one if it has been built.

    ``say`` gets a line for a CLI that is passed over. Raises ``NoCliError``.
    """
    for path in _installed():
        version = _version(path)
        if version and version >= OLDEST:
            return Cli(path, version, "from PATH")
        say(f"Passing over {path}: v{OLDEST} or later is needed, it is v{version or '?'}.")
    if not built_path().exists():
        raise NoCliError("There is no Pulumi CLI on this machine; `make engine` builds one.")
    return Cli(built_path(), pinned_version(), "built from tools/pulumi")


def find_or_build(say: Say) -> Cli:
    """The CLI that ``find`` returns; without one the pinned version is built, in about 3 minutes.

    ``say`` gets a line for whatever takes time or is passed over. Raises ``NoCliError``.
    """
    with suppress(NoCliError):
        return find(say)
    build(built_path(), pinned_version(), say)
    return Cli(built_path(), pinned_version(), "built from tools/pulumi")


def pinned_version() -> VersionInfo:
    """The version that tools/pulumi/go.mod asks for."""
    text = (TOOLS / "go.mod").read_text("utf-8")
    match = re.search(rf"^\s*(?:require )?{re.escape(MODULE)}/pkg/v3 v(\S+)", text, re.MULTILINE)
    if not match:
        raise NoCliError(f"{TOOLS / 'go.mod'} must require {MODULE}/pkg/v3, it does not.")
    return VersionInfo.parse(match[1])


def built_path() -> Path:
    """The path of the pinned CLI once it is built; it depends on go.sum."""
    checksum = hashlib.sha256((TOOLS / "go.sum").read_bytes()).hexdigest()[:12]
    return CACHE / f"{pinned_version()}-{checksum}" / "bin" / "pulumi"


def build(path: Path, version: VersionInfo, say: Say) -> None:
    """Build the pinned CLI to the path, completely or not at all. Raises ``NoCliError``."""
    go = shutil.which("go")
    if not go:
        raise NoCliError("There is no Pulumi CLI on this machine, and no Go to build one with.")
    say(f"Building the Pulumi CLI v{version} with {go}, once; this takes about 3 minutes.")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        binary = Path(folder) / "bin" / "pulumi"
        _go_build(go, binary, version, say)
        path.parent.mkdir(parents=True, exist_ok=True)
        binary.replace(path)
    say(f"Built {path}.")


def _go_build(go: str, binary: Path, version: VersionInfo, say: Say) -> None:
    flags = ["-trimpath", "-tags", "osusergo,grpcnotrace"]
    flags += ["-ldflags", f"-s -w -X {MODULE}/sdk/v3/go/common/version.Version=v{version}"]
    program = f"{MODULE}/pkg/v3/cmd/pulumi"
    # -mod=readonly: what go.sum does not vouch for is not built.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    # It also downloads the modules.
    listing = subprocess.run(  # noqa: S603 - Go with our arguments
        [go, "list", "-deps", *flags, "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", program],
        cwd=TOOLS,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    total = len(listing.stdout.split())
    with subprocess.Popen(  # noqa: S603 - Go with our arguments
        [go, "build", "-v", *flags, "-o", str(binary), program],
        cwd=TOOLS,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        last_lines: deque[str] = deque(maxlen=5)
        try:
            assert process.stderr is not None  # noqa: S101 - it is a pipe
            for count, line in enumerate(process.stderr, start=1):
                last_lines.append(line.strip())
                if count % _PACKAGES_PER_MESSAGE == 0:
                    say(f"  {count:,} of {total:,} packages")
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise NoCliError("Go could not build the Pulumi CLI: " + " ".join(last_lines))


def _installed() -> Iterator[Path]:
    """The CLIs on PATH and in Pulumi's own folder, the first one first."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "bin"
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(home)])
    if path := shutil.which("pulumi", path=places):
        yield Path(path).resolve()


def _version(path: Path) -> VersionInfo | None:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    answer = subprocess.run(  # noqa: S603 - the CLI that was found
        [path, "version"], capture_output=True, text=True, check=False, env=environment
    )
    text = answer.stdout.strip().removeprefix("v")
    return VersionInfo.parse(text) if VersionInfo.is_valid(text) else None


def main() -> int:
    """Print the path of the CLI; progress and errors go to standard error."""
    try:
        cli = find_or_build(lambda line: _write(sys.stderr, line))
    except NoCliError as error:
        _write(sys.stderr, str(error))
        return 1
    _write(sys.stdout, str(cli.path))
    return 0


def _write(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
