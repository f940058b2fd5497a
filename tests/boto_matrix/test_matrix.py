from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import Version

from boto_matrix.matrix.cells import MatrixError, UnknownCell
from boto_matrix.matrix.form import json_schema
from boto_matrix.matrix.load import load_matrix, parse_matrix

ROOT = Path(__file__).parents[2]

SMALL = """\
pythons: ['3.8', '3.11', '3.12']
pins:
  - {boto3: latest, botocore: latest, python: '>=3.8'}
  - {boto3: 1.26.165, botocore: 1.29.165, python: '>=3.8'}
  - boto3: 1.26.24
    botocore: 1.29.24
    python: '>=3.8,<3.12'
    why: 'cgi is gone'
"""


def complaint(text: str) -> str:
    with pytest.raises(MatrixError) as caught:
        parse_matrix(text)
    return str(caught.value)


def outcome(text: str) -> str:
    try:
        parse_matrix(text)
    except MatrixError as error:
        return str(error)
    return "sound"


def rows(*lines: str) -> str:
    return "pythons: ['3.8', '3.9']\npins:\n" + "".join(f"  - {line}\n" for line in lines)


def test_a_row_becomes_a_pin() -> None:
    pin = parse_matrix(SMALL).pins[2]
    assert (pin.boto3, pin.botocore) == ("1.26.24", "1.29.24")
    assert pin.pythons == ("3.8", "3.11")
    assert pin.why == "cgi is gone"
    assert pin.line == 5


def test_the_newest_pin_of_a_minor_is_named_by_the_minor_and_the_others_in_full() -> None:
    assert [pin.factor for pin in parse_matrix(SMALL).pins] == ["botolatest", "boto1.26", "boto1.26.24"]


def test_newest_is_by_number_and_not_by_letter() -> None:
    row = "{{boto3: 1.26.{0}, botocore: 1.29.{0}, python: '>=3.8'}}"
    assert [pin.factor for pin in parse_matrix(rows(row.format(9), row.format(10))).pins] == ["boto1.26.9", "boto1.26"]


def test_cells_are_the_pins_on_their_pythons_in_the_order_of_the_file() -> None:
    assert [cell.name for cell in parse_matrix(SMALL).cells] == [
        *("py38-botolatest", "py311-botolatest", "py312-botolatest"),
        *("py38-boto1.26", "py311-boto1.26", "py312-boto1.26"),
        *("py38-boto1.26.24", "py311-boto1.26.24"),
    ]


def test_a_cell_is_found_by_its_name() -> None:
    cell = parse_matrix(SMALL).cell("py311-boto1.26")
    assert (cell.python, cell.pin.boto3) == ("3.11", "1.26.165")
    assert cell.description == "boto3 1.26.165, botocore 1.29.165 on CPython 3.11"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("py311-boto1.26.99", ["py311-boto1.26 (1.26.165)", "py311-boto1.26.24 (1.26.24)"]),
        ("py311-boto1.26.165", ["py311-boto1.26 (1.26.165)"]),
        ("py27-boto1.26", ["the matrix has Python 3.8, 3.11, 3.12", "py38-boto1.26", "py311-boto1.26"]),
        ("py312-boto1.26.24", ["line 5", "cgi is gone", "py38-boto1.26.24", "py311-boto1.26.24"]),
        ("py312-boto1.29", ["1.29 is not pinned", "py312-boto1.26"]),
        ("py311-bot1.26", ["did you mean", "py311-boto1.26"]),
        ("py311-boto1.26-extra", ["py311-boto1.26"]),
        ("zzz", ["py38-botolatest", "tox list"]),
        ("", ["tox list"]),
    ],
)
def test_a_name_that_is_no_cell_is_refused_with_the_nearest(name: str, near: list[str]) -> None:
    with pytest.raises(UnknownCell) as caught:
        parse_matrix(SMALL).cell(name)
    message = str(caught.value)
    assert "is no cell" in message
    assert [part for part in near if part not in message] == []


def test_the_minors_around_one_that_is_not_pinned_come_nearest_first() -> None:
    row = "{{boto3: 1.{0}.1, botocore: 1.{0}.1, python: '>=3.8'}}"
    matrix = parse_matrix(rows(*(row.format(minor) for minor in (33, 34, 40, 44))))
    with pytest.raises(UnknownCell, match=r"near it are py38-boto1\.40, py38-boto1\.44 or py38-boto1\.34"):
        matrix.cell("py38-boto1.41")


def test_a_name_is_refused_by_a_matrix_without_latest_and_by_one_with_nothing_else() -> None:
    numbered = parse_matrix(rows("{boto3: 1.33.1, botocore: 1.33.1, python: '>=3.9'}"))
    with pytest.raises(UnknownCell, match=r"did you mean py39-boto1\.33\?"):
        numbered.cell("py39-botolatest")
    with pytest.raises(UnknownCell, match=r"near it are py39-boto1\.33"):
        numbered.cell("py38-boto1.34")
    with pytest.raises(UnknownCell, match="did you mean py38-botolatest"):
        parse_matrix(rows(LATEST)).cell("py38-boto1.26")


LATEST = "{boto3: latest, botocore: latest, python: '>=3.8'}"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "is empty; expected `pythons:` and `pins:`"),
        ("# nothing\n", 1, "is empty"),
        ("just text", 1, "'just text'; expected the two lists"),
        ("- a\n- b\n", 1, "a list; expected the two lists"),
        ("pins: []\n", 1, "`pythons` is missing"),
        ("pythons: ['3.8']\n", 1, "`pins` is missing"),
        (rows(LATEST) + "pin: 3\n", 4, "unknown key `pin`; expected one of pythons, pins"),
        (
            rows("{boto3: latest, botocore: latest, python: '>=3.8', wy: x}"),
            3,
            "expected one of boto3, botocore, python",
        ),
        (rows("{boto3: 1.26.1, python: '>=3.8'}"), 3, "`botocore` is missing; expected an exact botocore release"),
        (rows(LATEST, "{boto3: 1.20, botocore: 1.23.1, python: '>=3.8'}"), 4, "`boto3` is '1.20'; expected an exact"),
        (rows("{boto3: '1.26', botocore: 1.29.1, python: '>=3.8'}"), 3, "`boto3` is '1.26'; expected an exact boto3"),
        (rows("{boto3: [1.26.1], botocore: 1.29.1, python: '>=3.8'}"), 3, "`boto3` is a list; expected an exact"),
        (rows("{boto3: {a: b}, botocore: 1.29.1, python: '>=3.8'}"), 3, "`boto3` is a mapping; expected an exact"),
        (rows("{boto3: , botocore: 1.29.1, python: '>=3.8'}"), 3, "`boto3` is empty; expected an exact"),
        (rows("{boto3: 01.26.1, botocore: 1.29.1, python: '>=3.8'}"), 3, "expected an exact boto3"),
        (rows("{boto3: 1.26.1, botocore: 1.26.1, python: '>=3.8'}"), 3, "boto3 1.26.1 needs botocore 1.29, not 1.26.1"),
        (rows("{boto3: 1.33.1, botocore: 1.36.1, python: '>=3.8'}"), 3, "boto3 1.33.1 needs botocore 1.33, not 1.36.1"),
        (rows("{boto3: 1.30.1, botocore: 1.33.1, python: '>=3.8'}"), 3, "there is no boto3 1.30.1"),
        (rows("{boto3: 1.16.1, botocore: 1.19.1, python: '>=3.8'}"), 3, "older than 1.17.0"),
        (rows("{boto3: latest, botocore: 1.29.1, python: '>=3.8'}"), 3, "expected both exact, or both latest"),
        (rows("{boto3: latest, botocore: latest, python: 'three'}"), 3, "`python` is 'three'; expected the Pythons"),
        (
            rows("{boto3: latest, botocore: latest, python: '>=3.8.2'}"),
            3,
            "expected the Pythons that the pair works on",
        ),
        (rows("{boto3: latest, botocore: latest, python: '>=3.8.*'}"), 3, "'>=3.8.*'; expected the Pythons"),
        (rows("{boto3: latest, botocore: latest, python: 3.8}"), 3, "`python` is '3.8'; expected the Pythons"),
        (rows("{boto3: latest, botocore: latest, python: '>=3.8', why: 3}"), 3, "write '3'"),
        (
            rows("{boto3: 1.34.10, botocore: 1.34.9, python: '>=3.8'}"),
            3,
            "boto3 1.34.10 needs botocore 1.34.10 or a later 1.34, not 1.34.9",
        ),
        (
            rows("{boto3: 1.42.0, botocore: 1.41.5, python: '>=3.8'}"),
            3,
            "boto3 1.42.0 needs botocore 1.41.6 or a later 1.41, not 1.41.5",
        ),
        (
            rows("{boto3: latest, botocore: latest, python: '>=3.10'}"),
            3,
            "no Python left; expected at least one of 3.8",
        ),
        (rows(LATEST, LATEST), 4, "py38-botolatest is in line 3 too"),
        (rows("latest"), 3, "this is 'latest'; expected a row"),
        (rows(""), 3, "this is empty; expected a row"),
        ("pythons: ['3.8', '3.8']\npins:\n  - " + LATEST, 1, "Python 3.8 is listed twice"),
        ("pythons: ['2.7']\npins:\n  - " + LATEST, 1, "expected a Python in quotes"),
        ("pythons: [3.10]\npins:\n  - " + LATEST, 1, "write '3.10'"),
        ("pythons:\n  - '3.8'\n  - x\npins:\n  - " + LATEST, 3, "this is 'x'; expected a Python in quotes"),
        ("pythons: []\npins: []\n", 1, "`pythons` is an empty list; expected a list of every Python"),
        ("pythons: ['3.8']\npins:\n\t- " + LATEST, 3, "is not YAML: found character '\\t'"),
        ("pythons: [\n", 2, "is not YAML"),
        ("a: 1\nb: &x 1\nc: *x\n", 2, "&x is used again below"),
        ("a: &x [*x]\n", 1, "&x is used again below"),
        ("a: 1\na: 2\n", 2, "the key 'a' is written twice"),
        ("a: !!python/name:os.system x\n", 1, "is not read here; write plain text"),
        ("--- a\n--- b\n", 2, "is not YAML"),
        (rows(LATEST.replace("}", ", why: 2024-01-01}")), 3, "is a date to YAML; write '2024-01-01'"),
        (rows(LATEST.replace("}", ", why: true}")), 3, "is true or false to YAML"),
        ("{a: 1}: 2\n", 1, "unknown key"),
        ("\x00", 1, "is not YAML"),
        ("- &a 1\n- &a 2\n", 1, "expected the two lists"),
        pytest.param("[" * 600, 1, "is not YAML: nested too deeply", id="nested"),
    ],
)
def test_a_mistake_names_its_line_and_what_is_expected(text: str, line: int, expected: str) -> None:
    told = complaint(text).splitlines()
    assert [part for part in told if part.startswith(f"matrix.yaml:{line}: ") and expected in part], told


@pytest.mark.parametrize("row", ["boto3: 1.20, botocore: 1.23", "boto3: 1.20, botocore: 1.23.1"])
def test_no_advice_leads_to_the_next_refusal(row: str) -> None:
    assert "write '" not in complaint(rows(f"{{{row}, python: '>=3.8'}}"))


def test_all_mistakes_of_the_form_are_told_at_once() -> None:
    told = complaint(rows("{boto3: '1.26', botocore: 1.29.1, python: x}", "{boto3: 1.26.1}"))
    assert [line.split(": ")[0] for line in told.splitlines()] == ["matrix.yaml:3"] * 2 + ["matrix.yaml:4"] * 2


def test_all_repeated_cells_are_told_at_once() -> None:
    assert len(complaint(rows(LATEST, LATEST)).splitlines()) == 2


def test_one_boto3_may_stand_in_two_rows_on_different_pythons() -> None:
    matrix = parse_matrix(
        rows(
            "{boto3: 1.26.1, botocore: 1.29.1, python: '<3.9'}",
            "{boto3: 1.26.1, botocore: 1.29.2, python: '>=3.9'}",
        )
    )
    assert [(cell.name, cell.pin.botocore) for cell in matrix.cells] == [
        ("py38-boto1.26", "1.29.1"),
        ("py39-boto1.26", "1.29.2"),
    ]


def test_boto3_1_42_0_is_let_through_with_the_botocore_before_its_own_minor() -> None:
    assert parse_matrix(rows("{boto3: 1.42.0, botocore: 1.41.6, python: '>=3.8'}")).pins


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MatrixError, match=r"missing\.yaml: cannot be read: No such file"):
        load_matrix(tmp_path / "missing.yaml")


def test_a_directory_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MatrixError, match="cannot be read"):
        load_matrix(tmp_path)


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "matrix.yaml"
    path.write_bytes(b"# \xc3\xa9\npythons: \xff\n")
    with pytest.raises(MatrixError, match=r"matrix\.yaml:2: is not UTF-8 text; save the file as UTF-8"):
        load_matrix(path)


def test_an_error_of_a_file_begins_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("pins: x\n", encoding="utf-8")
    with pytest.raises(MatrixError) as caught:
        load_matrix(path)
    assert str(caught.value).startswith(f"{path}:1: ")


PIECES = st.sampled_from(
    [
        *("pythons", "pins", "boto3", "botocore", "python", "why", "latest", "1.26.24", "1.29.24", "1.20", "'3.8'"),
        *("3.8", "'>=3.8'", ": ", ":", "- ", "\n", "\n  ", "\t", "{", "}", "[", "]", ", ", "&a ", "*a", "!!int ", "? "),
        *("<<", "|", ">", "#", "---\n", "...", "%YAML 1.1\n---\n", "'", '"', "~", "0x1f", "2024-01-01", "\ufeff", "é"),
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
@example("&a {? *a : *a}")
@example("%YAML 3.0\n---\n")
@example("? [a]\n: b")
def test_whatever_is_written_is_a_matrix_or_a_matrix_error(text: str) -> None:
    assert outcome(text).startswith(("sound", "matrix.yaml:"))


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("1.26.24"))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["pythons", "pins", "boto3", "botocore", "python", "why", "x"]), inner),
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries({"pythons": VALUES, "pins": st.one_of(VALUES, st.lists(VALUES, max_size=3))}))
def test_values_of_every_type_in_every_place_are_a_matrix_or_a_matrix_error(value: object) -> None:
    text = json.dumps(value)  # JSON is YAML
    assert outcome(text).startswith(("sound", "matrix.yaml:"))


VERSIONS = st.tuples(st.integers(17, 29), st.integers(0, 300))


@given(
    st.lists(VERSIONS, min_size=1, unique=True),
    st.lists(st.integers(8, 14), min_size=1, unique=True),
    st.integers(8, 14),
)
def test_every_cell_of_a_sound_matrix_is_found_by_its_own_name_only(
    versions: list[tuple[int, int]], pythons: list[int], newest: int
) -> None:
    listed = ", ".join(f"'3.{minor}'" for minor in pythons)
    text = f"pythons: [{listed}, '3.7']\npins:\n" + "".join(
        f"  - {{boto3: 1.{minor}.{patch}, botocore: 1.{minor + 3}.{patch}, python: '<=3.{newest}'}}\n"
        for minor, patch in versions
    )
    matrix = parse_matrix(text)
    assert len({cell.name for cell in matrix.cells}) == len(matrix.cells)
    assert all(matrix.cell(cell.name) is cell for cell in matrix.cells)


@given(st.text())
@example("py311-boto1.99999")
@example("py999-botolatest")
def test_any_name_is_a_cell_or_unknown(name: str) -> None:
    matrix = parse_matrix(SMALL)
    if name in {cell.name for cell in matrix.cells}:
        assert matrix.cell(name).name == name
    else:
        with pytest.raises(UnknownCell, match="is no cell"):
            matrix.cell(name)


def test_the_projects_own_matrix_is_sound() -> None:
    matrix = load_matrix(ROOT / "matrix.yaml")
    minors = {tuple(map(int, pin.boto3.split(".")[:2])) for pin in matrix.pins if pin.boto3 != "latest"}
    known = [*range(17, 30), *range(33, 45)]
    assert [minor for minor in known if (1, minor) not in minors] == []
    assert "botolatest" in {pin.factor for pin in matrix.pins}


LAST_BEFORE = {"1.28.0": "1.27.96", "1.29.6": "1.29.5", "1.34.70": "1.34.69", "1.35.67": "1.35.66", "1.43.3": "1.43.2"}


@pytest.mark.parametrize("first", LAST_BEFORE)
def test_the_projects_own_matrix_has_both_sides_of_each_change_of_botocore(first: str) -> None:
    pins = load_matrix(ROOT / "matrix.yaml").pins
    botocores = sorted(Version(pin.botocore) for pin in pins if pin.boto3 != "latest")
    index = botocores.index(Version(first))
    assert str(botocores[index - 1]) == LAST_BEFORE[first]


def test_a_limit_that_leaves_out_a_newer_python_says_why() -> None:
    matrix = load_matrix(ROOT / "matrix.yaml")
    silent = [pin.boto3 for pin in matrix.pins if pin.pythons[-1] != matrix.pythons[-1] and not pin.why]
    assert silent == []


def test_the_committed_schema_is_the_one_of_the_model() -> None:
    committed = (ROOT / "matrix.schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == json.loads(json_schema())


def test_editors_find_the_schema_of_the_matrix() -> None:
    first = (ROOT / "matrix.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=matrix.schema.json"
    assert (ROOT / first.partition("=")[2]).is_file()


def test_reading_the_matrix_does_not_load_what_only_the_index_needs() -> None:
    imports = "import sys, boto_matrix.matrix.cells, boto_matrix.releases.requested"
    program = f"{imports}; print(*{{'requests', 'pypi_simple'}} & {{*sys.modules}})"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
