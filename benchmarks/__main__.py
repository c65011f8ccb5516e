"""``python -m benchmarks``: measures, prints one table, and fails if a target is missed."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import processes
from benchmarks.endpoint import REGIONS as REGION_NAMES
from benchmarks.figures import LIMITS, REGIONS, Results, Row, rows
from benchmarks.processes import Data

_ROUNDS = 5
# Megabytes below are shown with decimals.
_SMALL = 10
_RULES = 1_000
_QUICK = (Data(1_000), Data(2_000))
_QUICK_RULES = 100
# The straightforward way takes half a minute for more.
_MOST_GROUPS_AGAIN = 10_000
_STRAIGHTFORWARD, _PRODUCT = "benchmarks.straightforward", "benchmarks.product"
_SINGLE_GROUPS = ("largest_group", "hostile_group", "hostile_report")
_LEDGERS = ("many_findings", "many_rules", "most_rules", "warm_runs")
_OTHER_TOOLS = {
    "aws": ("ec2", "describe-security-groups"),
    "custodian": (
        *("run", "--dryrun", "--cache-period", "0"),
        *("--output-dir", ".cache/custodian", "benchmarks/custodian.yml"),
    ),
}

# The environment with this interpreter need not be active.
_PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--quick", is_flag=True, help="Few groups and rules, once; only calls are held to targets."
)
def main(*, quick: bool) -> None:
    """Measure the audit of one region against the straightforward way.

    CPU and memory are those of whole processes; figures are medians of five.
    """
    with Progress(console=Console(stderr=True), transient=True) as progress:
        figures = rows(_Run(progress, quick=quick).results())
    with_target = [row for row in figures if row.limit is not None and (row.exact or not quick)]
    console = Console()
    console.print(_table(figures, with_target))
    if missed := [row.name for row in with_target if not row.met]:
        console.print(f"Missed: {'; '.join(missed)}.")
        sys.exit(1)


class _Run:
    """All measurements of one run."""

    def __init__(self, progress: Progress, *, quick: bool) -> None:
        self._progress = progress
        self._is_quick = quick
        self._datas: Sequence[Data] = _QUICK if quick else tuple(LIMITS)
        self._rounds = 1 if quick else _ROUNDS
        steps = len(self._datas) + len(_SINGLE_GROUPS)
        self._task = progress.add_task("", total=steps if quick else steps + 2 + len(_LEDGERS))
        self._results = Results(_QUICK_RULES if quick else _RULES)

    def results(self) -> Results:
        """Measure step by step."""
        results = self._results
        for data in self._datas:
            with self._step(f"{data.groups:,} groups"), processes.endpoint(data) as address:
                self._compare(data, address)
        # They take as long with few groups: a quick run leaves them out.
        if not self._is_quick:
            with self._step("cold start"), processes.endpoint(Data(10)) as address:
                if shutil.which("valgrind"):
                    baseline, product = (
                        processes.instructions(module, address)
                        for module in (_STRAIGHTFORWARD, _PRODUCT)
                    )
                    with processes.without_byte_code() as folder:
                        uncompiled = processes.instructions(_PRODUCT, address, folder)
                    results.instructions = baseline, product, uncompiled
            with self._step("17 regions"), processes.endpoint(REGIONS) as address:
                names = ",".join(REGION_NAMES)
                results.product[REGIONS] = [
                    processes.audit(_PRODUCT, address, regions=names) for _ in range(self._rounds)
                ]
        for part in (*_SINGLE_GROUPS, *(() if self._is_quick else _LEDGERS)):
            with self._step(part.replace("_", " ")):
                results.parts[part] = processes.part(part, results.rules)
        return results

    def _compare(self, data: Data, address: str) -> None:
        """Both ways in turns, so that a busy moment of the machine meets both."""
        results = self._results
        baseline = results.straightforward.setdefault(data, [])
        product = results.product.setdefault(data, [])
        for number in range(self._rounds):
            if not number or data.groups <= _MOST_GROUPS_AGAIN:
                baseline.append(processes.audit(_STRAIGHTFORWARD, address))
            product.append(processes.audit(_PRODUCT, address))
        if data == Data(10_000):
            for tool, arguments in _OTHER_TOOLS.items():
                if path := shutil.which(tool, path=_PATH):
                    results.other_tools[tool] = processes.other_tool([path, *arguments], address)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._progress.update(self._task, description=name)
        yield
        self._progress.advance(self._task)


def _table(figures: list[Row], with_target: list[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column("product and plain loop", no_wrap=True)
    for name in ("plain", "product", "ratio", "at most", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for row in figures:
        table.add_row(
            row.name,
            _figure(row, row.straightforward),
            _figure(row, row.product),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            f"ratio {row.limit:.2f}" if row.relative and row.limit else _figure(row, row.limit),
            ("met" if row.met else "[red]missed[/red]") if row in with_target else "",
        )
    return table


def _figure(row: Row, value: float | None) -> str:
    if value is None:
        return ""
    number = (
        f"{value:,.2f}"
        if row.unit == "s" or (row.unit == "MB" and value < _SMALL)
        else f"{value:,.0f}"
    )
    return f"{number} {row.unit}".strip()


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
