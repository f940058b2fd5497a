"""tests/cell_report.py, driven from outside: what a cell writes down, and what it refuses to run."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).parents[2]
BOTO3 = importlib.metadata.version("boto3")

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest in an empty project with this environment; files named test_botocore_… have their own process."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for name in ("CELL_BOTO3", "CELL_BOTOCORE", "CELL_RESULTS", "CELL_LEAVES_OUT"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(
        """
        pytest_plugins = ["tests.process_per_file", "tests.cell_report"]
        def pytest_wants_process_per_file(item):
            return item.path.name.startswith("test_botocore")
        """
    )

    def run(*arguments: str, **environment: str) -> pytest.RunResult:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return pytester.runpytest_subprocess(*arguments)

    return run


@pytest.fixture
def results(pytester: pytest.Pytester, run: Run) -> Callable[..., Any]:
    """Run pytest, and read what it wrote."""

    def results(*arguments: str) -> Any:
        path = pytester.path / "results.json"
        run(*arguments, CELL_RESULTS=str(path))
        assert [file.name for file in pytester.path.glob("results*")] == ["results.json"]
        return json.loads(path.read_text(encoding="utf-8"))

    return results


def outcomes(written: Any) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        name: (of_set["outcome"], {test["name"]: test["outcome"] for test in of_set["tests"]})
        for name, of_set in written["sets"].items()
    }


def test_each_set_is_written_with_its_tests(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(
        test_botocore_redirects_patched="""
            import pytest
            @pytest.mark.parametrize("text", ["a::b[c]"])
            def test_good(text): pass
            def test_bad(): assert "this" == "that"
        """,
        test_engine="""
            import pytest
            class TestClass:
                def test_good(self): pass
            @pytest.mark.skip(reason="not here")
            def test_skipped(): pass
        """,
        test_botocore_skipped="import pytest\n@pytest.mark.skip\ndef test_it(): pass",
    )
    written = results()
    assert outcomes(written) == {
        "engine": ("passed", {"test_good": "passed", "test_skipped": "skipped"}),
        "redirects_patched": ("failed", {"test_good[a::b[c]]": "passed", "test_bad": "failed"}),
        "skipped": ("skipped", {"test_it": "skipped"}),
    }
    bad = written["sets"]["redirects_patched"]["tests"][1]
    assert "assert 'this' == 'that'" in bad["detail"]
    assert written["sets"]["redirects_patched"]["cpu_seconds"] is not None
    assert written["sets"]["engine"]["cpu_seconds"] is None


def test_a_set_that_another_cell_runs_is_not_even_looked_at(
    pytester: pytest.Pytester, results: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_scale="raise RuntimeError('imported')", test_scales="def test_it(): pass")
    monkeypatch.setenv("CELL_LEAVES_OUT", "scale redirects_patched")
    assert outcomes(results()) == {"scales": ("passed", {"test_it": "passed"})}


def test_a_set_can_be_run_alone(pytester: pytest.Pytester, results: Any, run: Run) -> None:
    pytester.makepyfile(test_scale="raise RuntimeError('imported')", test_scales="def test_it(): pass")
    assert outcomes(results("--only-set", "scales")) == {"scales": ("passed", {"test_it": "passed"})}
    refused = run("--only-set", "scalse")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*--only-set scalse: there is no such set; there are scale, scales"])


def test_results_say_what_they_are_of(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(test_it="def test_it(): pass")
    written = results()
    assert written["format"] == 1
    assert written["python"] == platform.python_version()
    assert written["executable"] == sys.executable
    assert written["packages"]["boto3"] == BOTO3


def test_half_a_character_in_the_output_spoils_no_results(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(test_botocore_a="def test_1(): assert False, 'half \\ud800 of one'")
    detail = results()["sets"]["a"]["tests"][0]["detail"]
    assert "half" in detail
    assert "\ud800" not in detail


def test_crash_is_told_from_a_failure(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(
        test_botocore_a="import os\ndef test_1(): pass\ndef test_2(): os._exit(3)\ndef test_3(): pass",
        test_botocore_b="def test_1(): pass",
    )
    assert outcomes(results()) == {
        "a": ("crashed", {"test_1": "passed", "test_2": "crashed", "test_3": "crashed"}),
        "b": ("passed", {"test_1": "passed"}),
    }


def test_what_was_not_selected_or_not_reached_was_not_run(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(
        test_a="def test_this(): assert False", test_b="def test_this(): pass", test_c="def test_other(): pass"
    )
    assert outcomes(results("-x", "-k", "this")) == {
        "a": ("failed", {"test_this": "failed"}),
        "b": ("not run", {"test_this": "not run"}),
        "c": ("not run", {}),
    }


def test_file_that_cannot_be_imported_is_a_failed_set(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(test_a="import no_such_module", test_b="def test_it(): pass")
    written = results()
    assert outcomes(written) == {
        "a": ("failed", {"collection": "failed"}),
        "b": ("not run", {"test_it": "not run"}),
    }
    assert "no_such_module" in written["sets"]["a"]["tests"][0]["detail"]


def test_error_in_a_fixture_is_a_failure(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(
        test_a="""
            import pytest
            @pytest.fixture
            def late():
                yield
                raise LookupError("while tearing down")
            def test_it(late): pass
        """
    )
    written = results()
    assert outcomes(written) == {"a": ("failed", {"test_it": "failed"})}
    assert "while tearing down" in written["sets"]["a"]["tests"][0]["detail"]


def test_interrupted_run_keeps_what_was_finished(pytester: pytest.Pytester, results: Any) -> None:
    pytester.makepyfile(
        test_botocore_a="def test_1(): pass",
        test_botocore_b="def test_1(): raise KeyboardInterrupt\ndef test_2(): pass",
    )
    assert outcomes(results()) == {
        "a": ("passed", {"test_1": "passed"}),
        "b": ("not run", {"test_1": "not run", "test_2": "not run"}),
    }


@pytest.mark.parametrize("expected", [BOTO3, f">={BOTO3}", "~=1.17"])
def test_cell_with_the_right_version_runs(pytester: pytest.Pytester, run: Run, expected: str) -> None:
    pytester.makepyfile(test_it="def test_it(): pass")
    run(CELL_BOTO3=expected).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("1.2.3", f"This cell is for boto3 1.2.3 (CELL_BOTO3), and boto3 {BOTO3} is installed"),
        ("<1.10", f"This cell is for boto3 <1.10 (CELL_BOTO3), and boto3 {BOTO3} is installed"),
        ("newest", "CELL_BOTO3='newest' is neither a version nor a specifier"),
    ],
)
def test_cell_with_another_version_does_not_run(pytester: pytest.Pytester, run: Run, expected: str, told: str) -> None:
    pytester.makepyfile(test_it="def test_it(): open('ran', 'w').close()")
    (pytester.path / "results.json").write_text("of an earlier run")
    result = run(CELL_BOTO3=expected, CELL_RESULTS=str(pytester.path / "results.json"))
    assert result.ret == 3
    assert told in result.stderr.str()
    assert not (pytester.path / "ran").exists()
    assert json.loads((pytester.path / "results.json").read_text())["sets"] == {}


def test_nothing_is_written_outside_a_cell(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(test_it="def test_it(): pass")
    run().assert_outcomes(passed=1)
    assert not list(pytester.path.glob("*.json"))
