"""One process that runs a Lambda function's zip as Lambda does, with awslambdaric."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty

from sandbox.lambda_host.runtime_api import Event, Outcome, RuntimeApi

INIT_LIMIT = 10.0
"""Seconds that Lambda gives a function to import its module."""


@dataclass(frozen=True, slots=True)
class Function:
    """The definition of a function that logs in JSON.

    ``timeout`` is in seconds, ``memory`` in MB.
    """

    name: str
    code: bytes = field(repr=False)
    handler: str
    environment: Mapping[str, str]
    timeout: float = 3.0
    memory: int = 128
    region: str = "eu-west-1"
    account: str = "123456789012"
    version: str = "$LATEST"
    log_group: str = ""
    log_level: str | None = None

    @property
    def arn(self) -> str:
        """The function's own ARN, without a version."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


class FunctionProcess:
    """A process that has imported the function; ``broken`` is the outcome if it could not."""

    def __init__(self, function: Function, runtime: Path, credentials: Mapping[str, str]) -> None:
        self.function = function
        self.credentials = credentials
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        self.session = uuid.uuid4().hex
        self.broken: Outcome | None = None
        self.init_duration = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="lambda-")
        root = Path(self._folder.name)
        task = root / "task"
        zipfile.ZipFile(io.BytesIO(function.code)).extractall(task)
        self._output = root / "output"
        self._bytes_taken = 0
        self._api = RuntimeApi()
        started = time.perf_counter()
        with self._output.open("wb") as output:
            # -S keeps this interpreter's packages out: a zip that misses one must fail here too.
            self._process = subprocess.Popen(  # noqa: S603  (what it runs is the function)
                [sys.executable, "-S", "-X", "utf8", "-m", "awslambdaric", function.handler],
                cwd=task,
                env=self._environment(root, task, runtime, credentials),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            outcome = self._await(INIT_LIMIT)
        except BaseException:
            self.close()
            raise
        self.init_duration = time.perf_counter() - started
        if outcome is None or outcome.kind != "ready":
            self.broken = outcome or Outcome("timeout")

    @property
    def alive(self) -> bool:
        """Whether the process can take another event."""
        return self.broken is None and self._process.poll() is None

    def run(self, request_id: str, payload: bytes) -> Outcome:
        """Hand over one event; the outcome is of kind response, error, exit or timeout."""
        deadline = int((time.time() + self.function.timeout) * 1000)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}",
        }
        self._api.events.put(Event(headers, payload))
        return self._await(self.function.timeout) or Outcome("timeout")

    def take_lines(self) -> tuple[str, ...]:
        """The lines that the function has written to stdout and stderr since the last call."""
        try:
            with self._output.open("rb") as output:
                output.seek(self._bytes_taken)
                written = output.read()
        except FileNotFoundError:  # the host was closed meanwhile, and the process with it
            return ()
        self._bytes_taken += len(written)
        *lines, unfinished = written.decode(errors="replace").split("\n")
        # awslambdaric joins the lines of one traceback with \r, to keep them one log event.
        return tuple(line.replace("\r", "\n") for line in (*lines, *filter(None, [unfinished])))

    def peak_memory(self) -> int | None:
        """The peak memory of the process in MB; None if the system does not tell it."""
        status = Path(f"/proc/{self._process.pid}/status")
        with suppress(OSError):
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // 1024
        return None

    def kill(self) -> None:
        """End the process and whatever it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and whatever it started, and remove its files."""
        self.kill()
        self._process.wait()
        self._api.close()
        self._folder.cleanup()

    def _environment(
        self, root: Path, task: Path, runtime: Path, credentials: Mapping[str, str]
    ) -> dict[str, str]:
        """The variables of Lambda's environment, with only PATH from this process.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        function = self.function
        level = {"AWS_LAMBDA_LOG_LEVEL": function.log_level} if function.log_level else {}
        python = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return {
            **function.environment,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{python}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_REGION": function.region,
            "HOME": str(root),
            "LAMBDA_RUNTIME_DIR": str(runtime),
            "LAMBDA_TASK_ROOT": str(task),
            "LANG": "en_US.UTF-8",
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join((str(task), str(runtime.resolve()))),
            "TZ": ":UTC",
            "_HANDLER": function.handler,
            **level,
            **credentials,
            # Each process has its own, as in Lambda.
            "AWS_SESSION_TOKEN": self.session,
        }

    def _await(self, seconds: float) -> Outcome | None:
        try:
            return self._api.outcomes.get(timeout=seconds)
        except Empty:
            return None

    def _watch(self) -> None:
        code = self._process.wait()
        self._api.outcomes.put(Outcome("exit", str(code).encode()))
