"""surface.json: the fingerprints of the releases that were examined, and the surface classes that follow from them.

A surface class is the releases with one fingerprint, and is named by the first of them: `since 1.43.3`. The file holds
what was measured and nothing else. `python -m boto_matrix surface --sweep` writes it and `update` adds to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from boto_matrix import PROJECT
from boto_matrix.machine.files import write_whole
from boto_matrix.surface.declaration import Declaration, SurfaceError

PATH = PROJECT / "surface.json"


class RecordError(SurfaceError):
    """surface.json cannot be read."""


@dataclass(frozen=True)
class SurfaceClass:
    """The releases that mean the same in all that is stood on.

    Attributes:
        fingerprint: theirs.
        releases: those of them that were examined, oldest first.

    """

    fingerprint: str
    releases: tuple[Version, ...]

    @property
    def name(self) -> str:
        """What it is called: by the release that it begins at."""
        return f"since {self.releases[0]}"


class Examined(BaseModel):
    """What was found in the releases of a package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stands_on: str  # the identity of the declaration; the file's name for it is older
    releases: dict[str, str] = Field(default_factory=dict)

    def fingerprints(self) -> dict[Version, str]:
        """Give the fingerprint of each examined release, oldest first."""
        return dict(sorted((Version(version), fingerprint) for version, fingerprint in self.releases.items()))

    def classes(self) -> tuple[SurfaceClass, ...]:
        """Give the classes, the one that began first first."""
        by_fingerprint: dict[str, list[Version]] = {}
        for version, fingerprint in self.fingerprints().items():
            by_fingerprint.setdefault(fingerprint, []).append(version)
        return tuple(SurfaceClass(fingerprint, tuple(found)) for fingerprint, found in by_fingerprint.items())

    def class_of(self, fingerprint: str) -> SurfaceClass | None:
        """Give the class of a fingerprint; None if no examined release has it."""
        return next((one for one in self.classes() if one.fingerprint == fingerprint), None)


class SurfaceRecord(BaseModel):
    """All of surface.json, by package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    packages: dict[str, Examined] = Field(default_factory=dict)

    def of(self, declaration: Declaration) -> Examined:
        """Give what is known of a package; nothing, if what is stood on in it has changed since it was examined."""
        found = self.packages.get(declaration.package)
        is_comparable = found is not None and found.stands_on == declaration.identity
        return found if found is not None and is_comparable else Examined(stands_on=declaration.identity)

    def with_releases(self, declaration: Declaration, fingerprints: Mapping[Version, str]) -> SurfaceRecord:
        """Give a record in which these are the examined releases of a package."""
        releases = {str(version): fingerprint for version, fingerprint in sorted(fingerprints.items())}
        examined = Examined(stands_on=declaration.identity, releases=releases)
        return self.model_copy(update={"packages": {**self.packages, declaration.package: examined}})


def read_record(path: Path = PATH) -> SurfaceRecord:
    """Read surface.json; where there is none, nothing has been examined yet.

    Raises:
        RecordError: it cannot be read, or is damaged.

    """
    try:
        record = SurfaceRecord.model_validate_json(path.read_bytes())
        for examined in record.packages.values():
            examined.fingerprints()
    except FileNotFoundError:
        return SurfaceRecord()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValidationError, InvalidVersion) as error:
        reason = _first(error) if isinstance(error, ValidationError) else str(error)
        advice = "Restore it, or delete it and run `python -m boto_matrix surface --sweep`"
        raise RecordError(f"{path}: is not a record of surfaces: {reason}. {advice}") from error
    return record


def write_record(record: SurfaceRecord, path: Path = PATH) -> None:
    """Put surface.json in place, whole or not at all."""
    write_whole(record.model_dump_json(indent=1) + "\n", path, mode=0o644)


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {fault['msg']}" if place else fault["msg"]
