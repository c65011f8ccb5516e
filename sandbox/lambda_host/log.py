"""The lines that the Lambda platform itself writes to a function's log, in JSON."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PlatformLog:
    """The platform's lines about one invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
    """

    request_id: str
    version: str
    memory: int

    def init_start(self, runtime: str) -> str:
        """The line before a new process is started."""
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": runtime,
            "functionVersion": self.version,
        }
        return _line("platform.initStart", record)

    def start(self) -> str:
        """The line before the function's own output."""
        return _line("platform.start", {"requestId": self.request_id, "version": self.version})

    def report(self, status: str, duration: float, init: float | None, peak: int | None) -> str:
        """The last line: durations in seconds, memory peak in MB if the system tells it."""
        metrics: dict[str, Any] = {
            "durationMs": round(duration * 1000, 3),
            "billedDurationMs": math.ceil((duration + (init or 0)) * 1000),
            "memorySizeMB": self.memory,
        }
        if peak is not None:
            metrics["maxMemoryUsedMB"] = peak
        if init is not None:
            metrics["initDurationMs"] = round(init * 1000, 3)
        record = {"requestId": self.request_id, "metrics": metrics, "status": status}
        return _line("platform.report", record)


def _line(kind: str, record: dict[str, Any]) -> str:
    time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": time, "type": kind, "record": record}, separators=(",", ":"))
