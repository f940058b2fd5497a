"""A project as small as can be, with the harness in it and packages of its own: real tox, real uv, no network."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boto_matrix.results.files import read_results
from boto_matrix.results.model import RunResult

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PY = f"py{PYTHON.replace('.', '')}"

# What stands for the tests of a cell. `behaviour.json` says what goes wrong in which; one that hangs says so in `fifo`.
_CHECK = """
import boto3, json, os, signal, sys, time
from importlib.metadata import distributions

name = os.environ["TOX_ENV_NAME"]
behaviour = json.load(open("behaviour.json")).get(name, "pass")
json.dump({"arguments": sys.argv[1:], "environment": dict(os.environ)}, open(f"seen-{name}.json", "w"))
packages = {one.metadata["Name"]: one.version for one in distributions()}


def write(outcome, **more):
    test = {"name": "test_one", "outcome": outcome, "seconds": 0.1, "detail": None}
    one = {"outcome": outcome, "seconds": 0.1, "cpu_seconds": 0.1, "tests": [test]}
    report = {"format": 1, "python": sys.version.split()[0], "executable": sys.executable, "packages": packages,
              "sets": {"redirects_patched": one}, **more}
    with open(os.environ["CELL_RESULTS"], "w") as file:
        json.dump(report, file)


def hang():
    os.fork()  # whoever ends the tests must end what they started, too
    with open("fifo", "wb") as fifo:
        fifo.write(b"!")
        fifo.flush()
        while True:
            time.sleep(1000)


if behaviour == "hang":
    hang()
elif behaviour == "die":
    os.kill(os.getpid(), signal.SIGSEGV)
elif behaviour == "kill tox":
    os.kill(os.getppid(), signal.SIGKILL)
elif behaviour == "say nothing":
    sys.exit(0)
elif behaviour == "be another":
    packages["botocore"] = "1.0.0"
    write("passed")
elif behaviour == "select nothing":
    write("passed", sets={})
    sys.exit(5)
elif behaviour == "fail":
    write("failed")
    sys.exit(1)
else:
    write("passed")
"""


@dataclass
class SmallProject:
    """The project's folder, and what is typed in it."""

    folder: Path
    cache: Path
    environ: dict[str, str] = field(default_factory=dict)

    def create(self) -> None:
        """Write the project: the harness as it is, a matrix of two pins, and packages for them."""
        (self.folder / "wheels").mkdir(parents=True)
        (self.folder / "boto_matrix").symlink_to(REPOSITORY / "boto_matrix")
        shutil.copy(REPOSITORY / "toxfile.py", self.folder)
        (self.folder / "pyproject.toml").write_text("[dependency-groups]\ncell = []\n")
        (self.folder / "check.py").write_text(_CHECK)
        self.set_up_tox()
        self.write_matrix([("1.26.24", "1.29.24"), ("1.17.1", "1.20.1")])
        self.behave({})
        for boto3, botocore in [("1.26.24", "1.29.24"), ("1.26.20", "1.29.20"), ("1.17.1", "1.20.1")]:
            self.add_wheel("boto3", boto3)
            self.add_wheel("botocore", botocore)

    def set_up_tox(self, **settings: str) -> None:
        """Take the real tox.ini, with other tests in it; `settings` replace its own."""
        settings = {"commands": "python check.py {posargs}", **settings}
        lines = (REPOSITORY / "tox.ini").read_text().splitlines()
        kept = [line for line in lines if line.partition("=")[0].strip() not in settings]
        lines = [*kept, *(f"{key} = {value}" for key, value in settings.items())]
        (self.folder / "tox.ini").write_text("\n".join(lines) + "\n")

    def write_matrix(self, pairs: list[tuple[str, str]], pythons: list[str] | None = None) -> None:
        rows = [f"  - {{boto3: {boto3}, botocore: {botocore}, python: '>=3.8'}}" for boto3, botocore in pairs]
        pythons = pythons or [PYTHON]
        (self.folder / "matrix.yaml").write_text("\n".join([f"pythons: {json.dumps(pythons)}", "pins:", *rows]) + "\n")

    def behave(self, behaviour: Mapping[str, str]) -> None:
        (self.folder / "behaviour.json").write_text(json.dumps(behaviour))

    def add_wheel(self, package: str, version: str) -> Path:
        path = self.folder / "wheels" / f"{package}-{version}-py3-none-any.whl"
        path.write_bytes(installable_wheel(package, version))
        return path

    def tox(self, *arguments: str, **environ: str) -> Done:
        return self._do([sys.executable, "-m", "tox", *arguments], environ)

    def boto_matrix(self, *arguments: str, **environ: str) -> Done:
        return self._do([sys.executable, "-m", "boto_matrix", *arguments], environ)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `python -m boto_matrix` and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "boto_matrix", *arguments],
            cwd=self.folder,
            env=self._environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def seen(self, cell: str) -> dict[str, Any]:
        """What the tests of a cell saw when they ran last."""
        seen: dict[str, Any] = json.loads((self.folder / f"seen-{cell}.json").read_text())
        return seen

    def has_run(self, cell: str) -> bool:
        return (self.folder / f"seen-{cell}.json").exists()

    def results(self) -> RunResult:
        """The results of the last run."""
        return read_results(max((self.folder / "results").glob("*.json")))

    def _do(self, command: list[str], environ: Mapping[str, str]) -> Done:
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(environ), capture_output=True, text=True, timeout=120
        )
        return Done(done.returncode, done.stdout + done.stderr)

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(self.folder),  # no pyenv there, and no uv
            "UV_CACHE_DIR": str(self.cache),
            "UV_OFFLINE": "1",
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(self.folder / "wheels"),
            "PYTHONUTF8": "1",
            **self.environ,
            **environ,
        }


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    exit_code: int
    output: str


def installable_wheel(package: str, version: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = f"{package}-{version}.dist-info"
        archive.writestr(f"{package}.py", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(b"").digest()).decode().rstrip("=")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            f"{info}/RECORD",
            f"{package}.py,sha256={digest},0\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        )
    return buffer.getvalue()
