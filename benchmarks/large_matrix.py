"""How long it takes to list and to plan a matrix of 2,000 cells, interpreter start included.

    python -m benchmarks.large_matrix [--cells 2000] [--rounds 5]

In a folder of its own, with the harness as it is: a made-up matrix, the record of surfaces, and results of all its
cells, as large as real ones. Shown are seconds: the median of wall clock and of CPU.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
SETS, TESTS = 10, 35  # of a cell, as there are now
LINKED = ("boto_matrix", "aistore_patch", "tests", "toxfile.py", "tox.ini", "pyproject.toml", "surface.json")


def project(folder: Path, cells: int) -> Path:
    """Make the folder; returns the path of the results in it."""
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    pins = math.ceil(cells / len(PYTHONS))
    releases = [f"1.{33 + pin // 100}.{pin % 100}" for pin in range(pins)]
    rows = [f"  - {{boto3: {release}, botocore: {release}, python: '>=3.8'}}" for release in releases]
    (folder / "matrix.yaml").write_text("\n".join([f"pythons: {list(PYTHONS)}", "pins:", *rows]) + "\n")
    listed = json.loads(command(folder, [sys.executable, "-m", "boto_matrix", "list", "--json"]))
    results = folder / "last.json"
    results.write_text(json.dumps({"format": 1, "cells": [result(cell["name"], at) for at, cell in enumerate(listed)]}))
    return results


def result(name: str, at: int) -> dict[str, object]:
    tests = [{"name": f"test_{number}_of_what_is_shown", "outcome": "passed", "seconds": 0.012, "detail": None}
             for number in range(TESTS)]  # fmt: skip
    sets = {f"set_{number}": {"outcome": "passed", "seconds": 1.25, "cpu_seconds": 0.5, "tests": tests}
            for number in range(SETS)}  # fmt: skip
    return {"name": name, "install_seconds": 1.5, "tests_seconds": 5.0 + at % 17, "sets": sets}


def command(folder: Path, words: list[str]) -> str:
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout


def cost_of(folder: Path, words: list[str], rounds: int) -> tuple[float, float]:
    command(folder, words)  # the first compiles, and fills caches
    walls, cpus = [], []
    for _ in range(rounds):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command(folder, words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - started)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(walls), statistics.median(cpus)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = project(folder, asked.cells)
        print(f"{asked.cells} cells; their results are {results.stat().st_size / 1e6:.0f} MB")
        python = [sys.executable, "-m"]
        for words in (
            [*python, "boto_matrix", "list"],
            [*python, "tox", "list"],
            [*python, "boto_matrix", "plan", "--shards", "200", "--durations", str(results)],
            [*python, "boto_matrix", "plan", "--for", "pull-request", "--format", "github"],
        ):
            wall, cpu = cost_of(folder, words, asked.rounds)
            print(f"{wall:5.2f} wall {cpu:5.2f} CPU  {' '.join(words[2:5])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
