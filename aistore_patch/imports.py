"""Doing something when a module is imported, without importing it."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import Any, Callable


def loaded(name: str) -> Any:
    """A module that has been imported; None if it was not, or its import is still under way."""
    module = sys.modules.get(name)
    return None if getattr(getattr(module, "__spec__", None), "_initializing", False) else module


def wait_for(name: str) -> None:
    """Return when no other thread is importing a module, whose import has begun."""
    with contextlib.suppress(ImportError):  # who imports it is told
        importlib.import_module(name)


class AfterImport:
    """A finder that stands first in `sys.meta_path`, and leaves the finding to the others.

    Args:
        name: the module.
        then: called with it, in the thread that imports it, when it has been executed, and before anybody has it; also
            where it was to be forgotten while it was being imported.
    """

    def __init__(self, name: str, then: Callable[[Any], None]) -> None:
        self._name = name
        self._then = then

    def watch(self) -> None:
        """Wait for the import from now on."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def forget(self) -> None:
        """Wait no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What the other finders find, to be loaded by a loader that calls `then`; None for other modules."""
        if name != self._name:
            return None
        others = (getattr(finder, "find_spec", None) for finder in list(sys.meta_path) if finder is not self)
        found = (find(name, path, target) for find in others if find is not None)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader, self._then)
        return spec


class _Loader:
    """A module's own loader, which it is seen to have as soon as it is executed."""

    def __init__(self, loader: Any, then: Callable[[Any], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then(module)
