"""A quick run of the benchmark prints each figure, and counts calls exactly."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def cells() -> dict[str, list[str]]:
    """The cells of a quick run's rows, by the row's name."""
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    rows = (line.split("  ") for line in process.stdout.splitlines())
    return {name: [cell.strip() for cell in rest if cell.strip()] for name, *rest in rows}


@pytest.mark.parametrize(
    "name",
    [
        "CPU, 1,000 groups",
        "CPU, 2,000 groups",
        "peak memory of that",
        "CPU, 100 rules",
        "CPU, 100 hostile rules",
        "the same as JSON",
    ],
)
def test_figures_of_the_machine_have_no_verdict(cells: dict[str, list[str]], name: str) -> None:
    """Times and memory have a row, which a quick run compares with no target."""
    assert cells[name]
    assert cells[name][-1] not in {"met", "missed"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("calls to read 1,000", ["1", "2", "2.00", "2", "met"], id="two-pages"),
        pytest.param("calls to read 2,000", ["1", "4", "4.00", "4", "met"], id="four-pages"),
        pytest.param("mails, 1,000 groups", ["83", "1", "0.01", "1", "met"], id="one-digest"),
    ],
)
def test_calls_are_counted(cells: dict[str, list[str]], name: str, expected: list[str]) -> None:
    """The straightforward way sends 83 mails, the audit one; 500 groups are a page."""
    assert cells[name] == expected
