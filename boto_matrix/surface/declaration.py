"""What the patch stands on in botocore, urllib3 and Python, and the mock in moto: read where they declare it.

Importing them would take botocore and moto, of which a machine that looks at releases needs none.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from boto_matrix import PROJECT
from boto_matrix.errors import UserError


class SurfaceError(UserError):
    """A surface cannot be told; the message says why and what to do."""


_PATCH = PROJECT / "aistore_patch" / "surface.py"
_MOCK = PROJECT / "tests" / "unit" / "botocore_patch" / "mock_surface.py"
_RULES = 1
"""Grows when `normalize` sees more or less than it did: fingerprints of old are then no longer comparable."""


@dataclass(frozen=True)
class Declaration:
    """What something of ours stands on in a package of others.

    Attributes:
        package: the package.
        oldest: the first release of it that matters.
        functions: ``module:qualified.name`` of each function, or of anything else that has a name.
        context_keys: the keys that are read in the context of a request.

    """

    package: str
    oldest: str
    functions: tuple[str, ...]
    context_keys: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """What two fingerprints must share to be comparable."""
        return _digest([str(_RULES), self.package, *sorted(self.functions), *sorted(self.context_keys)])


PYTHON = "python"
"""What the standard library is called among the packages; its releases are Pythons, which no index has."""

# By package: the first release that matters, and where what is stood on in it is declared.
_DECLARED = {
    "botocore": ("1.20.0", _PATCH, ("FUNCTIONS", "CONTEXT_KEYS")),
    "moto": ("4.0.0", _MOCK, ("FUNCTIONS",)),
    "urllib3": ("1.25.4", _PATCH, ("URLLIB3_FUNCTIONS",)),  # of what botocore 1.20.0 admits
    PYTHON: ("3.8", _PATCH, ("PYTHON_FUNCTIONS",)),
}
PACKAGES = tuple(_DECLARED)
"""The packages that are watched."""


@cache
def declaration_of(package: str) -> Declaration:
    """Give what is stood on in a package.

    Raises:
        SurfaceError: it is not declared, or cannot be read.

    """
    oldest, file, names = _DECLARED[package]
    return Declaration(package, oldest, *(declared(file, name) for name in names))


def declared(file: Path, name: str) -> tuple[str, ...]:
    """Read a tuple of texts that a Python file declares at its top.

    Raises:
        SurfaceError: it declares none of that name, or cannot be read.

    """
    try:
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and [getattr(one, "id", "") for one in statement.targets] == [name]:
                return tuple(map(str, ast.literal_eval(statement.value)))
    except (OSError, ValueError, SyntaxError) as error:
        raise SurfaceError(f"{file}: cannot be read: {error}; expected a tuple {name} of texts in it") from error
    raise SurfaceError(f"{file}: declares no {name}; expected a tuple of texts at the top of the file")


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]
