"""The answers for every botocore at once, for a page that cannot ask: releases in a row that are answered alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from packaging.version import Version

from boto_matrix.matrix.numbering import LATEST
from boto_matrix.supported.decide import Question, Reply, decide
from boto_matrix.supported.knowledge import Knowledge

_ANY = Version("0")


@dataclass(frozen=True)
class Span:
    """Releases of one minor of botocore that are answered alike.

    Attributes:
        first: the oldest of them.
        last: the newest of them.
        replies: the answers for the oldest, one for each Python of the matrix.

    """

    first: Version
    last: Version
    replies: tuple[Reply, ...]

    @property
    def said(self) -> list[Reply]:
        """What is answered, whatever the release is called."""
        return [replace(reply, question=replace(reply.question, botocore=_ANY)) for reply in self.replies]


def spans(known: Knowledge) -> list[Span]:
    """Give the answers for every release from the oldest to the newest that is known, the oldest first."""
    found: list[Span] = []
    for span in _unjoined(known):
        last = found[-1] if found else None
        if last is not None and last.said == span.said and last.last.release[:2] == span.first.release[:2]:
            found[-1] = replace(last, last=span.last)
        else:
            found.append(span)
    return found


def _unjoined(known: Knowledge) -> Iterator[Span]:
    """Give each release that anything is known of, and the releases between two of them."""
    pins = (Version(pin.botocore) for pin in known.matrix.pins if pin.botocore != LATEST)
    of_cells = (cell.botocore for cell in known.cells)
    finals = {
        one for one in (*known.surfaces, *pins, *of_cells) if len(one.release) == 3 and str(one) == one.base_version
    }
    for _, minor in groupby(sorted(finals), key=lambda one: one.release[:2]):
        before: Version | None = None
        for release in minor:
            if before is not None and release.micro - before.micro > 1:
                yield Span(_patch(before, 1), _patch(release, -1), _replies(_patch(before, 1), known))
            yield Span(release, release, _replies(release, known))
            before = release


def _replies(botocore: Version, known: Knowledge) -> tuple[Reply, ...]:
    return tuple(decide(Question(python, botocore), known) for python in known.matrix.pythons)


def _patch(version: Version, more: int) -> Version:
    return Version(f"{version.major}.{version.minor}.{version.micro + more}")
