"""A pytest plugin: each file of the directories that ask for it runs in a forked process of its own.

What a test file does to its process (patching botocore, say) stays in that process. The parent imports the heavy
modules once, forks a child for each file, up to one per processor at a time (or what the environment variable
MP_TESTCOUNT says), and hands the children's reports to pytest as if the tests had run in the parent: selection, order,
``-x``, ``--lf``, and every reporter work as ever. It takes pytest's own loop, so pytest-xdist may drive it too: a
worker forks for the files it is given.

A directory asks in its conftest.py, by the hooks of this plugin::

    def pytest_wants_process_per_file(item):
        return True

The stand-ins for a test that did not finish, since its process died, have ``report.crashed = True``.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
import warnings
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _pytest.runner import runtestprotocol  # no public way to run a test without reporting it; same in pytest 7 to 9

_file_of_this_process: Path | None = None


def file_of_this_process() -> Path | None:
    """The test file that this process was forked for; None in a process that no file has to itself."""
    return _file_of_this_process


class Hooks:
    """What a conftest.py, or another plugin, may implement."""

    @pytest.hookspec(firstresult=True)
    def pytest_wants_process_per_file(self, item: pytest.Item) -> bool | None:
        """Return True if the file of this item is to run in a process of its own."""

    def pytest_before_processes(self, config: pytest.Config) -> None:
        """Run once in the parent before the first fork: import and warm what all children need."""

    def pytest_process_finished(self, path: Path, seconds: float, cpu_seconds: float, death: str | None) -> None:
        """Hear of the end of a file's process; death says how it died before its tests were done."""


class FileProcess:
    """The tests of one file, running in a child, and what is known of them so far."""

    def __init__(self, path: Path, items: list[pytest.Item]) -> None:
        self.path = path
        self.items = items
        self.reports: dict[int, list[pytest.TestReport]] = {}
        self.running: int | None = None
        self.ended_the_run: BaseException | None = None
        self.pid = 0

    def start(self, plugin: ProcessPerFile) -> None:
        """Fork; the child runs the tests and never returns from here."""
        self.reader, writer = Pipe(duplex=False)
        sys.stdout.flush()  # or the child would write it again
        sys.stderr.flush()
        self.started = time.monotonic()
        with warnings.catch_warnings():
            # Python 3.12 warns of threads. There are none but pytest-xdist's, which the child never touches.
            warnings.simplefilter("ignore", DeprecationWarning)
            gc.freeze()  # or the first collection in the child would go through all that the parent has imported
            self.pid = os.fork()
        if self.pid == 0:
            self.reader.close()
            Child(plugin, self, writer).run()
        writer.close()

    @property
    def is_reported(self) -> bool:
        """Whether each test has its reports."""
        return len(self.reports) == len(self.items)

    def kill(self) -> None:
        """End the child at once; it holds nothing that is wanted."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.reader.close()

    def reap(self) -> tuple[float, float, str]:
        """Wait for the child; return its wall and CPU time in seconds, and how it ended."""
        self.reader.close()
        _, status, usage = os.wait4(self.pid, 0)
        return time.monotonic() - self.started, usage.ru_utime + usage.ru_stime, _how_it_ended(status)

    def fill_in_for_the_dead(self, death: str) -> None:
        """Give each test that has no report one that says what became of it."""
        nobody = len(self.items) - 1 if self.running is None else self.running
        culprit = self.items[nobody]
        for index, item in enumerate(self.items):
            if index == nobody:
                self.reports[index] = [_crashed(item, f"The process of this file {death}, in this test.")]
            elif index not in self.reports:
                text = f"Not run: the process of this file {death}, in {culprit.nodeid}."
                self.reports[index] = [_crashed(item, text)]


class Child:
    """What happens in the forked child: run each test, send each report."""

    def __init__(self, plugin: ProcessPerFile, process: FileProcess, writer: Connection) -> None:
        self.plugin = plugin
        self.config = plugin.config
        self.items = process.items
        self.path = process.path
        self.writer = writer

    def run(self) -> NoReturn:
        """Run the tests and end the process, whatever happens."""
        global _file_of_this_process
        _file_of_this_process = self.path
        self.plugin.child = self
        gc.set_threshold(50_000)  # a child does not live long enough for its garbage to matter
        try:
            self._take_own_capture()
            self._leave_xdist()
            for index, item in enumerate(self.items):
                self.writer.send(("running", index))
                following = self.items[index + 1] if index + 1 < len(self.items) else None
                self.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.writer.send(("done", None))
        except KeyboardInterrupt:
            self.writer.send(("ended the run", None))
        except pytest.exit.Exception as stop:
            self.writer.send(("ended the run", (stop.msg, stop.returncode)))
        except BaseException:
            self.writer.send(("broken", traceback.format_exc()))
        finally:
            sys.stdout.flush()  # what was printed under -s
            sys.stderr.flush()
            os._exit(0)

    def _leave_xdist(self) -> None:
        """A worker of pytest-xdist speaks over a channel that is its own: a child that used it would garble it."""
        for plugin in self.config.pluginmanager.get_plugins():
            if type(plugin).__name__ == "WorkerInteractor":
                self.config.pluginmanager.unregister(plugin)

    def run_test(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Run one test and send its reports instead of making them known here."""
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        to_data = self.config.hook.pytest_report_to_serializable
        self.writer.send(("reports", [to_data(config=self.config, report=report) for report in reports]))

    def send_warning(self, warning: warnings.WarningMessage, **where: Any) -> None:
        """Send a warning as plain values: its class may not exist in the parent."""
        category = warning.category
        what = (category.__module__, category.__name__, str(warning.message), warning.filename, warning.lineno)
        self.writer.send(("warning", (what, where)))

    def _take_own_capture(self) -> None:
        """Capture into files of this child: the inherited ones share their position with every other child."""
        capture = self.config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.stop_global_capturing()
            capture.start_global_capturing()


class ProcessPerFile:
    """The plugin: in the parent it forks and relays, in a child it runs and sends."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.child: Child | None = None
        self.processes: dict[Path, FileProcess] = {}
        self.position: dict[pytest.Item, tuple[FileProcess, int]] = {}
        self.waiting: list[FileProcess] = []
        self.running: list[FileProcess] = []
        self.warm = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Find the files that ask for a process, put them first, and refuse where there is no fork."""
        for item in session.items:
            if item.ihook.pytest_wants_process_per_file(item=item):
                process = self.processes.setdefault(item.path, FileProcess(item.path, []))
                self.position[item] = (process, len(process.items))
                process.items.append(item)
        if self.processes and not hasattr(os, "fork") and not self.config.option.collectonly:
            raise pytest.UsageError(
                f"{min(self.processes)} must run in a process of its own, and this system ({sys.platform}) has no "
                "os.fork: run it where there is one (Linux, macOS, WSL), or leave its directory out."
            )
        _at_once()  # what is wrong with it is said before any test runs
        if not hasattr(self.config, "workerinput"):  # an xdist worker learns only on the way which files are its own
            self.waiting = list(self.processes.values())
            # A child begins with what the parent is when it forks: fork before any test has run there.
            session.items.sort(key=lambda item: item not in self.position)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a test here if this is a child; if its file has a child, report what happened there."""
        if self.child is not None:
            self.child.run_test(item, nextitem)
            return True
        if item not in self.position:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._await_reports(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        """Pass a child's warnings on."""
        if self.child is not None:
            self.child.send_warning(warning_message, when=when, nodeid=nodeid, location=location)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """End the children that -x, an interrupt or an error has left over."""
        while self.running:
            self.running.pop().kill()

    def _await_reports(self, item: pytest.Item) -> list[pytest.TestReport]:
        process, index = self.position[item]
        if process.pid == 0 and process not in self.waiting:
            self.waiting.append(process)
        # After its last test a process is awaited too: it may yet die in what it tears down.
        while index not in process.reports or (process.is_reported and process in self.running):
            if process.ended_the_run is not None:
                raise process.ended_the_run
            self._start_what_fits()
            for reader in wait([running.reader for running in self.running]):
                self._receive(next(running for running in self.running if running.reader is reader))
        return process.reports[index]

    def _start_what_fits(self) -> None:
        if not self.warm:
            self.warm = True
            self._prepare()
        while self.waiting and len(self.running) < _at_once():
            process = self.waiting.pop(0)
            process.start(self)
            self.running.append(process)

    def _prepare(self) -> None:
        """Do once what each child would have to do."""
        _make_base_temporary_directory(self.config)
        try:
            self.config.hook.pytest_before_processes(config=self.config)
        except Exception as error:
            # It only saves time: what is broken shows in the tests, as their failure.
            warnings.warn(pytest.PytestWarning(f"Each file prepares for itself, since {error!r}"), stacklevel=1)

    def _receive(self, process: FileProcess) -> None:
        """Take the next message of a child."""
        try:
            kind, content = process.reader.recv()
        except EOFError:
            return self._finish(process, died=True)
        if kind == "running":
            process.running = content
        elif kind == "reports":
            assert process.running is not None
            from_data = self.config.hook.pytest_report_from_serializable
            process.reports[process.running] = [from_data(config=self.config, data=data) for data in content]
            process.running = None
        elif kind == "warning":
            self._repeat_warning(*content)
        elif kind == "done":
            self._finish(process, died=False)
        elif kind == "broken":
            self._finish(process, died=True, why=f"ended with\n{content}")
        elif kind == "ended the run":
            # Not now: in an ordinary run this would happen after what comes before this file.
            process.ended_the_run = KeyboardInterrupt() if content is None else pytest.exit.Exception(*content)
            self.running.remove(process)
            process.reap()
        return None

    def _finish(self, process: FileProcess, died: bool, why: str | None = None) -> None:
        self.running.remove(process)
        seconds, cpu_seconds, ending = process.reap()
        death = (why or ending) if died else None
        if death is not None:
            process.fill_in_for_the_dead(death)
        self.config.hook.pytest_process_finished(
            path=process.path, seconds=seconds, cpu_seconds=cpu_seconds, death=death
        )

    def _repeat_warning(self, what: tuple[str, str, str, str, int], where: dict[str, Any]) -> None:
        module, name, text, filename, line = what
        category = getattr(sys.modules.get(module), name, None)
        if not isinstance(category, type) or not issubclass(category, Warning):  # pytest-xdist looks it up, as we do
            category, text = pytest.PytestWarning, f"{name}: {text}"
        message = warnings.WarningMessage(category(text), category, filename, line)
        self.config.hook.pytest_warning_recorded.call_historic(kwargs={"warning_message": message, **where})


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let conftest files speak to this plugin."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Begin."""
    config.pluginmanager.register(ProcessPerFile(config), "process_per_file")


def _at_once() -> int:
    """How many processes run at once: MP_TESTCOUNT, or one more than fit, since there is always one that waits."""
    asked = os.environ.get("MP_TESTCOUNT", "").strip()
    if not asked:
        return _processors() + 1
    if not (asked.isdecimal() and asked.isascii() and int(asked)):
        raise pytest.UsageError(f"MP_TESTCOUNT={asked}: expected how many test processes run at once, a number from 1")
    return int(asked)


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _make_base_temporary_directory(config: pytest.Config) -> None:
    """Make the directory of tmp_path before the first fork: all children then share it."""
    factory = getattr(config, "_tmp_path_factory", None)  # None under -p no:tmpdir
    if factory is not None:
        factory.getbasetemp()


def _crashed(item: pytest.Item, text: str) -> pytest.TestReport:
    keywords: dict[str, Any] = dict.fromkeys(item.keywords, 1)
    return pytest.TestReport(item.nodeid, item.location, keywords, "failed", text, "call", crashed=True)


def _how_it_ended(status: int) -> str:
    """How a child ended, from the status that waiting for it gave."""
    if os.WIFSIGNALED(status):
        return f"was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exited with code {os.WEXITSTATUS(status)}"
