"""The Python files of a package: of one that is installed, or of a release of the index.

Of a release the wheel is downloaded once. Its Python files are kept in the user's cache; botocore's data, which is nine
tenths of it, is not.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from boto_matrix.surface_errors import NotInstalled, UnreadableSources

if TYPE_CHECKING:
    from boto_matrix.index import PackageIndex


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


def installed_sources(package: str, site_packages: Path) -> Sources:
    """Give the sources of a package as they are installed; nothing is imported.

    Raises:
        NotInstalled: there is no such package.

    """
    folder = site_packages / package
    if not folder.is_dir():
        raise NotInstalled(f"{package} is not installed in {site_packages}")

    def read(file: str) -> str | None:
        try:
            return (site_packages / file).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    return Sources(package, read, tuple(sorted(f"{package}/{path.name}" for path in folder.glob("*.py"))))


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
            boto_matrix.index.IndexUnavailable: they are not in the cache, and the index cannot be asked.
            boto_matrix.index.NoSuchRelease: it has no such release, or no wheel of it.
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
