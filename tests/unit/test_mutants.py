"""The command `make mutants`, on a project so small that its verdicts are known."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.__main__ import PROJECT, SUITES, main
from tests.mutants.mutant import DoesNotApplyError, Mutant
from tests.mutants.trial import Outcome, Project, Suite, Workshop

ALL = [mutant for suite in SUITES for mutant in suite.mutants]

SOURCE = "def double(number):\n    return 2 * number\n"
TESTS = "from doubler.double import double\n\n\ndef test_two_is_doubled():\n    assert double(2) == 4\n"


def bug(name: str, replacement: str) -> Mutant:
    return Mutant(name, "sums are wrong", "double.py", "2 * number", replacement)


CAUGHT = bug("halved", "number // 2")
SURVIVOR = bug("squared", "number ** 2")
HANGING = bug("endless", "double(number) if __import__('signal').pause() else 0")
RAISING = bug("raising", "1 / 0")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {
        "doubler/__init__.py": "",
        "doubler/double.py": SOURCE,
        "tests/test_double.py": TESTS,
        "pytest.ini": "[pytest]\npythonpath = .\n",
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Project(tmp_path / "project", "doubler", ("tests", "pytest.ini"))


def suite(*mutants: Mutant, repeats: bool = False) -> Suite:
    return Suite("tests", ("tests",), mutants, repeats)


def outcome(project: Project, mutant: Mutant | None, limit: float | None = None, repeats: bool = False) -> Outcome:
    with Workshop(project, sys.executable, jobs=1) as workshop:
        return workshop.run(suite(repeats=repeats), mutant, limit).outcome


def test_what_the_tests_notice_is_caught_and_what_they_do_not_survives(project: Project) -> None:
    assert outcome(project, None) is Outcome.SURVIVED
    assert outcome(project, CAUGHT) is Outcome.CAUGHT
    assert outcome(project, SURVIVOR) is Outcome.SURVIVED


def test_mutants_of_one_size_do_not_share_their_bytecode(project: Project) -> None:
    with Workshop(project, sys.executable, jobs=1) as workshop:
        outcomes = [
            workshop.run(suite(), bug(text, text)).outcome for text in ("1 * number", "4 or number", "3 * number")
        ]
    assert outcomes == [Outcome.CAUGHT, Outcome.SURVIVED, Outcome.CAUGHT]


def test_what_hangs_is_ended_and_said_to_time_out(project: Project) -> None:
    assert outcome(project, HANGING, limit=1) is Outcome.TIMED_OUT


def fails_in_runs(counter: Path, runs: str) -> str:
    """A test that counts its runs, and fails in some of them: in the first and third with `runs="13"`."""
    return f"""

def test_{counter.name}():
    counter = __import__("pathlib").Path({str(counter)!r})
    counter.write_text((counter.read_text() if counter.exists() else "") + ".")
    assert str(len(counter.read_text())) not in {runs!r}
"""


@pytest.mark.parametrize(
    ("fails_in", "expected"),
    [("1", Outcome.SURVIVED), ("12", Outcome.CAUGHT), ("13", Outcome.CAUGHT)],
    ids=["by chance", "alone too", "in company"],
)
def test_a_failure_counts_if_it_comes_again(project: Project, tmp_path: Path, fails_in: str, expected: Outcome) -> None:
    test = fails_in_runs(tmp_path / "counter", fails_in)
    (project.root / "tests/test_double.py").write_text(TESTS + test, encoding="utf-8")
    assert outcome(project, SURVIVOR, repeats=True) is expected


def test_failures_that_are_never_the_same_prove_nothing(project: Project, tmp_path: Path) -> None:
    tests = "".join(fails_in_runs(tmp_path / name, "1") for name in ("a", "b", "c"))
    (project.root / "tests/test_double.py").write_text(TESTS + tests, encoding="utf-8")
    assert outcome(project, SURVIVOR, repeats=True) is Outcome.NO_TRIAL


def test_a_run_that_never_saw_the_mutant_proves_nothing(project: Project) -> None:
    (project.root / "tests/test_double.py").write_text("def test_nothing():\n    assert False\n", encoding="utf-8")
    assert outcome(project, CAUGHT) is Outcome.NO_TRIAL


def test_a_run_that_is_no_failure_of_a_test_proves_nothing(project: Project) -> None:
    (project.root / "tests/conftest.py").write_text("import doubler.double\n\nraise SystemError", encoding="utf-8")
    assert outcome(project, CAUGHT) is Outcome.NO_TRIAL


def test_the_project_itself_is_left_alone(project: Project) -> None:
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    outcome(project, CAUGHT)
    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == before


def test_a_survivor_fails_the_command_and_is_shown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], project, [suite(CAUGHT, SURVIVOR, RAISING)]) == 1
    said = capsys.readouterr().out
    assert "halved caught test_double test_two_is_doubled" in said
    assert "squared survived: sums are wrong" in said
    assert "number ** 2" in said
    assert "2 of 3 mutants caught" in said


def test_all_caught_is_success(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["halved"], project, [suite(CAUGHT, SURVIVOR)]) == 0
    assert "1 of 1 mutants caught" in capsys.readouterr().out


def test_tests_that_fail_without_any_mutant_are_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / "doubler/double.py").write_text(SOURCE.replace("return", "return 3 *"), encoding="utf-8")
    assert main([], project, [suite(CAUGHT)]) == 2
    assert "With no mutant at all, tests must pass" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mutant", "reason"),
    [
        (Mutant("gone", "", "double.py", "3 * number", "number"), "0 times"),
        (Mutant("twofold", "", "double.py", "number", "0"), "2 times"),
        (Mutant("moved", "", "triple.py", "number", "0"), "no file"),
        (Mutant("broken", "", "double.py", "2 * number", "2 *"), "no Python"),
    ],
)
def test_a_mutant_that_no_longer_applies_is_an_error_that_names_it(
    project: Project, capsys: pytest.CaptureFixture[str], mutant: Mutant, reason: str
) -> None:
    assert main([], project, [suite(CAUGHT, mutant)]) == 2
    said = capsys.readouterr().out
    assert said.startswith(mutant.name + ": ")
    assert reason in said


def test_a_name_that_no_mutant_has_is_an_error(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["halfed"], project, [suite(CAUGHT)]) == 2
    assert "no mutant halfed" in capsys.readouterr().out


def test_a_mutant_that_can_do_no_harm_here_is_not_tried_and_named(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = replace(SURVIVOR, needs="pytest<7")
    assert main([], project, [suite(replace(CAUGHT, needs="pytest>=7"), elsewhere)]) == 0
    said = capsys.readouterr().out
    assert "squared is not tried: it needs pytest<7" in said
    assert "1 of 1 mutants caught" in said


def test_nothing_to_try_is_no_success(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], project, [suite(replace(CAUGHT, needs="pytest<7"))]) == 2
    assert "nothing left to try" in capsys.readouterr().out


def test_a_python_that_is_none_is_an_error(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--python", "no/such/python"], project, [suite(CAUGHT)])
    assert "no/such/python is no program" in capsys.readouterr().err


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_each_mutant_of_the_patch_applies(mutant: Mutant) -> None:
    try:
        source = mutant.source(PROJECT.root / PROJECT.package)
    except DoesNotApplyError as error:
        pytest.fail(str(error))
    assert source != (PROJECT.root / PROJECT.package / mutant.file).read_text(encoding="utf-8")


def test_each_mutant_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in ALL}) == len(ALL)
