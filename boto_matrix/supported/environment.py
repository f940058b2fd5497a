"""What is asked about, as people have it: releases, `pip freeze`, a requirements file, a lock file."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from packaging.markers import Marker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from boto_matrix.errors import UserError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]  # tox brings it where Python has none

EXPECTED = (
    "expected a release (1.43.50), boto3==1.43.50, botocore==1.43.50, a requirements or lock file, "
    "or - for what `pip freeze` prints"
)

Environment = Mapping[str, Sequence[Version]]
"""The releases of boto3, botocore and urllib3, by name; `BARE` stands for one whose package was not said.

A lock file may have several of one, for other machines; what an environment does not say is not in it.
"""

BARE = ""

_NAMES = ("boto3", "botocore", "urllib3")
_TABLES = re.compile(r"^\[\[packages?\]\]", re.MULTILINE)  # uv.lock, poetry.lock, pdm.lock; pylock.toml (PEP 751)
_FROM_ELSEWHERE = re.compile(r"(?:^|[/=#@\s])(boto3|botocore)(?![-\w])", re.IGNORECASE)


class UnclearEnvironment(UserError):
    """It does not say which release it means; the message says what it says and what is expected."""


def named(words: Sequence[str]) -> Environment:
    """Read releases as they are named one by one: `1.43.50`, or `boto3==1.26.24` and `botocore==1.29.100`.

    Raises:
        UnclearEnvironment: a word is no release, or they do not go together.

    """
    found: dict[str, list[Version]] = {}
    for word in words:
        name, _, number = word.rpartition("==")
        try:
            version = Version(number)
        except InvalidVersion:
            raise UnclearEnvironment(f"{word} is no release; {EXPECTED}") from None
        if name.strip() not in (BARE, *_NAMES):
            raise UnclearEnvironment(f"{word}: it is known of boto3, botocore and urllib3 only; {EXPECTED}")
        found.setdefault(name.strip(), []).append(version)
    if any(len(versions) > 1 for versions in found.values()) or (BARE in found and len(found) > 1):
        raise UnclearEnvironment(f"{' '.join(words)}: {EXPECTED}; one release of each package")
    return _checked(found, " ".join(words))


def listed(text: str, python: str, source: str) -> Environment:
    """Read what `pip freeze` prints, a requirements file, or a lock file of uv, Poetry, PDM, Pipenv or PEP 751.

    Args:
        text: all of it.
        python: what is for other Pythons is left out.
        source: what messages call it.

    Raises:
        UnclearEnvironment: it cannot be read, or does not say which boto3 or botocore it means.

    """
    try:
        pairs = list(_pairs(text, _markers_of(python)))
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:  # it has another form
        raise UnclearEnvironment(
            f"{source}: cannot be read: {f'{type(error).__name__}: {error}'[:200]}; {EXPECTED}"
        ) from None
    found: dict[str, list[Version]] = {}
    for name, version, written in pairs:
        if version is None and name != "urllib3":
            expected = f"expected {name}==VERSION: `pip freeze` of the environment has it"
            raise UnclearEnvironment(f"{source}: {written!r} does not say which release of {name} it means; {expected}")
        if version is not None and version not in found.setdefault(name, []):
            found[name].append(version)
    return _checked(found, source)


def _checked(found: Mapping[str, Sequence[Version]], source: str) -> Environment:
    if not any(name in found for name in (BARE, "boto3", "botocore")):
        raise UnclearEnvironment(f"{source}: there is neither boto3 nor botocore in it; {EXPECTED}")
    return found


_Found = Iterator["tuple[str, Version | None, str]"]  # the name, the release if it says one, and how it is written


def _pairs(text: str, environment: Mapping[str, str]) -> _Found:
    if text.lstrip("\ufeff \r\n\t").startswith("{"):
        return _in_pipfile_lock(json.loads(text.lstrip("\ufeff")))
    if _TABLES.search(text):
        return _in_tables(tomllib.loads(text), environment)
    return _in_lines(text, environment)


def _in_pipfile_lock(document: Mapping[str, Any]) -> _Found:
    for name, facts in document.get("default", {}).items():
        if canonicalize_name(name) in _NAMES:
            written = str(facts.get("version") or facts)
            exact = written.startswith("==")
            yield canonicalize_name(name), Version(written[2:]) if exact else None, written


def _in_tables(document: Mapping[str, Any], environment: Mapping[str, str]) -> _Found:
    for package in [*document.get("package", ()), *document.get("packages", ())]:
        name = canonicalize_name(str(package["name"]))
        markers = package.get("resolution-markers") or package.get("marker") or package.get("markers") or ()
        if name in _NAMES and _fits([markers] if isinstance(markers, str) else markers, environment):
            source = package.get("source") or {}
            is_of_an_index = not ({"git", "url", "path", "directory", "editable"} & {*source, source.get("type")})
            is_of_an_index = is_of_an_index and not ({"vcs", "directory", "archive"} & {*package})
            version = Version(str(package["version"])) if is_of_an_index and "version" in package else None
            yield name, version, f"{name} {package.get('version', '')} {source or ''}".strip()


def _fits(markers: Any, environment: Mapping[str, str]) -> bool:
    texts = [text for text in (markers.values() if isinstance(markers, Mapping) else markers) if isinstance(text, str)]
    return not texts or any(_holds(Marker(text), environment) for text in texts)


def _in_lines(text: str, environment: Mapping[str, str]) -> _Found:
    for written in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*|\s--\S.*", "", written.lstrip("\ufeff")).strip()
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            if (other := _FROM_ELSEWHERE.search(written)) and not written.lstrip().startswith("#"):
                yield other[1].lower(), None, written.strip()  # -e git+https://…#egg=botocore, or a mistake
            continue
        name = canonicalize_name(requirement.name)
        if name in _NAMES and (requirement.marker is None or _holds(requirement.marker, environment)):
            yield name, _exact(requirement), line


def _exact(requirement: Requirement) -> Version | None:
    clauses = [one for one in requirement.specifier if one.operator in ("==", "===") and "*" not in one.version]
    return Version(clauses[0].version) if len(clauses) == 1 and requirement.url is None else None


def _holds(marker: Marker, environment: Mapping[str, str]) -> bool:
    try:
        return marker.evaluate(dict(environment))
    except UndefinedEnvironmentName:
        return True


def _markers_of(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.99", "extra": ""}
