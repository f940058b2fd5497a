"""The results of a run: what was asked for, what was found, what happened. One JSON document a run.

The document is written whole and put in place at once, again and again while the run goes on: whenever the machine
stops, the cells that were finished are there and the others are `not run`. `FORMAT` grows when a reader of the old form
would misread the new one; fields with a default may be added without it.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

FORMAT = 1


class Outcome(str, Enum):
    """How a cell ended: exactly one of these."""

    PASSED = "passed"
    FAILED = "failed"
    INSTALL_FAILED = "install failed"
    NO_INTERPRETER = "no interpreter"
    CRASHED = "crashed"
    NOT_RUN = "not run"

    @property
    def is_failure(self) -> bool:
        """Whether a run with such a cell has failed; what could not or should not run is no failure."""
        return self in (Outcome.FAILED, Outcome.INSTALL_FAILED, Outcome.CRASHED)

    @property
    def is_skipped(self) -> bool:
        """Whether it says nothing of the cell: it could not or should not run."""
        return self in (Outcome.NO_INTERPRETER, Outcome.NOT_RUN)


class SetOutcome(str, Enum):
    """How a set, or a test in it, ended."""

    PASSED = "passed"
    FAILED = "failed"
    CRASHED = "crashed"
    SKIPPED = "skipped"
    NOT_RUN = "not run"

    @property
    def is_failure(self) -> bool:
        """Whether it is one that a run fails by."""
        return self in (SetOutcome.FAILED, SetOutcome.CRASHED)


FOUR_SETS = ("noredirect_unpatched", "redirects_unpatched", "noredirect_patched", "redirects_patched")
"""The sets that have a place of their own in each cell, in this order; what else ran shares the place after them."""

WORST_FIRST = (
    SetOutcome.CRASHED, SetOutcome.FAILED, SetOutcome.NOT_RUN, SetOutcome.PASSED, SetOutcome.SKIPPED
)  # fmt: skip


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TestResult(_Model):
    """A test of a set."""

    __test__: ClassVar[bool] = False  # pytest: this is not one

    name: str
    outcome: SetOutcome
    seconds: float = Field(description="wall clock")
    detail: str | None = Field(default=None, description="what the test printed when it failed, or why it was skipped")


class SetResult(_Model):
    """A set: one test file, in a process of its own."""

    outcome: SetOutcome
    seconds: float = Field(description="wall clock")
    cpu_seconds: float | None = Field(default=None, description="of its process")
    tests: tuple[TestResult, ...] = ()


class CellReport(_Model):
    """What the tests of a cell write themselves, in the cell, to the file that CELL_RESULTS names."""

    model_config = ConfigDict(extra="ignore")

    format: int
    python: str
    executable: str
    packages: dict[str, str]
    sets: dict[str, SetResult]


class PinnedVersions(_Model):
    """The row of matrix.yaml, as it stood there: versions, or `latest`."""

    boto3: str
    botocore: str


class UsedInterpreter(_Model):
    """The Python that the tests ran on."""

    version: str = Field(description="whole: 3.11.7")
    path: str = Field(description="of the Python in the cell's environment")


class FoundSurface(_Model):
    """The surface class of an installed package: which releases mean the same in all that is stood on."""

    fingerprint: str | None = Field(description="of what is stood on in it; null when it could not be read")
    name: str | None = Field(description="the class, `since 1.43.3`; null when no examined release is in it")
    problem: str | None = Field(default=None, description="why there is no fingerprint, or no class")


class FoundModel(_Model):
    """The S3 model of the installed botocore, compared with what aistore_patch.guard knows."""

    unclassified: tuple[str, ...] = Field(
        default=(), description="what it does not know: operations on objects, parameters of honoured writes"
    )
    problem: str | None = Field(default=None, description="why the two could not be compared")


class CellResult(_Model):
    """A cell and what happened in it."""

    name: str
    python: str = Field(pattern=r"^\d+\.\d+$", description="the minor that the cell is named for: 3.11")
    pin: PinnedVersions
    outcome: Outcome
    reason: str | None = Field(default=None, description="why it ended so, in a sentence; null when it passed")
    requested: dict[str, str] = Field(
        default_factory=dict, description="what had to be installed, by package: a version or a specifier"
    )
    installed: dict[str, str] = Field(default_factory=dict, description="everything that was installed, by package")
    surfaces: dict[str, FoundSurface] = Field(
        default_factory=dict, description="the surface class, by package; python is the standard library"
    )
    s3_model: FoundModel | None = Field(default=None, description="null when no botocore was found there")
    interpreter: UsedInterpreter | None = Field(default=None, description="null when no test was started")
    sets: dict[str, SetResult] = Field(default_factory=dict)
    covered_by: dict[str, str] = Field(
        default_factory=dict,
        description="the sets that were left to another cell of the same class, and the name of that cell; this cell "
        "has passed only if that one has passed them in the same document",
    )
    install_seconds: float | None = Field(default=None, description="wall clock, until the tests could start")
    tests_seconds: float | None = Field(default=None, description="wall clock, of all sets")
    repeat: str = Field(description="the command that repeats it")
    output: str | None = Field(default=None, description="the end of what was printed, where that explains the outcome")
    arguments: str = Field(
        default="",
        description="what pytest was told, `-k multipart`; a result with any may be of a part of the tests, and counts "
        "for nothing where all of them are asked for",
    )
    run: int | None = Field(
        default=None, ge=0, description="in a merged document, the run that this was found in: an index into `runs`"
    )

    @property
    def is_whole_fact(self) -> bool:
        """Whether it says how the cell ended with all of its tests."""
        return not self.outcome.is_skipped and not self.arguments

    @property
    def four_sets(self) -> tuple[SetOutcome, ...]:
        """How each of `FOUR_SETS` ended, in their order."""
        return tuple(self.sets[name].outcome if name in self.sets else SetOutcome.NOT_RUN for name in FOUR_SETS)

    @property
    def other_sets(self) -> SetOutcome | None:
        """The worst outcome of all other sets, those that another cell was to run included; None if there are none."""
        outcomes = {one.outcome for name, one in self.sets.items() if name not in FOUR_SETS}
        if self.covered_by and self.outcome is Outcome.NOT_RUN:
            outcomes.add(SetOutcome.NOT_RUN)
        return next((outcome for outcome in WORST_FIRST if outcome in outcomes), None)


class Machine(_Model):
    """Where a run was."""

    system: str
    release: str
    architecture: str
    cpus: int


class Origin(_Model):
    """One of the runs that a document was merged from: all of it but the cells."""

    started: AwareDatetime
    seconds: float = Field(description="wall clock")
    finished: bool
    command: str
    overrides: dict[str, str] = Field(default_factory=dict)
    machine: Machine
    tools: dict[str, str]


class RunResult(_Model):
    """A run, or several merged into one: every cell that was asked for, in the order of the matrix."""

    format: int = FORMAT
    started: AwareDatetime
    seconds: float = Field(description="wall clock")
    finished: bool = Field(description="false while it goes on, and for ever if the machine stopped")
    command: str
    overrides: dict[str, str] = Field(default_factory=dict, description="BOTO3_VERSION and so on, as given")
    machine: Machine
    tools: dict[str, str] = Field(description="the versions of what ran the cells: python, tox, tox-uv, uv")
    cells: tuple[CellResult, ...]
    runs: tuple[Origin, ...] = Field(
        default=(), description="what a merged document was merged from, oldest first; empty in that of a single run"
    )

    @model_validator(mode="after")
    def _check_cells(self) -> RunResult:
        seen: set[str] = set()
        for cell in self.cells:
            if cell.name in seen:
                raise ValueError(f"the cell {cell.name} is there twice")
            if cell.run is not None and cell.run >= len(self.runs):
                raise ValueError(f"the cell {cell.name} is of run {cell.run}, and there are {len(self.runs)} runs")
            seen.add(cell.name)
        return self

    @property
    def failures(self) -> tuple[CellResult, ...]:
        """The cells that failed."""
        return tuple(cell for cell in self.cells if cell.outcome.is_failure)
