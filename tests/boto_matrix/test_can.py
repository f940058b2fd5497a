"""`python -m boto_matrix can`: asked through the front door, with results that are made up."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from packaging.version import Version

from boto_matrix import __main__ as program
from boto_matrix.commands import can
from boto_matrix.matrix.load import parse_matrix
from boto_matrix.results.model import CellResult, FoundSurface, Outcome, SetOutcome
from boto_matrix.surface.declaration import declaration_of
from boto_matrix.surface.record import SurfaceRecord
from tests.boto_matrix.made_results import FAILED, STARTED, cell, failed, run, sets, written

MATRIX = """
pythons: ['3.9', '3.12', '3.14']
pins:
  - {boto3: latest, botocore: latest, python: '>=3.9'}
  - {boto3: 1.44.8, botocore: 1.44.8, python: '>=3.12'}
  - {boto3: 1.43.90, botocore: 1.43.90, python: '>=3.12'}
  - {boto3: 1.43.3, botocore: 1.43.3, python: '>=3.12'}
  - {boto3: 1.43.2, botocore: 1.43.2, python: '==3.12'}
  - {boto3: 1.26.165, botocore: 1.29.165, python: '>=3.9,<3.14', why: 'it imports what 3.14 took out'}
"""
OLD, NEW, NEWEST = "0000000000000000", "1111111111111111", "2222222222222222"
SURFACES = {
    "1.29.0": OLD, "1.29.165": OLD,
    "1.43.0": OLD, "1.43.2": OLD, "1.43.3": NEW, "1.43.90": NEW,
    "1.44.0": NEWEST, "1.44.8": NEWEST,
}  # fmt: skip
YES, NO, UNKNOWN, MISTAKE = 0, 1, 3, 2


def passed(name: str, version: str, **facts: object) -> CellResult:
    """A cell that passed, with a botocore of that version."""
    boto3 = f"1.26.{version.rpartition('.')[2]}" if version.startswith("1.29.") else version
    surface = {"botocore": FoundSurface(fingerprint=SURFACES.get(version), name="since then")}
    return cell(name, boto3=boto3, botocore=version, surfaces=surface, **facts)


@pytest.fixture(autouse=True)
def _small_matrix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fingerprints = {Version(version): fingerprint for version, fingerprint in SURFACES.items()}
    record = SurfaceRecord().with_releases(declaration_of("botocore"), fingerprints)
    monkeypatch.setattr(can, "project_matrix", lambda: parse_matrix(MATRIX))
    monkeypatch.setattr(can, "read_record", lambda: record)
    monkeypatch.setattr(can, "RESULTS", tmp_path)


class Ask(Protocol):
    def __call__(self, *words: str, of: tuple[CellResult, ...] = ..., **facts: object) -> int: ...


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask, with results of these cells at hand; gives the exit code."""

    def asked(*words: str, of: tuple[CellResult, ...] = (), **facts: object) -> int:
        written(run(*of, **facts), tmp_path / "results.json")
        return program.main(["can", *words])

    return asked


def test_release_that_was_run_can_be_used(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("1.44.8", "--python", "3.12", of=(passed("py312-boto1.44", "1.44.8"),)) == YES
    assert "py312-boto1.44 (botocore 1.44.8) passed on 2026-11-23" in capsys.readouterr().out


def test_release_that_is_not_pinned_is_judged_by_its_class_on_both_sides(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = (passed("py312-boto1.43", "1.43.90"), passed("py312-boto1.43.3", "1.43.3"))
    assert ask("1.43.50", "--python", "3.12", of=cells) == YES
    told = capsys.readouterr().out
    assert "to the patch, botocore 1.43.3 to 1.43.90 are the same" in told
    assert "py312-boto1.43.3 (botocore 1.43.3) passed" in told
    assert "BOTO3_VERSION=1.43.50 BOTOCORE_VERSION=1.43.50 make matrix CELLS=py312-boto1.43.3" in told


def test_pin_of_its_class_that_was_not_run_leaves_it_open(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("botocore==1.43.50", "--python", "3.12", of=(passed("py312-boto1.43", "1.43.90"),)) == UNKNOWN
    assert "py312-boto1.43.3 (botocore 1.43.3) was not run" in capsys.readouterr().out


def test_another_python_shows_nothing(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    cells = (passed("py312-boto1.43", "1.43.90"), passed("py312-boto1.43.3", "1.43.3"))
    assert ask("botocore==1.43.50", "--python", "3.14", of=cells) == UNKNOWN
    assert "was not run" in capsys.readouterr().out


def test_boto3_alone_is_judged_with_the_first_and_the_last_botocore_that_it_admits(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    of_its_own = passed("py312-boto1.43.3", "1.43.3")
    assert ask("boto3==1.43.3", "--python", "3.12", of=(of_its_own,)) == UNKNOWN
    assert ask("boto3==1.43.3", "--python", "3.12", of=(of_its_own, passed("py312-boto1.43", "1.43.90"))) == YES
    assert "boto3 1.43.3, botocore 1.43.90 on Python 3.12" in capsys.readouterr().out


def test_run_with_other_versions_counts_for_these(ask: Ask) -> None:
    pinned = cell("py312-boto1.43", boto3="1.43.90")
    ran = pinned.model_copy(update={"installed": {**pinned.installed, "boto3": "1.43.50", "botocore": "1.43.50"}})
    given = {"BOTO3_VERSION": "1.43.50", "BOTOCORE_VERSION": "1.43.50"}
    assert ask("botocore==1.43.50", "--python", "3.12", of=(ran,), overrides=given) == YES
    assert (
        ask("botocore==1.43.50", "--python", "3.12", of=(ran,), overrides={"BOTO3_VERSION": "/a/checkout"}) == UNKNOWN
    )


def test_failure_by_the_patch_is_a_no(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    bad = failed("py312-boto1.44", boto3="1.44.8", noredirect_patched=FAILED)
    assert ask("1.44.8", "--python", "3.12", of=(bad,)) == NO
    assert "failed on 2026-11-23 (at fault: the patch)" in capsys.readouterr().out


def test_what_was_run_later_counts(ask: Ask, tmp_path: Path) -> None:
    bad = failed("py312-boto1.44", boto3="1.44.8", noredirect_patched=FAILED)
    good = passed("py312-boto1.44", "1.44.8")
    later = STARTED + timedelta(days=1)
    for earlier, now, answer in [(bad, good, YES), (good, bad, NO)]:
        written(run(earlier, overrides={"BOTO3_VERSION": "1.44.8"}), tmp_path / "earlier.json")
        assert ask("1.44.8", "--python", "3.12", of=(now,), started=later) == answer


def test_failure_that_is_not_botocore_s_leaves_it_open(ask: Ask) -> None:
    no_place = cell("py312-boto1.44", boto3="1.44.8", outcome=Outcome.INSTALL_FAILED, reason="dns error")
    assert ask("1.44.8", "--python", "3.12", of=(no_place,)) == UNKNOWN


@pytest.mark.parametrize(
    "part",
    [
        {"arguments": "-k multipart"},
        {"sets": sets(redirects_patched=SetOutcome.NOT_RUN)},
        {"sets": sets(redirects_patched=SetOutcome.SKIPPED)},
        {"sets": {}},
    ],
)
def test_part_of_the_tests_is_no_yes(ask: Ask, part: dict[str, Any]) -> None:
    assert ask("1.44.8", "--python", "3.12", of=(passed("py312-boto1.44", "1.44.8", **part),)) == UNKNOWN


def test_sets_left_to_a_representative_count_only_with_it(ask: Ask) -> None:
    leaves = passed("py312-boto1.43.3", "1.43.3", covered_by={"scale": "py312-boto1.43"})
    stands = passed("py312-boto1.43", "1.43.90", sets=sets(scale=SetOutcome.PASSED))
    without = passed("py312-boto1.43", "1.43.90")
    assert ask("botocore==1.43.3", "--python", "3.12", of=(leaves,)) == UNKNOWN
    assert ask("botocore==1.43.3", "--python", "3.12", of=(leaves, without)) == UNKNOWN
    assert ask("botocore==1.43.3", "--python", "3.12", of=(leaves, stands)) == YES


def test_newer_than_all_that_was_judged_says_so(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("1.50.0", "--python", "3.12", of=(passed("py312-boto1.44", "1.44.8"),)) == UNKNOWN
    assert "1.50.0 is newer than 1.44.8, the newest that was examined or run" in capsys.readouterr().out


def test_release_that_nobody_knows_is_not_taken_for_its_neighbours(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = (passed("py39-boto1.26", "1.29.165"), passed("py312-boto1.43.2", "1.43.2"))
    assert ask("botocore==1.29.999", "--python", "3.12", of=cells) == UNKNOWN
    assert "no botocore 1.29.999 is known" in capsys.readouterr().out


def test_modified_release_is_not_taken_for_the_original(ask: Ask) -> None:
    cells = (passed("py312-boto1.43", "1.43.90"), passed("py312-boto1.43.3", "1.43.3"))
    for version in ("1.43.50+ours", "1.43.50.dev1", "1.43.50rc1", "1.43.50.post1"):
        assert ask(f"botocore=={version}", "--python", "3.12", of=cells) == UNKNOWN
        assert ask(f"boto3=={version}", "botocore==1.43.90", "--python", "3.12", of=cells) == UNKNOWN


def test_python_that_a_release_is_not_for_is_a_no_with_the_reason(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("botocore==1.43.50", "--python", "3.9") == NO
    assert "needs Python 3.12 or newer" in capsys.readouterr().out
    assert ask("botocore==1.43.0", "--python", "3.14") == UNKNOWN  # 1.29.165 is not for it, and 1.43.3 is
    assert "it imports what 3.14 took out" in capsys.readouterr().out
    assert ask("botocore==1.29.100", "--python", "3.14") == NO


def test_without_a_python_all_are_shown_and_those_count_that_it_is_for(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = (passed("py312-boto1.44", "1.44.8"), passed("py314-boto1.44", "1.44.8"))
    assert ask("1.44.8", of=cells) == YES
    assert "no        boto3 1.44.8, botocore 1.44.8 on Python 3.9" in capsys.readouterr().out
    assert ask("1.44.8", of=cells[:1]) == UNKNOWN


def test_pair_that_cannot_be_installed_is_a_no(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("boto3==1.44.8", "botocore==1.43.90", "--python", "3.12") == NO
    assert "boto3 1.44.8 needs botocore 1.44" in capsys.readouterr().out
    assert ask("boto3==1.43.50", "botocore==1.43.3", "--python", "3.12") == NO


def test_older_than_the_patch_supports_is_a_no(ask: Ask) -> None:
    assert ask("1.16.3", "--python", "3.9") == NO
    assert ask("botocore==1.19.63", "--python", "3.9") == NO


def test_another_major_of_urllib3_shows_nothing(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    of = (passed("py312-boto1.44", "1.44.8"),)
    assert ask("botocore==1.44.8", "urllib3==2.1.0", "--python", "3.12", of=of) == YES
    assert ask("botocore==1.44.8", "urllib3==1.26.20", "--python", "3.12", of=of) == UNKNOWN
    assert "but with urllib3 2 instead of 1" in capsys.readouterr().out


FREEZE = """attrs==25.3.0
boto3==1.44.8
botocore==1.44.8
s3transfer==0.19.3
urllib3==2.8.0
-e git+https://x/y#egg=own
"""
REQUIREMENTS = """
--index-url https://index.example/simple
boto3 == 1.44.8 \\
    --hash=sha256:00  # of today
BotoCore==1.44.8; python_version >= "3.10"
botocore==1.29.165; python_version < "3.10"
"""
UV = """
version = 1
[[package]]
name = "boto3"
version = "1.44.8"
source = { registry = "https://index.example/simple" }
resolution-markers = ["python_full_version >= '3.10'"]
[[package]]
name = "boto3"
version = "1.26.165"
source = { registry = "https://index.example/simple" }
resolution-markers = ["python_full_version < '3.10'"]
[[package]]
name = "botocore"
version = "1.44.8"
"""
PYLOCK = 'lock-version = "1.0"\n[[packages]]\nname = "boto3"\nversion = "1.44.8"\n'
PIPFILE = json.dumps({"default": {"boto3": {"version": "==1.44.8"}, "six": {"version": "==1.17.0"}}})


@pytest.mark.parametrize("text", [FREEZE, REQUIREMENTS, UV, PYLOCK, PIPFILE])
def test_environment_is_read_from_a_file_or_from_stdin(
    ask: Ask, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = (passed("py312-boto1.44", "1.44.8"),)
    file = tmp_path / "environment.txt"
    file.write_text(text)
    assert ask(str(file), "--python", "3.12", of=of) == YES
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert ask("-", "--python", "3.12", of=of) == YES


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("boto3>=1.26\n", "does not say which release of boto3 it means"),
        ("boto3 @ git+https://example.org/boto3\n", "does not say which release of boto3"),
        ("-e git+https://example.org/x#egg=botocore\n", "does not say which release of botocore"),
        ("requests==2.34.2\n", "neither boto3 nor botocore"),
        ("{", "cannot be read"),
        ('[[package]]\nname = "boto3', "cannot be read"),
        ('[[package]]\nname = "boto3"\nversion = "1.44.8"\nsource = { git = "https://x" }', "does not say which"),
    ],
)
def test_environment_that_does_not_say_is_refused(
    ask: Ask, text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(text)
    assert ask(str(file), "--python", "3.12") == MISTAKE
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("boto3>=1",), ("there/is/none.txt",), ("1.44.8", "1.43.3"), ("moto==5.0.0",), ("boto3==1.31.0",)]
)
def test_question_that_cannot_be_is_refused(
    ask: Ask, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(*words, "--python", "3.12") == MISTAKE
    assert "expected a release (1.43.50)" in capsys.readouterr().err
