"""The process that tries mutants in a copy of the project: `python worker.py FD {now|later} PYTEST_ARGUMENT...`.

It is started in the copy, by `lane.py`, and holds one end of a connection to it. It forks, so that nothing is imported
twice. As `now` it runs pytest at once, and swaps the code of functions in the children that run the tests. As `later`
it imports what it is told to, which is not the project's, and forks a process that runs pytest for each mutant that
must be there when the project is imported. Either way pytest collects all tests, then takes messages: dictionaries with
`tests`, run in a forked child one after another until one fails. None ends it.
"""

from __future__ import annotations
import __future__

import contextlib
import gc
import importlib
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NoReturn

import pytest
from _pytest.runner import runtestprotocol  # no public way to run a test without reporting it; same in pytest 7 to 9

Pair = tuple[CodeType, CodeType]
_IS_FUNCTION = 0x1  # CO_OPTIMIZED: set in the code of a function, not in that of a module or a class


def compiled(text: str, path: str = "mutant") -> CodeType:
    """Compile a module, or a statement of one; annotations are not evaluated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of `is 1`, say
        code: CodeType = compile(text, path, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
        return code


def meaning(code: CodeType, functions: bool = True) -> tuple[object, ...]:
    """What code does, wherever it stands: equal for two texts that Python compiles to the same.

    Args:
        code: of a module, class or function.
        functions: whether the code of the functions in it counts, or only that they are there.
    """
    constants = tuple(_constant(value, functions) for value in code.co_consts)
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    handlers = code.co_exceptiontable  # type: ignore[attr-defined]  # since Python 3.11; mypy looks as 3.10 would
    return code.co_name, code.co_code, handlers, constants, counts, names


def _constant(value: object, functions: bool) -> object:
    if not isinstance(value, CodeType):
        return type(value), repr(value)  # 1 and True are equal, and not the same
    if functions or not value.co_flags & _IS_FUNCTION:
        return meaning(value, functions)
    return value.co_name


def changed_functions(sound: CodeType, mutated: CodeType) -> list[Pair] | None:
    """The functions of a module that differ, as pairs of their code before and after.

    None where the difference is elsewhere, or the code of a function that is there cannot be replaced.
    """
    if meaning(sound, functions=False) != meaning(mutated, functions=False):
        return None
    pairs = [pair for pair in _pairs(sound, mutated) if meaning(pair[0]) != meaning(pair[1])]
    if any(before.co_freevars != after.co_freevars for before, after in pairs):
        return None
    return pairs


def _pairs(sound: CodeType, mutated: CodeType) -> Iterator[Pair]:
    """The functions in two pieces of code, side by side; without what is in those whose insides do not match."""
    inner = [[code for code in side.co_consts if isinstance(code, CodeType)] for side in (sound, mutated)]
    if [code.co_name for code in inner[0]] != [code.co_name for code in inner[1]]:
        return
    for before, after in zip(*inner):
        if before.co_flags & _IS_FUNCTION:
            yield before, after
        yield from _pairs(before, after)


class Session:
    """A pytest plugin that, instead of running all tests, runs those that it is asked for, in forked children."""

    def __init__(self, connection: Connection, measured: Measured | None = None) -> None:
        self.connection = connection
        self.measured = measured
        self.has_served = False
        self.child = 0
        self.items: dict[str, pytest.Item] = {}
        self.functions: dict[tuple[str, str, int], list[FunctionType]] = {}

    def pytest_collection(self) -> None:
        """Make hypothesis repeatable, before a test is imported that asks for its settings."""
        _repeat_hypothesis()

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_wants_process_per_file(self) -> bool:
        """A child is forked for each file here."""
        return False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take messages until one is None."""
        if session.testsfailed:
            return True
        self.has_served = True
        self.items = {item.nodeid: item for item in session.items}
        imported = {}
        if self.measured:  # otherwise it is for one mutant, and perhaps for one test
            self._warm_up(session.config)
            imported = self.measured.stop()
        self.connection.send({"tests": list(self.items), "modules": _modules_from_elsewhere(), "imported": imported})
        while (message := self.connection.recv()) is not None:
            self.connection.send(self._run(**message))
        return True

    def _warm_up(self, config: pytest.Config) -> None:
        """Do what all children would do; remember the functions of the project."""
        if hasattr(config.hook, "pytest_before_processes"):
            config.hook.pytest_before_processes(config=config)
        here = os.getcwd() + os.sep
        for function in gc.get_objects():
            if type(function) is FunctionType and function.__code__.co_filename.startswith(here):
                self.functions.setdefault(_place(function.__code__), []).append(function)
        gc.collect()
        gc.freeze()  # or the first collection in a child would copy all that is here

    def _run(
        self,
        tests: list[str],
        limits: list[float],
        swap: tuple[str, str, str] | None,
        goes_on: bool,
        measures: bool,
    ) -> dict[str, Any]:
        """Run tests in a child.

        Args:
            tests: their names, all of one file.
            limits: seconds that each may take.
            swap: the path of a module, its text, and its text with the mutant in it, where that is to be put in now.
            goes_on: run all; otherwise the first failure is the end.
            measures: say which lines of the package each has run, and which have started other processes.

        Returns:
            What came of them, as dictionaries by name: `seconds`, `failed` with the reason, `covered`; `hung`, the name
            of the one that did; `forks`, the names of those that started processes.
        """
        reader, writer = Pipe(duplex=False)
        self.child = os.fork()
        if self.child == 0:
            reader.close()
            self._be_child(writer, [self.items[name] for name in tests], swap, measures)
        writer.close()
        outcome: dict[str, Any] = {"seconds": {}, "failed": {}, "hung": None, "covered": {}, "forks": []}
        for name, limit in zip(tests, limits):
            if not self._receive(reader, name, limit, outcome) or (outcome["failed"] and not goes_on):
                break
        self._end_child()
        return outcome

    def _receive(self, reader: Connection, name: str, limit: float, outcome: dict[str, Any]) -> bool:
        """Wait for what came of one test; whether the child lives."""
        if not reader.poll(limit):
            outcome["hung"] = name
            return False
        try:
            seconds, failure, covered, forks = reader.recv()
        except EOFError:
            outcome["failed"][name] = "the process died"
            return False
        outcome["seconds"][name] = seconds
        outcome["covered"][name] = covered
        outcome["forks"] += [name] * forks
        if failure:
            outcome["failed"][name] = failure
        return True

    def _end_child(self) -> None:
        """End the child, and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        self.child = 0

    def be_ended(self, _number: int, _frame: FrameType | None) -> NoReturn:
        """End this process as soon as a signal comes."""
        if self.child:
            self._end_child()
        os._exit(1)

    def _be_child(
        self, writer: Connection, items: list[pytest.Item], swap: tuple[str, str, str] | None, measures: bool
    ) -> NoReturn:
        """Run the tests and end the process, whatever happens."""
        global _has_forked
        _has_forked = False
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            self._take_own_capture(items[0].config)
            _claim_process_for(items[0].path)
            if swap:
                self._swap(*swap)
            measured = Measured() if measures else None
            for item, following in zip(items, [*items[1:], None]):
                writer.send(_outcome_of(item, following, measured))
        finally:
            os._exit(0)

    def _take_own_capture(self, config: pytest.Config) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.stop_global_capturing()
            capture.start_global_capturing()

    def _swap(self, path: str, sound: str, mutated: str) -> None:
        """Put the code of a mutant into the functions that are there."""
        pairs = changed_functions(compiled(sound, path), compiled(mutated, path))
        assert pairs is not None
        for before, after in pairs:
            for function in self.functions.get(_place(before), ()):
                function.__code__ = after


class Measured:
    """Which lines of the package are run, by test; measured from its creation on."""

    def __init__(self) -> None:
        from coverage import Coverage

        self._coverage = Coverage(data_file=None, include=[os.environ["MUTANTS_PACKAGE"] + "/*"], config_file=False)
        self._coverage.set_option("run:core", "ctrace")  # the one that can tell tests from one another
        self._coverage.start()

    def switch(self, test: str) -> None:
        """Count what follows as run by a test."""
        self._coverage.switch_context(test)

    def stop(self) -> dict[str, list[int]]:
        """Return all lines that were run, by file."""
        self._coverage.stop()
        return self._lines()

    def of(self, test: str) -> dict[str, list[int]]:
        """Return the lines that a test has run so far."""
        self._coverage.switch_context("")  # writes what is known
        return self._lines(test)

    def _lines(self, test: str | None = None) -> dict[str, list[int]]:
        data = self._coverage.get_data()
        data.set_query_context(test) if test else data.set_query_contexts(None)
        return {path: data.lines(path) or [] for path in data.measured_files()}


_has_forked = False


def _outcome_of(
    item: pytest.Item, following: pytest.Item | None, measured: Measured | None
) -> tuple[float, str, dict[str, list[int]], bool]:
    """Run a test; return its seconds, why it failed, and if that is measured its lines and whether it forked."""
    global _has_forked
    if measured:
        measured.switch(item.nodeid)
    began = time.monotonic()
    try:
        reports = runtestprotocol(item, log=False, nextitem=following)
        failure = "\n".join(report.longreprtext or "failed" for report in reports if report.failed)
    except BaseException as error:  # pytest.exit, KeyboardInterrupt
        failure = repr(error)
    seconds = time.monotonic() - began
    forked, _has_forked = _has_forked, False
    return seconds, failure, measured.of(item.nodeid) if measured else {}, forked


def _notice_forks(event: str, _arguments: tuple[Any, ...]) -> None:
    """An audit hook: what runs in another process is not measured."""
    global _has_forked
    if event in ("os.fork", "os.posix_spawn", "subprocess.Popen"):
        _has_forked = True


def _place(code: CodeType) -> tuple[str, str, int]:
    name: str = code.co_qualname  # type: ignore[attr-defined]  # since Python 3.11; mypy looks as 3.10 would
    return code.co_filename, name, code.co_firstlineno


def _claim_process_for(path: Path) -> None:
    """Let tests that want a process of their own know that this is one."""
    plugin = sys.modules.get("tests.process_per_file")
    if plugin is not None:
        plugin._file_of_this_process = path  # type: ignore[attr-defined]


def _repeat_hypothesis() -> None:
    """Few examples, the same ones each time, and nothing made smaller: that it fails is enough."""
    if "hypothesis" in sys.modules:
        from hypothesis import Phase, settings

        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            max_examples=int(os.environ["MUTANTS_EXAMPLES"]),
        )
        settings.load_profile("mutants")


def _modules_from_elsewhere() -> list[str]:
    """The modules that are imported by now and are not of this project."""
    here = os.getcwd() + os.sep
    names = [name for name, module in sys.modules.items() if not _file_of(module).startswith(here)]
    return [name for name in names if not name.startswith("__")]


def _file_of(module: object) -> str:
    return str(getattr(module, "__file__", None) or "")


def _serve(connection: Connection, options: list[str], measures: bool) -> None:
    """Run pytest; say so where it did not come to the tests."""
    session = Session(connection, Measured() if measures else None)
    signal.signal(signal.SIGTERM, session.be_ended)
    code = pytest.main(options, plugins=[session])
    sys.stdout.flush()
    if not session.has_served:
        connection.send({"broken": f"pytest ended with {code!r} before any test"})


def _serve_each(connection: Connection, options: list[str]) -> None:
    """Import modules, then fork a process that serves each time one is asked for."""
    for name in connection.recv():
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while connection.recv() is not None:
        child = os.fork()
        if child == 0:
            try:
                _serve(connection, options, measures=False)
            finally:
                os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            connection.send({"broken": "the process died"})


def main(descriptor: str, when: str, *options: str) -> None:
    """Serve whoever holds the other end."""
    sys.path.insert(0, os.getcwd())
    sys.addaudithook(_notice_forks)
    connection = Connection(int(descriptor))
    with contextlib.suppress(EOFError):
        if when == "now":
            _serve(connection, list(options), measures=True)
        else:
            _serve_each(connection, list(options))


if __name__ == "__main__":
    main(*sys.argv[1:])
