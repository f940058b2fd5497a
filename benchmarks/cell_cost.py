"""What a cold cell costs, as a ratio to doing the same by hand: venv + pip + `pytest -n 4 --dist loadfile`.

    python -m benchmarks.cell_cost [--cell py311-boto1.26] [--rounds 3]

All start without an environment and with warm caches (a first round of each is not counted). By hand, the four sets are
run; a cell is measured with just them, which is the same work, and with all that it runs, the tests of the engine too.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from boto_matrix.machine.interpreters import Interpreters
from boto_matrix.matrix.cells import Cell
from boto_matrix.matrix.load import load_matrix

ROOT = Path(__file__).resolve().parent.parent
SETS = "tests/unit/botocore_patch"
BY_HAND = ["moto[s3]>=4", "pytest>=7", "pytest-socket>=0.6", "hypothesis>=6.100", "pytest-xdist>=3.5"]


class Cost(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def cost_of(*commands: list[str]) -> Cost:
    """What these commands cost, one after the other, with all their children."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - started, cpu)


def by_hand(cell: Cell, python: str) -> Cost:
    folder = Path(tempfile.mkdtemp())
    try:
        inside = str(folder / "bin" / "python")
        pins = [f"boto3=={cell.pin.boto3}", f"botocore=={cell.pin.botocore}"]
        return cost_of(
            [python, "-m", "venv", str(folder)],
            [inside, "-m", "pip", "install", "--quiet", *pins, *BY_HAND],
            [inside, "-m", "pytest", "-q", "-n", "4", "--dist", "loadfile", SETS],
        )
    finally:
        shutil.rmtree(folder)


def by_matrix(cell: Cell, *more: str) -> Cost:
    folder = tempfile.mkdtemp()
    try:
        return cost_of([sys.executable, "-m", "tox", "run", "-q", "--workdir", folder, "-e", cell.name, *more])
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="what a cold cell costs")
    parser.add_argument("--cell", default="py311-boto1.26")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cell = load_matrix(ROOT / "matrix.yaml").cell(asked.cell)
    found = Interpreters().find(cell.python)
    if found is None:
        sys.exit(f"there is no Python {cell.python} on this machine")
    ways: dict[str, Callable[[], Cost]] = {
        "by hand": lambda: by_hand(cell, str(found.path)),
        "its sets": lambda: by_matrix(cell, "--", "--deselect", "tests/engine"),
        "all of it": lambda: by_matrix(cell),
    }
    rounds = [[way() for way in ways.values()] for _ in range(asked.rounds + 1)][1:]
    for name in Cost._fields:
        costs = [statistics.median(getattr(cost, name) for cost in column) for column in zip(*rounds)]
        shown = ", ".join(f"{way} {cost:.1f} s ({cost / costs[0]:.2f})" for way, cost in zip(ways, costs))
        print(f"{cell.name} {name}: {shown}; at most 0.20")


if __name__ == "__main__":
    main()
