"""The command `make mutants`, on a project so small that its verdicts are known."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

if sys.version_info < (3, 11):
    pytest.skip("`make mutants` needs Python 3.11", allow_module_level=True)

from tests.mutants.__main__ import ROOT, main
from tests.mutants.mutant import Mutant, mutants_of, mutants_of_package
from tests.mutants.reviewed import reviewed_in
from tests.mutants.settings import settings_of
from tests.mutants.stories import stories_in
from tests.mutants.worker import changed_functions, compiled

PYPROJECT = """
[tool.mutants]
package = "small"
tests = ["tests"]
reviewed = "reviewed.toml"
stories = "stories.toml"
least-score = 70
patience = 0.5
"""

# What each line is for: a constant at import, a mutant that hangs, one that survives, and one that nobody can notice.
SOURCE = """
import functools

STEP = 2


def numbers(limit, start=0):
    found = []
    while start < limit:
        found.append(start)
        start += STEP
    return found


@functools.lru_cache(maxsize=8)
def last(limit):
    def inner(numbers):
        return numbers[-1]

    return inner(numbers(limit))


def untested():
    return len("untested")
"""
TESTS = """
from small.numbers import last, numbers


def test_numbers():
    assert numbers(5) == [0, 2, 4]
    assert numbers(4) == [0, 2]
    assert numbers(5, start=4) == [4]


def test_last():
    assert last(5) == 4
"""
REVIEWED = """
[[mutant]]
file = 'numbers.py'
function = 'last'
line = '@functools.lru_cache(maxsize=8)'
becomes = '@functools.lru_cache(maxsize=9)'
reason = "it is only kept for longer"
"""
UNTESTED = """
[[mutant]]
file = 'numbers.py'
function = 'untested'
line = 'return len("untested")'
becomes = 'return len("")'
reason = "nobody calls it"
"""
STALE = """
[[mutant]]
file = 'numbers.py'
function = 'numbers'
line = 'start += STEP'
becomes = 'start -= STEP'
reason = "this is not true: it hangs"
"""
STORY = """
[[story]]
name = "nothing-is-found"
harm = "nobody can count"
file = "numbers.py"
needs = ["numbers"]
code = "numbers = lambda limit, start=0: []"
"""


class Project:
    """A package of one module, its tests, and the command."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        self.write("pyproject.toml", PYPROJECT)
        self.write("small/__init__.py", "")
        self.write("small/numbers.py", SOURCE)
        self.write("tests/test_numbers.py", TESTS)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> tuple[int, str]:
        code = main(["--jobs=1", *arguments], self.root)
        return code, self._capsys.readouterr().out

    def fates(self) -> dict[str, str]:
        """What is remembered of each mutant, by what it changes."""
        known = json.loads((self.root / "results/mutants.json").read_text(encoding="utf-8"))
        outcomes = {key.partition(" ")[0]: outcome for key, (outcome, *_) in known.items()}
        return {mutant.becomes: outcomes[mutant.name] for mutant in self.mutants() if mutant.name in outcomes}

    def mutants(self) -> list[Mutant]:
        return list(mutants_of_package(self.root / "small"))


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


def test_what_becomes_of_mutants_and_what_is_said_of_it(project: Project) -> None:
    project.write("reviewed.toml", REVIEWED + STALE)
    project.write("stories.toml", STORY)
    code, said = project.run()
    assert code == 1
    fates = project.fates()
    expected = {
        "STEP = 3": "killed",
        "def numbers(limit, start=1):": "killed",
        "start -= STEP": "hung",
        "while start <= limit:": "killed",
        "return numbers[-2]": "killed",
        "@functools.lru_cache(maxsize=9)": "survived",
        'return len("")': "survived",
    }
    assert {becomes: fates.get(becomes) for becomes in expected} == expected
    assert '-    return len("untested")\n+    return len("")' in said
    assert "maxsize=9)\n" not in said  # it is reviewed
    assert "Stale in reviewed.toml, since no such mutant survives: numbers.py: numbers: start += STEP" in said
    assert "because they hang" in said
    entry = (project.root / "results/mutants-to-review.toml").read_text(encoding="utf-8")
    assert "line = 'return len(\"untested\")'" in entry

    # Once each survivor is reviewed, all is well, unless too many survive; and nothing is run again.
    project.write("reviewed.toml", entry.replace('reason = ""', 'reason = "nobody calls it"') + REVIEWED)
    code, said = project.run()
    assert (code, "1 not." in said) == (0, False)
    assert "mutants are known from earlier runs" in said
    assert "70 % are required" in said
    project.write("pyproject.toml", PYPROJECT.replace("70", "99"))
    assert project.run()[0] == 1


def test_what_is_changed_is_tried_again_and_an_entry_that_is_untrue_now_is_stale(project: Project) -> None:
    project.write("reviewed.toml", UNTESTED)
    assert project.run("numbers.untested")[0] == 1
    project.write("tests/test_more.py", "from small import numbers\n\ndef test(): assert numbers.untested() == 8\n")
    code, said = project.run("numbers.untested")
    assert code == 1
    assert "2 of 2 mutants killed" in said
    assert "Stale in reviewed.toml" in said


def test_only_what_is_asked_for_is_tried(project: Project) -> None:
    code, said = project.run("numbers.last", "--list")
    assert code == 0
    assert "numbers.untested" not in said
    name = next(mutant.name for mutant in project.mutants() if mutant.becomes == "return numbers[-2]")
    code, said = project.run("--only", name)
    assert code == 0
    assert "1 of 1 mutants killed" in said
    assert project.run("no.such.place")[0] == 2


def test_tests_that_fail_without_any_mutant_are_refused_or_left_out(project: Project) -> None:
    project.write("tests/test_more.py", "def test_failing():\n    assert 1 == 2\n")
    code, said = project.run("numbers.last")
    assert code == 2
    assert "test_more.py::test_failing" in said
    assert "assert 1 == 2" in said
    code, said = project.run("numbers.untested", "--despite-failures")
    assert code == 1
    assert "mutants killed" in said


def test_a_test_that_fails_once_by_chance_is_named_and_proves_nothing(project: Project, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    project.write(
        "tests/test_more.py",
        f"""
from pathlib import Path


def test_unsteady():
    runs = Path({str(runs)!r})
    runs.write_text((runs.read_text() if runs.exists() else "") + ".")
    assert len(runs.read_text()) not in (1, 4)
""",
    )
    code, said = project.run("numbers.untested")
    assert code == 1
    assert "Failed once without any mutant, and then passed: tests/test_more.py::test_unsteady" in said
    assert "0 of 2 mutants killed" in said


def test_tests_that_cannot_be_collected_are_refused(project: Project) -> None:
    project.write("tests/test_more.py", "import nowhere\n")
    code, said = project.run()
    assert code == 2
    assert "No module named 'nowhere'" in said


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("reviewed.toml", REVIEWED.replace("it is only kept for longer", ""), "entry 1 must have"),
        ("stories.toml", STORY.replace('["numbers"]', '["numbers", "gone"]'), "there is no gone in numbers.py"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(project: Project, file: str, text: str, problem: str) -> None:
    project.write(file, text)
    code, said = project.run("--list")
    assert code == 2
    assert problem in said


def becomes(code: str) -> set[str]:
    """What becomes of the last line of some code."""
    last = code.strip().splitlines()[-1].strip()
    return {mutant.becomes for mutant in mutants_of("module.py", code) if mutant.line == last}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a and b", {"x = True and b", "x = a and True"}),
        ("x = not a", {"x = a"}),
        ("x = a - b", {"x = a + b"}),
        ("x = 7", {"x = 8", "x = 6"}),
        ("x = True", {"x = False"}),
        ("x = b'a'", {"x = b\"\""}),
        ("x = a[b:]", {"x = a[:]"}),
        ("x = ('a', 'b', 'c')", {"x = ('b', 'c')", "x = ('a', 'c')", "x = ('a', 'b')"}),
        ("x = 'a b'.split()", {"x = ' b'.split()", "x = 'a '.split()"}),
        ("x = lambda: a", {"x = lambda: None"}),
        ("x = f(a, b=b)", {"x = f(None, b=b)", "x = f(a)"}),
        ("x = a.partition(b)", {"x = a.rpartition(b)", "x = a.partition(None)"}),
        ("x.y = a", {"x.y = None"}),
        ("x += a", {"x -= a", "x = a"}),
        ("f()", {"pass"}),
        ("if a == b: c", {"if True: c", "if False: c"}),
        ("x = [a for a in b if c]", {"x = [a for a in () if c]", "x = [a for a in b if True]"}),
        ("def f(a=1): ...", {"def f(a=2): ...", "def f(a=0): ..."}),
        ("def f():\n    return a", {"return None"}),
        ("def f():\n    raise E(a)", {"pass", "raise Exception(a)", "raise E(None)"}),
        ("try: a\nexcept (B, C): d", {"except (): d", "except ((), C): d", "except (B, ()): d"}),
        ("with a: b", {"if True: b"}),
        ("import re\nx = re.compile(r'[a-c_]+$')", {
            'x = re.compile("")', "x = re.compile(r'[^a-c_]+$')", "x = re.compile(r'[_]+$')",
            "x = re.compile(r'[a-c]+$')", "x = re.compile(r'[a-c_]*$')", "x = re.compile(r'[a-c_]+')",
        }),
    ],
    ids=lambda value: value.splitlines()[-1] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_stands_there_instead(code: str, expected: set[str]) -> None:
    assert becomes(code) >= expected


@pytest.mark.parametrize(
    "code",
    [
        '"""A docstring."""',
        "import a",
        "x: int",
        "def f(a: int) -> str: ...",
        "assert a == 1, 'what'",
        "T = TypeVar('T')",
        "Function = Callable[[int], str]",
        "if TYPE_CHECKING: a = 1",
        "x = a is None",
    ],
)
def test_what_no_test_can_see_is_left_alone(code: str) -> None:
    assert becomes(code) <= {"x = a is not None"}


def test_a_change_that_python_compiles_to_the_same_is_none() -> None:
    assert becomes("x = 'ab'.split('', 1)[not a]") == {"x = 'ab'.split('', 1)[a]"} | {
        "x = \"\".split('', 1)[not a]",
        "x = 'ab'.split(\"XX\", 1)[not a]",
        "x = 'ab'.split('', 2)[not a]",
        "x = 'ab'.split('', 0)[not a]",
    }
    assert becomes("def f():\n    if True: return a") == {"if True: return None", "if False: return a"}


def test_a_name_outlives_edits_elsewhere() -> None:
    before = mutants_of("module.py", "def f(a):\n    return a + 1\n")
    after = mutants_of("module.py", "import re\n\n\nx = 1\n\n\ndef f(a):\n    return a + 1\n")
    assert [m.name for m in before] == [m.name for m in after if m.function == "f"]


@pytest.mark.parametrize(
    ("sound", "mutated", "changed"),
    [
        ("def f(): return 1", "def f(): return 2", ["f"]),
        ("class A:\n def f(self): return 1", "class A:\n def f(self): return 2", ["f"]),
        ("def f():\n def g(): return 1\n return g", "def f():\n def g(): return 2\n return g", ["f", "g"]),
        ("def f(a=1): return a", "def f(a=2): return a", None),
        ("class A:\n x = 1", "class A:\n x = 2", None),
        ("x = 1", "x = True", None),
        ("def f(a):\n def g(): return a\n return g", "def f(a):\n def g(): return 1\n return g", None),
    ],
)
def test_which_functions_can_be_swapped(sound: str, mutated: str, changed: list[str] | None) -> None:
    pairs = changed_functions(compiled(sound), compiled(mutated))
    assert (pairs and [before.co_name for before, _ in pairs]) == changed


def test_the_stories_and_the_list_are_about_this_package() -> None:
    settings = settings_of(ROOT)
    package = ROOT / settings.package
    assert stories_in(ROOT / settings.stories, package)
    reviewed = reviewed_in(ROOT / settings.reviewed)
    texts = {entry.file: (package / entry.file).read_text(encoding="utf-8") for entry in reviewed}
    keys = {mutant.key for file, text in texts.items() for mutant in mutants_of(file, text)}
    assert [entry for entry in reviewed if entry.key not in keys] == []
