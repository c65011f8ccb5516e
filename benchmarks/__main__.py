"""`python -m benchmarks`: measures, prints one table, and fails when a target is missed."""

import sys
from collections.abc import Callable

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.figures import Results, Row, rows
from benchmarks.processes import Measurement, endpoint, measure

_ROUNDS = 3
_SIZES = (10_000, 20_000, 50_000)
_RULES = 1_000
_QUICK_SIZES = (1_000, 2_000)
_QUICK_RULES = 100
# Megabytes below are shown with decimals.
_SMALL = 10

Step = Callable[[str, str], Measurement]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--quick", is_flag=True, help="Few groups and rules, once; only calls are held to targets."
)
def main(*, quick: bool) -> None:
    """Measure the audit of one region against the straightforward way.

    CPU is that of the call, without imports and clients; figures are medians.
    """
    sizes, rules, rounds = (_QUICK_SIZES, _QUICK_RULES, 1) if quick else (_SIZES, _RULES, _ROUNDS)
    progress = Progress(console=Console(stderr=True), transient=True)
    with progress:
        figures = rows(_results(sizes, rules, rounds, progress))
    with_target = [row for row in figures if row.limit is not None and (row.exact or not quick)]
    console = Console()
    console.print(_table(figures, with_target))
    if missed := [row.name for row in with_target if not row.met]:
        console.print(f"Missed: {'; '.join(missed)}.")
        sys.exit(1)


def _results(sizes: tuple[int, ...], rules: int, rounds: int, progress: Progress) -> Results:
    smallest, *larger = sizes
    ways = (
        "straightforward",
        "product",
        "evaluation",
        "largest_group",
        "hostile_group",
        "hostile_report",
    )
    ledgers = ("many_findings", "many_rules", "most_rules", "warm_runs")
    total = len(ways) * rounds + len(larger) + len(ledgers)
    task = progress.add_task("", total=total)

    def step(way: str, groups: int, address: str) -> Measurement:
        progress.update(task, description=f"{way.replace('_', ' ')}, {groups:,} groups")
        measurement = measure(way, address, rules)
        progress.advance(task)
        return measurement

    measured: dict[str, list[Measurement]] = {way: [] for way in ways}
    with endpoint(smallest) as address:
        # In turns, so that a busy moment of the machine meets every way.
        for _ in range(rounds):
            for way in ways:
                measured[way].append(step(way, smallest, address))
    product = {smallest: measured.pop("product")}
    for size in larger:
        with endpoint(size) as address:
            product[size] = [step("product", size, address)]
    # They take as long with few groups: a quick run leaves them out.
    with endpoint(1) as address:
        bounded = {way: step(way, 1, address) for way in ledgers if rounds > 1}
    return Results(rules=rules, product=product, ledgers=bounded, **measured)


def _table(figures: list[Row], with_target: list[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column("the audit of one region", no_wrap=True)
    for name in ("straightforward", "product", "ratio", "at most", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for row in figures:
        table.add_row(
            row.name,
            _figure(row, row.straightforward),
            _figure(row, row.product),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            f"ratio {row.limit:.2f}" if row.relative else _figure(row, row.limit),
            ("met" if row.met else "[red]missed[/red]") if row in with_target else "",
        )
    return table


def _figure(row: Row, value: float | None) -> str:
    if value is None:
        return ""
    number = (
        f"{value:,.2f}"
        if row.unit in {"s", "KB"} or (row.unit == "MB" and value < _SMALL)
        else f"{value:,.0f}"
    )
    return f"{number} {row.unit}".strip()


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
