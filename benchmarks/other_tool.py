"""Measures another program: ``python -m benchmarks.other_tool PROGRAM ARGUMENT...``."""

import json
import resource
import subprocess
import sys

from benchmarks.usage import UNIT


def _main() -> None:
    subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)  # noqa: S603 -- the caller's
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    json.dump({"cpu": cpu, "result": 0, "before": 0, "peak": used.ru_maxrss * UNIT}, sys.stdout)


if __name__ == "__main__":
    _main()
