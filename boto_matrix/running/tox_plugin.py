"""The tox hooks: every cell of matrix.yaml becomes a tox environment, and a name that is no cell is refused.

tox loads this before it has provisioned anything. What needs more than tox itself is imported where it is used, and
while it is missing there are no cells: tox then installs what tox.ini requires and starts again.
"""

from __future__ import annotations

import atexit
import difflib
import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tox.config.loader.memory import MemoryLoader
from tox.config.types import EnvList
from tox.plugin import impl
from tox.report import HandledError

from boto_matrix.running.events import end_with_the_run

if TYPE_CHECKING:
    from tox.config.sets import ConfigSet
    from tox.execute import Outcome
    from tox.session.state import State
    from tox.tox_env.api import ToxEnv
    from tox.tox_env.register import ToxEnvRegister

    from boto_matrix.matrix.cells import Matrix
    from boto_matrix.running.cell_environment import CellEnvironment


@impl
def tox_register_tox_env(register: ToxEnvRegister) -> None:
    """Register the kind of environment that cells run in."""
    try:
        from boto_matrix.running.cell_environment import CellEnvironment
    except ModuleNotFoundError:
        return
    register.add_run_env(CellEnvironment)


@impl
def tox_extend_envs() -> Iterable[str]:
    """Name the cells."""
    # tox now makes hundreds of objects for each cell, none of which is garbage. To find that out again and again would
    # take a fifth of the time to list thousands of cells. From when the first cell runs on, there is some.
    # When it ends, Python would look through all of them once more.
    gc.disable()
    atexit.register(gc.freeze)
    matrix = _matrix()
    return [] if matrix is None else [cell.name for cell in matrix.cells]


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:
    """Seed the configuration of every cell, make all of them what a bare `tox` runs, and refuse what is none."""
    matrix = _matrix()
    if matrix is None:
        return
    _refuse_unknown(state, matrix)
    _refuse_settings_of_ours(state)
    _check_overrides()
    end_with_the_run()
    names = [cell.name for cell in matrix.cells]
    # Cells run on the source tree; pytest finds it by `pythonpath` in pyproject.toml.
    core_conf.loaders.insert(0, MemoryLoader(env_list=EnvList(names), no_package=True))
    for cell in matrix.cells:
        # The runner is what tox.ini says, for every name: to read it there for each cell takes a tenth of `tox list`.
        seed = MemoryLoader(description=cell.description, runner="cell")
        state.conf.memory_seed_loaders[cell.name].append(seed)


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Start the clock of a cell's tests."""
    gc.enable()
    if (cell := _as_cell(tox_env)) is not None:
        cell.begin_tests()


@impl
def tox_after_run_commands(tox_env: ToxEnv, exit_code: int, outcomes: list[Outcome]) -> None:  # noqa: ARG001 - tox's names
    """Tell how a cell's tests ended."""
    if (cell := _as_cell(tox_env)) is not None:
        cell.end_tests(outcomes)


def _as_cell(tox_env: ToxEnv) -> CellEnvironment | None:
    from boto_matrix.running.cell_environment import CellEnvironment

    return tox_env if isinstance(tox_env, CellEnvironment) else None


def _matrix() -> Matrix | None:
    try:
        from boto_matrix.matrix.cells import MatrixError
        from boto_matrix.matrix.load import project_matrix
    except ModuleNotFoundError:
        return None
    try:
        return project_matrix()
    except MatrixError as error:
        raise HandledError(str(error)) from error


def _check_overrides() -> None:
    from boto_matrix.errors import UserError
    from boto_matrix.releases.requested import check_overrides

    try:
        check_overrides()
    except UserError as error:
        raise HandledError(str(error)) from error


def _refuse_settings_of_ours(state: State) -> None:
    """Refuse `-x testenv.deps=…` and the like: what is set here goes before it, so that it would do nothing."""
    ours = {
        "deps": "name versions by BOTO3_VERSION, BOTOCORE_VERSION and MOTO_VERSION",
        "env_list": "name cells with -e",
        **dict.fromkeys(("envlist", "no_package", "skipsdist", "runner", "description"), "leave it out"),
    }
    for override in getattr(state.conf.options, "override", None) or []:
        if override.key in ours:
            raise HandledError(f"-x {override}: {override.key} is what matrix.yaml makes it; {ours[override.key]}")


def _refuse_unknown(state: State, matrix: Matrix) -> None:
    """Refuse names and factors that select no cell: tox would run them with nothing pinned, or run nothing at all."""
    _refuse_unknown_names(state, matrix)
    for factors in getattr(state.conf.options, "factors", None) or []:
        _refuse_unknown_factors({factor for given in factors for factor in given.split("-")}, matrix)


def _refuse_unknown_names(state: State, matrix: Matrix) -> None:
    from boto_matrix.matrix.cells import UnknownCell

    selected = getattr(state.conf.options, "env", None)
    mistakes = []
    for name in selected or ():
        try:
            matrix.cell(name)
        except UnknownCell as error:
            mistakes.append(str(error))
    if mistakes:
        raise HandledError("\n".join(mistakes))


def _refuse_unknown_factors(factors: set[str], matrix: Matrix) -> None:
    cells = [set(cell.name.split("-")) for cell in matrix.cells]
    if any(factors <= cell for cell in cells):
        return
    known = sorted(set().union(*cells))
    near = [close for factor in sorted(factors) for close in difflib.get_close_matches(factor, known)]
    advice = f"near it are {', '.join(near)}" if near else "they are a Python and a boto3, such as py311 and boto1.26"
    raise HandledError(f"no cell has the factor {'-'.join(sorted(factors))}: {advice}")
