"""Programs in processes and environments of their own, and a cluster for them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.cluster import Cluster

ROOT = Path(__file__).parents[2]
BUCKET = "capb"

Finished = subprocess.CompletedProcess
Python = Callable[..., "Finished[str]"]

IS_PATCHED = "import botocore.endpoint, aistore_patch; print(aistore_patch.is_patched())"


def run(*command: object, cwd: Path, **variables: str) -> Finished[str]:
    """Run a command to its end, with these variables set as well."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COVERAGE_RUN")}
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=str(cwd), env={**environment, **variables}, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(targets=3) as cluster:
        cluster.store.create_bucket(BUCKET)
        yield cluster


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has this one's packages and the library: the path of its Python."""
    root = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    python = root / "bin" / "python"
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(ROOT)}
    (site_packages(python) / "packages_of_the_tests.pth").write_text("\n".join(packages) + "\n")
    return python


def site_packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    """Write a program, by default in Python, into the directory of the test."""

    def write(text: str, name: str = "program.py", mode: int = 0o644) -> Path:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def patched_output(done: Any) -> list[str]:
    """The lines that a program wrote, which ended well."""
    assert done.returncode == 0, done.stderr
    lines: list[str] = done.stdout.splitlines()
    return lines
