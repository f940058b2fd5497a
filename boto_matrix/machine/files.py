"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(text: str, path: Path, *, mode: int | None = None) -> None:
    """Put a text in place of what a file holds, or leave that as it is.

    Args:
        text: what the file is to hold; its line ends stay as they are.
        path: the file.
        mode: its permissions; by default they are those of a temporary file: it is for its owner alone.

    Raises:
        OSError: it cannot be written.

    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if mode is not None:
            Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
