"""`python -m aistore_patch run`: any program patched, and nothing else about it changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aistore_patch.program.run import ignoring_environment
from tests.cluster import Cluster

from .conftest import BUCKET, IS_PATCHED, ROOT, Finished, patched_output, run

RUN = (sys.executable, "-m", "aistore_patch", "run", "--")
Script = Callable[..., Path]

PUT_AND_GET = f"""
import sys, boto3
s3 = boto3.client("s3", endpoint_url=sys.argv[1])
s3.put_object(Bucket="{BUCKET}", Key="k", Body=b"bytes")
print(s3.get_object(Bucket="{BUCKET}", Key="k")["Body"].read())
"""


def run_patched(*words: object, **variables: str) -> Finished[str]:
    return run(*RUN, *words, cwd=ROOT, **variables)


def test_a_script_follows_redirects(cluster: Cluster, script: Script) -> None:
    assert patched_output(run_patched(script(PUT_AND_GET), cluster.endpoint_url)) == ["b'bytes'"]
    assert cluster.store[BUCKET, "k"].data == b"bytes"


def test_a_module_is_run(script: Script) -> None:
    path = script(IS_PATCHED, "a_module.py")
    assert patched_output(run_patched("-m", "a_module", PYTHONPATH=str(path.parent))) == ["True"]


def test_a_console_script_on_path_is_run(script: Script) -> None:
    path = script(f"#!{sys.executable}\n{IS_PATCHED}", "a-console-script", 0o755)
    search = os.pathsep.join((str(path.parent), os.environ["PATH"]))
    assert patched_output(run_patched("a-console-script", PATH=search)) == ["True"]


def test_a_script_in_whose_environment_the_library_is_not_is_patched_and_sees_the_same_sys_path(script: Script) -> None:
    path = script("import sys; print(sys.path)")
    without = patched_output(run(sys.executable, path, cwd=ROOT))
    assert patched_output(run_patched(path)) == without
    assert repr(str(ROOT)) not in without[0]
    assert patched_output(run_patched(script(IS_PATCHED))) == ["True"]


@pytest.mark.parametrize(
    "child",
    [
        f"subprocess.run([sys.executable, '-c', {IS_PATCHED!r}], check=True)",
        f"multiprocessing.get_context('spawn').Pool(1).apply(exec, ({IS_PATCHED!r},))",
        f"subprocess.run(['sh', '-c', '{sys.executable} -c \"{IS_PATCHED}\"'], check=True)",
    ],
    ids=["subprocess", "spawn", "shell"],
)
def test_children_are_patched(child: str, script: Script) -> None:
    code = f"import multiprocessing, subprocess, sys\nif __name__ == '__main__':\n    {child}\n"
    assert patched_output(run_patched(script(code))) == ["True"]


def test_arguments_streams_and_the_exit_code_pass_through(script: Script) -> None:
    path = script("import sys; print(sys.argv[1:], sys.stdin.read()); print('e', file=sys.stderr); sys.exit(57)")
    arguments = ["--", "-m", "a b", "", "--help", "é"]
    done = subprocess.run(
        [*RUN, str(path), *arguments], input="stdin", capture_output=True, text=True, cwd=str(ROOT), timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (57, f"{arguments!r} stdin\n", "e\n")


def test_signals_reach_the_program_and_end_it(script: Script) -> None:
    path = script("import os, signal; print(os.getpid(), flush=True); signal.pause()")
    process = subprocess.Popen([*RUN, str(path)], stdout=subprocess.PIPE, text=True, cwd=str(ROOT))
    assert process.stdout is not None
    assert int(process.stdout.readline()) == process.pid  # it took the place of the process that was started
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    process.stdout.close()


def test_a_sitecustomize_that_is_there_still_runs(script: Script) -> None:
    path = script("import sys; sys.was_customised = __file__", "sitecustomize.py")
    code = "import sys, sitecustomize; print(sys.was_customised == sitecustomize.__file__)"
    done = run_patched(script(f"{IS_PATCHED}; {code}"), PYTHONPATH=str(path.parent))
    assert patched_output(done) == ["True", "True"]


def test_a_sitecustomize_that_fails_is_reported_as_ever(script: Script) -> None:
    path = script("import nothing_of_this_name", "sitecustomize.py")
    done = run_patched(script(IS_PATCHED), PYTHONPATH=str(path.parent))
    assert patched_output(done) == ["True"]
    assert "No module named 'nothing_of_this_name'" in done.stderr


def test_a_program_that_does_not_use_botocore_does_not_import_it(script: Script) -> None:
    code = "import sys; print([m for m in sys.modules if m.split('.')[0] in ('botocore', 'aistore_patch')])"
    assert patched_output(run_patched(script(code))) == ["[]"]


def test_run_within_run_is_one_patch(script: Script) -> None:
    path = script(f"import os; {IS_PATCHED}; print(os.environ['PYTHONPATH'].count('startup'))")
    assert patched_output(run_patched(*RUN, path)) == ["True", "1"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["no-such-program"], 127, "there is no program 'no-such-program' beside"),
        (["./no-such-program"], 127, "there is no program './no-such-program'"),
        ([], 2, "which program? Write: python -m aistore_patch run -- PROGRAM"),
        ([ROOT], 126, "Permission denied"),
        ([sys.executable, "-I", "x.py"], 126, "starts Python with -I"),
        ([sys.executable, "-uS", "x.py"], 126, "Leave the option out\n"),
    ],
)
def test_what_cannot_be_run_patched_is_not_run(words: list[object], code: int, says: str) -> None:
    done = run_patched(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_script_whose_first_line_isolates_python_is_not_run(script: Script) -> None:
    done = run_patched(script(f"#!/usr/bin/env -S {sys.executable} -sE\nprint('ran')\n", "isolated", 0o755))
    assert (done.returncode, done.stdout) == (126, "")
    assert "-sE" in done.stderr


def test_a_mistyped_variable_is_told_before_the_program_starts(script: Script) -> None:
    done = run_patched(script("print('ran')"), AISTORE_PATCH_MAX_HOP="3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "AISTORE_PATCH_MAX_HOP is not a setting" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_variable_that_the_program_mistypes_for_its_child_ends_the_child(script: Script) -> None:
    child = f"subprocess.run([sys.executable, '-c', {IS_PATCHED!r}], env={{**os.environ, 'AISTORE_PATCH_X': '1'}})"
    done = run_patched(script(f"import os, subprocess, sys; print({child}.returncode)"))
    assert patched_output(done) == ["1"]
    assert "PolicyError: AISTORE_PATCH_X is not a setting" in done.stderr


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["-E"], "-E"),
        (["-bI"], "-bI"),
        (["-W", "error", "-I"], "-I"),
        (["-Werror", "-S"], "-S"),
        (["-X", "dev"], None),
        (["-c", "x", "-E"], None),
        (["-mEIS"], None),
        (["-ucE"], None),
        (["x.py", "-E"], None),
        (["--version", "-E"], "-E"),
    ],
)
def test_which_option_ignores_the_environment(options: list[str], found: str | None) -> None:
    assert ignoring_environment(["/usr/bin/python3", *options]) == found


@given(st.lists(st.text(alphabet="-EISWXcmuqb x", max_size=4)))
def test_options_are_read_to_their_end_whatever_they_are(options: list[str]) -> None:
    found = ignoring_environment(["python", *options])
    assert found is None or found in options
