"""Runs the endpoint and each measurement in processes of their own."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

import urllib3

from benchmarks.endpoint import CALLS_PATH


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one call took.

    ``cpu`` in seconds; ``before`` and ``peak`` are the most bytes that the process had used when
    the call began and when it ended; ``result`` counts what the call did; ``calls`` is how often
    it asked the endpoint for each operation.
    """

    cpu: float
    before: int
    peak: int
    result: int
    calls: Counter[str]


class MeasurementError(Exception):
    """A measured process failed; the message says which."""


@contextmanager
def endpoint(groups: int) -> Iterator[str]:
    """The address of an endpoint with that many groups, as long as the context lasts."""
    process = subprocess.Popen(  # noqa: S603 - this interpreter with our module
        [sys.executable, "-m", "benchmarks.endpoint", str(groups)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # An interrupt ends the benchmark, which then ends the process.
    )
    with process:
        try:
            yield cast("IO[bytes]", process.stdout).readline().decode().strip()
        finally:
            process.terminate()


def measure(way: str, address: str, rules: int) -> Measurement:
    """One measurement of a way; ``rules`` as in `ways`. Raises ``MeasurementError``."""
    calls_before = _calls(address)
    process = subprocess.run(  # noqa: S603 - this interpreter with our module
        [sys.executable, "-m", "benchmarks.measured", way, str(rules)],
        env=_environment(address),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,  # As above.
        check=False,
    )
    if process.returncode:
        message = f"{way} failed with exit status {process.returncode}; what it wrote is above."
        raise MeasurementError(message)
    return Measurement(**json.loads(process.stdout), calls=_calls(address) - calls_before)


def _calls(address: str) -> Counter[str]:
    return Counter(urllib3.request("GET", address + CALLS_PATH, timeout=60).json())


def _environment(address: str) -> dict[str, str]:
    """The environment without the caller's account, and with the endpoint in place of AWS."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **environment,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": address,
        "NO_PROXY": "127.0.0.1",
    }
