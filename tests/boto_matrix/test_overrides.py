from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from boto_matrix.errors import IndexUnavailable
from boto_matrix.matrix.cells import Cell, Pin
from boto_matrix.matrix.numbering import botocore_series, check_pair
from boto_matrix.releases.index import PackageIndex
from boto_matrix.releases.override import OLDEST, RequestError, read_override
from boto_matrix.releases.requested import overrides_from_environment
from boto_matrix.releases.resolve import newest_pair
from tests.boto_matrix.conftest import LocalIndex, metadata_of, wheel_of
from tests.boto_matrix.small_project import REPOSITORY


def cell(python: str = "3.11", boto3: str = "1.26.24", botocore: str = "1.29.24") -> Cell:
    return Cell(python, Pin(boto3, botocore, (python,), None, 1, f"boto{boto3}"))


def latest(python: str = "3.11") -> Cell:
    return cell(python, "latest", "latest")


def read_report(index: PackageIndex, python: str = "3.11", **environ: str) -> list[str]:
    return [*overrides_from_environment(environ, index).requested(cell(python)).requirements]


def refusal(index: PackageIndex, **environ: str) -> str:
    with pytest.raises(RequestError) as caught:
        overrides_from_environment(environ, index)
    return str(caught.value)


# Nothing overridden


def test_with_nothing_asked_for_a_cell_gets_its_pin_and_no_index_is_asked(closed_port: str) -> None:
    overrides = overrides_from_environment({"BOTO3_VERSION": " "}, PackageIndex(closed_port))
    assert not overrides
    assert [*overrides.requested(cell()).requirements] == ["boto3==1.26.24", "botocore==1.29.24"]
    assert overrides.requested(cell()).versions == {"boto3": "1.26.24", "botocore": "1.29.24"}


@pytest.mark.parametrize(
    ("python", "boto3", "botocore"),
    [("3.8", "1.37.2", "1.37.2"), ("3.9", "1.42.3", "1.42.3"), ("3.14", "1.44.2", "1.44.2")],
)
def test_latest_is_the_newest_release_that_supports_the_python(
    boto_index: PackageIndex, python: str, boto3: str, botocore: str
) -> None:
    overrides = overrides_from_environment({}, boto_index)
    assert overrides.requested(latest(python)).versions == {"boto3": boto3, "botocore": botocore}


def test_latest_without_an_index_is_unavailable(closed_port: str) -> None:
    overrides = overrides_from_environment({}, PackageIndex(closed_port))
    with pytest.raises(IndexUnavailable, match="Check the network"):
        overrides.requested(latest())


def test_the_index_is_by_default_the_one_that_the_environment_names(
    boto_index: PackageIndex, local_index: LocalIndex
) -> None:
    overrides = overrides_from_environment({"UV_INDEX_URL": boto_index.url, "BOTO3_VERSION": "1.26"})
    assert [*overrides.requested(cell()).requirements] == ["boto3==1.26.30", "botocore==1.29.30"]
    assert len([path for path in local_index.asked if path == "/simple/boto3/"]) == 1


# One of the two


@pytest.mark.parametrize(
    ("text", "boto3", "botocore"),
    [
        ("1.26.24", "1.26.24", "1.29.30"),
        ("1.26", "1.26.30", "1.29.30"),
        ("latest", "1.44.2", "1.44.2"),
        (">=1.26,<1.27", "1.26.30", "1.29.30"),
        ("<=1.26.24", "1.26.24", "1.29.30"),
        ("~=1.26.24", "1.26.30", "1.29.30"),
        ("==1.26.24", "1.26.24", "1.29.30"),
        ("1.42.0", "1.42.0", "1.41.2"),
        ("1.44.3", "1.44.3", "1.44.2"),  # yanked: only for those who name it
        ("1.45.0rc1", "1.45.0rc1", "1.44.2"),  # so are prereleases
        (" 1.26 ", "1.26.30", "1.29.30"),
    ],
)
def test_botocore_is_the_newest_that_the_boto3_asked_for_admits(
    boto_index: PackageIndex, text: str, boto3: str, botocore: str
) -> None:
    assert read_report(boto_index, BOTO3_VERSION=text) == [f"boto3=={boto3}", f"botocore=={botocore}"]


@pytest.mark.parametrize(
    ("text", "boto3", "botocore"),
    [
        ("1.29.24", "1.26.24", "1.29.24"),
        ("1.29.20", "1.26.20", "1.29.20"),
        ("1.29", "1.26.30", "1.29.30"),
        ("latest", "1.44.2", "1.44.2"),
        ("<1.29", "1.17.2", "1.20.2"),
        ("1.41.2", "1.42.0", "1.41.2"),
        ("1.41.1", "1.41.1", "1.41.1"),
    ],
)
def test_boto3_is_the_newest_that_admits_the_botocore_asked_for(
    boto_index: PackageIndex, text: str, boto3: str, botocore: str
) -> None:
    assert read_report(boto_index, BOTOCORE_VERSION=text) == [f"boto3=={boto3}", f"botocore=={botocore}"]


def test_few_releases_are_asked_what_they_need(local_index: LocalIndex) -> None:
    local_index.add_pairs(26, 29, range(150))
    local_index.add_pairs(34, 34, range(150))
    assert read_report(PackageIndex(local_index.url), BOTOCORE_VERSION="1.29.24")[0] == "boto3==1.26.24"
    assert len([path for path in local_index.asked if path.startswith("/files/boto3/")]) <= 10


def test_a_release_is_the_newest_for_the_python_of_the_cell(boto_index: PackageIndex) -> None:
    assert read_report(boto_index, "3.8", BOTO3_VERSION=">=1.37") == ["boto3==1.37.2", "botocore==1.37.2"]


def test_a_release_that_does_not_support_the_python_is_refused_in_that_cell(boto_index: PackageIndex) -> None:
    overrides = overrides_from_environment({"BOTO3_VERSION": "1.44.2"}, boto_index)
    assert overrides.requested(cell("3.10")).requirements
    with pytest.raises(RequestError, match=r"boto3 1\.44\.2 needs Python >=3\.10; there is none for Python 3\.8"):
        overrides.requested(cell("3.8"))


# Both


def test_two_versions_that_fit_are_taken(boto_index: PackageIndex) -> None:
    assert read_report(boto_index, BOTO3_VERSION="1.26.24", BOTOCORE_VERSION="1.29.25") == [
        "boto3==1.26.24",
        "botocore==1.29.25",
    ]


def test_of_a_minor_the_release_that_fits_is_taken(boto_index: PackageIndex) -> None:
    assert read_report(boto_index, BOTO3_VERSION="1.26", BOTOCORE_VERSION="1.29.24") == [
        "boto3==1.26.24",
        "botocore==1.29.24",
    ]


@pytest.mark.parametrize(
    ("boto3", "botocore", "reason"),
    [
        ("1.26.24", "1.29.23", "boto3 1.26.24 needs botocore >=1.29.24,<1.30.0; BOTOCORE_VERSION asks for 1.29.23"),
        ("1.26.24", "1.37.1", "boto3 1.26.24 needs botocore >=1.29.24,<1.30.0; BOTOCORE_VERSION asks for 1.37.1"),
        ("1.26", ">=1.44", "boto3 1.26.30 needs botocore >=1.29.30,<1.30.0; BOTOCORE_VERSION asks for >=1.44"),
        ("1.42.0", "1.42.1", "boto3 1.42.0 needs botocore >=1.41.2,<1.42.0; BOTOCORE_VERSION asks for 1.42.1"),
    ],
)
def test_a_pair_that_does_not_fit_is_refused_at_once_with_the_reason(
    boto_index: PackageIndex, boto3: str, botocore: str, reason: str
) -> None:
    assert refusal(boto_index, BOTO3_VERSION=boto3, BOTOCORE_VERSION=botocore).startswith(reason)


def test_latest_botocore_means_any_that_fits(boto_index: PackageIndex) -> None:
    assert read_report(boto_index, BOTO3_VERSION="1.26.24", BOTOCORE_VERSION="latest") == [
        "boto3==1.26.24",
        "botocore==1.29.30",
    ]


def test_a_botocore_that_no_boto3_of_the_matrix_works_with_is_refused(
    boto_index: PackageIndex, local_index: LocalIndex
) -> None:
    local_index.add("botocore", "1.43.9")
    assert "no boto3 from 1.17.0 on works with it" in refusal(boto_index, BOTOCORE_VERSION="1.43.9")


@pytest.mark.parametrize(
    ("environ", "oldest"),
    [
        ({"BOTO3_VERSION": "1.16"}, "boto3 1.17.0"),
        ({"BOTO3_VERSION": "1.16.63"}, "boto3 1.17.0"),
        ({"BOTO3_VERSION": "==1.16.63", "BOTOCORE_VERSION": "1.19.63"}, "boto3 1.17.0"),
        ({"BOTOCORE_VERSION": "1.19"}, "botocore 1.20.0"),
        ({"MOTO_VERSION": "3.1"}, "moto 4"),
        ({"MOTO_VERSION": "3.1.19"}, "moto 4"),
    ],
)
def test_what_is_older_than_anything_supported_is_refused_without_an_index(
    closed_port: str, environ: dict[str, str], oldest: str
) -> None:
    name, text = next(iter(environ.items()))
    assert refusal(PackageIndex(closed_port), **environ) == (
        f"{name}={text}: nothing older than {oldest} is supported; expected that or a later release"
    )


def test_a_specifier_means_supported_releases_only(boto_index: PackageIndex, local_index: LocalIndex) -> None:
    local_index.add("boto3", "1.16.63", needs="botocore>=1.19.63,<1.20.0")
    local_index.add("botocore", "1.19.63")
    assert "nothing older than boto3 1.17.0" in refusal(boto_index, BOTO3_VERSION="<1.17")
    assert read_report(boto_index, BOTO3_VERSION="<1.20") == ["boto3==1.17.2", "botocore==1.20.2"]


def test_a_wheel_that_is_too_old_is_refused(tmp_path: Path, closed_port: str) -> None:
    old = wheel(tmp_path, "moto", "3.1.19")
    assert "nothing older than moto 4 is supported" in refusal(PackageIndex(closed_port), MOTO_VERSION=str(old))


def test_the_oldest_releases_are_those_that_the_project_asks_for() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"moto[s3]>={OLDEST["moto"]}"' in text
    assert f'"botocore>={".".join(map(str, OLDEST["botocore"].release[:2]))}"' in text


@pytest.mark.parametrize("package", ["boto3", "botocore"])
def test_a_release_that_there_is_not_is_refused(boto_index: PackageIndex, package: str) -> None:
    message = refusal(boto_index, **{f"{package.upper()}_VERSION": "1.99.1"})
    assert message == (
        f"{package.upper()}_VERSION=1.99.1: there is no such release of {package}; its newest is "
        f"{'1.45.0rc1' if package == 'boto3' else '1.44.2'}"
    )


def test_an_index_without_the_package_refuses(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "1.26.24")
    assert "has no botocore" in refusal(index, BOTO3_VERSION="1.26.24")


# No index


def test_two_exact_versions_are_taken_where_no_index_can_be_asked(closed_port: str) -> None:
    overrides = overrides_from_environment(
        {"BOTO3_VERSION": "1.26.24", "BOTOCORE_VERSION": "==1.29.24"}, PackageIndex(closed_port)
    )
    assert [*overrides.requested(latest()).requirements] == ["boto3==1.26.24", "botocore==1.29.24"]


def test_two_exact_versions_whose_numbers_do_not_fit_are_refused_without_an_index(closed_port: str) -> None:
    message = refusal(PackageIndex(closed_port), BOTO3_VERSION="1.26.24", BOTOCORE_VERSION="1.31.0")
    assert message.startswith("boto3 1.26.24 needs botocore 1.29, not 1.31.0. Leave out one")
    message = refusal(PackageIndex(closed_port), BOTO3_VERSION="1.26.24", BOTOCORE_VERSION="1.29.23")
    assert message.startswith("boto3 1.26.24 needs botocore 1.29.24 or a later 1.29, not 1.29.23. Leave out one")


@pytest.mark.parametrize(
    "environ",
    [{"BOTO3_VERSION": "1.26"}, {"BOTO3_VERSION": "1.26.24"}, {"BOTOCORE_VERSION": "latest"}, {"MOTO_VERSION": "5.0"}],
)
def test_what_only_the_index_can_say_is_unavailable_without_it(closed_port: str, environ: dict[str, str]) -> None:
    with pytest.raises(IndexUnavailable, match="cannot be asked"):
        overrides_from_environment(environ, PackageIndex(closed_port))


# moto


def test_moto_is_put_in_numbers_beside_the_pin(boto_index: PackageIndex, local_index: LocalIndex) -> None:
    local_index.add("moto", "5.0.1")
    local_index.add("moto", "5.2.5", python=">=3.9")
    overrides = overrides_from_environment({"MOTO_VERSION": "latest"}, boto_index)
    pinned = ["boto3==1.26.24", "botocore==1.29.24"]
    assert [*overrides.requested(cell("3.11")).requirements] == [*pinned, "moto[s3]==5.2.5"]
    assert [*overrides.requested(cell("3.8")).requirements] == [*pinned, "moto[s3]==5.0.1"]
    assert overrides.requested(cell("3.8")).versions["moto"] == "5.0.1"


def test_a_moto_that_is_exact_needs_no_index(closed_port: str) -> None:
    assert read_report(PackageIndex(closed_port), MOTO_VERSION="5.2.5")[2:] == ["moto[s3]==5.2.5"]


def test_a_moto_from_elsewhere_keeps_its_extra(closed_port: str) -> None:
    url = "git+https://git.invalid/moto.git"
    assert read_report(PackageIndex(closed_port), MOTO_VERSION=url)[2:] == [f"moto[s3] @ {url}"]


def test_a_moto_that_there_is_not_is_refused(boto_index: PackageIndex, local_index: LocalIndex) -> None:
    assert "has no moto" in refusal(boto_index, MOTO_VERSION="5.0")
    local_index.add("moto", "5.2.5")
    message = refusal(PackageIndex(local_index.url), MOTO_VERSION="4.1")
    assert message == "MOTO_VERSION=4.1: there is no such release of moto; its newest is 5.2.5"


# Not from the index


def checkout(folder: Path) -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\nname = 'boto3'\nversion = '1.26.25'\n", encoding="utf-8")
    return folder


def wheel(folder: Path, package: str, version: str, needs: str = "") -> Path:
    path = folder / f"{package}-{version}-py3-none-any.whl"
    path.write_bytes(wheel_of(package, version, metadata_of(package, version, needs)))
    return path


def test_a_directory_is_left_to_the_installer(tmp_path: Path, closed_port: str) -> None:
    folder = checkout(tmp_path / "boto3 of mine")
    overrides = overrides_from_environment({"BOTO3_VERSION": str(folder)}, PackageIndex(closed_port))
    assert [*overrides.requested(cell()).requirements] == [f"boto3 @ {folder.as_uri()}", "botocore"]
    assert overrides.requested(cell()).versions == {}


def test_a_relative_path_is_from_where_one_stands(
    tmp_path: Path, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkout(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert read_report(PackageIndex(closed_port), BOTO3_VERSION="./mine")[0] == f"boto3 @ {folder.as_uri()}"


def test_a_vcs_url_is_left_to_the_installer(closed_port: str) -> None:
    url = "git+https://git.invalid/botocore.git@develop"
    overrides = overrides_from_environment(
        {"BOTOCORE_VERSION": url, "BOTO3_VERSION": "1.26"}, PackageIndex(closed_port)
    )
    assert [*overrides.requested(cell()).requirements] == ["boto3==1.26.*", f"botocore @ {url}"]
    assert overrides.requested(cell()).versions == {"boto3": "==1.26.*"}


def test_a_wheel_of_boto3_says_itself_which_botocore_it_needs(tmp_path: Path, boto_index: PackageIndex) -> None:
    path = wheel(tmp_path, "boto3", "1.26.25", "botocore (<1.30.0,>=1.29.25)")
    overrides = overrides_from_environment({"BOTO3_VERSION": str(path)}, boto_index)
    assert [*overrides.requested(cell()).requirements] == [f"boto3 @ {path.as_uri()}", "botocore==1.29.30"]
    assert overrides.requested(cell()).versions["boto3"] == "1.26.25"
    message = refusal(boto_index, BOTO3_VERSION=str(path), BOTOCORE_VERSION="1.29.24")
    assert message.startswith("boto3 1.26.25 needs botocore >=1.29.25,<1.30.0; BOTOCORE_VERSION asks for 1.29.24")


def test_a_wheel_of_botocore_gets_the_newest_boto3_that_admits_it(tmp_path: Path, boto_index: PackageIndex) -> None:
    path = wheel(tmp_path, "botocore", "1.29.24")
    assert read_report(boto_index, BOTOCORE_VERSION=str(path)) == ["boto3==1.26.24", f"botocore @ {path.as_uri()}"]


def test_an_sdist_of_botocore_tells_its_version(tmp_path: Path, boto_index: PackageIndex) -> None:
    path = tmp_path / "botocore-1.29.24.tar.gz"
    path.touch()
    assert read_report(boto_index, BOTOCORE_VERSION=str(path)) == ["boto3==1.26.24", f"botocore @ {path.as_uri()}"]


# What cannot be read


@pytest.mark.parametrize(
    "text",
    [
        *(
            "one",
            "1",
            "1.26.",
            ".26",
            "1.26.x",
            "v1.26.24",
            "1.26.24 or so",
            "LATEST",
            "boto3==1.26.24",
            "\u0663.\u0664",
        ),
        pytest.param(">=1." + "9" * 5_000, id="more digits than Python reads"),
        *("=1.26", ">=", "<1.26 >1.2", "~=1", "\x00", "é", "1.26.24\n1.27", "-r requirements.txt", "--help"),
        *("git+https://", "git+https:// x", "https://host.invalid/boto3.whl", "/nowhere/at/all", "~nobody-here/boto3"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_forms_that_can(closed_port: str, text: str) -> None:
    message = refusal(PackageIndex(closed_port), BOTO3_VERSION=text)
    assert message.startswith(f"BOTO3_VERSION={text.strip()} cannot be used: ")
    assert "expected an exact version (1.26.24), a minor (1.26), latest, a specifier (>=1.26,<1.27)" in message


def test_paths_that_are_no_package_are_refused_with_the_reason(tmp_path: Path, closed_port: str) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "boto3-1.26.24.tar.gz.whl").touch()
    (tmp_path / "botocore-1.29.24.tar.gz").touch()
    (tmp_path / "boto3.tar.gz").touch()
    (tmp_path / "boto3-1.26.24-py3-none-any.whl").write_bytes(b"no zip")
    other = wheel(tmp_path, "moto", "5.0.1")
    for name, reason in {
        "": "neither pyproject.toml nor setup.py",
        "notes.txt": "neither a wheel nor an sdist",
        "boto3-1.26.24.tar.gz.whl": "nvalid wheel filename",
        "boto3.tar.gz": "nvalid sdist filename",
        "botocore-1.29.24.tar.gz": "the file is one of botocore, not of boto3",
        "boto3-1.26.24-py3-none-any.whl": "is not a wheel that can be read",
        other.name: "the file is one of moto, not of boto3",
    }.items():
        assert reason in refusal(PackageIndex(closed_port), BOTO3_VERSION=str(tmp_path / name))


def outcome(text: str) -> str:
    try:
        return type(read_override("boto3", text)).__name__
    except RequestError as error:
        return str(error)


@given(st.text(min_size=1))
def test_any_text_is_read_or_refused(text: str) -> None:
    refused = (f"BOTO3_VERSION={text} cannot be used: ", f"BOTO3_VERSION={text}: nothing older than ")
    assert outcome(text).startswith(("FromIndex", "FromElsewhere", *refused))


@given(st.from_regex(r"[<>=!~]=?[0-9.*, <>=!~]{0,12}", fullmatch=True))
def test_anything_like_a_specifier_is_read_or_refused(text: str) -> None:
    refused = (f"BOTO3_VERSION={text} cannot be used: ", f"BOTO3_VERSION={text}: nothing older than ")
    assert outcome(text).startswith(("FromIndex", *refused))


# The search for a pair, and the numbering


@given(
    st.lists(st.tuples(st.sampled_from([16, 17, 26, 31, 34, 41]), st.integers(0, 40)), min_size=1, unique=True),
    st.lists(st.tuples(st.sampled_from([20, 29, 34, 41]), st.integers(0, 40)), min_size=1, unique=True),
    st.integers(0, 3),
)
def test_the_pair_found_is_the_one_that_trying_all_finds(
    boto3s: list[tuple[int, int]], botocores: list[tuple[int, int]], behind: int
) -> None:
    upper = sorted(Version(f"1.{minor}.{patch}") for minor, patch in boto3s)
    lower = sorted(Version(f"1.{minor}.{patch}") for minor, patch in botocores)

    def needs(boto3: Version) -> SpecifierSet:
        if boto3.minor in (16, 31):  # no boto3 of the matrix; the numbering knows none either
            return SpecifierSet("==0")
        major, minor = botocore_series(boto3)
        return SpecifierSet(f">={major}.{minor}.{max(0, boto3.micro - behind)},<{major}.{minor + 1}")

    fitting = [(boto3, botocore) for boto3 in upper for botocore in lower if botocore in needs(boto3)]
    assert newest_pair(upper, lower, needs) == max(fitting, default=None)


@given(st.integers(17, 29), st.integers(0, 300), st.integers(0, 300))
def test_botocore_is_three_minors_ahead_up_to_boto3_1_29(minor: int, patch: int, other: int) -> None:
    check_pair(f"1.{minor}.{patch}", f"1.{minor + 3}.{patch + other}")
    with pytest.raises(ValueError, match=f"needs botocore 1.{minor + 3}, not"):
        check_pair(f"1.{minor}.{patch}", f"1.{minor}.{other}")


@given(st.integers(17, 99).filter(lambda minor: not 29 < minor < 33), st.integers(1, 300), st.integers(1, 300))
def test_a_botocore_of_an_earlier_day_than_its_boto3_is_refused(minor: int, patch: int, before: int) -> None:
    series = f"1.{minor + 3 if minor < 30 else minor}"
    with pytest.raises(ValueError, match=f"needs botocore {series}.{patch} or a later {series}, not"):
        check_pair(f"1.{minor}.{patch}", f"{series}.{max(0, patch - before)}")


def test_nothing_is_said_against_numbers_that_nothing_is_known_of() -> None:
    check_pair("2.0.1", "3.1.0")


@given(st.integers(33, 99), st.integers(1, 300), st.integers(0, 300))
def test_the_minors_are_equal_from_boto3_1_33_on(minor: int, patch: int, other: int) -> None:
    check_pair(f"1.{minor}.{patch}", f"1.{minor}.{patch + other}")
    with pytest.raises(ValueError, match=f"needs botocore 1.{minor}, not"):
        check_pair(f"1.{minor}.{patch}", f"1.{minor + 3}.{other}")
