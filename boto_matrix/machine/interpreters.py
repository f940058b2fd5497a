"""Which Pythons this machine has: on PATH, in pyenv's versions directory, and in uv's own.

Nothing is downloaded and nothing is asked of the network. A Python is found once, however many cells want it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

# What a Python says of itself; -I keeps PYTHON* variables and the working directory out of it.
_QUESTION = ("-I", "-c", "import sys; print(sys.implementation.name, sys.version.split()[0], sys.executable)")
_PATIENCE = 10.0  # seconds for an answer that takes 0.02; a Python that needs longer is not one to test on


@dataclass(frozen=True)
class Interpreter:
    """A CPython that was found, and that answered.

    Attributes:
        version: its whole version, ``3.11.7``.
        path: the program.

    """

    version: str
    path: Path


class Interpreters:
    """The Pythons of this machine, each looked for once."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """Take the environment that says where to look: PATH, PYENV_ROOT, UV_PYTHON_INSTALL_DIR; by default our own."""
        self._environ = os.environ if environ is None else environ
        self._found: dict[str, Interpreter | None] = {}
        self._answers: dict[Path, Interpreter | None] = {}

    def find(self, python: str) -> Interpreter | None:
        """Find CPython ``3.11``, say: the first on PATH, else pyenv's newest, else uv's; None if there is none."""
        if python not in self._found:
            self._found[python] = self._search(python)
        return self._found[python]

    def _search(self, python: str) -> Interpreter | None:
        for path in self._candidates(python):
            answer = self._ask(path)
            if answer is not None and answer.version.startswith(f"{python}."):
                return answer
        return None

    def _candidates(self, python: str) -> Iterator[Path]:
        directories = _directories_on_path(self._environ)
        for name in (f"python{python}", "python3", "python"):
            yield from (directory / name for directory in directories)
        for home in (*_pyenv_versions(self._environ, python), *_uv_versions(self._environ, python)):
            yield home / "bin" / f"python{python}"

    def _ask(self, path: Path) -> Interpreter | None:
        if path not in self._answers:
            self._answers[path] = _ask(path) if os.access(path, os.X_OK) and path.is_file() else None
        return self._answers[path]


def how_to_get(python: str) -> str:
    """Say how a Python that is missing is installed, for the end of a sentence."""
    return f"install it with `uv python install {python}` or `pyenv install {python}`"


def _directories_on_path(environ: Mapping[str, str]) -> list[Path]:
    directories = [Path(entry) for entry in environ.get("PATH", "").split(os.pathsep) if entry]
    # A version manager's shims answer for whichever version is active, or only complain that none is.
    return [directory for directory in directories if directory.name != "shims"]


def _pyenv_versions(environ: Mapping[str, str], python: str) -> list[Path]:
    root = Path(environ.get("PYENV_ROOT") or _home(environ) / ".pyenv")
    return _newest_first((root / "versions").glob(f"{python}.*"))


def _uv_versions(environ: Mapping[str, str], python: str) -> list[Path]:
    # https://docs.astral.sh/uv/reference/storage/#python-versions
    data = Path(environ.get("XDG_DATA_HOME") or _home(environ) / ".local" / "share")
    root = Path(environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    return _newest_first(root.glob(f"cpython-{python}.*"))


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def _newest_first(homes: Iterable[Path]) -> list[Path]:
    """Sort ``3.11.7``, ``cpython-3.11.7-linux-x86_64-gnu``; leave out what has no version, or no GIL."""
    versions = {home: version for home in homes if (version := _version(home.name)) is not None}
    return sorted(versions, key=lambda home: versions[home], reverse=True)


def _version(name: str) -> Version | None:
    number = name.removeprefix("cpython-").partition("-")[0]
    try:
        version = Version(number)
    except InvalidVersion:
        return None
    return None if version.local else version


def _ask(path: Path) -> Interpreter | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a Python of this machine, named by the user's own PATH
            [path, *_QUESTION],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
        implementation, version, program = answer.stdout.strip().split(" ", 2)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter(version, Path(program)) if implementation == "cpython" else None
