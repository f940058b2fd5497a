"""`python -m aistore_patch install` and `uninstall`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Iterator

import pytest

from tests.cluster import Cluster

from .conftest import IS_PATCHED, Finished, patched_output, run, site_packages
from .test_run import PUT_AND_GET

Script = Callable[..., Path]


class Environment:
    def __init__(self, python: Path, cwd: Path) -> None:
        self.python = python
        self.cwd = cwd
        self.site = site_packages(python)

    def run(self, *words: object, **variables: str) -> Finished[str]:
        return run(self.python, *words, cwd=self.cwd, **variables)

    def command(self, command: str) -> Finished[str]:
        return self.run("-m", "aistore_patch", command)

    def files(self) -> set[str]:
        return {str(path.relative_to(self.site)) for path in self.site.rglob("*") if path.is_file()}


@pytest.fixture
def bare(environment: Path, tmp_path: Path) -> Iterator[Environment]:
    """An environment in which nothing is installed yet."""
    here = Environment(environment, tmp_path)
    before = here.files()
    yield here
    assert here.command("uninstall").returncode == 0
    assert here.files() == before


@pytest.fixture
def installed(bare: Environment) -> Environment:
    done = bare.command("install")
    assert done.returncode == 0, done.stderr
    return bare


def test_programs_follow_redirects(installed: Environment, cluster: Cluster, script: Script) -> None:
    assert patched_output(installed.run(script(PUT_AND_GET), cluster.endpoint_url)) == ["b'bytes'"]


def test_it_says_what_it_wrote_and_where(bare: Environment) -> None:
    before = bare.files()
    said = bare.command("install").stdout
    written = {str(path) for path in map(Path, bare.files() - before) if "__pycache__" not in path.parts}
    assert written == {"_aistore_patch_hook.py", "aistore_patch_hook.pth"}
    assert all(str(bare.site / name) in said for name in written)


def test_it_can_be_repeated(installed: Environment) -> None:
    assert "already installed" in installed.command("install").stdout
    assert patched_output(installed.run("-c", IS_PATCHED)) == ["True"]


def test_it_brings_an_older_hook_up_to_date(installed: Environment) -> None:
    hook = installed.site / "_aistore_patch_hook.py"
    text = hook.read_text()
    hook.write_text("def activate(): pass\n")
    assert installed.command("install").returncode == 0
    assert hook.read_text() == text


def test_nothing_is_patched_after_uninstall(installed: Environment) -> None:
    done = installed.command("uninstall")
    assert str(installed.site / "aistore_patch_hook.pth") in done.stdout
    assert patched_output(installed.run("-c", IS_PATCHED)) == ["False"]
    assert "not installed" in installed.command("uninstall").stdout


@pytest.mark.parametrize("first", ["aistore_patch", "boto3", "botocore.session", "aistore_patch.botocore"])
def test_whatever_is_imported_first(installed: Environment, first: str) -> None:
    done = installed.run("-W", "error", "-c", f"import {first}; {IS_PATCHED}")
    assert patched_output(done) == ["True"]
    assert done.stderr == ""


def test_the_program_may_take_the_patch_back_or_choose_its_limits(installed: Environment) -> None:
    code = "import botocore.endpoint, aistore_patch as a; a.unpatch(); print(a.is_patched())"
    assert patched_output(installed.run("-c", code)) == ["False"]
    code = "import aistore_patch as a; a.patch(a.RedirectPolicy(max_hops=1)); print(a.patching._policy().max_hops)"
    assert patched_output(installed.run("-c", code)) == ["1"]


def test_the_module_is_as_python_loads_it(installed: Environment) -> None:
    code = (
        "import botocore.endpoint as m, inspect; print(type(m.__loader__).__name__, m.__spec__.loader is m.__loader__)"
    )
    assert patched_output(installed.run("-c", code)) == ["SourceFileLoader True"]
    code = "from importlib.util import find_spec as f; s = f('botocore.endpoint'); print(s.loader.is_package(s.name))"
    assert patched_output(installed.run("-c", code)) == ["False"]


def test_a_reloaded_endpoint_is_patched_again(installed: Environment) -> None:
    code = "import importlib, botocore.endpoint; importlib.reload(botocore.endpoint)"
    assert patched_output(installed.run("-c", f"{code}; {IS_PATCHED}")) == ["True"]


@pytest.mark.parametrize("wrapped", ["{}", "try:\n    {}\nexcept ImportError:\n    print('ran unpatched')"])
def test_a_mistyped_variable_ends_the_program(installed: Environment, wrapped: str) -> None:
    done = installed.run("-c", wrapped.format("import boto3; print('ran')"), AISTORE_PATCH_ALLOW_HOST="x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(
        "aistore_patch.policy.PolicyError: AISTORE_PATCH_ALLOW_HOST is not a setting; known are"
    )


def test_a_second_import_after_a_mistake_does_not_pass(installed: Environment) -> None:
    attempt = "try:\n    import botocore.endpoint\nexcept Exception as error:\n    print(type(error).__name__)\n"
    assert patched_output(installed.run("-c", attempt * 2, AISTORE_PATCH_X="1")) == ["PolicyError", "PolicyError"]


def test_an_unknown_botocore_ends_the_program(installed: Environment, script: Script) -> None:
    script("", "__init__.py")
    fake = installed.cwd / "botocore"
    fake.mkdir()
    for name in ("__init__.py", "exceptions.py", "endpoint.py"):
        (fake / name).write_text("class ClientError(Exception): pass\n")
    done = installed.run("-c", "import botocore.endpoint; print('ran')", PYTHONPATH=str(installed.cwd))
    assert (done.returncode, done.stdout) == (1, "")
    assert "UnsupportedBotocoreError: this botocore lacks what the patch stands on" in done.stderr


def test_python_without_botocore_is_left_alone(installed: Environment) -> None:
    code = "import sys; print([m for m in sys.modules if m.split('.')[0] in ('botocore', 'aistore_patch')])"
    done = installed.run("-c", code, AISTORE_PATCH_X="1")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_without_the_library_python_starts_in_silence_and_botocore_warns(installed: Environment) -> None:
    hidden = "import sys; sys.modules['aistore_patch'] = None; "
    assert installed.run("-c", hidden).stderr == ""
    done = installed.run("-c", hidden + "import boto3; print('ran')")
    assert patched_output(done) == ["ran"]
    assert str(installed.site / "_aistore_patch_hook.py") in done.stderr


def test_botocore_imported_by_another_start_up_file_is_patched(installed: Environment) -> None:
    other = installed.site / "a_earlier.pth"
    packages = (installed.site / "packages_of_the_tests.pth").read_text()
    other.write_text(f"{packages}import botocore.endpoint\n")
    try:
        assert patched_output(installed.run("-c", IS_PATCHED)) == ["True"]
        done = installed.run("-c", "print('ran')", AISTORE_PATCH_X="1")
        assert (done.returncode, done.stdout) == (1, "")
        assert "AISTORE_PATCH_X is not a setting" in done.stderr
    finally:
        other.unlink()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX's")
def test_it_says_so_where_it_may_not_write(bare: Environment) -> None:
    taken = bare.site / "_aistore_patch_hook.py"
    taken.mkdir()  # root may write anywhere, but not a file over a directory
    try:
        done = bare.command("install")
    finally:
        taken.rmdir()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{bare.site} cannot be changed: " in done.stderr
    assert "Traceback" not in done.stderr


def test_it_installs_nothing_where_python_would_not_read_it(bare: Environment) -> None:
    before = bare.files()
    done = bare.run("-c", _ELSEWHERE, str(bare.cwd))
    assert done.returncode == 1
    assert "does not read" in done.stderr
    assert bare.files() == before
    assert list(bare.cwd.iterdir()) == []


_ELSEWHERE = """
import sys, pathlib
from aistore_patch.program import install
install.site_packages = lambda: pathlib.Path(sys.argv[1])
from aistore_patch.__main__ import main
raise SystemExit(main(["install"]))
"""
