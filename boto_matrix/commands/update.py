"""`python -m boto_matrix update`: bring matrix.yaml up to date with the package index, and say what changed and why."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from packaging.version import Version
from rich.console import Console

from boto_matrix import PROJECT
from boto_matrix.machine.files import write_whole
from boto_matrix.matrix.load import load_matrix, parse_matrix
from boto_matrix.releases.index import index_from_environment
from boto_matrix.results.files import newest_first
from boto_matrix.surface.declaration import PACKAGES, PYTHON, Declaration, declaration_of
from boto_matrix.surface.examine import examine
from boto_matrix.surface.record import PATH, SurfaceRecord, read_record, write_record
from boto_matrix.update.refresh import Refreshed, history_of, refresh

_COOLDOWN = 48.0  # hours: most releases that are taken back are taken back sooner
_RELEASED = [package for package in PACKAGES if package != PYTHON]  # on the index


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if something would change")
    parser.add_argument(
        "--cooldown",
        type=_hours,
        default=_COOLDOWN,
        metavar="HOURS",
        help="leave out releases younger than this (default: %(default)g)",
    )


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Edit matrix.yaml and surface.json.

    Returns:
        0; with --check, 1 if there is something to change.

    Raises:
        IndexUnavailable: the index cannot be asked. Nothing has been written.
        NoSuchRelease: it does not have a release that it lists.
        MatrixError: matrix.yaml is wrong.
        SurfaceError: surface.json is damaged.

    """
    path = PROJECT / "matrix.yaml"
    load_matrix(path)  # every mistake is told before the network is asked
    text, known = path.read_text(encoding="utf-8"), read_record()
    until = datetime.now(timezone.utc) - timedelta(hours=arguments.cooldown)
    index = index_from_environment(until=until)
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    found = {one: examine(one, known, index) for one in map(declaration_of, _RELEASED)}
    record = _recorded(known, found)
    with Console(stderr=True).status("asking which pairs fit"):
        history = history_of(newest_first(PROJECT / "results"))
        refreshed = refresh(text, index, found[declaration_of("botocore")], history)
    parse_matrix(refreshed.text, str(path))
    news = [line for one in found for line in _new_classes(one, known, record)]
    _say(refreshed, news, until, console, is_check=arguments.check)
    if arguments.check:
        return int(bool(refreshed.changes or news))
    if refreshed.changes:
        write_whole(refreshed.text, path, mode=path.stat().st_mode)
    if record != known:
        write_record(record)
    return 0


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 <= hours < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of hours; expected 0 or more")
    return hours


def _recorded(record: SurfaceRecord, found: Mapping[Declaration, Mapping[Version, str]]) -> SurfaceRecord:
    """Add what was found, and keep what is known of releases that are too young for this update."""
    for declaration, fingerprints in found.items():
        newest = max(fingerprints, default=Version(declaration.oldest))
        known = record.of(declaration).fingerprints()
        young = {version: fingerprint for version, fingerprint in known.items() if version > newest}
        record = record.with_releases(declaration, {**fingerprints, **young})
    return record


def _new_classes(declaration: Declaration, old: SurfaceRecord, new: SurfaceRecord) -> list[str]:
    known = {one.fingerprint for one in old.of(declaration).classes()}
    return [
        f"{declaration.package} {one.releases[0]} begins a surface class that was not known ({one.fingerprint})"
        for one in new.of(declaration).classes()
        if one.fingerprint not in known
    ]


def _say(refreshed: Refreshed, news: Sequence[str], until: datetime, console: Console, *, is_check: bool) -> None:
    for line in [*refreshed.changes, *refreshed.remarks, *news]:
        console.print(line, markup=False)
    if not refreshed.changes:
        console.print(f"matrix.yaml is up to date with the releases until {until:%Y-%m-%d %H:%M} UTC.", markup=False)
    elif is_check:
        console.print("Nothing is written. `python -m boto_matrix update` does it.", markup=False)
    else:
        console.print(f"Written to matrix.yaml{' and ' + PATH.name if news else ''}.", markup=False)
