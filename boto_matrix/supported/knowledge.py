"""What is known of botocores: which mean the same to the patch, and what happened in which cell."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TypeVar

from packaging.version import Version

from boto_matrix.matrix.cells import Matrix, Pin
from boto_matrix.matrix.numbering import LATEST

_Key = TypeVar("_Key", bound=Hashable)


class Answer(str, Enum):
    """What can be said of a release."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class KnownCell:
    """A cell, and what results say of it.

    Attributes:
        name: its name.
        python: its Python.
        botocore: what it had installed, or else what it is pinned to.
        surface: the fingerprint of that botocore; None if it is not known.
        urllib3: the major that it had installed; None if it is not known.
        answer: yes if all of its tests passed, no if some failed by what was tested, not known if by what is unknown;
            None if it says nothing: it was not run, only in part, or failed by what does not matter here.
        story: what happened in it, after its name: `passed on 2026-11-25`.
        ran: whether anything of it ran.

    """

    name: str
    python: str
    botocore: Version
    surface: str | None
    urllib3: int | None
    answer: Answer | None
    story: str
    ran: bool = True


@dataclass(frozen=True)
class Knowledge:
    """All that is known.

    Attributes:
        matrix: the pins.
        surfaces: the fingerprint of each botocore that was examined.
        cells: those of results, and those of the matrix that were not run.

    """

    matrix: Matrix
    surfaces: Mapping[Version, str]
    cells: Sequence[KnownCell]

    @cached_property
    def examined(self) -> list[Version]:
        """The botocores that were examined, the oldest first."""
        return sorted(self.surfaces)

    @cached_property
    def newest(self) -> Version | None:
        """The newest botocore that was examined or run; None if none was."""
        ran = (cell.botocore for cell in self.cells if cell.answer is not None)
        return max((*self.surfaces, *ran), default=None)

    @cached_property
    def full_pins(self) -> dict[Version, Pin]:
        """The pins that are on each Python that they are for, by their botocore, the oldest first.

        One with a single Python is one side of a change, and says nothing of the other Pythons.
        """
        pins = [pin for pin in self.matrix.pins if pin.botocore != LATEST and len(pin.pythons) > 1]
        return dict(sorted(((Version(pin.botocore), pin) for pin in pins), key=lambda one: one[0]))

    def with_botocore(self, python: str, botocore: Version) -> Sequence[KnownCell]:
        """Give the cells on a Python that have this botocore."""
        return self._by_botocore.get((python, botocore), ())

    def of_class(self, python: str, surface: str | None) -> Sequence[KnownCell]:
        """Give the cells on a Python whose botocore is of a surface class, the oldest first."""
        return self._by_class.get((python, surface), ())

    @cached_property
    def _by_botocore(self) -> Mapping[tuple[str, Version], Sequence[KnownCell]]:
        return _grouped(self.cells, lambda cell: (cell.python, cell.botocore))

    @cached_property
    def _by_class(self) -> Mapping[tuple[str, str | None], Sequence[KnownCell]]:
        return _grouped(sorted(self.cells, key=lambda cell: cell.botocore), lambda cell: (cell.python, cell.surface))

    def around(self, botocore: Version) -> list[Version]:
        """Give the examined releases on both sides of one that was not; fewer at an end."""
        at = bisect_right(self.examined, botocore)
        return self.examined[max(at - 1, 0) : at + 1]

    def surface_of(self, botocore: Version) -> str | None:
        """Give the fingerprint of a release, None if it is not known.

        One between two of its minor that are alike is as they are (`boto_matrix.surface.examine`).
        """
        if botocore in self.surfaces:
            return self.surfaces[botocore]
        around = self.around(botocore)
        found = {(self.surfaces[one], one.release[:2]) for one in around}
        is_between = len(around) == 2 and len(found) == 1 and around[0].release[:2] == botocore.release[:2]
        return self.surfaces[around[0]] if is_between else None

    def alike(self, botocore: Version) -> tuple[Version, Version]:
        """Give the first and the last of the examined releases around one that are as it is: what is known must be."""
        surface = self.surface_of(botocore)
        first = last = bisect_right(self.examined, botocore) - 1
        while first > 0 and self.surfaces[self.examined[first - 1]] == surface:
            first -= 1
        while last + 1 < len(self.examined) and self.surfaces[self.examined[last + 1]] == surface:
            last += 1
        return self.examined[first], self.examined[last]


def _grouped(cells: Iterable[KnownCell], key: Callable[[KnownCell], _Key]) -> dict[_Key, list[KnownCell]]:
    found: dict[_Key, list[KnownCell]] = {}
    for cell in cells:
        found.setdefault(key(cell), []).append(cell)
    return found
