"""The command `make mutants`, on a project so small that its verdicts are known."""

from __future__ import annotations

import functools
import importlib
import sys
from pathlib import Path

import pytest

if sys.version_info < (3, 11):
    pytest.skip("`make mutants` needs Python 3.11", allow_module_level=True)

import tomllib  # type: ignore[import-not-found]  # Python has it since 3.11; mypy looks as 3.10 would

from tests.mutants.__main__ import ROOT, main
from tests.mutants.lists import reviewed_in, settings_of, stories_in
from tests.mutants.mutant import mutants_of

PYPROJECT = """
[tool.mutants]
package = "small"
tests = ["tests"]
reviewed = "reviewed.toml"
stories = "stories.toml"
least-score = 30
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
        (root / "tests/mutants").symlink_to(ROOT / "tests/mutants")  # its plugin

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> tuple[int, str]:
        code = main(["--jobs=1", *arguments], self.root)
        return code, self._capsys.readouterr().out


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("tests.mutants.lane.SILENT_SECONDS", 5.0)
    return Project(tmp_path, capsys)


def test_what_becomes_of_mutants_and_what_is_said_of_it(project: Project) -> None:
    project.write("reviewed.toml", REVIEWED + STALE)
    project.write("stories.toml", STORY)
    code, said = project.run()
    assert code == 1
    assert said.count("survived: ") == 5  # of which three have to do with the cache
    assert "hung: numbers.numbers-" in said  # start -= STEP
    assert '-    return len("untested")\n+    return len("")' in said
    assert "maxsize=9)\n" not in said  # it is reviewed
    assert "Stale in reviewed.toml" in said
    assert "    start -= STEP" in said
    entry = (project.root / "results/mutants-to-review.toml").read_text(encoding="utf-8")
    assert "line = 'return len(\"untested\")'" in entry

    # Once each survivor is reviewed, all is well, unless too many survive.
    project.write("reviewed.toml", entry.replace('reason = ""', 'reason = "nobody calls it"') + REVIEWED)
    assert project.run("numbers.untested", "numbers.last")[0] == 0
    project.write("pyproject.toml", PYPROJECT.replace("least-score = 30", "least-score = 99"))
    code, said = project.run("numbers.untested")
    assert code == 1
    assert "99 % are required" in said


def test_only_what_is_asked_for_is_tried(project: Project) -> None:
    code, said = project.run("numbers.last", "--list")
    assert code == 0
    assert "numbers.untested" not in said
    name = next(line for line in said.splitlines() if line.startswith("numbers.last-"))
    assert project.run(name, "--list")[1].splitlines()[-1] == "1 mutants"
    assert project.run("no.such.place")[0] == 2


@pytest.mark.parametrize(
    ("test", "why"),
    [("def test_failing():\n    assert 1 == 2\n", "assert 1 == 2"), ("import nowhere\n", "No module named 'nowhere'")],
)
def test_tests_that_fail_without_any_mutant_prove_nothing(project: Project, test: str, why: str) -> None:
    project.write("tests/test_more.py", test)
    code, said = project.run("numbers.last")
    assert code == 2
    assert why in said


def test_an_entry_without_a_reason_is_refused(project: Project) -> None:
    project.write("reviewed.toml", REVIEWED.replace("it is only kept for longer", ""))
    code, said = project.run("--list")
    assert code == 2
    assert "entry 1 must have" in said


def becomes(code: str) -> set[str]:
    """What becomes of the last line of some code."""
    last = code.strip().splitlines()[-1].strip()
    return {mutant.becomes for mutant in mutants_of("module.py", code) if mutant.line == last}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a and b", {"x = True and b", "x = a and True"}),
        ("x = not a", {"x = (a)"}),
        ("x = a - b", {"x = a + b"}),
        ("x = 7", {"x = 8"}),
        ("x = True", {"x = False"}),
        ("x = b'a'", {"x = b\"\""}),
        ("x = a[b:]", {"x = a[:]"}),
        ("x = {'a': R('b c', D), 'd': R('e')}", {"x = {'d': R('e')}", "x = {'a': R('b c', D)}"}),
        ("x = ('a', 'b', 'c')", {"x = ('b', 'c')", "x = ('a', 'c')", "x = ('a', 'b')"}),
        ("x = 'a b'.split()", {"x = ' b'.split()", "x = 'a '.split()"}),
        ("x = lambda: a", {"x = lambda: None"}),
        ("x = f(a, b=b)", {"x = f(a)"}),
        ("x = a.partition(b)", {"x = a.rpartition(b)"}),
        ("x.y = a", {"x.y = None"}),
        ("x += a", {"x = a"}),
        ("f()", {"pass"}),
        ("if a == b: c", {"if True: c", "if False: c"}),
        ("x = [a for a in b if c]", {"x = [a for a in () if c]", "x = [a for a in b if True]"}),
        ("def f(a=1): ...", {"def f(a=2): ..."}),
        ("def f():\n    return a", {"return None"}),
        ("def f():\n    raise E(a)", {"pass", "raise Exception(a)"}),
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
        "x = 'words for people'",
        "x = f'words for {people}'",
        "logger.debug('to %s', a)",
        "__slots__ = ('a', 'b')",
    ],
)
def test_what_no_test_can_see_is_left_alone(code: str) -> None:
    assert becomes(code) <= {"x = a is not None"}


def test_a_name_outlives_edits_elsewhere() -> None:
    before = mutants_of("module.py", "def f(a):\n    return a + 1\n")
    after = mutants_of("module.py", "import re\n\n\nx = 1\n\n\ndef f(a):\n    return a + 1\n")
    assert [m.name for m in before] == [m.name for m in after if m.function == "f"]


def test_the_stories_and_the_list_are_about_this_package() -> None:
    settings = settings_of(ROOT)
    package = ROOT / settings.package
    stories = tomllib.loads((ROOT / settings.stories).read_text(encoding="utf-8"))["story"]
    assert len(stories_in(ROOT / settings.stories, package)) == len(stories)
    for story in stories:
        module = importlib.import_module(
            f"{settings.package}.{story['file'].removesuffix('.py')}".replace(".__init__", "")
        )
        assert all(functools.reduce(getattr, needed.split("."), module) is not None for needed in story["needs"]), story
    reviewed = reviewed_in(ROOT / settings.reviewed)
    texts = {file: (package / file).read_text(encoding="utf-8") for file, *_ in reviewed}
    keys = {mutant.key for file, text in texts.items() for mutant in mutants_of(file, text)}
    assert [key for key in reviewed if key not in keys] == []
