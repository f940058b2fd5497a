"""The results of runs on the disk: written, read, and what is wrong with a file that should be results and is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from boto_matrix.errors import UserError
from boto_matrix.machine.files import write_whole
from boto_matrix.redaction import redacted
from boto_matrix.results.model import FORMAT, CellReport, RunResult, SetResult

_LONGEST_VALUE = 60

_WHAT_TO_DO = {
    "cut short": "It was cut short: restore it from where it came from, or run the cells again",
    "damaged": "It is damaged: restore it from where it came from, or run the cells again",
    "foreign": "Name the results of a run: what `make matrix` writes to results/*.json (docs/results.md)",
    "newer": "It was written by a newer boto_matrix: update this one, or use that one",
    "never": "No release wrote that: restore the file from where it came from, or run the cells again",
}


class ResultsError(UserError):
    """A file is not the results of a run; the message names the file and says what is wrong with it."""


def write_results(run: RunResult, path: Path) -> None:
    """Put the results in place, whole or not at all.

    Raises:
        ResultsError: they cannot be written there.

    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(run.model_dump_json(indent=1), path)
    except OSError as error:
        raise cannot_be_written(path, error) from error


def cannot_be_written(path: Path, error: OSError) -> ResultsError:
    """Say that a file of a run has no place where it was to go."""
    return ResultsError(f"{path}: cannot be written: {error.strerror}. Name another place for the results")


def read_results(path: Path) -> RunResult:
    """Read the results of a run.

    Raises:
        ResultsError: the file cannot be read, is damaged, or is of a format that this release does not know.

    """
    form = _read(_Format, path).format
    if form != FORMAT:
        raise ResultsError(_wrong_format(path, form, FORMAT))
    return _read(RunResult, path)


def read_cell_report(path: Path) -> CellReport:
    """Read what a cell's tests wrote, without what is secret.

    Raises:
        ResultsError: there is nothing, or it is damaged.

    """
    report = _read(CellReport, path)
    return report.model_copy(update={"sets": {name: _redacted(one) for name, one in report.sets.items()}})


def _redacted(one: SetResult) -> SetResult:
    tests = (test.model_copy(update={"detail": redacted(test.detail)}) if test.detail else test for test in one.tests)
    return one.model_copy(update={"tests": tuple(tests)})


def newest_first(folder: Path) -> Iterator[RunResult]:
    """Read the results in a folder, one after the other, what was written last first.

    What cannot be read is left out, and said to be: results of a release that knew another format, others' files.
    """
    for path in sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True):
        try:
            yield read_results(path)
        except ResultsError as error:
            print(f"left out: {error}", file=sys.stderr)


class _Format(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: int


_Read = TypeVar("_Read", bound=BaseModel)


def _read(model: type[_Read], path: Path) -> _Read:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise ResultsError(_not_results(path, error)) from error


def _wrong_format(path: Path, found: int, known: int) -> str:
    """Say that a file is of a format that this release cannot read."""
    advice = _WHAT_TO_DO["newer" if found > known else "never"]
    return f"{path}: is of format {found}; this boto_matrix reads format {known}. {advice}"


def _not_results(path: Path, error: ValidationError) -> str:
    """Say what is wrong with a file, at which place, and what to do about it."""
    fault = error.errors(include_url=False)[0]
    kind, place = fault["type"], tuple(fault["loc"])
    if kind == "json_invalid":
        reason = str(fault["ctx"]["error"])
        advice = _WHAT_TO_DO["cut short" if reason.startswith("EOF") else "foreign"]
        return f"{path}: is not JSON: {reason}. {advice}"
    if kind == "value_error" and not place:
        return f"{path}: {_lowered(fault['msg'])}. {_WHAT_TO_DO['damaged']}"
    if not place:
        return f"{path}: is {_shown(fault['input'])}, not the results of a run. {_WHAT_TO_DO['foreign']}"
    where = _where(place)
    if kind == "extra_forbidden":
        return f"{path}: {where} is unknown. {_WHAT_TO_DO['newer']}"
    if kind == "missing":
        advice = _WHAT_TO_DO["foreign" if len(place) == 1 else "damaged"]
        return f"{path}: {where} is missing. {advice}"
    return f"{path}: {where} is {_shown(fault['input'])}: {_lowered(fault['msg'])}. {_WHAT_TO_DO['damaged']}"


def _where(place: tuple[str | int, ...]) -> str:
    """Give a place as it is written in most languages: ``cells[3].sets.redirects_patched.outcome``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return f"`{text.lstrip('.')}`"


def _shown(given: object) -> str:
    if isinstance(given, Mapping):
        return "an object"
    if isinstance(given, (list, tuple)):
        return "a list"
    text = repr(given) if given is not None else "null"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _lowered(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
