"""What `from aistore_patch import botocore` adds to importing botocore, in milliseconds: medians, measured in turn.

    python -m benchmarks.import_cost [--rounds 30]

With bytecode, as an installed package has it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

PLAIN = "import botocore.session, botocore.endpoint, botocore.client, botocore.parsers"
PATCHED = f"from aistore_patch import botocore; {PLAIN}"
TIMED = "import time; started = time.perf_counter(); {}; print(time.perf_counter() - started)"


def milliseconds(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", TIMED.format(code)], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description="what importing the patch costs")
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    pairs = [(milliseconds(PLAIN), milliseconds(PATCHED)) for _ in range(rounds + 1)][1:]  # the first fills caches
    plain, patched = (statistics.median(column) for column in zip(*pairs))
    added = statistics.median(b - a for a, b in pairs)
    print(f"botocore {plain:.1f} ms, with the patch {patched:.1f} ms: {added:.1f} ms more (at most 5)")


if __name__ == "__main__":
    main()
