"""Whether a botocore can be used on a Python: yes, no, or not known, decided from what is known and nothing else.

It is yes only where results show it. Either that botocore itself was run on that Python; or it means the same as others
in all that the patch stands on (its surface class), and on that Python the nearest of these that the matrix has, on
both sides, passed. A pin that was not run is no reason to look at those further away.
"""

from __future__ import annotations

import shlex
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from boto_matrix.matrix.cells import Pin
from boto_matrix.matrix.numbering import LATEST, OLDEST_BOTO3, OLDEST_BOTOCORE, check_pair, oldest_botocore
from boto_matrix.supported.environment import BARE, Environment
from boto_matrix.supported.knowledge import Answer, Knowledge, KnownCell

_ELSEWHERE = 2


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        python: the minor, ``3.12``.
        botocore: the release.
        boto3: that of boto3, if it is asked about.
        urllib3: the release that is to be used with it, if that is known.

    """

    python: str
    botocore: Version
    boto3: Version | None = None
    urllib3: Version | None = None


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Attributes:
        question: to what.
        answer: in a word.
        because: why, as a sentence.
        cells: by which cells; empty if it is by none.
        is_left_out: whether it is no because the release is not for that Python.
        alike: the first and the last examined botocore that are the same to the patch, where it is answered by these.

    """

    question: Question
    answer: Answer
    because: str
    cells: tuple[KnownCell, ...] = ()
    is_left_out: bool = False
    alike: tuple[Version, Version] | None = None


def decide(question: Question, known: Knowledge) -> Reply:
    """Answer a question."""
    return (
        _without_running(question, known)
        or _by_itself(question, known)
        or _left_out(question, known)
        or _of_no_class(question, known)
        or _by_class(question, known)
    )


def command(question: Question, known: Knowledge) -> str | None:
    """Give the command that runs just what is asked about; None where the matrix has no cell on that Python."""
    cells = [cell for cell in known.matrix.cells if cell.python == question.python]
    if not cells:
        return None
    asked = {"boto3": question.boto3, "botocore": question.botocore}
    for cell in cells:
        pinned = {"boto3": cell.pin.boto3, "botocore": cell.pin.botocore}
        if all(version is None or str(version) == pinned[name] for name, version in asked.items()):
            return f"make matrix CELLS={cell.name}"
    numbered = [cell for cell in cells if cell.pin.botocore != LATEST]
    older = [cell for cell in numbered if Version(cell.pin.botocore) <= question.botocore]
    host = max(older, key=lambda cell: Version(cell.pin.botocore)) if older else [*numbered, *cells][-1]
    versions = [
        f"{name.upper()}_VERSION={shlex.quote(str(version))}" for name, version in asked.items() if version is not None
    ]
    return " ".join([*versions, "make", "matrix", f"CELLS={host.name}"])


def together(answers: Iterable[Answer]) -> Answer:
    """Give the one answer that holds for several questions at once."""
    found = set(answers)
    return found.pop() if len(found) == 1 else Answer.UNKNOWN


def questions(environment: Environment, python: str, known: Knowledge) -> list[Question]:
    """Give the questions that an environment is asked about with: it can be used if each is answered with yes.

    Where only a boto3 is named there are two, for it admits its own botocore, of the same day, and all later ones of
    that minor, of which an installer takes the last unless told otherwise. A number without a package is a boto3, or
    else a botocore.

    Raises:
        ValueError: there never was such a boto3.

    """
    boto3s, botocores = environment.get("boto3", ()), environment.get("botocore", ())
    if bare := environment.get(BARE):
        boto3s, botocores = ((), bare) if not _is_boto3(bare[0], known) else (bare, ())
    pairs: list[tuple[Version | None, Version]]
    if botocores:
        pairs = [(boto3, botocore) for boto3 in boto3s or (None,) for botocore in botocores]
    else:
        pairs = [(boto3, botocore) for boto3 in boto3s for botocore in _ends(_own(boto3), known)]
    # Of a lock file with several of each, those that belong together.
    fitting = [(boto3, botocore) for boto3, botocore in pairs if boto3 is None or _misfit(boto3, botocore) is None]
    return [
        Question(python, botocore, boto3, urllib3)
        for boto3, botocore in fitting or pairs
        for urllib3 in environment.get("urllib3") or (None,)
    ]


def _is_boto3(version: Version, known: Knowledge) -> bool:
    """Whether a number is one of a boto3 as far as is known, or at least not one of a botocore."""
    try:
        own = _own(version)
    except ValueError:
        return False
    return known.surface_of(own) is not None or known.surface_of(version) is None


def _own(boto3: Version) -> Version:
    """Give the botocore of a boto3's own day; for those before the patch's time by their distance in numbers."""
    if boto3 < OLDEST_BOTO3:
        return Version(f"{boto3.major}.{boto3.minor + OLDEST_BOTOCORE.minor - OLDEST_BOTO3.minor}.{boto3.micro}")
    return oldest_botocore(boto3)


def _ends(own: Version, known: Knowledge) -> list[Version]:
    pins = (Version(pin.botocore) for pin in known.matrix.pins if pin.botocore != LATEST)
    later = [one for one in (*known.examined, *pins) if one.release[:2] == own.release[:2] and one > own]
    return [own, max(later)] if later else [own]


def _misfit(boto3: Version, botocore: Version) -> str | None:
    """Say why two cannot be installed together; None if they can, as far as their numbers tell."""
    try:
        check_pair(str(boto3), str(botocore))
    except ValueError as error:
        return str(error)
    return None


def _without_running(question: Question, known: Knowledge) -> Reply | None:
    """Answer what no run can change."""
    python, botocore, boto3 = question.python, question.botocore, question.boto3
    if python not in known.matrix.pythons:
        return Reply(question, Answer.UNKNOWN, f"the matrix has Python {', '.join(known.matrix.pythons)}, not {python}")
    if botocore < OLDEST_BOTOCORE:
        return Reply(question, Answer.NO, f"the patch is for botocore {OLDEST_BOTOCORE} and newer")
    if boto3 is not None and (because := _misfit(boto3, botocore)):
        return Reply(question, Answer.NO, because)
    if boto3 is not None and not _is_final(boto3):
        return Reply(question, Answer.UNKNOWN, f"boto3 {boto3} is no final release, and what is in it is not known")
    return None


def _by_itself(question: Question, known: Knowledge) -> Reply | None:
    """Answer by cells that have this botocore, if there are any."""
    cells = [_as_asked(cell, question) for cell in known.with_botocore(question.python, question.botocore)]
    return Reply(question, _at_one_release(cells), _stories(cells), tuple(cells)) if cells else None


def _left_out(question: Question, known: Knowledge) -> Reply | None:
    """Answer where the pins around it leave that Python out: all of them, or one, so that it ends between them."""
    around = [known.full_pins[one] for one in _nearest([*known.full_pins], question.botocore)]
    out = [pin for pin in around if question.python not in pin.pythons]
    if not out:
        return None
    because = _why_out(out[-1], question.python)
    if len(out) == len(around):
        return Reply(question, Answer.NO, because, is_left_out=True)
    return Reply(question, Answer.UNKNOWN, f"{because}; where that begins is not known")


def _of_no_class(question: Question, known: Knowledge) -> Reply | None:
    """Answer for a botocore that no other one can stand for."""
    botocore = question.botocore
    because = None
    if not _is_final(botocore):
        because = f"botocore {botocore} is no final release, so that no other one can stand for it"
    elif known.newest is None:
        because = "nothing is known of any botocore, neither from surface.json nor from results"
    elif botocore > known.newest:
        newer = f"botocore {botocore} is newer than {known.newest}, the newest that was examined or run"
        because = f"{newer}; `python -m boto_matrix update` takes up new releases"
    elif known.surface_of(botocore) is None:
        near = " and ".join(map(str, known.around(botocore)))
        look = f"`python -m boto_matrix surface {botocore}` looks at it"
        because = f"no botocore {botocore} is known; those near it are {near}; {look}"
    return Reply(question, Answer.UNKNOWN, because) if because else None


def _by_class(question: Question, known: Knowledge) -> Reply:
    """Answer by the nearest cells with a botocore of the same surface class."""
    botocore, surface = question.botocore, known.surface_of(question.botocore)
    alike = known.alike(botocore)
    of_class = known.of_class(question.python, surface)
    sides = _nearest([cell.botocore for cell in of_class], botocore)
    if not sides:
        elsewhere = [cell for cell in known.cells if cell.surface == surface and cell.answer is not None]
        seen = f"; elsewhere {_stories(elsewhere[:_ELSEWHERE])}" if elsewhere else ""
        because = f"of these the matrix has none on Python {question.python}{seen}"
        return Reply(question, Answer.UNKNOWN, because, alike=alike)
    at_sides = [[_as_asked(cell, question) for cell in of_class if cell.botocore == side] for side in sides]
    cells = tuple(cell for side in at_sides for cell in side)
    return Reply(question, together(map(_at_one_release, at_sides)), _stories(cells), cells, alike=alike)


def _is_final(release: Version) -> bool:
    return not (release.is_prerelease or release.is_postrelease or release.local)


def _nearest(releases: Sequence[Version], botocore: Version) -> list[Version]:
    """Give the nearest of some releases, the oldest first, below and above one; or it alone, if it is one of them."""
    below, above = bisect_right(releases, botocore) - 1, bisect_left(releases, botocore)
    return list(dict.fromkeys(releases[at] for at in (below, above) if 0 <= at < len(releases)))


def _at_one_release(cells: Sequence[KnownCell]) -> Answer:
    """Give what cells say together that had the same botocore: those that say nothing leave it to the others."""
    return together(cell.answer for cell in cells if cell.answer is not None)


def _as_asked(cell: KnownCell, question: Question) -> KnownCell:
    """Give a cell as it counts for a question: with another major of urllib3, what happened in it says nothing."""
    if question.urllib3 is None or cell.answer is None or cell.urllib3 == question.urllib3.major:
        return cell
    story = f"{cell.story}, but with urllib3 {cell.urllib3 or 'unknown'} instead of {question.urllib3.major}"
    return replace(cell, answer=None, story=story)


def _why_out(pin: Pin, python: str) -> str:
    """Say why a pin is not for a Python: lower limits are the packages' own, and the row gives the reason of others."""
    if Version(python) < min(map(Version, pin.pythons)):
        return f"botocore {pin.botocore} needs Python {min(pin.pythons, key=Version)} or newer"
    return f"botocore {pin.botocore} is not for Python {python}" + (f": {pin.why}" if pin.why else "")


def _stories(cells: Sequence[KnownCell]) -> str:
    return ", ".join(f"{cell.name} (botocore {cell.botocore}) {cell.story}" for cell in cells)
