"""How a test knows, without sleeping, that a cell hangs, and that none of its processes is left."""

from __future__ import annotations

import os
import select

import pytest

from tests.boto_matrix.small_project import SmallProject

_PATIENCE = 60.0  # seconds until a test is given up for which nothing happens


class Fifo:
    """Where a cell that hangs says so, and which all its processes hold open."""

    def __init__(self, project: SmallProject) -> None:
        path = project.folder / "fifo"
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._writer = os.open(path, os.O_WRONLY)  # so that there has been one, even if no cell gets that far

    def wait_until_a_cell_hangs(self) -> None:
        assert select.select([self._reader], [], [], _PATIENCE)[0], "no cell ever got to its tests"
        assert os.read(self._reader, 1) == b"!"

    def wait_until_no_process_is_left(self) -> None:
        """What is read ends when nobody holds the writing end any more."""
        os.close(self._writer)
        while select.select([self._reader], [], [], _PATIENCE)[0]:
            if not os.read(self._reader, 1):
                os.close(self._reader)
                return
        pytest.fail("a process of the cell is still there")
