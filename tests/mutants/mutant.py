"""A small bug, as the text that it replaces in one file of the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class DoesNotApplyError(Exception):
    """A mutant is not one of this source; the message names it and says why."""


@dataclass(frozen=True)
class Mutant:
    """A small bug.

    Args:
        name: what it does, in a few words with dashes; unique.
        harm: what a user would suffer from it.
        file: the file of the package that has it.
        text: what stands there; it must stand there exactly once.
        replacement: what the bug has in its place.
        needs: a requirement (`urllib3>=2`) without which the text is never reached, or does nothing.
    """

    name: str
    harm: str
    file: str
    text: str
    replacement: str
    needs: str = ""

    def source(self, package: Path) -> str:
        """Return the text of its file with the bug in it.

        Raises:
            DoesNotApplyError: the file, or the text in it, is not there just once, or no Python comes of it.
        """
        path = package / self.file
        if not path.is_file():
            raise DoesNotApplyError(f"{self.name}: {path} is no file; name the one that has the text now")
        sound = path.read_text(encoding="utf-8")
        found = sound.count(self.text)
        if found != 1:
            raise DoesNotApplyError(
                f"{self.name}: {path} has its text {found} times, once is expected; adapt it to what stands there:\n"
                f"{self.text}"
            )
        mutated = sound.replace(self.text, self.replacement)
        try:
            compile(mutated, str(path), "exec")
        except SyntaxError as error:
            raise DoesNotApplyError(f"{self.name}: no Python comes of it: {error}") from None
        return mutated
