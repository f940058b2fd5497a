"""What surface.json may say, the classes that follow from it, and which releases are examined for it."""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from boto_matrix.surface.declaration import PACKAGES, Declaration, declaration_of
from boto_matrix.surface.examine import examine_around_changes, neighbours_that_differ, next_to_examine
from boto_matrix.surface.record import RecordError, SurfaceRecord, read_record, write_record

STANDS_ON = Declaration("botocore", "1.20.0", ("botocore.endpoint:Endpoint.send",))
FOUND = {Version("1.20.0"): "aa", Version("1.20.1"): "bb", Version("1.20.9"): "bb", Version("1.20.10"): "aa"}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "surface.json"
    record = SurfaceRecord().with_releases(STANDS_ON, FOUND)
    write_record(record, path)
    assert read_record(path) == record
    assert list(read_record(path).of(STANDS_ON).fingerprints().items()) == list(FOUND.items())
    assert [one.name for one in tmp_path.iterdir()] == ["surface.json"]


def test_where_there_is_no_record_nothing_is_known(tmp_path: Path) -> None:
    assert read_record(tmp_path / "surface.json").of(STANDS_ON).classes() == ()


def test_a_class_is_named_by_the_release_it_begins_at_and_comes_back_under_that_name() -> None:
    classes = SurfaceRecord().with_releases(STANDS_ON, FOUND).of(STANDS_ON).classes()
    assert [one.name for one in classes] == ["since 1.20.0", "since 1.20.1"]
    assert [str(release) for release in classes[0].releases] == ["1.20.0", "1.20.10"]


def test_a_fingerprint_that_no_release_has_is_of_no_class() -> None:
    examined = SurfaceRecord().with_releases(STANDS_ON, FOUND).of(STANDS_ON)
    assert examined.class_of("cc") is None
    known = examined.class_of("bb")
    assert known is not None
    assert known.name == "since 1.20.1"


def test_when_something_else_is_stood_on_nothing_is_known_any_more() -> None:
    record = SurfaceRecord().with_releases(STANDS_ON, FOUND)
    other = Declaration("botocore", "1.20.0", (*STANDS_ON.functions, "botocore.utils:more"))
    assert record.of(other).classes() == ()
    assert record.of(Declaration("moto", "4.0.0", STANDS_ON.functions)).classes() == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"format": 1, "packages": {"botocore": {}}}',
        '{"format": 1, "packages": {"botocore": {"stands_on": "x", "releases": {"one": "aa"}}}}',
        '{"format": 1, "packages": {"botocore": {"stands_on": "x", "releases": ["1.20.0"]}}}',
        '{"format": 1, "more": 1}',
    ],
)
def test_a_damaged_record_is_an_error_that_says_what_to_do(text: str, tmp_path: Path) -> None:
    path = tmp_path / "surface.json"
    path.write_text(text)
    with pytest.raises(RecordError, match=r"surface\.json: is not a record of surfaces: .* surface --sweep"):
        read_record(path)


def test_a_record_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read: Is a directory"):
        read_record(tmp_path)


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "surface.json"
    write_record(SurfaceRecord(), path)
    before = path.read_text()

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_record(SurfaceRecord().with_releases(STANDS_ON, FOUND), path)
    assert path.read_text() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_the_projects_record_is_of_what_is_stood_on_now() -> None:
    record = read_record()
    for declaration in map(declaration_of, PACKAGES):
        assert record.of(declaration).releases, (
            f"what is stood on in {declaration.package} has changed: run `python -m boto_matrix surface --sweep`"
        )


@pytest.mark.parametrize("package", ["botocore", "urllib3"])
def test_the_projects_record_has_both_sides_of_each_change_as_neighbours(package: str) -> None:
    examined = read_record().of(declaration_of(package)).fingerprints()
    for old, new in neighbours_that_differ(examined):
        assert new.release[:2] != old.release[:2] or new.micro == old.micro + 1


minors = st.lists(st.integers(1, 12), min_size=1, max_size=6)


@st.composite
def histories(draw: st.DrawFn, *, may_return: bool) -> dict[Version, str]:
    """Releases with their fingerprints: each may bring a new one and, if so asked, one that there was before."""
    releases = [Version(f"1.{minor}.{patch}") for minor, count in enumerate(draw(minors)) for patch in range(count)]
    if may_return:
        fingerprints = draw(st.lists(st.sampled_from("abc"), min_size=len(releases), max_size=len(releases)))
    else:
        steps = draw(st.lists(st.sampled_from([0, 0, 0, 1]), min_size=len(releases), max_size=len(releases)))
        fingerprints = [str(step) for step in accumulate(steps)]
    return dict(zip(releases, fingerprints))


@given(histories(may_return=False))
def test_a_sweep_finds_every_change_that_stays(history: dict[Version, str]) -> None:
    found = examine_around_changes([*history], {}, history.__getitem__)
    assert neighbours_that_differ(found) == neighbours_that_differ(history)


@given(histories(may_return=True), st.data())
def test_a_sweep_finds_only_what_is_there_whatever_was_known(history: dict[Version, str], data: st.DataObject) -> None:
    known = {version: history[version] for version in data.draw(st.sets(st.sampled_from([*history])))}
    asked: list[Version] = []

    def fingerprint_of(version: Version) -> str:
        asked.append(version)
        return history[version]

    found = examine_around_changes([*history], known, fingerprint_of)
    assert found.items() <= history.items()
    assert set(neighbours_that_differ(found)) <= set(neighbours_that_differ(history))
    assert len(asked) == len(set(asked))
    assert not set(asked) & set(known)
    assert next_to_examine([*history], found) is None


@given(histories(may_return=True))
def test_a_sweep_over_every_release_misses_nothing(history: dict[Version, str]) -> None:
    assert examine_around_changes([*history], {}, history.__getitem__, every=True) == history


@given(histories(may_return=False), st.data())
def test_a_release_that_cannot_be_examined_is_passed_over(history: dict[Version, str], data: st.DataObject) -> None:
    broken = data.draw(st.sets(st.sampled_from([*history])))
    found = examine_around_changes([*history], {}, lambda version: None if version in broken else history[version])
    whole = {version: fingerprint for version, fingerprint in history.items() if version not in broken}
    assert neighbours_that_differ(found) == neighbours_that_differ(whole)


def test_a_sweep_asks_of_few() -> None:
    history = {Version(f"1.20.{patch}"): "a" if patch < 700 else "b" for patch in range(1000)}
    found = examine_around_changes([*history], {}, history.__getitem__)
    assert len(found) <= 2 + 10  # both ends, and the halving of a thousand


def test_a_release_that_is_gone_is_forgotten() -> None:
    there, gone = Version("1.20.0"), Version("1.20.1")
    assert examine_around_changes([there], {gone: "b"}, lambda _: "a") == {there: "a"}


def test_neighbours_are_taken_in_the_order_of_versions() -> None:
    found = {Version("1.20.10"): "b", Version("1.20.9"): "a"}
    assert neighbours_that_differ(found) == [*pairwise(sorted(found))]
