"""The figures that the measurements give, each as a row with its limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.processes import Measurement

_MEGABYTE = 2**20
_KILOBYTE = 2**10
_CPU_LIMIT = 0.5
_JUDGING_LIMIT = 0.15
_MEMORY_LIMIT = 130
_MEMORY_A_GROUP_LIMIT = 1
_READS_LIMIT = 11 / 10_000
_ONE_GROUP_LIMIT = 1
_REPORT_LIMIT = 5
_LEDGER_LIMIT = 250
_STORED_LIMIT = 8
_GROWTH_LIMIT = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the product, beside the straightforward way's where there is one.

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


@dataclass(frozen=True, slots=True)
class Results:
    """All measurements of one run, those of the product by the number of groups.

    ``rules`` is the number of rules of the largest and the hostile group.
    """

    rules: int
    straightforward: Sequence[Measurement]
    product: Mapping[int, Sequence[Measurement]]
    evaluation: Sequence[Measurement]
    largest_group: Sequence[Measurement]
    hostile_group: Sequence[Measurement]
    hostile_report: Sequence[Measurement]
    ledgers: Mapping[str, Measurement]


def rows(results: Results) -> list[Row]:
    """Every figure, in the table's order; the ways are compared at the fewest groups."""
    return [*_times(results), *_memory(results), *_calls(results), *_ledgers(results)]


def _times(results: Results) -> list[Row]:
    size = min(results.product)
    rules, report_megabytes = f"{results.rules:,}", results.hostile_report[0].result / 10**6
    ours, theirs = _cpu(results.product[size]), _cpu(results.straightforward)
    judging = _cpu(results.evaluation)
    whole = f"CPU, {size:,} groups"
    return [
        Row(whole, "s", ours, theirs, limit=_CPU_LIMIT, relative=True),
        Row("of that, judging", "s", judging, limit=_JUDGING_LIMIT * ours),
        Row(f"CPU, {rules} rules", "s", _cpu(results.largest_group), limit=_ONE_GROUP_LIMIT),
        Row(
            f"CPU, {rules} hostile rules", "s", _cpu(results.hostile_group), limit=_ONE_GROUP_LIMIT
        ),
        Row("the same as JSON", "s", _cpu(results.hostile_report)),
        Row("size of that", "MB", report_megabytes, limit=_REPORT_LIMIT),
    ]


def _memory(results: Results) -> list[Row]:
    before, peaks = {}, {}
    for size, measurements in sorted(results.product.items()):
        before[size] = median(measurement.before for measurement in measurements)
        peaks[size] = median(measurement.peak for measurement in measurements)
    size, *_, largest = peaks
    their_before = median(measurement.before for measurement in results.straightforward)
    theirs = {size: median(measurement.peak for measurement in results.straightforward)}
    more = (peaks[largest] - peaks[size]) / (largest - size) / _KILOBYTE
    their_more = (theirs[size] - their_before) / size / _KILOBYTE
    return [
        Row("memory before the call", "MB", before[size] / _MEGABYTE, their_before / _MEGABYTE),
        *(
            Row(
                f"peak memory, {groups:,} groups",
                "MB",
                peak / _MEGABYTE,
                theirs[groups] / _MEGABYTE if groups in theirs else None,
                limit=_MEMORY_LIMIT,
            )
            for groups, peak in peaks.items()
        ),
        Row("memory for a group more", "KB", more, their_more, limit=_MEMORY_A_GROUP_LIMIT),
    ]


def _calls(results: Results) -> list[Row]:
    size = min(results.product)
    reads = [
        Row(
            f"calls to read {groups:,}",
            "",
            _most_calls(measurements, "DescribeSecurityGroups"),
            _most_calls(results.straightforward, "DescribeSecurityGroups")
            if groups == size
            else None,
            limit=max(1, _READS_LIMIT * groups),
            exact=True,
        )
        for groups, measurements in sorted(results.product.items())
    ]
    ours = _most_calls(results.product[size], "SendEmail")
    theirs = _most_calls(results.straightforward, "SendEmail")
    return [*reads, Row("mails", "", ours, theirs, limit=1, exact=True)]


def _ledgers(results: Results) -> list[Row]:
    """What a run takes in which everything has changed, and how much many runs grow."""
    names = {
        "many_findings": "20,000 changes",
        "many_rules": "300 groups x 60 rules",
        "most_rules": "3 groups x 1,000 rules",
    }
    rows = []
    for way, name in names.items():
        if measurement := results.ledgers.get(way):
            peak, stored = measurement.peak / _MEGABYTE, measurement.result / _MEGABYTE
            rows += [
                Row(f"CPU, {name}", "s", measurement.cpu),
                Row("peak of that", "MB", peak, limit=_LEDGER_LIMIT),
                Row("stored of that", "MB", stored, limit=_STORED_LIMIT),
            ]
    if measurement := results.ledgers.get("warm_runs"):
        growth = measurement.result / _MEGABYTE
        rows.append(Row("growth in 450 warm runs", "MB", growth, limit=_GROWTH_LIMIT))
    return rows


def _cpu(measurements: Sequence[Measurement]) -> float:
    return median(measurement.cpu for measurement in measurements)


def _most_calls(measurements: Sequence[Measurement], operation: str) -> int:
    return max(measurement.calls[operation] for measurement in measurements)
