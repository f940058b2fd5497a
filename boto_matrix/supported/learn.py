"""Knowledge out of matrix.yaml, surface.json and the results of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from packaging.version import InvalidVersion, Version

from boto_matrix.blame.rules import Culprit, blame_cell
from boto_matrix.matrix.cells import Cell, Matrix
from boto_matrix.matrix.numbering import LATEST
from boto_matrix.releases.override import FromIndex, RequestError, read_override
from boto_matrix.results.merge import merge, origin_of
from boto_matrix.results.model import CellResult, Outcome, RunResult, SetOutcome
from boto_matrix.supported.knowledge import Answer, Knowledge, KnownCell

_MATTERS = (Culprit.PATCH, Culprit.BOTOCORE, Culprit.INTERPRETER)  # what is asked about: this patch on this botocore
_DOUBTFUL = (*_MATTERS, Culprit.UNKNOWN)


def learn(matrix: Matrix, surfaces: Mapping[Version, str], runs: Iterable[RunResult]) -> Knowledge:
    """Put together what is known.

    Args:
        matrix: the pins.
        surfaces: the fingerprint of each examined botocore.
        runs: their results. Those of a boto3 or botocore that did not come from an index are left out: a checkout can
            call itself what it wants.

    """
    bare = Knowledge(matrix, surfaces, ())
    found = list(_newest_of_each(_cells(runs)))
    ran = {(cell.name, cell.pin.botocore) for cell, _ in found if cell.outcome is not Outcome.NOT_RUN}
    known = [_known(cell, started, bare) for cell, started in found]
    left = [_not_run(cell, bare) for cell in matrix.cells if (cell.name, cell.pin.botocore) not in ran]
    return Knowledge(matrix, surfaces, [one for one in (*known, *left) if one is not None])


def _cells(runs: Iterable[RunResult]) -> Iterator[tuple[CellResult, datetime]]:
    """Give the cells of all runs, and when each was run; those with the same overrides are merged."""
    by_overrides: dict[tuple[tuple[str, str], ...], list[RunResult]] = {}
    for run in runs:
        by_overrides.setdefault(tuple(sorted(run.overrides.items())), []).append(run)
    for overrides, alike in by_overrides.items():
        if all(_is_of_an_index(name, value) for name, value in overrides):
            merged = merge(alike, "")  # of one run, too: what a cell left to another one is judged there
            for cell in merged.cells:
                yield cell, origin_of(cell, merged).started


def _is_of_an_index(variable: str, value: str) -> bool:
    try:
        return isinstance(read_override(variable.partition("_")[0].lower(), value), FromIndex)
    except RequestError:
        return False


def _newest_of_each(cells: Iterable[tuple[CellResult, datetime]]) -> Iterator[tuple[CellResult, datetime]]:
    """Leave out what was run again later with the same packages of interest."""
    found: dict[tuple[str | None, ...], list[tuple[CellResult, datetime]]] = {}
    for cell, started in cells:
        packages = (cell.installed.get(name) for name in ("boto3", "botocore", "urllib3"))
        key = (cell.python, *packages) if cell.installed else (cell.name,)
        found.setdefault(key, []).append((cell, started))
    for alike in found.values():
        whole = [one for one in alike if _answer(one[0]) is not None] or alike
        newest = max(started for _, started in whole)
        yield from (one for one in whole if one[1] == newest)


def _known(cell: CellResult, started: datetime, bare: Knowledge) -> KnownCell | None:
    botocore = _version(cell.installed.get("botocore")) or _version(cell.pin.botocore)
    if botocore is None or cell.outcome is Outcome.NOT_RUN:
        return None
    urllib3 = _version(cell.installed.get("urllib3"))
    found, recorded = cell.surfaces.get("botocore"), bare.surface_of(botocore)
    measured = found.fingerprint if found is not None else None
    is_as_recorded = measured is None or recorded is None or measured == recorded
    return KnownCell(
        name=cell.name,
        python=cell.python,
        botocore=botocore,
        surface=recorded or measured,
        urllib3=urllib3.major if urllib3 is not None else None,
        answer=_answer(cell) if is_as_recorded else None,
        story=_story(cell, started) + ("" if is_as_recorded else ", with another surface than surface.json has"),
        ran=not cell.outcome.is_skipped,
    )


def _not_run(cell: Cell, bare: Knowledge) -> KnownCell | None:
    if cell.pin.botocore == LATEST:
        return None
    botocore = Version(cell.pin.botocore)
    return KnownCell(cell.name, cell.python, botocore, bare.surface_of(botocore), None, None, "was not run", ran=False)


def _answer(cell: CellResult) -> Answer | None:
    if cell.outcome is Outcome.PASSED:
        return Answer.YES if _is_whole(cell) else None
    verdict = blame_cell(cell) if cell.outcome.is_failure else None
    if verdict is None or verdict.culprit not in _DOUBTFUL or cell.outcome is Outcome.INSTALL_FAILED:
        return None
    return Answer.NO if verdict.culprit in _MATTERS else Answer.UNKNOWN


def _is_whole(cell: CellResult) -> bool:
    """Whether all of its tests ran: the four sets, and pytest was told nothing that leaves some out."""
    return set(cell.four_sets) == {SetOutcome.PASSED} and not cell.arguments


def _story(cell: CellResult, started: datetime) -> str:
    day = f"{started:%Y-%m-%d}"
    if cell.outcome is Outcome.PASSED:
        return f"passed on {day}" if _is_whole(cell) else f"passed a part of its tests on {day}"
    if cell.outcome is Outcome.NO_INTERPRETER:
        return f"was not run: there was no Python {cell.python}"
    verdict = blame_cell(cell)
    who = f" ({verdict.culprit.heading[:1].lower()}{verdict.culprit.heading[1:]})" if verdict is not None else ""
    words = {Outcome.INSTALL_FAILED: "could not be installed", Outcome.CRASHED: "crashed"}
    return f"{words.get(cell.outcome, 'failed')} on {day}{who}"


def _version(text: str | None) -> Version | None:
    try:
        return Version(text or "")
    except InvalidVersion:
        return None
