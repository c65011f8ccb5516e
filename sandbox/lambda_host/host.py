"""A Lambda host: runs functions in processes that stay warm, and logs as Lambda does."""

import json
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sandbox.lambda_host import runtime
from sandbox.lambda_host.log import PlatformLog
from sandbox.lambda_host.process import Function, FunctionProcess
from sandbox.lambda_host.runtime_api import Outcome


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a function.

    ``error`` is that of X-Amz-Function-Error (None if the function returned), ``log`` the lines of
    the platform and the function.
    """

    payload: bytes
    error: str | None
    log: tuple[str, ...]
    request_id: str
    log_stream: str


class LambdaHost:
    """Runs functions; a context manager, which ends their processes."""

    def __init__(self) -> None:
        self._idle: list[FunctionProcess] = []
        self._all: set[FunctionProcess] = set()
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, also those that still run a function."""
        with self._lock, ExitStack() as stack:
            self._closed = True
            for process in self._all:
                stack.callback(process.close)
            self._all.clear()
            self._idle.clear()

    def kill(self, session: str) -> None:
        """Let the process with this session token die while it runs."""
        with self._lock:
            processes = [process for process in self._all if process.session == session]
        for process in processes:
            process.kill()

    def run(
        self,
        function: Function,
        payload: bytes,
        credentials: Mapping[str, str],
        request_id: str | None = None,
    ) -> Invocation:
        """Run a function once; its own errors are in the result and are not raised.

        ``credentials`` are the environment variables with the function's keys and AWS's endpoint.
        """
        identifier = request_id or str(uuid.uuid4())
        process, is_new = self._take_process(function, credentials)
        platform = PlatformLog(identifier, function.version, function.memory)
        log: list[str] = []
        if is_new:
            log += [platform.init_start(_runtime_name()), *process.take_lines()]
        log.append(platform.start())
        started = time.perf_counter()
        outcome = process.broken or process.run(identifier, payload)
        duration = time.perf_counter() - started
        peak = process.peak_memory()
        log += process.take_lines()
        result, status = _result(outcome, function, identifier)
        init = process.init_duration if is_new else None
        log.append(platform.report(status, duration, init, peak))
        self._give_back(process, keep=outcome.kind in ("response", "error"))
        return Invocation(
            payload=result,
            error=None if status == "success" else "Unhandled",
            log=tuple(log),
            request_id=identifier,
            log_stream=process.log_stream,
        )

    def _take_process(
        self, function: Function, credentials: Mapping[str, str]
    ) -> tuple[FunctionProcess, bool]:
        """An idle process of exactly this function, or else a new one; and whether it is new."""
        with self._lock:
            for process in self._idle:
                is_same = (process.function, process.credentials) == (function, credentials)
                if process.alive and is_same:
                    self._idle.remove(process)
                    return process, False
        process = FunctionProcess(function, runtime.prepare(), credentials)
        with self._lock:
            if not self._closed:
                self._all.add(process)
                return process, True
        process.close()
        raise RuntimeError(f"{function.name} was not run, because the Lambda host is closed.")

    def _give_back(self, process: FunctionProcess, *, keep: bool) -> None:
        with self._lock:
            if process not in self._all:
                return  # the host was closed meanwhile, and the process with it
            if keep:
                self._idle.append(process)
                return
            self._all.discard(process)
        process.close()


def run_once(function: Function, payload: bytes, credentials: Mapping[str, str]) -> Invocation:
    """Run a function once in a process of its own, which is gone afterwards."""
    with LambdaHost() as host:
        return host.run(function, payload, credentials)


def _runtime_name() -> str:
    return f"python:{sys.version_info.major}.{sys.version_info.minor}.sandbox"


def _result(outcome: Outcome, function: Function, request_id: str) -> tuple[bytes, str]:
    """The payload that the caller of Invoke gets, and the status in the report."""
    match outcome.kind:
        case "response":
            return outcome.body, "success"
        case "timeout":
            message = f"RequestId: {request_id} Error: Task timed out after \
{function.timeout:.2f} seconds"
            return _error("Sandbox.Timedout", message), "timeout"
        case "exit":
            reason = _exit_reason(int(outcome.body))
            return _error("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}"), "error"
    return outcome.body, "error"


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _exit_reason(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    if code < 0:
        return f"Runtime exited with error: signal {-code}"
    return f"Runtime exited with error: exit status {code}"
