"""`python -m aistore_patch install` and `uninstall`: every program of an environment patched, or none any more."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from .run import STARTUP

HOOK = "_aistore_patch_hook.py"
STARTS = "aistore_patch_hook.pth"
"""Python runs the lines of `.pth` files in site-packages that begin with `import` (documentation of `site`)."""

_LINE = "import _aistore_patch_hook; _aistore_patch_hook.activate()\n"
_IS_ACTIVE = "import sys; sys.exit('_aistore_patch_hook' not in sys.modules)"


class CannotInstall(Exception):
    """The environment cannot be changed; the message says why, and what to do."""


def install() -> str:
    """Have each Python of this environment patch botocore when it is imported.

    Returns:
        What was done.

    Raises:
        CannotInstall: its site-packages cannot be written, or are not read by Python; nothing was changed.
    """
    site = site_packages()
    files = _files(site)
    changed = [path for path, text in files.items() if _read(path) != text]
    try:
        for path in changed:
            _write(path, files[path])
    except OSError as error:
        _undo(changed)
        raise CannotInstall(_not_writable(site, error)) from None
    if not is_active():
        _undo(list(files))
        raise CannotInstall(
            f"{sys.executable} does not read {site} when it starts, so nothing was installed there. Run one program "
            "patched instead: python -m aistore_patch run -- PROGRAM"
        )
    if not changed:
        return f"already installed in {site}"
    written = "\n".join(f"  {path}" for path in files)
    return f"installed: every program of {sys.executable} is patched when it imports botocore. Written:\n{written}"


def uninstall() -> str:
    """Remove what `install` wrote, and nothing else; what was done.

    Raises:
        CannotInstall: the files cannot be removed.
    """
    site = site_packages()
    try:
        removed = _remove([site / STARTS, site / HOOK])
    except OSError as error:
        raise CannotInstall(_not_writable(site, error)) from None
    if not removed:
        return f"not installed in {site}"
    return "uninstalled. Removed:\n" + "\n".join(f"  {path}" for path in removed)


def is_active() -> bool:
    """Whether a new Python of this environment has the hook."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # `run` has it there
    return not subprocess.call([sys.executable, "-c", _IS_ACTIVE], env=environment)  # noqa: S603 - this Python


def is_current() -> bool:
    """Whether what is installed is what this version of the library installs."""
    return all(_read(path) == text for path, text in _files(site_packages()).items())


def site_packages() -> Path:
    """Where this environment keeps what is installed into it."""
    return Path(sysconfig.get_path("purelib"))


def _files(site: Path) -> dict[Path, str]:
    """What is installed, in the order in which it has to be written."""
    return {site / HOOK: (STARTUP / HOOK).read_text("utf-8"), site / STARTS: _LINE}


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except OSError:
        return None


def _write(path: Path, text: str) -> None:
    """Write a file at once: a Python that starts meanwhile reads all of it or nothing."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")  # not `.pth`, which Python would read
    try:
        new.write_text(text, "utf-8")
        os.replace(new, path)
    finally:
        if new.exists():
            new.unlink()


def _remove(paths: list[Path]) -> list[Path]:
    """Remove those files that there are, with their bytecode; which they were."""
    removed = [path for path in paths if path.exists()]
    for path in removed:
        path.unlink()
        for bytecode in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            bytecode.unlink()
    return removed


def _undo(paths: list[Path]) -> None:
    try:
        _remove(paths[::-1])
    except OSError:
        return  # what cannot be written cannot be removed either


def _not_writable(site: Path, error: OSError) -> str:
    return (
        f"{site} cannot be changed: {error.strerror}. Run this as the owner of that directory or in a virtual "
        "environment, or run one program patched: python -m aistore_patch run -- PROGRAM"
    )
