"""What the guard of aistore_patch does not know of an installed botocore's S3 model.

Neither is imported as a package: whoever looks at results has no botocore, which all of aistore_patch but the guard
needs.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from boto_matrix import PROJECT
from boto_matrix.surface.declaration import SurfaceError

_GUARD = PROJECT / "aistore_patch" / "guard.py"
_MODEL = "botocore/data/s3/2006-03-01/service-2.json"  # since botocore 1.32 or so with ".gz" at its end


def unclassified(site_packages: Path) -> tuple[str, ...]:
    """Name the operations on objects, and the parameters of honoured writes, that nobody has classified.

    Args:
        site_packages: where botocore is installed.

    Raises:
        SurfaceError: its S3 model or the guard cannot be read.

    """
    path = site_packages / _MODEL
    try:
        return _unclassified(_content(path))
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise SurfaceError(f"{path}: is not a model of S3 as botocore has had it: {reason}") from error


@cache
def guard() -> Any:
    """Load aistore_patch/guard.py, and nothing else of it.

    Raises:
        SurfaceError: it cannot be loaded.

    """
    spec = importlib.util.spec_from_file_location("guard_of_aistore_patch", _GUARD)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - so it is for every name that ends in .py
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SurfaceError(f"{_GUARD}: cannot be loaded: {error}") from error
    return module


def _content(path: Path) -> bytes:
    packed = path.with_name(f"{path.name}.gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()


@lru_cache(maxsize=4)  # the cells of one pin have the same model
def _unclassified(content: bytes) -> tuple[str, ...]:
    calls = [*_calls_on_objects(json.loads(content))]
    if not calls:
        raise LookupError("it has no operation on objects")
    return tuple(name for call in calls for name in guard().unclassified(*call))


def _calls_on_objects(model: Any) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Give the name, the method and the parameters (the wire name of each) of every operation with a key."""
    for name, operation in model["operations"].items():
        if "{Key+}" in operation["http"]["requestUri"]:
            shape = model["shapes"][operation["input"]["shape"]] if "input" in operation else {}
            members = shape.get("members", {})
            wire = {member: facts.get("locationName", member) for member, facts in members.items()}
            yield name, operation["http"]["method"], wire
