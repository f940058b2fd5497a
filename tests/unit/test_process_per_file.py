"""tests/process_per_file.py, driven from outside: a project with test files, and what pytest says of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).parents[2]

ASKING = """
    import sys
    pytest_plugins = ["tests.process_per_file"]
    def pytest_wants_process_per_file(item):
        return item.path.name.startswith("test_own")
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project; its files that are named test_own… ask for a process."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeconftest(ASKING)
    return pytester


@pytest.fixture
def run(project: pytest.Pytester) -> Run:
    """Run pytest there, without plugins that come by themselves."""

    def run(*arguments: str, plugins: tuple[str, ...] = ()) -> pytest.RunResult:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            loaded = [option for plugin in plugins for option in ("-p", plugin)]
            return project.runpytest_subprocess(*loaded, *arguments)

    return run


MARKS_ITS_PROCESS = """
    import builtins, os
    from tests.process_per_file import file_of_this_process
    def test_first():
        assert not hasattr(builtins, "mark")
        builtins.mark = __file__
        assert str(file_of_this_process()) == __file__
    def test_second():
        assert builtins.mark == __file__
"""


@pytest.fixture
def marking(project: pytest.Pytester) -> pytest.Pytester:
    """Two files that mark their process and fail in one that is marked, and one that runs in the parent."""
    project.makepyfile(
        test_own_a=MARKS_ITS_PROCESS,
        test_own_b=MARKS_ITS_PROCESS,
        test_parent="""
            import builtins
            from tests.process_per_file import file_of_this_process
            def test_no_mark():
                assert not hasattr(builtins, "mark")
                assert file_of_this_process() is None
        """,
    )
    return project


@pytest.mark.usefixtures("marking")
def test_each_file_has_a_process_of_its_own_and_the_parent_stays_clean(run: Run) -> None:
    run().assert_outcomes(passed=5)


@pytest.mark.usefixtures("marking")
@pytest.mark.parametrize("dist", ["loadfile", "load"])
def test_each_file_has_a_process_of_its_own_under_xdist(run: Run, dist: str) -> None:
    result = run("-n", "2", "--dist", dist, plugins=("xdist.plugin",))
    result.assert_outcomes(passed=5)


def test_files_that_are_shuffled_into_one_another_keep_their_processes(project: Any, run: Run) -> None:
    project.makeconftest(
        ASKING
        + """
    import pytest
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(items):
        items.sort(key=lambda item: item.name)
    """
    )
    same = "from tests.process_per_file import file_of_this_process\n" + "\n".join(
        f"def test_{n}(): assert str(file_of_this_process()) == __file__" for n in range(3)
    )
    project.makepyfile(test_own_a=same, test_own_b=same, test_own_c=same)
    result = run("-v")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(["*_a.py::test_0*", "*_b.py::test_0*", "*_c.py::test_0*", "*_a.py::test_1*"])


def test_processes_begin_as_clean_as_the_parent_began(project: Any, run: Run) -> None:
    for package in ("a", "b", "c"):
        (project.path / package).mkdir()
        (project.path / package / "__init__.py").touch()
    (project.path / "a" / "test_parent.py").write_text("import builtins\ndef test_it(): builtins.mark = 1")
    clean = "import builtins\ndef test_it(): assert not hasattr(builtins, 'mark')"
    for package in ("b", "c"):
        (project.path / package / "test_own.py").write_text(clean)
    result = run("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["b/test_own.py*", "c/test_own.py*", "a/test_parent.py*"])


def test_reports_are_those_of_an_ordinary_run(project: Any, run: Run) -> None:
    project.makepyfile(
        test_own="""
            import pytest, warnings
            @pytest.fixture
            def broken():
                raise RuntimeError("in the fixture")
            def test_passes(): pass
            def test_fails():
                print("said before it failed")
                assert [1, 2] == [1, 3]
            def test_errs(broken): pass
            @pytest.mark.skip(reason="not today")
            def test_skips(): pass
            @pytest.mark.xfail
            def test_expected(): assert False
            def test_warns(): warnings.warn("careful", UserWarning)
        """
    )
    result = run("--junitxml=junit.xml", "-rs")
    result.assert_outcomes(passed=2, failed=1, errors=1, skipped=1, xfailed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*RuntimeError: in the fixture*",
            "*At index 1 diff: 2 != 3*",
            "*said before it failed*",
            "*UserWarning: careful*",
        ]
    )
    result.stdout.fnmatch_lines(["SKIPPED*not today"])
    suite = ElementTree.parse(project.path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    counted = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "6", "failures": "1", "errors": "1", "skipped": "2"}


@pytest.mark.parametrize(
    ("death", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        ("os._exit(0)", "exited with code 0"),
        ("os._exit(7)", "exited with code 7"),
    ],
)
def test_file_whose_process_dies_fails_and_the_others_go_on(project: Any, run: Run, death: str, told: str) -> None:
    project.makepyfile(
        test_own_a=f"""
            import os, signal
            def test_before(): pass
            def test_deadly(): {death}
            def test_after(): pass
        """,
        test_own_b="def test_other(): pass",
    )
    result = run("--junitxml=junit.xml")
    result.assert_outcomes(passed=2, failed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*The process of this file {told}, in this test.*"])
    result.stdout.fnmatch_lines([f"*Not run: the process of this file {told}, in test_own_a.py::test_deadly.*"])
    assert len(list(ElementTree.parse(project.path / "junit.xml").iter("failure"))) == 2


def test_process_that_dies_after_its_last_test_fails_it(project: Any, run: Run) -> None:
    project.makeconftest(
        ASKING
        + """
    import os, pytest
    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(item):
        yield
        if item.name == "test_last" and os.getpid() != PARENT:
            os._exit(9)
    PARENT = os.getpid()
    """
    )
    project.makepyfile(test_own="def test_last(): pass")
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*exited with code 9*"])


def test_file_fails_with_the_traceback_of_a_plugin_that_breaks_in_its_process(project: Any, run: Run) -> None:
    project.makeconftest(
        ASKING
        + """
    def pytest_runtest_logreport(report):
        pass
    def pytest_report_to_serializable(report):
        raise LookupError("the plugin is broken")
    """
    )
    project.makepyfile(test_own="def test_it(): pass")
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*LookupError: the plugin is broken*"])


def test_stop_at_first_failure(project: Any, run: Run) -> None:
    project.makepyfile(
        test_own_a="def test_1(): assert False\ndef test_2(): pass",
        test_own_b="import signal\ndef test_endless(): signal.pause()",
    )
    result = run("-x")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*stopping after 1 failures*"])


def test_selection_by_name_and_last_failure(project: Any, run: Run) -> None:
    project.makepyfile(
        test_own_a="def test_good(): pass\ndef test_bad(): assert False", test_own_b="def test_good(): pass"
    )
    run("-k", "good").assert_outcomes(passed=2, deselected=1)
    run().assert_outcomes(passed=2, failed=1)
    run("--lf").assert_outcomes(failed=1)


def test_collecting_only_runs_nothing(project: Any, run: Run) -> None:
    project.makepyfile(test_own="def test_it(): open('ran', 'w').close()")
    result = run("--collect-only", "-q")
    result.stdout.fnmatch_lines(["test_own.py::test_it"])
    assert result.ret == 0
    assert not (project.path / "ran").exists()


def test_interrupt_ends_the_run_and_its_processes(project: Any, run: Run) -> None:
    project.makepyfile(
        test_own_a="""
            import os, signal
            def test_interrupts_its_parent():
                with open("pid", "w") as file:
                    file.write(str(os.getpid()))
                os.kill(os.getppid(), signal.SIGINT)
                while True:
                    signal.pause()
        """
    )
    result = run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    with pytest.raises(ProcessLookupError):
        os.kill(int((project.path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("statement", "code"),
    [("raise KeyboardInterrupt", pytest.ExitCode.INTERRUPTED), ("pytest.exit('enough', 33)", 33)],
)
def test_test_that_ends_the_run_ends_it(project: Any, run: Run, statement: str, code: int) -> None:
    project.makepyfile(
        test_own_a="def test_before(): pass",
        test_own_b=f"import pytest\ndef test_it(): {statement}\ndef test_next(): pass",
        test_own_c="def test_after(): pass",
    )
    result = run()
    assert result.ret == code
    result.assert_outcomes(passed=1)


def test_fixtures_are_torn_down_in_the_process_of_their_file(project: Any, run: Run) -> None:
    project.makepyfile(
        test_own="""
            import os, pytest
            @pytest.fixture(scope="module", autouse=True)
            def module():
                yield
                with open("torn down", "w") as file:
                    file.write(str(os.getpid()))
            def test_1(): pass
            def test_2():
                with open("ran", "w") as file:
                    file.write(str(os.getpid()))
        """
    )
    run().assert_outcomes(passed=2)
    assert (project.path / "torn down").read_text() == (project.path / "ran").read_text() != str(os.getpid())


def test_output_of_files_that_run_at_once_stays_apart(project: Any, run: Run) -> None:
    noisy = "import os\n" + "\n".join(
        f"def test_{n}(capfd):\n"
        f"    os.write(1, __name__.encode())\n"
        f"    assert capfd.readouterr().out == __name__\n"
        f"    print('kept of', __name__, {n})\n"
        for n in range(20)
    )
    project.makepyfile(test_own_a=noisy, test_own_b=noisy)
    result = run("-rP")
    result.assert_outcomes(passed=40)
    for name in "ab":
        for number in range(20):
            assert result.stdout.str().count(f"kept of test_own_{name} {number}\n") == 1


def test_output_without_capture_is_not_lost(project: Any, run: Run) -> None:
    project.makepyfile(test_own="def test_it(): print('seen at once', end='')")
    assert run("-s").stdout.str().count("seen at once") == 1


def test_system_without_fork_is_refused_with_the_reason(project: Any, run: Run) -> None:
    project.makeconftest(ASKING + "\n    import os\n    del os.fork")
    project.makepyfile(test_own="def test_it(): pass")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_own.py must run in a process of its own, and this system*has no os.fork*"])


def test_preparation_runs_once_in_the_parent(project: Any, run: Run) -> None:
    project.makeconftest(
        ASKING
        + """
    import builtins
    def pytest_before_processes():
        builtins.prepared = getattr(builtins, "prepared", 0) + 1
    """
    )
    same = "import builtins\ndef test_it(): assert builtins.prepared == 1"
    project.makepyfile(test_own_a=same, test_own_b=same)
    run().assert_outcomes(passed=2)


def test_preparation_that_fails_is_told_and_left_to_the_files(project: Any, run: Run) -> None:
    project.makeconftest(ASKING + "\n    def pytest_before_processes(): raise OSError('no such model')")
    project.makepyfile(test_own="def test_it(): pass")
    result = run()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*no such model*"])


@pytest.mark.parametrize("by", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_warning_of_a_class_that_only_the_file_knows_is_told_by_its_name(run: Run, project: Any, by: Any) -> None:
    project.makepyfile(
        test_own="""
        import warnings
        class Odd(UserWarning): pass
        def test_it(): warnings.warn("careful", Odd)
        """
    )
    result = run(*by, plugins=("xdist",))
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*Odd: careful*"])


def test_as_many_processes_run_at_once_as_are_asked_for(
    project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(project.path / "fifo")
    opens = "import os\ndef test_it(): os.close(os.open({path!r}, os.{how}))  # waits for the other end"
    path = str(project.path / "fifo")
    project.makepyfile(
        test_own_a=opens.format(path=path, how="O_WRONLY"), test_own_b=opens.format(path=path, how="O_RDONLY")
    )
    monkeypatch.setenv("MP_TESTCOUNT", "2")
    run().assert_outcomes(passed=2)


def test_one_process_at_a_time_runs_if_that_is_asked_for(
    project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = project.path / "log"
    tells = "\n".join(f"def test_{word}(): open({str(log)!r}, 'a').write('{word} ')" for word in ("begins", "ends"))
    project.makepyfile(test_own_a=tells, test_own_b=tells, test_own_c=tells)
    monkeypatch.setenv("MP_TESTCOUNT", "1")
    run().assert_outcomes(passed=6)
    assert log.read_text() == "begins ends " * 3


@pytest.mark.parametrize("count", ["0", "-1", "two", "1.5"])
def test_a_number_of_processes_that_cannot_be_is_refused(
    project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    project.makepyfile(test_own_a="def test_it(): pass")
    monkeypatch.setenv("MP_TESTCOUNT", count)
    refused = run()
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines([f"*MP_TESTCOUNT={count}: expected how many test processes run at once*"])
