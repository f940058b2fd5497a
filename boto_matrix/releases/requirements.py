"""What a release needs, as its wheel or its metadata says."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name


class NotAWheel(ValueError):
    """A file that cannot be read as a wheel."""


def requirements_in_wheel(wheel: Path) -> tuple[Requirement, ...]:
    """Read the requirements of a wheel on the disk, those of its extras left out.

    Raises:
        NotAWheel: the file is no wheel, or a damaged one.

    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return requirements_in_metadata(archive.read(name))
    except (OSError, zipfile.BadZipFile, StopIteration, InvalidRequirement) as error:
        raise NotAWheel(f"{wheel} is not a wheel that can be read: {error or 'it has no METADATA'}") from error


def requirements_in_metadata(metadata: bytes) -> tuple[Requirement, ...]:
    """Read the requirements out of core metadata (PEP 566), those of extras left out.

    Raises:
        packaging.requirements.InvalidRequirement: one of them is not of PEP 508.

    """
    fields, _ = parse_email(metadata)
    requirements = [Requirement(text) for text in fields.get("requires_dist", ())]
    return tuple(requirement for requirement in requirements if not _is_for_an_extra(requirement))


def needed_botocore(requirements: Iterable[Requirement]) -> SpecifierSet:
    """Give the botocore that is admitted by what a boto3 requires."""
    found = [one.specifier for one in requirements if canonicalize_name(one.name) == "botocore"]
    return found[0] if found else SpecifierSet()


def _is_for_an_extra(requirement: Requirement) -> bool:
    return requirement.marker is not None and "extra" in str(requirement.marker)
