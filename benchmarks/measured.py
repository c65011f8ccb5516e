"""Measures a part of the audit in a new process: `python -m benchmarks.measured PART RULES`.

Linux starts a process with the peak memory of the one that starts it, which must stay small.
"""

import resource
import sys

from benchmarks.parts import parts
from benchmarks.usage import print_usage


def _main() -> None:
    call = parts(int(sys.argv[2]))[sys.argv[1]]()
    before = resource.getrusage(resource.RUSAGE_SELF)
    print_usage(call(), before)


if __name__ == "__main__":
    _main()
