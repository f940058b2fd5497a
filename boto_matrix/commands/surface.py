"""`python -m boto_matrix surface`: what the patch and the mock stand on, in which release it changed, and how."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from packaging.version import InvalidVersion, Version
from rich.console import Console
from rich.text import Text

from boto_matrix.releases.index import index_from_environment
from boto_matrix.surface.declaration import PACKAGES, PYTHON, Declaration, declaration_of
from boto_matrix.surface.examine import examine, examine_pythons, neighbours_that_differ
from boto_matrix.surface.fingerprint import Surface, difference, surface_of
from boto_matrix.surface.record import PATH, Examined, SurfaceClass, SurfaceRecord, read_record, write_record
from boto_matrix.surface.sources import ReleasedSources, Sources, sources_of_python, sources_of_this_python

_INSTALLED = "installed"
_UNKNOWN = "unknown"
_STYLES = {"+": "green", "-": "red", "@": "cyan"}  # of the lines of a difference


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "versions",
        nargs="*",
        type=_release,
        metavar="VERSION",
        help="show the class of a release; without any, show all classes",
    )
    parser.add_argument("--package", choices=PACKAGES, help=f"default: botocore; {PYTHON} is the standard library")
    does = parser.add_mutually_exclusive_group()
    does.add_argument(
        "--diff", nargs=2, type=_release, metavar=("A", "B"), help=f"what B changed, as code; {_INSTALLED} is one too"
    )
    does.add_argument("--installed", action="store_true", help="what this Python has installed")
    does.add_argument(
        "--sweep",
        action="store_true",
        help="examine releases, and write surface.json: the ends of each minor, then by halving the releases at which "
        "something changed. A change that was taken back between two of them goes unseen. Of Python, what is here",
    )
    every = "with --sweep: examine all releases, of botocore each a download of 7 to 17 MB"
    parser.add_argument("--every", action="store_true", help=every)


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Show, compare or examine.

    Returns:
        0; 1 if one of the surfaces that were asked for is of no known class.

    Raises:
        IndexUnavailable: the index must be asked and cannot be.
        NoSuchRelease: it does not have what was asked for.
        NotInstalled: this Python, or this machine, does not have it.
        UnreadableSources: it is not Python of today.
        RecordError: surface.json is damaged.

    """
    selected = [declaration_of(package) for package in PACKAGES if arguments.package in (None, package)]
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    if arguments.sweep:
        return _sweep(selected, console, every=arguments.every)
    if arguments.diff:
        return _diff(selected[0], arguments.diff[0], arguments.diff[1], console)
    if arguments.installed:
        return _show([(one, _INSTALLED) for one in selected], console)
    if arguments.versions:
        return _show([(selected[0], version) for version in arguments.versions], console)
    return _show_classes(selected, console)


def _name_of(known: SurfaceClass | None) -> str:
    """Give what a surface's class is called where people read it."""
    return _UNKNOWN if known is None else known.name


def _release(text: str) -> str:
    if text == _INSTALLED:
        return text
    try:
        return str(Version(text))
    except InvalidVersion:
        expected = f"expected one such as 1.44.5, or {_INSTALLED}"
        raise argparse.ArgumentTypeError(f"{text} is no release; {expected}") from None


def _show(selected: Iterable[tuple[Declaration, str]], console: Console) -> int:
    record, released = read_record(), ReleasedSources(index_from_environment())
    unknown = []
    for declaration, version in selected:
        surface = surface_of(_sources(declaration.package, version, released), declaration)
        known = record.of(declaration).class_of(surface.fingerprint)
        console.print(f"{declaration.package} {version}  {surface.fingerprint}  {_name_of(known)}", markup=False)
        if known is None:
            unknown.append((declaration, version, surface))
    for declaration, version, surface in unknown:
        console.print(_advice(declaration, version, surface, record.of(declaration)), style="yellow", markup=False)
    return int(bool(unknown))


def _advice(declaration: Declaration, version: str, surface: Surface, examined: Examined) -> str:
    if not examined.releases:
        return _nothing_known(declaration)
    near = _nearest(version, examined)
    package = "" if declaration.package == "botocore" else f" --package {declaration.package}"
    records = f"surface --sweep{package}" if declaration.package == PYTHON else "update"
    return (
        f"{declaration.package} {version} has a surface ({surface.fingerprint}) that no examined release has: "
        f"`python -m boto_matrix surface{package} --diff {near} {version}` shows what is new, `{records}` records it"
    )


def _nothing_known(declaration: Declaration) -> str:
    return (
        f"Nothing is known of {declaration.package} yet, or what is stood on in it has changed since it was: "
        "`python -m boto_matrix surface --sweep` examines its releases"
    )


def _nearest(version: str, examined: Examined) -> Version:
    """Give the last examined release before one, or else the first."""
    releases = [*examined.fingerprints()]
    if version == _INSTALLED:
        return releases[-1]
    return max((one for one in releases if one < Version(version)), default=releases[0])


def _sources(package: str, version: str, released: ReleasedSources) -> Sources:
    if version == _INSTALLED:
        return sources_of_this_python(package)
    return sources_of_python(version) if package == PYTHON else released.of(package, version)


def _diff(declaration: Declaration, old: str, new: str, console: Console) -> int:
    released = ReleasedSources(index_from_environment())
    sources = (_sources(declaration.package, version, released) for version in (old, new))
    before, after = (surface_of(one, declaration) for one in sources)
    lines = [*difference(before, after, old, new)]
    if not lines:
        where = f"{declaration.package} {old} and {new}"
        console.print(f"Nothing that is stood on differs between {where}.", markup=False)
    elif console.is_terminal:
        console.print(Text("\n").join(Text(line, _STYLES.get(line[:1], "")) for line in lines))
    else:
        print("\n".join(lines))
    return 0


def _sweep(selected: Sequence[Declaration], console: Console, *, every: bool) -> int:
    record, index = read_record(), index_from_environment()
    for declaration in selected:
        is_python = declaration.package == PYTHON
        found = examine_pythons(declaration, record) if is_python else examine(declaration, record, index, every=every)
        record = record.with_releases(declaration, found)
        write_record(record)
    _show_classes(selected, console)
    console.print(f"Recorded in {PATH.name}.", markup=False)
    return 0


def _show_classes(selected: Sequence[Declaration], console: Console) -> int:
    record = read_record()
    for declaration in selected:
        _show_classes_of(declaration, record, console)
    return int(not all(record.of(declaration).releases for declaration in selected))


def _show_classes_of(declaration: Declaration, record: SurfaceRecord, console: Console) -> None:
    examined = record.of(declaration)
    if not examined.releases:
        console.print(_nothing_known(declaration), style="yellow", markup=False)
        return
    fingerprints = examined.fingerprints()
    count = f"{len(examined.classes())} classes in {len(fingerprints)} examined releases"
    console.print(f"{declaration.package}: {count}", markup=False)
    changes = neighbours_that_differ(fingerprints)
    starts = [*fingerprints][:1] + [new for _, new in changes]
    ends = [old for old, _ in changes] + [*fingerprints][-1:]
    for start, end in zip(starts, ends):
        name = _name_of(examined.class_of(fingerprints[start]))
        console.print(f"  {fingerprints[start]}  {start!s:>9} … {end!s:<9} {name}", markup=False)
