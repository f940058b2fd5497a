"""What `python -m aistore_patch install` adds to the start of a Python that does not import botocore, in milliseconds.

    python -m benchmarks.startup_cost [--rounds 50]

Medians of processor time, measured in turn in environments made for it, beside those of a `.pth` file that patches at
once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
AT_ONCE = "at_once.pth"


def make_environment(root: Path) -> tuple[str, Path]:
    """An environment with this one's packages and the library: its Python, and its site-packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    python = str(root / "bin" / "python")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    (site / "a.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return python, site


def milliseconds(python: str) -> float:
    """The processor's time: a start is nothing but work, and other programs do not lengthen that."""
    process = subprocess.Popen([python, "-c", "pass"], cwd="/")
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0
    return (used.ru_utime + used.ru_stime) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description="what the hook costs a Python that does not use it")
    parser.add_argument("--rounds", type=int, default=50)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as directory:
        plain, _ = make_environment(Path(directory, "plain"))
        hooked, _ = make_environment(Path(directory, "hooked"))
        subprocess.run([hooked, "-m", "aistore_patch", "install"], check=True, stdout=subprocess.DEVNULL)
        at_once, site = make_environment(Path(directory, "at_once"))
        (site / AT_ONCE).write_text("import aistore_patch.botocore\n")
        pythons = (plain, hooked, at_once)
        times = [[milliseconds(python) for python in pythons] for _ in range(rounds + 1)][1:]  # the first fills caches
    without = statistics.median(one[0] for one in times)
    hook, eager = (statistics.median(one[n] - one[0] for one in times) for n in (1, 2))
    print(
        f"a start takes {without:.1f} ms; with the hook {hook:.1f} ms more (at most 2), "
        f"patched at once {eager:.1f} ms more"
    )


if __name__ == "__main__":
    main()
