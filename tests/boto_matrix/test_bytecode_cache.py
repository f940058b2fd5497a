"""Bytecode goes from cell to cell, and only where it belongs."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from boto_matrix.running.bytecode_cache import BytecodeCache

TAG = str(sys.implementation.cache_tag)
SOURCE = "def where():\n    return where.__code__.co_filename\n"


@pytest.fixture
def cache(tmp_path: Path) -> BytecodeCache:
    return BytecodeCache(TAG, tmp_path / "cache")


def installed(folder: Path, source: str | Path, record: str = "{name},sha256={digest},{size}\n") -> Path:
    """An environment with a package in it, `source` linked into it as uv does, or written anew."""
    module = folder / "package" / "module.py"
    module.parent.mkdir(parents=True)
    if isinstance(source, Path):
        os.link(source / "package" / "module.py", module)
    else:
        module.write_text(source)
    digest = base64.urlsafe_b64encode(hashlib.sha256(module.read_bytes()).digest()).decode().rstrip("=")
    (folder / "package-1.0.dist-info").mkdir()
    line = record.format(name="package/module.py", digest=digest, size=module.stat().st_size)
    (folder / "package-1.0.dist-info" / "RECORD").write_text(line)
    return folder


def imported(folder: Path) -> str:
    """Where the module says that it is, when a Python imports it."""
    environ = {"PYTHONPATH": str(folder), "PATH": os.environ["PATH"]}
    code = "import package.module as m; print(m.where())"
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    ).stdout.strip()


def bytecode(folder: Path) -> Path:
    return folder / "package" / "__pycache__" / f"module.{TAG}.pyc"


def test_what_one_environment_compiled_the_next_one_loads(cache: BytecodeCache, tmp_path: Path) -> None:
    first = installed(tmp_path / "first", SOURCE)
    imported(first)
    cache.keep(first)
    second = installed(tmp_path / "second", first)
    cache.restore(second)
    assert bytecode(second).samefile(bytecode(first))
    assert imported(second) == str(second / "package" / "module.py")
    assert bytecode(second).samefile(bytecode(first)), "Python has compiled it again"


def test_other_content_gets_no_bytecode(cache: BytecodeCache, tmp_path: Path) -> None:
    first = installed(tmp_path / "first", SOURCE)
    imported(first)
    cache.keep(first)
    second = installed(tmp_path / "second", SOURCE + "# changed\n")
    cache.restore(second)
    assert not bytecode(second).exists()


def test_content_that_was_unpacked_at_another_time_gets_no_bytecode(cache: BytecodeCache, tmp_path: Path) -> None:
    first = installed(tmp_path / "first", SOURCE)
    imported(first)
    cache.keep(first)
    second = installed(tmp_path / "second", SOURCE)
    os.utime(second / "package" / "module.py", (0, 0))
    cache.restore(second)
    assert not bytecode(second).exists()


@pytest.mark.parametrize("record", ["", "\n", "{name}\n", "{name},,\n", "\0,\udcff\n", "gone.py,sha256={digest},1\n"])
def test_a_record_that_says_nothing_does_no_harm(cache: BytecodeCache, tmp_path: Path, record: str) -> None:
    first = installed(tmp_path / "first", SOURCE, record.encode("utf-8", "replace").decode())
    imported(first)
    cache.keep(first)
    cache.restore(installed(tmp_path / "second", first))
    assert not bytecode(tmp_path / "second").exists()


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, and no folder")
    cache = BytecodeCache(TAG, tmp_path / "cache")
    first = installed(tmp_path / "first", SOURCE)
    imported(first)
    cache.keep(first)
    cache.restore(installed(tmp_path / "second", first))
    assert not bytecode(tmp_path / "second").exists()
