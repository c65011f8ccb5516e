"""The lines that the Lambda platform itself writes to a function's log."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PlatformLog:
    """Platform lines in the function's log format, JSON or Text.

    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
    """

    log_format: str
    request_id: str
    version: str
    memory: int

    def init_start(self, runtime: str) -> str:
        """The line before a new process is started."""
        if self.log_format == "JSON":
            record = {
                "initializationType": "on-demand",
                "phase": "init",
                "runtimeVersion": runtime,
                "functionVersion": self.version,
            }
            return self._json("platform.initStart", record)
        return f"INIT_START Runtime Version: {runtime}"

    def start(self) -> str:
        """The line before the function's own output."""
        if self.log_format == "JSON":
            return self._json(
                "platform.start", {"requestId": self.request_id, "version": self.version}
            )
        return f"START RequestId: {self.request_id} Version: {self.version}"

    def timed_out(self, timeout: float) -> tuple[str, ...]:
        """What a time-out adds to a text log; a JSON log says it in its report."""
        if self.log_format == "JSON":
            return ()
        return (f"{_now()} {self.request_id} Task timed out after {timeout:.2f} seconds",)

    def report(
        self, status: str, duration: float, init: float | None, peak: int | None
    ) -> tuple[str, ...]:
        """The last lines: durations in seconds, memory peak in MB where the system tells it."""
        milliseconds = duration * 1000
        billed = math.ceil(milliseconds + (init or 0) * 1000)
        if self.log_format == "JSON":
            metrics: dict[str, Any] = {
                "durationMs": round(milliseconds, 3),
                "billedDurationMs": billed,
                "memorySizeMB": self.memory,
            }
            if peak is not None:
                metrics["maxMemoryUsedMB"] = peak
            if init is not None:
                metrics["initDurationMs"] = round(init * 1000, 3)
            record = {"requestId": self.request_id, "metrics": metrics, "status": status}
            return (self._json("platform.report", record),)
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {billed} ms",
            f"Memory Size: {self.memory} MB",
        ]
        if peak is not None:
            parts.append(f"Max Memory Used: {peak} MB")
        if init is not None:
            parts.append(f"Init Duration: {init * 1000:.2f} ms")
        if status != "success":
            parts.append(f"Status: {status}")
        return f"END RequestId: {self.request_id}", "\t".join(parts) + "\t"

    def _json(self, kind: str, record: dict[str, Any]) -> str:
        line = {"time": _now(), "type": kind, "record": record}
        return json.dumps(line, separators=(",", ":"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
