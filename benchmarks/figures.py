"""The figures that the measurements give, each as a row with its limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from types import SimpleNamespace

from benchmarks.processes import Data, Measurement
from handler.clock import TimeBudget

_MEGABYTE = 2**20
_MILLION = 10**6
# AWS gives a function of 1,769 MB one vCPU:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MEMORY, _VCPUS = 512, 512 / 1769
_TIME_LIMIT = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
_CPU = TimeBudget(_TIME_LIMIT).reading_seconds_left() * _VCPUS
_ONE_GROUP_LIMIT = 1
_REPORT_LIMIT = 5
_LEDGER_LIMIT = 250
_STORED_LIMIT = 8
_GROWTH_LIMIT = 10
# Of a page of 500 groups.
_READS_LIMIT = 1 / 500
REGIONS = Data(500, seconds=0.05)
"""Each of 17 regions, of which the answers take 50 ms."""
# The limits of CPU, as a part of the straightforward way's, and of peak memory in megabytes.
LIMITS = {
    Data(1_000): (0.55, 60),
    Data(1_000, single_addresses=True): (0.60, 60),
    Data(10_000): (0.22, 65),
    Data(10_000, single_addresses=True): (0.60, 90),
    Data(50_000): (0.22, 95),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the product, and that of the straightforward way if there is one.

    ``limit`` is the most that the figure may be; of a ``relative`` row, the most that it may be
    of the straightforward way's. An ``exact`` figure is a count, the same on every machine.
    """

    name: str
    unit: str
    product: float
    straightforward: float | None = None
    limit: float | None = None
    relative: bool = False
    exact: bool = False

    @property
    def ratio(self) -> float | None:
        """The product's figure as a part of the straightforward way's."""
        return self.product / self.straightforward if self.straightforward else None

    @property
    def met(self) -> bool:
        """Whether the figure is within its limit, if it has one."""
        figure = self.ratio if self.relative else self.product
        return self.limit is None or figure is None or figure <= self.limit


@dataclass(slots=True)
class Results:
    """All measurements of one run: audits by their data, parts and other tools by their names.

    ``instructions`` of a first audit are the straightforward way's, the product's, and the
    product's without byte code. ``rules`` is the number of rules of the largest and the hostile
    group.
    """

    rules: int
    straightforward: dict[Data, list[Measurement]] = field(default_factory=dict)
    product: dict[Data, list[Measurement]] = field(default_factory=dict)
    other_tools: dict[str, Measurement] = field(default_factory=dict)
    parts: dict[str, Measurement] = field(default_factory=dict)
    instructions: tuple[int, int, int] | None = None


def rows(results: Results) -> list[Row]:
    """Every figure, in the table's order."""
    return [
        *_audits(results),
        *_cold_start(results),
        *_regions(results),
        *_other_tools(results.other_tools),
        *_calls(results),
        *_groups_of_many_rules(results),
        *_ledgers(results.parts),
        *_reach_of_a_function(results),
    ]


def _audits(results: Results) -> Iterator[Row]:
    for data, baseline in results.straightforward.items():
        product = results.product[data]
        ratio, megabytes = LIMITS.get(data, (None, None))
        name = f"{data.groups:,}{', single addresses' if data.single_addresses else ' groups'}"
        yield Row(f"CPU, {name}", "s", _cpu(product), _cpu(baseline), ratio, relative=True)
        yield Row("peak memory of that", "MB", _peak(product), _peak(baseline), megabytes)


def _cold_start(results: Results) -> Iterator[Row]:
    if results.instructions:
        baseline, product, uncompiled = (number / _MILLION for number in results.instructions)
        yield Row("cold start, M instructions", "", product, baseline, 0.85, relative=True)
        yield Row("without byte code, as on Lambda", "", uncompiled, baseline, relative=True)


def _regions(results: Results) -> Iterator[Row]:
    if measurements := results.product.get(REGIONS):
        seconds = median(measurement.seconds for measurement in measurements)
        yield Row("17 regions x 500 groups, 50 ms", "s", seconds, limit=4)
        yield Row("peak memory of that", "MB", _peak(measurements), limit=80)


def _other_tools(tools: Mapping[str, Measurement]) -> Iterator[Row]:
    for name, measurement in tools.items():
        yield Row(f"CPU of {name}, 10,000 groups", "s", measurement.cpu)
        yield Row("peak memory of that", "MB", measurement.peak / _MEGABYTE)


def _calls(results: Results) -> Iterator[Row]:
    for data, baseline in results.straightforward.items():
        if data.single_addresses:
            continue
        product = results.product[data]
        operation = "DescribeSecurityGroups"
        yield Row(
            f"calls to read {data.groups:,}",
            "",
            _most_calls(product, operation),
            _most_calls(baseline, operation),
            _READS_LIMIT * data.groups,
            exact=True,
        )
    data = min(results.straightforward, key=lambda data: data.groups)
    ways = (results.product, results.straightforward)
    sent, theirs_sent = (_most_calls(way[data], "SendEmail") for way in ways)
    yield Row(f"mails, {data.groups:,} groups", "", sent, theirs_sent, 1, exact=True)


def _groups_of_many_rules(results: Results) -> Iterator[Row]:
    rules, parts = f"{results.rules:,}", results.parts
    for part, name in (("largest_group", "rules"), ("hostile_group", "hostile rules")):
        yield Row(f"CPU, {rules} {name}", "s", parts[part].cpu, limit=_ONE_GROUP_LIMIT)
    hostile = parts["hostile_report"]
    yield Row("the same as JSON", "s", hostile.cpu)
    yield Row("size of that", "MB", hostile.result / _MILLION, limit=_REPORT_LIMIT)


def _ledgers(parts: Mapping[str, Measurement]) -> Iterator[Row]:
    """The costs of a run in which everything has changed, and the growth over many runs."""
    names = {
        "many_findings": "20,000 changes",
        "many_rules": "300 groups x 60 rules",
        "most_rules": "3 groups x 1,000 rules",
    }
    for part, name in names.items():
        if measurement := parts.get(part):
            stored = measurement.result / _MEGABYTE
            yield Row(f"CPU, {name}", "s", measurement.cpu)
            yield Row("peak of that", "MB", _peak([measurement]), limit=_LEDGER_LIMIT)
            yield Row("stored of that", "MB", stored, limit=_STORED_LIMIT)
    if measurement := parts.get("warm_runs"):
        growth = measurement.result / _MEGABYTE
        yield Row("growth in 450 warm runs", "MB", growth, limit=_GROWTH_LIMIT)


def _reach_of_a_function(results: Results) -> Iterator[Row]:
    """The limits of one function of 512 MB and 300 s, extrapolated from the measurements."""
    sizes = sorted((d for d in LIMITS if not d.single_addresses), key=lambda data: data.groups)
    small, large = sizes[0], sizes[-1]
    if large not in results.product or REGIONS not in results.product:
        return
    audits = results.product
    difference = large.groups - small.groups
    memory = (_peak(audits[large]) - _peak(audits[small])) / difference
    cpu = (_cpu(audits[large]) - _cpu(audits[small])) / difference
    yield Row("groups in 512 MB, extrapolated", "", (_MEMORY - _peak(audits[small])) / memory)
    yield Row("groups in 300 s, extrapolated", "", _CPU / cpu)
    findings = results.parts["many_findings"]
    for_finding = (findings.peak - findings.before) / _MEGABYTE / 20_000
    memory_left = _MEMORY - findings.before / _MEGABYTE
    yield Row("changes in 512 MB, extrapolated", "", memory_left / for_finding)
    targets = 17 * _CPU / _cpu(audits[REGIONS])
    yield Row("regions in 300 s, extrapolated", "", targets)


def _cpu(measurements: Sequence[Measurement]) -> float:
    return median(measurement.cpu for measurement in measurements)


def _peak(measurements: Sequence[Measurement]) -> float:
    return median(measurement.peak for measurement in measurements) / _MEGABYTE


def _most_calls(measurements: Sequence[Measurement], operation: str) -> int:
    return max(measurement.calls[operation] for measurement in measurements)
