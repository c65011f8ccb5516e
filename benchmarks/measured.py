"""One measurement in a process of its own: `python -m benchmarks.measured WAY RULES`.

Linux starts a process with the peak memory of the one that starts it, which must stay small.
"""

import json
import resource
import sys

from benchmarks.ways import ways

# What Linux counts in kilobytes, macOS counts in bytes.
_UNIT = 1 if sys.platform == "darwin" else 1024


def _main() -> None:
    call = ways(int(sys.argv[2]))[sys.argv[1]]()
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = call()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    memory = {"before": before.ru_maxrss * _UNIT, "peak": after.ru_maxrss * _UNIT}
    json.dump({"cpu": cpu, "result": result, **memory}, sys.stdout)


if __name__ == "__main__":
    _main()
