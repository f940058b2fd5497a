from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from boto_matrix.machine.interpreters import Interpreters, how_to_get
from tests.boto_matrix.small_project import REPOSITORY


def fake_python(path: Path, version: str, implementation: str = "cpython") -> Path:
    """A program that answers as a Python does, and notes that it was asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho asked >> {path}.asked\necho "{implementation} {version} $0"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}", "HOME": str(tmp_path)}


def found(environ: dict[str, str], python: str) -> Path | None:
    interpreter = Interpreters(environ).find(python)
    return interpreter.path if interpreter else None


def test_the_first_on_path_is_taken(tmp_path: Path, environ: dict[str, str]) -> None:
    fake_python(tmp_path / "second" / "python3.12", "3.12.1")
    first = fake_python(tmp_path / "first" / "python3.12", "3.12.0")
    fake_python(tmp_path / ".pyenv" / "versions" / "3.12.9" / "bin" / "python3.12", "3.12.9")
    interpreter = Interpreters(environ).find("3.12")
    assert interpreter is not None
    assert (interpreter.version, interpreter.path) == ("3.12.0", first)


def test_a_python_that_is_only_called_python3_is_found(tmp_path: Path, environ: dict[str, str]) -> None:
    path = fake_python(tmp_path / "second" / "python3", "3.12.1")
    assert found(environ, "3.12") == path
    assert found(environ, "3.13") is None


def test_the_newest_of_pyenv_is_found_where_pyenv_keeps_it(tmp_path: Path, environ: dict[str, str]) -> None:
    for version in ("3.9.2", "3.9.18", "3.9.0rc1", "3.10.1"):
        fake_python(tmp_path / "pyenv" / "versions" / version / "bin" / f"python{version[:3]}", version)
    environ["PYENV_ROOT"] = str(tmp_path / "pyenv")
    assert found(environ, "3.9") == tmp_path / "pyenv" / "versions" / "3.9.18" / "bin" / "python3.9"


def test_a_python_of_uv_is_found_and_one_without_gil_is_not(tmp_path: Path, environ: dict[str, str]) -> None:
    root = tmp_path / ".local" / "share" / "uv" / "python"
    with_gil = fake_python(root / "cpython-3.13.1-linux-x86_64-gnu" / "bin" / "python3.13", "3.13.1")
    fake_python(root / "cpython-3.13.5+freethreaded-linux-x86_64-gnu" / "bin" / "python3.13", "3.13.5")
    assert found(environ, "3.13") == with_gil
    environ["UV_PYTHON_INSTALL_DIR"] = str(tmp_path / "elsewhere")
    assert found(environ, "3.13") is None


def test_what_does_not_answer_as_that_python_is_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    fake_python(tmp_path / "first" / "python3.11", "3.11.4", "pypy")
    broken = fake_python(tmp_path / "second" / "python3.11", "3.11.4")
    broken.write_text("#!/bin/sh\necho no such version >&2\nexit 127\n")
    assert found(environ, "3.11") is None
    (tmp_path / "first" / "python3.10").mkdir()
    assert found(environ, "3.10") is None


def test_shims_are_not_asked(tmp_path: Path, environ: dict[str, str]) -> None:
    fake_python(tmp_path / "shims" / "python3.11", "3.11.4")
    environ["PATH"] = str(tmp_path / "shims")
    assert found(environ, "3.11") is None
    assert not (tmp_path / "shims" / "python3.11.asked").exists()


def test_a_python_is_asked_once_however_often_it_is_looked_for(tmp_path: Path, environ: dict[str, str]) -> None:
    path = fake_python(tmp_path / "first" / "python3", "3.12.1")
    interpreters = Interpreters(environ)
    for python in ("3.11", "3.12", "3.12", "3.13"):
        interpreters.find(python)
    assert path.with_suffix(".asked").read_text().splitlines() == ["asked"]


def test_a_missing_one_can_be_got() -> None:
    assert "uv python install 3.14" in how_to_get("3.14")


# The Python that make sets the harness up with


def found_by_make(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    script = REPOSITORY / "tools" / "find-python"
    return subprocess.run(["/bin/sh", script], env=environ, capture_output=True, text=True, timeout=60)


def python_for_make(path: Path, *, suits: bool) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {0 if suits else 1}\n")
    path.chmod(0o755)
    return path


def test_make_takes_the_newest_python_that_suits(tmp_path: Path, environ: dict[str, str]) -> None:
    python_for_make(tmp_path / "first" / "python3.11", suits=True)
    python_for_make(tmp_path / ".pyenv" / "versions" / "3.14.0" / "bin" / "python3.14", suits=False)
    pyenvs = python_for_make(tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3.13", suits=True)
    assert found_by_make(environ).stdout.strip() == str(pyenvs)


def test_make_takes_a_python3_that_suits_and_no_shim(tmp_path: Path, environ: dict[str, str]) -> None:
    python_for_make(tmp_path / "shims" / "python3.12", suits=True)
    python3 = python_for_make(tmp_path / "second" / "python3", suits=True)
    environ["PATH"] += f"{os.pathsep}{tmp_path / 'shims'}"
    assert found_by_make(environ).stdout.strip() == str(python3)


def test_make_says_what_to_install_where_no_python_suits(tmp_path: Path, environ: dict[str, str]) -> None:
    python_for_make(tmp_path / "first" / "python3", suits=False)
    done = found_by_make(environ)
    assert done.returncode != 0
    assert "needs Python 3.10 or newer" in done.stderr
    assert "Install one" in done.stderr
