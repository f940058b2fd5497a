"""Who is at fault, where a real fault was put into the real patch, mock, moto, botocore, Python, index or network.

The cells here are small: a copy of the project, two tests of the four sets and one on sockets, on the Python and the
packages of these tests. What installs and what does not is tried with real tox and uv, in a project of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from boto_matrix.blame.rules import Culprit, Verdict, blame_cell
from boto_matrix.matrix.cells import Matrix
from boto_matrix.matrix.load import load_matrix
from boto_matrix.results.model import FOUR_SETS, CellResult, Outcome
from boto_matrix.running.events import Event, Happened
from boto_matrix.running.recorder import Recorder
from tests.boto_matrix.made_results import run
from tests.boto_matrix.small_project import PY, PYTHON, REPOSITORY, SmallProject

FOUR = "tests/unit/botocore_patch"
ON_SOCKETS = "tests/engine/test_objects.py"
SOME_TESTS = "range_of_an_object or empty_object or headers_arrive or answers_of_every_form"
_PLAIN = ("-p", "no:cacheprovider", "-p", "no:randomly")

Seed = Callable[["SmallCell"], None]


class SmallCell:
    """A copy of the project, to put a fault into, and the cell that runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        unneeded = shutil.ignore_patterns("__pycache__", "boto_matrix")
        for name in ("aistore_patch", "tests"):
            shutil.copytree(REPOSITORY / name, folder / name, ignore=unneeded)
        shutil.copy(REPOSITORY / "pyproject.toml", folder)
        self.write("seeded_fault.py", "")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, f"{path} no longer has {old!r} once: seed this fault otherwise"
        self.write(path, text.replace(old, new))

    def spoil(self, code: str) -> None:
        """Run this code in the process of the tests before anything of the project is imported."""
        self.write("seeded_fault.py", code)

    def result(self, *paths: str) -> CellResult:
        matrix = self._matrix()
        recorder = Recorder(matrix.cells, blank=run(), path=self.folder / "run.json", repeat=lambda _: "repeat")
        results = self.folder / "results.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "seeded_fault", *_PLAIN, "-k", SOME_TESTS, *paths],
            cwd=self.folder,
            env={**os.environ, "CELL_RESULTS": str(results), "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        ended = Event(
            matrix.cells[0].name,
            Happened.ENDED,
            text=done.stdout + done.stderr,
            exit_code=done.returncode,
            results=str(results),
        )
        result = recorder.hear(ended, is_stopping=False)
        assert result is not None
        return result

    def _matrix(self) -> Matrix:
        row = "{boto3: latest, botocore: latest, python: '>=3.8'}"
        self.write("matrix.yaml", f"pythons: ['{PYTHON}']\npins:\n  - {row}\n")
        return load_matrix(self.folder / "matrix.yaml")


@pytest.fixture
def small_cell(tmp_path: Path) -> SmallCell:
    return SmallCell(tmp_path)


def verdict(result: CellResult) -> Verdict:
    found = blame_cell(result)
    assert found is not None, f"the cell {result.outcome.value}: the fault was not noticed"
    return found


def patch_forgets_307(cell: SmallCell) -> None:
    cell.replace("aistore_patch/chain.py", "302, 307, 308", "302, 308")


def patch_acts_when_imported(cell: SmallCell) -> None:
    with (cell.folder / "aistore_patch" / "__init__.py").open("a") as file:
        file.write("\npatch()\n")


def patch_cannot_be_imported(cell: SmallCell) -> None:
    cell.replace("aistore_patch/chain.py", "STATUSES = ", "STATUSES = of_which = no_such_name and ")


def patch_refuses_this_botocore(cell: SmallCell) -> None:
    cell.spoil("""
import botocore.endpoint
prepare = botocore.endpoint.Endpoint.prepare_request
source = "def prepare_request(self, request, in_a_new_way=None): return prepare(self, request)"
exec(compile(source, botocore.endpoint.__file__, "exec"))
botocore.endpoint.Endpoint.prepare_request = prepare_request
""")


def patch_dies(cell: SmallCell) -> None:
    cell.replace("aistore_patch/chain.py", "STATUSES = ", "import os\nSTATUSES = ")
    with (cell.folder / "aistore_patch" / "botocore.py").open("a") as file:
        file.write("\nimport os\nos.abort()\n")


def mock_calls_moto_wrongly(cell: SmallCell) -> None:
    mock = "tests/unit/botocore_patch/mock_s3_redirect.py"
    cell.replace(mock, "self._moto_answers(for_moto)", "self._moto_answers(for_moto, 1)")


def moto_has_moved(cell: SmallCell) -> None:
    cell.spoil("import moto.core.models\ndel moto.core.models.botocore_stubber\n")


def moto_is_broken(cell: SmallCell) -> None:
    cell.spoil("import moto.s3.models\nmoto.s3.models.FakeKey = None\n")


def moto_answers_wrongly(cell: SmallCell) -> None:
    cell.spoil("""
import moto.s3.models
moto.s3.models.FakeKey.value = property(lambda self: b"other bytes", lambda self, value: None)
""")


def botocore_reads_too_little(cell: SmallCell) -> None:
    cell.spoil("""
import botocore.response
read = botocore.response.StreamingBody.read
botocore.response.StreamingBody.read = lambda self, amt=None: read(self, amt)[:-1]
""")


def botocore_takes_redirects_for_successes(cell: SmallCell) -> None:
    cell.spoil("""
import botocore.client
make = botocore.client.BaseClient._make_request

def make_request(self, *arguments):
    http, parsed = make(self, *arguments)
    http.status_code = 200 if 300 <= http.status_code < 400 else http.status_code
    return http, parsed

botocore.client.BaseClient._make_request = make_request
""")


def python_lacks_a_module(cell: SmallCell) -> None:
    cell.spoil("import sys\nsys.modules['xml.etree.cElementTree'] = sys.modules['xml.etree.ElementTree'] = None\n")


def python_dies(cell: SmallCell) -> None:
    cell.spoil("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")


def loopback_is_down(cell: SmallCell) -> None:
    cell.spoil("""
import errno, socket

class Unreachable(socket.socket):
    def connect(self, address):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

socket.socket = Unreachable
""")


@pytest.mark.parametrize(
    ("seed", "paths", "culprit"),
    [
        (patch_forgets_307, [FOUR], Culprit.PATCH),
        (patch_acts_when_imported, [FOUR], Culprit.PATCH),
        (patch_cannot_be_imported, [FOUR], Culprit.PATCH),
        (patch_refuses_this_botocore, [FOUR], Culprit.PATCH),
        (patch_dies, [FOUR], Culprit.PATCH),
        (mock_calls_moto_wrongly, [FOUR], Culprit.MOCK),
        (moto_has_moved, [FOUR], Culprit.MOCK),
        (moto_is_broken, [FOUR], Culprit.MOCK),
        (moto_answers_wrongly, [FOUR, ON_SOCKETS], Culprit.MOCK),
        (botocore_reads_too_little, [FOUR, ON_SOCKETS], Culprit.BOTOCORE),
        (botocore_takes_redirects_for_successes, [FOUR], Culprit.BOTOCORE),
        (python_lacks_a_module, [FOUR], Culprit.INTERPRETER),
        (python_dies, [FOUR], Culprit.INTERPRETER),
        (loopback_is_down, [FOUR, ON_SOCKETS], Culprit.NETWORK),
    ],
)
def test_seeded_fault_is_blamed_on_who_has_it(
    small_cell: SmallCell, seed: Seed, paths: list[str], culprit: Culprit
) -> None:
    seed(small_cell)
    result = small_cell.result(*paths)
    found = verdict(result)
    assert found.culprit is culprit, f"{found.because}; by the rule: {found.rule}"


def test_cell_without_a_fault_has_no_verdict(small_cell: SmallCell) -> None:
    result = small_cell.result(FOUR, ON_SOCKETS)
    assert result.outcome is Outcome.PASSED, result.reason
    assert set(FOUR_SETS) < set(result.sets)
    assert blame_cell(result) is None


def in_project(project: SmallProject, *names: str, **environ: str) -> list[Verdict]:
    project.boto_matrix("run", **environ)
    return [verdict(cell) for cell in project.results().cells if not names or cell.name in names]


def test_pin_that_cannot_be_installed_is_the_resolvers(project: SmallProject) -> None:
    project.write_matrix([("1.26.99", "1.29.99")])
    (found,) = in_project(project)
    assert found.culprit is Culprit.RESOLVER
    assert "1.26.99" in found.because


def test_index_that_does_not_answer_is_the_networks(project: SmallProject, closed_port: str) -> None:
    project.write_matrix([("1.26.99", "1.29.99")])
    environ = {"UV_DEFAULT_INDEX": closed_port, "UV_OFFLINE": "0", "UV_NO_INDEX": "0", "UV_HTTP_RETRIES": "0"}
    (found,) = in_project(project, **environ)
    assert found.culprit is Culprit.NETWORK, found.because


def test_index_that_cannot_say_what_is_latest_is_the_networks(project: SmallProject, closed_port: str) -> None:
    project.write_matrix([("latest", "latest")])
    (found,) = in_project(project, UV_DEFAULT_INDEX=closed_port, UV_OFFLINE="0", UV_NO_INDEX="0")
    assert found.culprit is Culprit.NETWORK, found.because


def test_other_versions_than_asked_for_are_the_resolvers(project: SmallProject) -> None:
    project.behave({f"{PY}-boto1.26": "be another"})
    (found,) = in_project(project, f"{PY}-boto1.26")
    assert found.culprit is Culprit.RESOLVER


def test_python_that_is_missing_and_tests_that_die_at_once_are_the_interpreters(project: SmallProject) -> None:
    project.write_matrix([("1.26.24", "1.29.24")], [PYTHON, "3.99"])
    project.behave({f"{PY}-boto1.26": "die"})
    assert [found.culprit for found in in_project(project)] == [Culprit.INTERPRETER, Culprit.INTERPRETER]
