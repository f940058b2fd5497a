"""The surface of a package: what is stood on in it, and the fingerprint of what that means."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from boto_matrix.surface.declaration import Declaration
from boto_matrix.surface.normalize import NormalizedCode, NotPython, normalized_bindings, normalized_entries
from boto_matrix.surface.sources import Sources, UnreadableSources

_CONTEXT = "context"  # botocore names the mappings so that it passes on with a request: context, request_context


@dataclass(frozen=True)
class Surface:
    """What is stood on in a package.

    Attributes:
        package: the package.
        parts: the meaning of each function and context key that it has, by its name; what it lacks is left out.

    """

    package: str
    parts: Mapping[str, NormalizedCode]

    @cached_property
    def fingerprint(self) -> str:
        """The same text for the same meaning."""
        digest = hashlib.sha256()
        for name in sorted(self.parts):
            digest.update(f"{name}\0{self.parts[name].tree}\0".encode())
        return digest.hexdigest()[:16]


def surface_of(sources: Sources, declaration: Declaration) -> Surface:
    """Read the surface of a package out of its sources.

    Raises:
        UnreadableSources: one of the files is not Python of today.

    """
    return Surface(sources.package, dict(_parts(sources, declaration)))


def what_changed(old: Surface, new: Surface) -> list[str]:
    """Name the parts that mean something else in the new one, in order."""
    names = sorted({*old.parts, *new.parts})
    return [name for name in names if _tree(old, name) != _tree(new, name)]


def difference(old: Surface, new: Surface, old_name: str, new_name: str) -> Iterator[str]:
    """Give the lines of a unified diff of what the parts mean, written as code."""
    for part in what_changed(old, new):
        yield from difflib.unified_diff(
            _lines(old, part), _lines(new, part), f"{part} ({old_name})", f"{part} ({new_name})", lineterm="", n=5
        )


def _tree(surface: Surface, name: str) -> str | None:
    return surface.parts[name].tree if name in surface.parts else None


def _lines(surface: Surface, name: str) -> list[str]:
    return surface.parts[name].code.splitlines() if name in surface.parts else []


def _parts(sources: Sources, declaration: Declaration) -> Iterator[tuple[str, NormalizedCode]]:
    by_module: dict[str, list[str]] = {}
    for function in declaration.functions:
        module, _, name = function.partition(":")
        by_module.setdefault(module, []).append(name)
    for module, names in by_module.items():
        for name, meaning in _of_module(sources, module, tuple(names)).items():
            yield f"{module}:{name}", meaning
    for key in declaration.context_keys:
        for file in sources.files:
            if (entries := _of_entries(sources, file, key)) is not None:
                yield f"{_CONTEXT}[{key!r}] in {file}", entries


def _of_module(sources: Sources, module: str, names: tuple[str, ...]) -> dict[str, NormalizedCode]:
    path = module.replace(".", "/")
    for file in (f"{path}.py", f"{path}/__init__.py"):
        if (source := sources.read(file)) is not None:
            with _named(file):
                return normalized_bindings(source, names)
    return {}


def _of_entries(sources: Sources, file: str, key: str) -> NormalizedCode | None:
    source = sources.read(file)
    with _named(file):
        return None if source is None else normalized_entries(source, key, _CONTEXT)


@contextmanager
def _named(file: str) -> Iterator[None]:
    try:
        yield
    except NotPython as error:
        raise UnreadableSources(f"{file} {error}") from error
