"""Runs the endpoint and each measurement in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import IO, cast

import urllib3

from benchmarks.endpoint import BUCKET, CALLS_PATH

_PROJECT = Path(__file__).resolve().parent.parent
_REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The costs of one process.

    ``cpu`` in seconds, of the whole process or, of a part, of its call; ``seconds`` is how long
    the process ran. ``before`` and ``peak`` are the most bytes that it had used when the call began
    and when it ended; ``result`` counts what it did, and ``calls`` how often it called the endpoint
    for each operation.
    """

    cpu: float
    before: int
    peak: int
    result: int
    seconds: float
    calls: Counter[str]


@dataclass(frozen=True, slots=True)
class Data:
    """The data of an endpoint: groups, half of them with a public address or not.

    ``seconds`` is how long an answer takes.
    """

    groups: int
    single_addresses: bool = False
    seconds: float = 0.0


class MeasurementError(Exception):
    """A measured process failed; the message says which."""


@contextmanager
def endpoint(data: Data) -> Iterator[str]:
    """The address of an endpoint with that data, as long as the context lasts."""
    options = ["--single-addresses"] if data.single_addresses else []
    arguments = [str(data.groups), *options, "--seconds", str(data.seconds)]
    process = subprocess.Popen(  # noqa: S603 - this interpreter with our module
        [sys.executable, "-m", "benchmarks.endpoint", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # An interrupt ends the benchmark, which then ends the process.
    )
    with process:
        try:
            yield cast("IO[bytes]", process.stdout).readline().decode().strip()
        finally:
            process.terminate()


def audit(module: str, address: str, *, regions: str = _REGION) -> Measurement:
    """One audit by a module in a new process. Raises ``MeasurementError``."""
    return _measure([sys.executable, "-m", module], address, {"AUDIT_REGIONS": regions})


def part(name: str, rules: int) -> Measurement:
    """One measurement of a part, whose one group has that many rules.

    Raises ``MeasurementError``.
    """
    return _measure([sys.executable, "-m", "benchmarks.parts", name, str(rules)])


def other_tool(command: Sequence[str], address: str) -> Measurement:
    """One audit by another program. Raises ``MeasurementError``."""
    return _measure([sys.executable, "-m", "benchmarks.other_tool", *command], address)


def instructions(module: str, address: str, folder: Path = _PROJECT) -> int:
    """How many instructions an audit takes, by valgrind, with the handler of that folder.

    Raises ``MeasurementError``.
    """
    with NamedTemporaryFile() as counts:
        _measure(
            [
                "valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={counts.name}",
                sys.executable, "-m", module,
            ],
            address,
            {
                "AUDIT_REGIONS": _REGION,
                "PYTHONPATH": str(_PROJECT),
                # As in Lambda, where the function's folder is read-only.
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            folder,
        )  # fmt: skip
        (total,) = (line for line in counts if line.startswith(b"totals:"))
    return int(total.split()[1])


@contextmanager
def without_byte_code() -> Iterator[Path]:
    """A folder with a handler that Python has not compiled yet, as in the zip."""
    with TemporaryDirectory() as folder:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_PROJECT / "handler", Path(folder, "handler"), ignore=ignored)
        yield Path(folder)


def _measure(
    command: Sequence[str],
    address: str = "",
    settings: Mapping[str, str] | None = None,
    folder: Path = _PROJECT,
) -> Measurement:
    calls_before = _calls(address) if address else Counter()
    began = time.monotonic()
    process = subprocess.run(  # noqa: S603 - this interpreter with our modules
        command,
        cwd=folder,
        env=_environment(address, settings or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,  # As above.
        check=False,
    )
    seconds = time.monotonic() - began
    if process.returncode:
        name = " ".join(command[1:])
        raise MeasurementError(
            f"{name} failed with exit status {process.returncode}; what it wrote is above."
        )
    calls = _calls(address) - calls_before if address else Counter()
    return Measurement(**json.loads(process.stdout), seconds=seconds, calls=calls)


def _calls(address: str) -> Counter[str]:
    return Counter(urllib3.request("GET", address + CALLS_PATH, timeout=60).json())


def _environment(address: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment without the caller's account, and with the endpoint in place of AWS."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # In Lambda, boto3 has byte code as well.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **variables,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": address,
        "NO_PROXY": "127.0.0.1",
        "SES_SENDER": "audit@example.com",
        "SES_RECIPIENT": "audit@example.com",
        "LEDGER_BUCKET": BUCKET,
        **settings,
    }
