"""The Python files of a package: of one that is installed, the standard library among them, or of a release.

Of a release the wheel is downloaded once. Its Python files are kept in the user's cache; botocore's data, which is nine
tenths of it, is not.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from boto_matrix.machine.interpreters import Interpreters, how_to_get
from boto_matrix.surface.declaration import PYTHON, SurfaceError

if TYPE_CHECKING:
    from boto_matrix.releases.index import PackageIndex


class NotInstalled(SurfaceError):
    """A package is not where it was looked for."""


class UnreadableSources(SurfaceError):
    """A source file cannot be parsed; the message names it."""


@dataclass(frozen=True)
class Sources:
    """The Python files of a package.

    Attributes:
        package: the package.
        read: gives the text of a file, ``botocore/endpoint.py``; None where there is none.
        files: the files that are not in a sub-package, ``botocore/endpoint.py``, in order.

    """

    package: str
    read: Callable[[str], str | None]
    files: tuple[str, ...]


def installed_sources(package: str, folder: Path) -> Sources:
    """Give the sources of a package as they are installed; nothing is imported.

    Args:
        package: the package, or `PYTHON`.
        folder: what it is installed in: site-packages, or the folder of the standard library.

    Raises:
        NotInstalled: there is no such package.

    """
    top = "http" if package == PYTHON else package
    if not (folder / top).is_dir():
        raise NotInstalled(f"{package} is not installed in {folder}")

    def read(file: str) -> str | None:
        try:
            return (folder / file).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    return Sources(package, read, tuple(sorted(f"{top}/{path.name}" for path in (folder / top).glob("*.py"))))


def sources_of_this_python(package: str) -> Sources:
    """Give the sources of a package that this Python has installed, or of its standard library.

    Raises:
        NotInstalled: it has no such package.

    """
    if package == PYTHON:
        return installed_sources(PYTHON, Path(sysconfig.get_path("stdlib")))
    found = importlib.util.find_spec(package)  # finds it without importing it
    if found is None or found.origin is None:
        raise NotInstalled(f"this Python has no {package}; install it, or name a release")
    return installed_sources(package, Path(found.origin).parent.parent)


def sources_of_python(version: str) -> Sources:
    """Give the sources of the standard library of a Python of this machine: ``3.11.7``, or ``3.11`` for whichever.

    Raises:
        NotInstalled: there is no such Python.

    """
    minor = ".".join(version.split(".")[:2])
    found = Interpreters().find(minor)
    if found is None or version not in (minor, found.version):
        raise NotInstalled(f"there is no Python {version} on this machine; {how_to_get(version)}")
    return installed_sources(PYTHON, library_of(found.path, found.version))


def site_packages_of(python: Path) -> Path:
    """Give the folder that a virtual environment installs into."""
    environment = python.parent.parent
    found = sorted((environment / "lib").glob("python*/site-packages"))
    return found[0] if found else Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))


def library_of(python: Path, version: str) -> Path:
    """Give the folder of the standard library of a Python, or of the one that a virtual environment was made of."""
    homes = [python.resolve().parent, *_home_of(python.parent.parent / "pyvenv.cfg")]  # the latter where it is a copy
    libraries = [home.parent / "lib" / f"python{'.'.join(version.split('.')[:2])}" for home in homes]
    return next((library for library in libraries if (library / "http").is_dir()), libraries[0])


def _home_of(settings: Path) -> Iterator[Path]:
    # https://docs.python.org/3/library/site.html, `home`
    with suppress(OSError):
        for line in settings.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == "home":
                yield Path(value.strip())


class ReleasedSources:
    """The sources of releases of the index, each downloaded once."""

    def __init__(self, index: PackageIndex, cache: Path | None = None) -> None:
        """Take the index, and the folder that is to keep them: one of the user's cache by default."""
        self._index = index
        address = hashlib.sha256(index.url.encode()).hexdigest()[:12]  # another index may have another 1.44.5
        self._folder = (_cache() if cache is None else cache) / address

    def of(self, package: str, version: str) -> Sources:
        """Give the sources of a release.

        Raises:
            IndexUnavailable: they are not in the cache, and the index cannot be asked.
            NoSuchRelease: it has no such release, or no wheel of it.
            UnreadableSources: its wheel is damaged.

        """
        path = self._folder / f"{package}-{version}.zip"
        if not zipfile.is_zipfile(path):
            self._fetch(package, version, path)
        return _Archive(package, path).sources

    def _fetch(self, package: str, version: str, path: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            wheel = self._index.download(package, version, Path(folder))
            slim = Path(folder, "slim.zip")
            try:
                _keep_python(wheel, slim, package)
            except zipfile.BadZipFile as error:
                raise UnreadableSources(f"{wheel.name} from {self._index.shown_url} is damaged: {error}") from error
            slim.replace(path)


class _Archive:
    """The Python files that are kept of one release."""

    def __init__(self, package: str, path: Path) -> None:
        self._package = package
        self._path = path

    @cached_property
    def _texts(self) -> dict[str, str]:
        with zipfile.ZipFile(self._path) as archive:
            return {name: archive.read(name).decode("utf-8", errors="replace") for name in archive.namelist()}

    @property
    def sources(self) -> Sources:
        top = sorted(name for name in self._texts if name.count("/") == 1)
        return Sources(self._package, self._texts.get, tuple(top))


def _keep_python(wheel: Path, slim: Path, package: str) -> None:
    with zipfile.ZipFile(wheel) as full, zipfile.ZipFile(slim, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in _python_files(full, package):
            kept.writestr(name, full.read(name))


def _python_files(archive: zipfile.ZipFile, package: str) -> Iterator[str]:
    return (name for name in archive.namelist() if name.startswith(f"{package}/") and name.endswith(".py"))


def _cache() -> Path:
    # https://specifications.freedesktop.org/basedir-spec/latest/
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "boto_matrix" / "sources"
