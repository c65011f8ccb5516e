"""The costs of the process."""

import json
import resource
import sys

# Linux reports memory in kilobytes, macOS in bytes.
UNIT = 1 if sys.platform == "darwin" else 1024


def print_usage(result: int, before: resource.struct_rusage | None = None) -> None:
    """Write the result, CPU seconds since ``before`` or in all, and peak memory as JSON."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    if before:
        cpu -= before.ru_utime + before.ru_stime
    memory = {"before": before.ru_maxrss * UNIT if before else 0, "peak": used.ru_maxrss * UNIT}
    json.dump({"cpu": cpu, "result": result, **memory}, sys.stdout)
