"""What is wrong with a file that should be the results of a run, said to someone who never heard of pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

_LONGEST_VALUE = 60

_WHAT_TO_DO = {
    "cut short": "It was cut short: restore it from where it came from, or run the cells again",
    "damaged": "It is damaged: restore it from where it came from, or run the cells again",
    "foreign": "Name the results of a run: what `make matrix` writes to results/*.json (docs/results.md)",
    "newer": "It was written by a newer boto_matrix: update this one, or use that one",
    "never": "No release wrote that: restore the file from where it came from, or run the cells again",
}


def wrong_format(path: Path, found: int, known: int) -> str:
    """Say that a file is of a format that this release cannot read."""
    advice = _WHAT_TO_DO["newer" if found > known else "never"]
    return f"{path}: is of format {found}; this boto_matrix reads format {known}. {advice}"


def not_results(path: Path, error: ValidationError) -> str:
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
