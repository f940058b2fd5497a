"""What holds for every answer, whatever is known: made-up worlds of pins, surfaces and results."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from boto_matrix.matrix.cells import Matrix, Pin
from boto_matrix.matrix.numbering import check_pair, oldest_botocore
from boto_matrix.results.model import CellResult, Outcome, SetOutcome
from boto_matrix.supported.decide import Question, command, decide, questions
from boto_matrix.supported.environment import UnclearEnvironment, listed, named
from boto_matrix.supported.knowledge import Answer, Knowledge, KnownCell
from boto_matrix.supported.learn import learn
from boto_matrix.supported.spans import spans
from tests.boto_matrix.made_results import cell, run, sets

PYTHONS = ("3.9", "3.13")
versions = st.builds(
    lambda minor, patch: Version(f"1.{minor}.{patch}"), st.integers(43, 45), st.integers(0, 9)
)  # few, so that they meet
surfaces = st.dictionaries(versions, st.sampled_from("ab"))
pythons = st.sampled_from(PYTHONS)


def _pin(version: Version, pythons: tuple[str, ...]) -> Pin:
    return Pin(str(version), str(version), pythons, None, 1, f"boto{version}")


pins = st.builds(_pin, versions, st.sampled_from([PYTHONS, PYTHONS[:1], PYTHONS[1:]]))
cells = st.builds(
    KnownCell,
    name=st.just("cell"),
    python=pythons,
    botocore=versions,
    surface=st.sampled_from(["a", "b", None]),
    urllib3=st.sampled_from([1, 2, None]),
    answer=st.sampled_from([*Answer, None]),
    story=st.just("passed"),
)
worlds = st.builds(
    lambda pins, surfaces, cells: Knowledge(Matrix(PYTHONS, tuple(pins)), surfaces, cells),
    st.lists(pins, min_size=1, max_size=6, unique_by=lambda pin: pin.boto3),
    surfaces,
    st.lists(cells, max_size=8),
)
asked = st.builds(
    Question, python=pythons, botocore=versions, urllib3=st.sampled_from([None, Version("1.26.20"), Version("2.8.0")])
)


@given(asked, worlds)
def test_a_yes_names_cells_that_passed_on_that_python_with_such_a_botocore(
    question: Question, known: Knowledge
) -> None:
    reply = decide(question, known)
    if reply.answer is not Answer.YES:
        return
    assert any(one.answer is Answer.YES for one in reply.cells)
    for one in reply.cells:
        assert one.python == question.python
        assert one.answer in (Answer.YES, None)
        assert one.botocore == question.botocore or one.surface == known.surface_of(question.botocore) is not None
    for release in {one.botocore for one in reply.cells}:
        assert any(one.answer is Answer.YES for one in reply.cells if one.botocore == release)


@given(asked, worlds, st.sampled_from([Answer.NO, Answer.UNKNOWN, None]), st.data())
def test_no_result_that_is_worse_makes_a_yes(
    question: Question, known: Knowledge, worse: Answer | None, data: st.DataObject
) -> None:
    passed = [index for index, one in enumerate(known.cells) if one.answer is Answer.YES]
    if not passed:
        assert decide(question, known).answer is not Answer.YES
        return
    at = data.draw(st.sampled_from(passed))
    spoiled = [replace(one, answer=worse) if index == at else one for index, one in enumerate(known.cells)]
    after = decide(question, replace(known, cells=spoiled)).answer
    assert after is not Answer.YES or decide(question, known).answer is Answer.YES


@given(asked, worlds)
def test_order_in_which_cells_are_known_makes_no_difference(question: Question, known: Knowledge) -> None:
    turned = replace(known, cells=[*known.cells][::-1])
    assert decide(question, turned).answer is decide(question, known).answer


@given(worlds, pythons)
def test_what_is_newer_than_all_that_is_known_is_never_a_yes(known: Knowledge, python: str) -> None:
    assert decide(Question(python, Version("1.46.0")), known).answer is not Answer.YES


@given(asked, worlds)
def test_what_is_not_known_for_want_of_a_run_has_a_command(question: Question, known: Knowledge) -> None:
    has_cells = any(question.python in pin.pythons for pin in known.matrix.pins)
    assert (command(question, known) is not None) == has_cells


results = st.builds(
    lambda outcome, last, told: cell(
        "py313-boto1.40",
        boto3="1.40.5",
        outcome=outcome,
        sets=sets(redirects_patched=last) if outcome is not Outcome.NOT_RUN else {},
        arguments=told,
    ),
    st.sampled_from(Outcome),
    st.sampled_from(SetOutcome),
    st.sampled_from(["", "-k one"]),
)


@given(results)
def test_results_are_a_yes_only_where_all_sets_ran_whole_and_passed(result: CellResult) -> None:
    known = learn(Matrix(PYTHONS, (_pin(Version("1.40.5"), PYTHONS),)), {}, [run(result)])
    is_green = result.outcome is Outcome.PASSED and {*result.four_sets} == {SetOutcome.PASSED}
    is_whole = not result.arguments
    answer = decide(Question("3.13", Version("1.40.5")), known).answer
    assert (answer is Answer.YES) == (is_green and is_whole)


numbers = st.builds(
    lambda *parts: ".".join(map(str, parts)), st.integers(0, 3), st.integers(0, 60), st.integers(0, 200)
)
others = st.lists(
    st.sampled_from(["six==1.17.0", "# boto3==1.0", "", "-r more.txt", "--hash=sha256:00", "moto[s3]==5"])
)


@given(numbers, numbers, others, st.booleans())
def test_releases_are_read_as_they_were_written(boto3: str, botocore: str, noise: list[str], has_crlf: bool) -> None:
    lines = [*noise, f"boto3=={boto3}", *noise, f"BotoCore == {botocore} # why", *noise]
    found = listed(("\r\n" if has_crlf else "\n").join(lines), "3.12", "a test")
    assert found == {"boto3": [Version(boto3)], "botocore": [Version(botocore)]}
    tables = f'[[package]]\nname = "boto3"\nversion = "{boto3}"\n[[package]]\nname = "botocore"\nversion = "{botocore}"'
    assert listed(tables, "3.12", "a test") == found
    assert named([f"boto3=={boto3}", f"botocore=={botocore}"]) == found


@given(
    st.one_of(st.text(), st.text().map(lambda text: f"boto3{text}"), st.text().map(lambda text: f"[[package]]\n{text}"))
)
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    with suppress(UnclearEnvironment):
        listed(text, "3.12", "a test")
    with suppress(UnclearEnvironment):
        named([text])


@given(worlds, versions, pythons)
def test_span_of_a_release_answers_as_the_question_does(known: Knowledge, version: Version, python: str) -> None:
    found = [span for span in spans(known) if span.first <= version <= span.last]
    reply = decide(Question(python, version), known)
    if not found:
        assert reply.answer is not Answer.YES
        return
    (span,) = found
    (same,) = [one for one in span.replies if one.question.python == python]
    assert (same.answer, same.cells, same.is_left_out) == (reply.answer, reply.cells, reply.is_left_out)


@given(st.one_of(st.integers(17, 29), st.integers(33, 60)), st.integers(0, 200))
def test_boto3_can_be_installed_with_its_oldest_botocore(minor: int, patch: int) -> None:
    boto3 = Version(f"1.{minor}.{patch}")
    check_pair(str(boto3), str(oldest_botocore(boto3)))


@given(versions, worlds)
def test_a_number_alone_is_asked_about_as_a_pair(version: Version, known: Knowledge) -> None:
    for question in questions(named([str(version)]), "3.13", known):
        assert question.botocore.release[:2] == version.release[:2]
        assert question.boto3 in (version, None)
