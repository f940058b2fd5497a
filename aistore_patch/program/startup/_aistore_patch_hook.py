"""Patch botocore when it is imported, in a Python that may never import it.

Every start of Python runs this file, so it imports nothing but `sys`, and does nothing but put a finder in
`sys.meta_path`. `python -m aistore_patch run` puts its directory on PYTHONPATH; `install` copies it to site-packages.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # what type checkers take for True; to import it from `typing` would cost each start 5 ms
if TYPE_CHECKING:
    from typing import Any

WATCHED = ("botocore.endpoint", "aiobotocore.endpoint")
"""The modules whose import means that redirects may come. `aistore_patch.patch` may be called after each."""


class Finder:
    """Finds the watched modules as Python does, and has their import end with patching.

    Args:
        library: the directory of `aistore_patch`, for an environment where it is not installed; None: it is.
    """

    def __init__(self, library: str | None) -> None:
        self.library = library

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec that the other finders give, with a loader that patches."""
        if name not in WATCHED:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = Loader(spec.loader, self)
                return spec
        return None

    def patch(self) -> None:
        """Patch this process. What this raises ends the import, and with it a program that is not to run unpatched."""
        try:
            import aistore_patch
        except ModuleNotFoundError as error:
            if error.name != "aistore_patch":
                raise
            if self.library is None:
                self._warn()
                return
            aistore_patch = _import_from(self.library)
        aistore_patch.patch()

    def _warn(self) -> None:
        import warnings

        warnings.warn(
            "aistore_patch is not installed any more, so S3 redirects are not followed. Install it again, or delete "
            f"{__file__} and aistore_patch_hook.pth beside it",
            RuntimeWarning,
            stacklevel=2,
        )


class Loader:
    """Loads a module with its own loader, then patches; the module keeps no trace of it."""

    def __init__(self, loader: Any, finder: Finder) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(self, spec: Any) -> Any:
        """As the module's own loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """Run the module, then patch."""
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._finder.patch()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def activate(library: str | None = None) -> None:
    """Patch botocore as soon as it is imported, or now if it is already. Calling it again changes `library` alone.

    Args:
        library: as in `Finder`.
    """
    for finder in sys.meta_path:
        if isinstance(finder, Finder):
            finder.library = library or finder.library
            return
    finder = Finder(library)
    sys.meta_path.insert(0, finder)
    if any(name in sys.modules for name in WATCHED):  # another start-up file has imported it
        try:
            finder.patch()
        except Exception as error:  # `site` prints it and goes on, but not when Python is told to exit
            raise SystemExit(f"{type(error).__name__}: {error}") from error


def _import_from(directory: str) -> Any:
    """Import the package in a directory without putting what lies beside it on `sys.path`."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("aistore_patch", directory + "/__init__.py", submodule_search_locations=[directory])
    assert spec is not None  # noqa: S101 - a file that ends in .py has one
    assert spec.loader is not None  # noqa: S101 - as above
    package = sys.modules["aistore_patch"] = module_from_spec(spec)
    try:
        spec.loader.exec_module(package)
    except BaseException:
        del sys.modules["aistore_patch"]
        raise
    return package
