"""The tox environment of one cell: tox-uv's, on a Python that was found, telling the run what happens in it."""

from __future__ import annotations

import fnmatch
import sys
import threading
from functools import cache, cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tox.config.loader.memory import MemoryLoader
from tox.report import HandledError
from tox.tox_env.errors import Skip
from tox_uv._run import UvVenvRunner  # private, but the one class there is to extend

from boto_matrix.errors import UserError
from boto_matrix.machine.interpreters import Interpreters, how_to_get
from boto_matrix.matrix.load import project_matrix
from boto_matrix.releases.index_settings import for_uv
from boto_matrix.releases.requested import Requested, requested
from boto_matrix.running.bytecode_cache import BytecodeCache
from boto_matrix.running.events import Event, Happened, tell
from boto_matrix.running.once_per_class import covered_by, is_asked_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tox.config.main import Config
    from tox.execute.api import Outcome

# What tox hands on from the user's environment so that packages can be installed. Tests of an S3 client must not see
# it: a proxy or a bundle of certificates changes what the client does.
_FOR_THE_INSTALL = (
    "*_PROXY", "*CA_BUNDLE", "SSL_CERT_*", "NETRC", "PIP_*", "UV_*", "SSH_*", "PKG_CONFIG*", "PYTHON_GIL"
)  # fmt: skip
_TAIL = 20_000  # characters of output that are worth keeping

_interpreters = cache(Interpreters)


class _Requirements(MemoryLoader):
    """The `deps` of a cell, worked out when they are first needed: `latest` takes a question to the package index."""

    def __init__(self, environment: CellEnvironment) -> None:
        super().__init__(deps=None)
        self._environment = environment

    def load_raw(self, key: str, conf: Config | None, env_name: str | None) -> object:
        super().load_raw(key, conf, env_name)  # raises KeyError for all that is not deps
        return list(self._environment.requested.requirements)


class CellEnvironment(UvVenvRunner):
    """An environment that runs exactly one cell."""

    _uv: ClassVar[str | None] = None
    _last: Outcome | None = None
    _is_installed = False
    _is_new = False
    _timer: threading.Timer | None = None
    _timed_out = False

    @staticmethod
    def id() -> str:
        """Give the name of this runner in tox's configuration."""
        return "cell"

    def register_config(self) -> None:
        """Add what a cell can be told in tox.ini beside tox's own keys."""
        super().register_config()
        self.conf.add_config(
            "tests_timeout", of_type=float, default=900.0, desc="seconds after which the tests are ended as hung"
        )
        self.conf.loaders.insert(0, _Requirements(self))

    def env_version_spec(self) -> str:
        """Give uv the very Python that was found, so that it neither searches nor downloads.

        Raises:
            Skip: there is none of this version.

        """
        python = self.base_python.version_dot
        interpreter = _interpreters().find(python)
        if interpreter is None:
            tell(Event(self.name, Happened.NO_INTERPRETER))
            _say_once(f"there is no Python {python} on this machine; {how_to_get(python)}")
            raise Skip(f"there is no Python {python}")
        return str(interpreter.path)

    @cached_property
    def requested(self) -> Requested:
        """What is to be installed in this cell, in numbers.

        Raises:
            HandledError: that cannot be said; or this is no cell, and must not run, for nothing pins its packages.

        """
        try:
            return requested(project_matrix().cell(self.name))
        except UserError as error:
            raise HandledError(str(error)) from error

    @property
    def uv(self) -> str:
        """The path of uv, looked for once: to look for each of thousands of cells would take a third of `tox list`."""
        if CellEnvironment._uv is None:
            CellEnvironment._uv = super().uv
        return CellEnvironment._uv

    def setup(self) -> None:
        """Create the environment, or find it as it must be."""
        tell(Event(self.name, Happened.STARTED))
        try:
            super().setup()
        except Skip:
            raise
        except (Exception, SystemExit) as error:
            tell(Event(self.name, Happened.INSTALL_FAILED, text=self._why(error)))
            raise
        self._is_installed = True
        self._is_new = self._last is not None  # to find all as it must be takes no command
        if self._is_new:
            self._bytecode.restore(self.env_site_package_dir())
        found = _installed(self.env_site_package_dir())
        tell(Event(self.name, Happened.INSTALLED, requested=self.requested.versions, installed=found))

    def _why(self, error: BaseException) -> str:
        if isinstance(error, SystemExit) and self._last is not None:
            return f"{self._last.out}{self._last.err}"[-_TAIL:]
        return str(error)

    def execute(self, *arguments: Any, **options: Any) -> Outcome:
        """Run a command in the environment, as tox does, and remember how it went."""
        self._last = super().execute(*arguments, **options)
        return self._last

    @property
    def environment_variables(self) -> dict[str, str]:
        """The next command's variables: an install's with pip's index for uv, the tests' without what is not theirs."""
        variables: dict[str, str] = super().environment_variables
        if not self._is_installed:
            return {**variables, **for_uv()}
        return {**_without(_FOR_THE_INSTALL, variables), **self._cell_variables()}

    def _cell_variables(self) -> dict[str, str]:
        return {
            "HOME": str(self.env_tmp_dir),  # the user's holds ~/.aws and ~/.netrc
            "CELL_RESULTS": str(self.results),
            "CELL_LEAVES_OUT": " ".join(self._covered_by),
            **{f"CELL_{package.upper()}": version for package, version in self.requested.versions.items()},
        }

    @cached_property
    def _covered_by(self) -> dict[str, str]:
        """The sets that another cell runs in the stead of this one, and that cell."""
        return covered_by(self.name) if is_asked_for() else {}

    @cached_property
    def _bytecode(self) -> BytecodeCache:
        return BytecodeCache(f"cpython-{self.base_python.version_no_dot}")

    @property
    def results(self) -> Path:
        """The file that the tests write their results to."""
        return self.env_tmp_dir / "results.json"

    def begin_tests(self) -> None:
        """Start the clock of the tests: a hung one is interrupted, which ends it at the latest by SIGKILL."""
        self.results.unlink(missing_ok=True)
        self._timer = threading.Timer(self.conf["tests_timeout"], self._time_out)
        self._timer.daemon = True
        self._timer.start()

    def _time_out(self) -> None:
        self._timed_out = True
        self.interrupt()

    def end_tests(self, outcomes: Sequence[Outcome]) -> None:
        """Stop the clock and tell how the tests ended."""
        if self._timer is not None:
            self._timer.cancel()
        if self._is_new:
            self._bytecode.keep(self.env_site_package_dir())
        last = outcomes[-1] if outcomes else None
        tell(
            Event(
                self.name,
                Happened.ENDED,
                text=f"{last.out}{last.err}"[-_TAIL:] if last is not None else "",
                exit_code=last.exit_code if last is not None else None,  # an outcome that failed is falsy
                timed_out=self._timed_out,
                results=str(self.results),
                covered_by=self._covered_by,
            )
        )


def _installed(site_packages: Path) -> dict[str, str]:
    """Give the version of each installed package, as tests/cell_report.py does; but a test may die before it can."""
    found = ((one.metadata["Name"], one.version) for one in distributions(path=[str(site_packages)]))
    return dict(sorted((name.lower(), version) for name, version in found if name))


@cache
def _say_once(sentence: str) -> None:
    """Say it past tox, which drops what a skipped environment says when it runs several at once."""
    print(sentence, file=sys.__stderr__)


def _without(patterns: Sequence[str], variables: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if not any(fnmatch.fnmatchcase(name.upper(), pattern) for pattern in patterns)
    }
