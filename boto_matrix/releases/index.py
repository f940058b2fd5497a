"""What releases of a package exist, and what each needs: asked of the package index that installs come from.

Importing this takes a third of a second (pypi-simple, requests): do it where a question is asked, not at the top of a
module that tox loads.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    DistributionPackage,
    NoMetadataError,
    NoSuchProjectError,
    PyPISimple,
    UnsupportedRepoVersionError,
)
from requests.utils import get_environ_proxies, select_proxy

from boto_matrix.errors import IndexUnavailable, NoSuchRelease
from boto_matrix.redaction import redacted
from boto_matrix.releases.index_settings import index_url
from boto_matrix.releases.requirements import requirements_in_metadata, requirements_in_wheel

__all__ = ["IndexUnavailable", "NoSuchRelease", "PackageIndex", "Release", "index_from_environment"]

_CONNECT_SECONDS = 2.0
_TIMEOUT = (_CONNECT_SECONDS, 30.0)  # seconds to connect, and between two pieces of an answer
_PORTS = {"https": 443}
_ON = {"1", "true", "yes", "on"}

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Release:
    """One release of a package.

    Attributes:
        version: its version.
        requires_python: the Pythons its metadata admits.
        is_yanked: whether its author took it back.
        uploaded: when its first file came; `None` where the index does not say.

    """

    version: Version
    requires_python: SpecifierSet
    is_yanked: bool
    uploaded: datetime | None

    @property
    def is_final(self) -> bool:
        """Whether it is neither a prerelease nor yanked."""
        return not self.version.is_prerelease and not self.is_yanked

    def supports(self, python: str) -> bool:
        """Say whether its metadata admits a Python, such as ``3.11``."""
        # A patch release later than there will be: ">=3.9.2" is there to leave out the first few of a minor.
        return self.requires_python.contains(f"{python}.99")


class PackageIndex:
    """A package index; each answer is fetched once and kept as long as the object is."""

    def __init__(
        self, url: str = PYPI_SIMPLE_ENDPOINT, *, offline: bool = False, until: datetime | None = None
    ) -> None:
        """Take the address of a simple index (PEP 503 or 691); nothing is asked yet.

        Args:
            url: the address.
            offline: whether it must not be asked.
            until: leaves out the releases that came later; where the index does not say when, none is left out.

        """
        self.url = url
        self._offline = offline
        self._until = until
        self._client = PyPISimple(url)
        self._lock = threading.RLock()
        self._answers: dict[tuple[str, ...], Any] = {}

    def releases(self, package: str) -> tuple[Release, ...]:
        """Give every release of a package, oldest first, yanked ones and prereleases too.

        Raises:
            IndexUnavailable: the index cannot be asked.
            NoSuchRelease: it knows no such package.

        """
        return self._once((package,), lambda: tuple(filter(self._is_in_time, _releases(self._files(package)))))

    def final_releases(self, package: str, oldest: Version) -> tuple[Release, ...]:
        """Give the releases that matter, oldest first: from one on, neither prereleases nor yanked ones.

        Raises:
            IndexUnavailable, NoSuchRelease: as `releases` does.

        """
        return tuple(one for one in self.releases(package) if one.version >= oldest and one.is_final)

    def _is_in_time(self, release: Release) -> bool:
        return self._until is None or release.uploaded is None or release.uploaded <= self._until

    def requires(self, package: str, version: str) -> tuple[Requirement, ...]:
        """Give what a release requires, extras left out; from its metadata file (PEP 658) or else from its wheel.

        Raises:
            IndexUnavailable: the index cannot be asked.
            NoSuchRelease: it has no such release, or no wheel of it.

        """
        return self._once((package, version), lambda: self._requirements(package, version))

    def _once(self, question: tuple[str, ...], ask: Callable[[], Answer]) -> Answer:
        with self._lock:
            if question not in self._answers:
                with self._asking():
                    self._answers[question] = ask()
            answer: Answer = self._answers[question]
            return answer

    def _files(self, package: str) -> list[DistributionPackage]:
        try:
            page = self._once(
                (package, "its", "page"), lambda: self._client.get_project_page(package, timeout=_TIMEOUT)
            )
        except NoSuchProjectError:
            raise NoSuchRelease(f"the package index at {self.shown_url} has no {package}") from None
        return page.packages

    def download(self, package: str, version: str, folder: Path) -> Path:
        """Fetch the wheel of a release into a folder, and give its path.

        Raises:
            IndexUnavailable: the index cannot be asked.
            NoSuchRelease: it has no such release, or no wheel of it.

        """
        with self._asking():
            return self._download(self._wheel(package, version), folder)

    def _requirements(self, package: str, version: str) -> tuple[Requirement, ...]:
        wheel = self._wheel(package, version)
        if wheel.has_metadata:
            # Where the page promises metadata that the index does not have, as some mirrors do, the wheel has it.
            with suppress(NoMetadataError):
                return requirements_in_metadata(self._metadata(wheel))
        with tempfile.TemporaryDirectory() as folder:
            return requirements_in_wheel(self._download(wheel, Path(folder)))

    def _wheel(self, package: str, version: str) -> DistributionPackage:
        wheels = [
            file for file in self._files(package) if _version(file) == Version(version) and file.package_type == "wheel"
        ]
        if not wheels:
            known = f"the package index at {self.shown_url} has no wheel of {package} {version}"
            raise NoSuchRelease(f"{known}, so that what is in it cannot be seen")
        return wheels[0]

    def _download(self, wheel: DistributionPackage, folder: Path) -> Path:
        path = folder / wheel.filename
        self._client.download_package(wheel, path, timeout=_TIMEOUT)
        return path

    def _metadata(self, wheel: DistributionPackage) -> bytes:
        has_digest = bool(wheel.metadata_digests)
        return self._client.get_package_metadata_bytes(wheel, verify=has_digest, timeout=_TIMEOUT)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if self._obstacle is not None:
            raise self._unavailable(self._obstacle)
        try:
            yield
        except (requests.RequestException, UnsupportedRepoVersionError, ValueError) as error:
            # ValueError: not JSON, not of the form, a digest that is another, a wheel that is none
            raise self._unavailable(_short(error)) from error

    @cached_property
    def _obstacle(self) -> str | None:
        """What stands against asking, found out once and quickly: without a network a request can hang for minutes."""
        if self._offline:
            return "UV_OFFLINE is set"
        try:
            target = urlsplit(select_proxy(self.url, get_environ_proxies(self.url)) or self.url)
            port = target.port or _PORTS.get(target.scheme, 80)
        except ValueError as error:
            return f"its address cannot be read ({error})"
        if target.hostname is None:
            return None  # a file: address, say; the request itself will tell
        return _problem_of_connecting(target.hostname, port)

    def _unavailable(self, problem: str) -> IndexUnavailable:
        return IndexUnavailable(
            f"the package index at {self.shown_url} cannot be asked: {problem}. "
            "Check the network, or name another index with UV_DEFAULT_INDEX"
        )

    @property
    def shown_url(self) -> str:
        """The address without what it may hold of a user and a password."""
        return redacted(self.url)


def index_from_environment(
    environ: Mapping[str, str] = os.environ, *, until: datetime | None = None
) -> PackageIndex:
    """Give the index that packages are installed from: `index_url` says which, UV_OFFLINE whether it may be asked.

    `until` leaves out the releases that came later. Additional indexes are not asked.
    """
    url = index_url(environ) or PYPI_SIMPLE_ENDPOINT
    return PackageIndex(url, offline=environ.get("UV_OFFLINE", "").lower() in _ON, until=until)


def _releases(files: Iterable[DistributionPackage]) -> Iterator[Release]:
    by_version: dict[Version, list[DistributionPackage]] = {}
    for file in files:
        version = _version(file)
        if version is not None:
            by_version.setdefault(version, []).append(file)
    for version, of_it in sorted(by_version.items()):
        times = [file.upload_time for file in of_it if file.upload_time is not None]
        yield Release(
            version=version,
            requires_python=_specifier(of_it[0].requires_python),
            is_yanked=all(file.is_yanked for file in of_it),
            uploaded=min(times, default=None),
        )


def _version(file: DistributionPackage) -> Version | None:
    """Give the version of a file; releases of long ago have some that are none."""
    try:
        return Version(file.version or "")
    except InvalidVersion:
        return None


def _specifier(text: str | None) -> SpecifierSet:
    try:
        return SpecifierSet(text or "")
    except InvalidSpecifier:  # as installers do: what cannot be read limits nothing
        return SpecifierSet()


def _problem_of_connecting(host: str, port: int) -> str | None:
    """Try to connect, and say what stands against it. In a thread, for the look-up of a name has no time limit."""
    problems: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
        except (OSError, UnicodeError) as error:  # UnicodeError: the name cannot be one, "a..b"
            problems.append(getattr(error, "strerror", None) or str(error))
        else:
            problems.append(None)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_CONNECT_SECONDS)
    return problems[0] if problems else f"no answer within {_CONNECT_SECONDS:g} s"


def _short(error: Exception) -> str:
    """Give the first line of an error, for those of requests go on and on."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
