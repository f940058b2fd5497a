"""What a variable such as BOTO3_VERSION asks for: releases of the index, or a package from somewhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from boto_matrix.errors import UserError
from boto_matrix.matrix.numbering import LATEST, OLDEST_BOTO3, OLDEST_BOTOCORE
from boto_matrix.releases.requirements import requirements_in_wheel

OLDEST = {"boto3": OLDEST_BOTO3, "botocore": OLDEST_BOTOCORE, "moto": Version("4")}
"""The oldest release of each package that is supported; moto's is the one that pyproject.toml asks for."""

FORMS = (
    f"an exact version (1.26.24), a minor (1.26), {LATEST}, a specifier (>=1.26,<1.27), "
    "the path of a directory, a wheel or an sdist, or a VCS URL (git+https://…@branch)"
)

_MINOR = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
_EXACT = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}\S{0,40}")
_VCS = re.compile(r"(git|hg|svn|bzr)\+[a-z]+://\S+")
_OPERATORS = ("<", ">", "=", "!", "~")
_SDISTS = (".tar.gz", ".zip")


class RequestError(UserError):
    """What is to be installed cannot be; the message names the variable, what was given, and what is expected."""


@dataclass(frozen=True)
class Override:
    """What is asked for of a package.

    Attributes:
        package: its name.
        text: the value of its variable; empty where nobody asked and any release will do.

    """

    package: str
    text: str

    @property
    def variable(self) -> str:
        """The environment variable that asks for this package."""
        return f"{self.package.upper()}_VERSION"

    def __str__(self) -> str:
        return f"{self.variable}={self.text}" if self.text else self.package


@dataclass(frozen=True)
class FromIndex(Override):
    """Releases of the package index.

    Attributes:
        specifier: what a release must satisfy.

    """

    specifier: SpecifierSet

    @property
    def exact(self) -> str | None:
        """The version, if only one will do."""
        only = [*self.specifier]
        is_exact = len(only) == 1 and only[0].operator == "==" and not only[0].version.endswith("*")
        return only[0].version if is_exact else None


@dataclass(frozen=True)
class FromElsewhere(Override):
    """A package that does not come from the index.

    Attributes:
        url: where it is, for the installer.
        version: its version; `None` where only building it would tell.
        needs: its requirements; `None` where only building it would tell.

    """

    url: str
    version: Version | None = None
    needs: tuple[Requirement, ...] | None = None


def any_release(package: str) -> FromIndex:
    """Ask for nothing: whatever fits."""
    return FromIndex(package, "", SpecifierSet())


def read_override(package: str, text: str) -> FromIndex | FromElsewhere:
    """Read the value of a package's variable.

    Raises:
        RequestError: it is none of the forms that there are, names a file that is not this package's, or a release that
            is older than any that is supported.

    """
    try:
        override = _releases(package, text) or _checkout(package, text) or _at_path(package, text)
        _check_age(override)
        return override
    except ValueError as error:  # what packaging says of versions, specifiers, requirements and file names; our own
        raise RequestError(f"{Override(package, text)} cannot be used: {error}; expected {FORMS}") from None


def too_old(override: Override) -> RequestError:
    """Say that what is asked for is older than anything that is supported."""
    oldest = f"{override.package} {OLDEST[override.package]}"
    return RequestError(f"{override}: nothing older than {oldest} is supported; expected that or a later release")


def _check_age(override: FromIndex | FromElsewhere) -> None:
    """Refuse the one release, or the minor, that is too old. Of a specifier the index says which releases it means."""
    if isinstance(override, FromElsewhere):
        newest = override.version
    elif override.exact:
        newest = Version(override.exact)
    else:
        newest = Version(f"{override.text}.999999999") if _MINOR.fullmatch(override.text) else None
    if newest is not None and newest < OLDEST[override.package]:
        raise too_old(override)


def _releases(package: str, text: str) -> FromIndex | None:
    if text == LATEST:
        return FromIndex(package, text, SpecifierSet())
    if _MINOR.fullmatch(text):
        return FromIndex(package, text, SpecifierSet(f"=={text}.*"))
    if _EXACT.fullmatch(text):
        return FromIndex(package, text, SpecifierSet(f"=={Version(text)}"))
    if text.startswith(_OPERATORS):
        specifier = SpecifierSet(text)
        specifier.contains("0")  # now, and not when it is used, is found out that a number in it is too large
        return FromIndex(package, text, specifier)
    return None


def _checkout(package: str, text: str) -> FromElsewhere | None:
    if not _VCS.fullmatch(text):
        return None
    return FromElsewhere(package, text, str(Requirement(f"{package} @ {text}").url))


class _NotThisPackage(ValueError):
    """A path that the package cannot be installed from."""


def _at_path(package: str, text: str) -> FromElsewhere:
    try:
        path = Path(text).expanduser().resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # not there; a NUL in it; no such user's home, or links in a circle
        raise _NotThisPackage("it is no version, and there is no file or directory of that name") from None
    if path.is_dir():
        return _directory(package, text, path)
    if path.suffix == ".whl":
        return _wheel(package, text, path)
    if path.name.endswith(_SDISTS):
        return _sdist(package, text, path)
    raise _NotThisPackage("the file is neither a wheel nor an sdist")


def _directory(package: str, text: str, path: Path) -> FromElsewhere:
    if not any((path / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise _NotThisPackage("the directory has neither pyproject.toml nor setup.py")
    return FromElsewhere(package, text, path.as_uri())


def _wheel(package: str, text: str, path: Path) -> FromElsewhere:
    name, version, _, _ = parse_wheel_filename(path.name)
    _check_name(package, name)
    return FromElsewhere(package, text, path.as_uri(), version, requirements_in_wheel(path))


def _sdist(package: str, text: str, path: Path) -> FromElsewhere:
    name, version = parse_sdist_filename(path.name)
    _check_name(package, name)
    return FromElsewhere(package, text, path.as_uri(), version)


def _check_name(package: str, name: str) -> None:
    if name != package:
        raise _NotThisPackage(f"the file is one of {name}, not of {package}")
