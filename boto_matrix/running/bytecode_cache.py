"""Bytecode that one cell compiled, for the next ones: compiling what is installed is a third of what a new cell costs.

uv links the files of a package out of its cache, so that the same module is the same file in every environment: its
content and its time of change are alike, and so is the bytecode that Python makes of it. (The path that stands in the
bytecode is put right by Python when it loads it: `importlib._bootstrap_external._compile_bytecode`.) What does not
fit a module after all, Python sees by time and size, and compiles anew.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from platformdirs import user_cache_path


class BytecodeCache:
    """The bytecode of one Python, by the content of the source that it was made of.

    It saves time and nothing else: where files cannot be linked, it is of no use and no failure.
    """

    def __init__(self, tag: str, folder: Path | None = None) -> None:
        """Take the tag that the Python gives its bytecode, ``cpython-311``, and where to keep it.

        By default that is this user's cache folder (``XDG_CACHE_HOME``).
        """
        self._folder = (folder or user_cache_path("aistore-patch") / "bytecode") / tag
        self._suffix = f".{tag}.pyc"

    def restore(self, site_packages: Path) -> None:
        """Give the modules that are installed here what was kept for them."""
        known = self._known()
        digests = {key.partition(".")[0] for key in known}
        for digest, source in _modules(site_packages):
            if digest in digests and (key := _key(digest, source)) in known:
                _link(self._folder / key, self._compiled(source))

    def keep(self, site_packages: Path) -> None:
        """Keep what was compiled here."""
        known = self._known()
        for digest, source in _modules(site_packages):
            compiled = self._compiled(source)
            if compiled.exists() and (key := _key(digest, source)) not in known:
                _link(compiled, self._folder / key)

    def _known(self) -> set[str]:
        with contextlib.suppress(OSError):
            return set(os.listdir(self._folder))
        return set()

    def _compiled(self, source: str) -> Path:
        folder, name = os.path.split(source)
        return Path(folder, "__pycache__", name.removesuffix(".py") + self._suffix)


def _modules(site_packages: Path) -> Iterator[tuple[str, str]]:
    """Give the digest and the path of each module that is installed, as its distribution has noted them."""
    for record in site_packages.glob("*.dist-info/RECORD"):
        with record.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:  # of CSV; a path that CSV would quote is none of a module
                name, digest, *_ = (*line.split(",", 2), "")
                if name.endswith(".py") and digest:
                    yield digest, f"{site_packages}/{name}"


def _key(digest: str, source: str) -> str:
    """Name the content of a module and its time of change, which its bytecode has to be of."""
    try:
        return f"{digest}.{int(os.stat(source).st_mtime)}"
    except OSError:  # uninstalled by hand
        return ""


def _link(old: Path, new: Path) -> None:
    with contextlib.suppress(OSError):  # it is there already, or on another file system
        new.parent.mkdir(parents=True, exist_ok=True)
        os.link(old, new)
