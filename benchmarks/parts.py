"""A part of the audit, measured without AWS: ``python -m benchmarks.parts PART RULES``.

Linux starts a process with the peak memory of the one that starts it, which must stay small.
"""

import json
import resource
import sys
from collections.abc import Callable
from functools import partial

from benchmarks import largest, ledger
from benchmarks.usage import print_usage
from handler import audit
from handler.exposure.exposures import exposures
from handler.model.internet import Internets
from handler.model.network import Target
from handler.model.run import Run, Trigger
from handler.policy.policy import Policy
from handler.report.json_report import report_to_json
from handler.scan import scan_target

_TARGET = Target("111122223333", "eu-west-1")
_RUN = Run("run", Trigger.MANUAL, "2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z")

Call = Callable[[], int]
"""The measured call, without imports and data; it returns the number of its results."""


def largest_group(rules: int) -> Call:
    """The evaluation of a group with that many rules, and its report as JSON."""
    return _json_report(largest.ordinary(rules))


def hostile_group(rules: int) -> Call:
    """The evaluation of that many rules that overlap as much as rules can."""
    (group,) = largest.hostile(rules).security_groups()
    return lambda: len(exposures(group.rules, {}, Internets()))


def hostile_report(rules: int) -> Call:
    """The same with its report: of 1,000 rules, 2,000 findings of 15 sources each."""
    return _json_report(largest.hostile(rules))


def _json_report(source: largest.Region) -> Call:
    policy = Policy()
    return lambda: len(
        json.dumps(
            report_to_json(audit.build_report(_RUN, [scan_target(_TARGET, source, policy)], policy))
        )
    )


def _main() -> None:
    name, rules = sys.argv[1], int(sys.argv[2])
    parts: dict[str, Callable[[], Call]] = {
        "largest_group": partial(largest_group, rules),
        "hostile_group": partial(hostile_group, rules),
        "hostile_report": partial(hostile_report, rules),
        "many_findings": partial(ledger.run_on, ledger.many_findings),
        "many_rules": partial(ledger.run_on, ledger.many_rules),
        "most_rules": partial(ledger.run_on, ledger.most_rules),
        "warm_runs": ledger.warm_runs,
    }
    call = parts[name]()
    before = resource.getrusage(resource.RUSAGE_SELF)
    print_usage(call(), before)


if __name__ == "__main__":
    _main()
