from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from boto_matrix.errors import IndexUnavailable, NoSuchRelease
from boto_matrix.releases.index import PackageIndex, index_from_environment
from boto_matrix.releases.index_settings import for_uv, ignored, index_url
from boto_matrix.releases.requirements import requirements_in_metadata
from tests.boto_matrix.conftest import LocalIndex, metadata_of
from tests.boto_matrix.small_project import REPOSITORY


def test_releases_are_given_oldest_first_by_number(local_index: LocalIndex, index: PackageIndex) -> None:
    for version in ("1.26.10", "1.26.9", "1.3.0"):
        local_index.add("boto3", version)
    assert [str(release.version) for release in index.releases("boto3")] == ["1.3.0", "1.26.9", "1.26.10"]


def test_a_release_says_which_pythons_it_supports(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "1.44.5", python=">=3.9.2")
    (release,) = index.releases("boto3")
    assert [python for python in ("3.8", "3.9", "3.10", "3.14") if release.supports(python)] == ["3.9", "3.10", "3.14"]


def test_a_limit_that_cannot_be_read_limits_nothing(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "1.44.5", python="three and up")
    (release,) = index.releases("boto3")
    assert release.supports("3.8")


def test_a_release_says_whether_it_was_yanked_and_when_it_came(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "1.44.5", is_yanked=True)
    (release,) = index.releases("boto3")
    assert release.is_yanked
    assert release.uploaded == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def test_files_whose_version_is_none_are_passed_over(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "not.a.version")
    local_index.add("boto3", "1.44.5")
    assert [str(release.version) for release in index.releases("boto3")] == ["1.44.5"]


@pytest.mark.parametrize("has_metadata", [True, False])
def test_what_a_release_requires_is_read_whether_or_not_the_index_has_metadata_files(
    local_index: LocalIndex, index: PackageIndex, has_metadata: bool
) -> None:
    local_index.add("boto3", "1.26.24", needs="botocore (<1.30.0,>=1.29.24)", has_metadata=has_metadata)
    assert [str(one) for one in index.requires("boto3", "1.26.24")] == ["botocore<1.30.0,>=1.29.24"]
    assert [path.endswith(".metadata") for path in local_index.asked] == [False, has_metadata]


def test_metadata_that_is_promised_and_not_there_is_read_from_the_wheel(
    local_index: LocalIndex, index: PackageIndex
) -> None:
    local_index.add("boto3", "1.26.24", needs="botocore>=1.29.24", promises_metadata=True)
    assert [str(one) for one in index.requires("boto3", "1.26.24")] == ["botocore>=1.29.24"]


def test_each_answer_is_fetched_once(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "1.26.24", needs="botocore>=1.29.24")
    for _ in range(2):
        index.releases("boto3")
        index.requires("boto3", "1.26.24")
    assert local_index.asked == ["/simple/boto3/", "/files/boto3/boto3-1.26.24-py3-none-any.whl"]


def test_a_package_that_the_index_does_not_have_is_named(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "1.26.24")
    with pytest.raises(NoSuchRelease, match=r"http://127.0.0.1:\d+/simple/ has no botocore"):
        index.releases("botocore")
    with pytest.raises(NoSuchRelease, match=r"has no wheel of boto3 1\.26\.25"):
        index.requires("boto3", "1.26.25")


def test_an_index_that_nobody_serves_is_unavailable(closed_port: str) -> None:
    with pytest.raises(IndexUnavailable, match=r"cannot be asked: Connection refused\. Check the network") as caught:
        PackageIndex(closed_port).releases("boto3")
    assert closed_port in str(caught.value)


def test_an_index_that_fails_is_unavailable(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.answers_with = 503
    with pytest.raises(IndexUnavailable, match="cannot be asked: 503 Server Error"):
        index.releases("boto3")


def test_a_server_that_is_no_index_is_unavailable(
    local_index: LocalIndex, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_index, "answer", lambda _path: ("application/json", b"<html>"))
    with pytest.raises(IndexUnavailable, match="application/json"):
        index.releases("boto3")


def test_a_page_that_is_cut_short_is_unavailable(
    local_index: LocalIndex, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_index, "answer", lambda _path: ("application/vnd.pypi.simple.v1+json", b'{"files": ['))
    with pytest.raises(IndexUnavailable, match="cannot be asked"):
        index.releases("boto3")


def test_a_page_of_another_form_is_unavailable(
    local_index: LocalIndex, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_index, "answer", lambda _path: ("application/vnd.pypi.simple.v1+json", b'{"files": 3}'))
    with pytest.raises(IndexUnavailable, match="cannot be asked"):
        index.releases("boto3")


def test_a_wheel_that_is_damaged_is_unavailable(local_index: LocalIndex, index: PackageIndex) -> None:
    local_index.add("boto3", "1.26.24")
    next(iter(local_index.files["boto3"].values())).content = b"not a zip file"
    with pytest.raises(IndexUnavailable, match="not a wheel"):
        index.requires("boto3", "1.26.24")


def test_a_file_that_is_not_the_one_on_the_page_is_unavailable(
    local_index: LocalIndex, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_index.add("boto3", "1.26.24")
    index.releases("boto3")
    monkeypatch.setattr(local_index, "answer", lambda _path: ("application/octet-stream", b"something else"))
    with pytest.raises(IndexUnavailable, match="igest"):
        index.requires("boto3", "1.26.24")


def test_a_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()

    def hang(*_arguments: object, **_options: object) -> None:
        given_up.wait()
        raise OSError("too late")

    monkeypatch.setattr(socket, "create_connection", hang)
    monkeypatch.setattr("boto_matrix.releases.index._CONNECT_SECONDS", 0.05)
    with pytest.raises(IndexUnavailable, match=r"no answer within 0\.05 s"):
        PackageIndex("http://127.0.0.1:9/simple/").releases("boto3")
    given_up.set()


def test_that_there_is_no_network_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Any] = []

    def refuse(address: Any, **_options: object) -> None:
        attempts.append(address)
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    index = PackageIndex("http://127.0.0.1:9/simple/")
    for package in ("boto3", "botocore"):
        with pytest.raises(IndexUnavailable, match="Network is unreachable"):
            index.releases(package)
    assert attempts == [("127.0.0.1", 9)]


def test_a_proxy_is_what_must_be_reachable(monkeypatch: pytest.MonkeyPatch, closed_port: str) -> None:
    monkeypatch.setenv("http_proxy", closed_port)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(IndexUnavailable, match="Connection refused"):
        PackageIndex("http://index.invalid/simple/").releases("boto3")


def test_an_address_that_is_none_is_unavailable() -> None:
    with pytest.raises(IndexUnavailable, match="file:///nowhere"):
        PackageIndex("file:///nowhere").releases("boto3")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:notaport/simple/", "http://[::1/simple/", "http://a..b/", "nonsense"]
)
def test_an_address_that_cannot_be_read_is_unavailable(address: str) -> None:
    with pytest.raises(IndexUnavailable, match="cannot be asked"):
        PackageIndex(address).releases("boto3")


def test_a_password_in_the_address_is_not_shown(closed_port: str) -> None:
    secret = closed_port.replace("//", "//user:pa55@")
    with pytest.raises(IndexUnavailable) as caught:
        PackageIndex(secret).releases("boto3")
    assert "pa55" not in str(caught.value)


def test_a_password_in_the_address_is_not_shown_by_what_went_wrong(local_index: LocalIndex) -> None:
    local_index.answers_with = 403
    with pytest.raises(IndexUnavailable, match="403 Client Error") as caught:
        PackageIndex(local_index.url.replace("//", "//user:pa55@")).releases("boto3")
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"UV_DEFAULT_INDEX": "http://a/simple", "UV_INDEX_URL": "http://b/simple"}, "http://a/simple"),
        ({"UV_DEFAULT_INDEX": "ours=http://a/simple"}, "http://a/simple"),
        ({"UV_DEFAULT_INDEX": "http://a/simple?x=y"}, "http://a/simple?x=y"),
        ({"UV_INDEX_URL": "http://b/simple", "PIP_INDEX_URL": "http://c/simple"}, "http://b/simple"),
        ({"UV_INDEX_URL": "", "PIP_INDEX_URL": "http://c/simple"}, "http://c/simple"),
    ],
)
def test_the_index_is_the_one_that_installs_come_from(environ: dict[str, str], url: str, tmp_path: Path) -> None:
    assert index_from_environment({"HOME": str(tmp_path), **environ}).url == url


PIP_CONF = "[global]\nindex-url = http://of-pip/simple\nextra-index-url = http://more/simple\n"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose home has files of pip and of uv."""
    for name, text in (("pip/pip.conf", PIP_CONF), ("uv/uv.toml", '[[index]]\nurl = "http://of-uv/"\ndefault = true')):
        path = tmp_path / ".config" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return {"HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("environ", "url", "told"),
    [
        ({"UV_NO_CONFIG": "1"}, "http://of-pip/simple", {"UV_DEFAULT_INDEX": "http://of-pip/simple"}),
        ({"UV_NO_CONFIG": "1", "PIP_INDEX_URL": "http://c/"}, "http://c/", {"UV_DEFAULT_INDEX": "http://c/"}),
        ({"UV_DEFAULT_INDEX": "http://a/"}, "http://a/", {}),
        ({"UV_NO_CONFIG": "1", "PIP_CONFIG_FILE": os.devnull}, None, {}),
        pytest.param(
            {}, "http://of-uv/", {}, marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="it has no tomllib")
        ),
    ],
)
def test_an_index_that_only_a_file_names_is_asked_and_installed_from(
    home: dict[str, str], environ: dict[str, str], url: str | None, told: dict[str, str]
) -> None:
    assert index_url({**home, **environ}) == url
    assert for_uv({**home, **environ}) == told


def test_what_pip_is_told_and_uv_is_not_is_said_to_be_ignored(home: dict[str, str]) -> None:
    environ = {**home, "PIP_FIND_LINKS": "/wheels", "PIP_NO_INDEX": "0"}
    assert ignored(environ) == [
        "pip's extra-index-url is not used: uv installs, and reads UV_INDEX or UV_EXTRA_INDEX_URL",
        "pip's find-links is not used: uv installs, and reads UV_FIND_LINKS",
    ]
    assert ignored({**environ, "UV_INDEX": "http://more/", "UV_FIND_LINKS": "/wheels"}) == []


def test_files_that_cannot_be_read_name_no_index(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_bytes(b"\xff[")
    (tmp_path / "uv.toml").write_bytes(b"\xff[")
    files = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "UV_CONFIG_FILE": str(tmp_path / "uv.toml")}
    assert index_url({"HOME": str(tmp_path), **files}) is None


def test_make_setup_installs_from_the_index_of_pip(tmp_path: Path) -> None:
    program = "import os; print(os.environ.get('UV_DEFAULT_INDEX'))"
    done = subprocess.run(
        [sys.executable, "-m", "boto_matrix.releases.index_settings", sys.executable, "-c", program],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
        env={"PIP_INDEX_URL": "http://c/simple", "HOME": str(tmp_path), "UV_NO_CONFIG": "1"},
    )  # fmt: skip
    assert done.stdout == "http://c/simple\n"
    recipes = [line for line in (REPOSITORY / "Makefile").read_text().splitlines() if "uv pip install" in line]
    assert recipes
    assert all("-m boto_matrix.releases.index_settings" in line for line in recipes if line.startswith("\t"))


def test_uv_told_to_stay_offline_is_not_asked_around(local_index: LocalIndex) -> None:
    index = index_from_environment({"UV_INDEX_URL": local_index.url, "UV_OFFLINE": "1"})
    with pytest.raises(IndexUnavailable, match="UV_OFFLINE is set"):
        index.releases("boto3")
    assert local_index.asked == []


@given(st.integers(0, 99), st.integers(0, 300))
def test_requirements_are_read_and_those_of_extras_left_out(minor: int, patch: int) -> None:
    needs = f"botocore (<1.{minor + 1}.0,>=1.{minor}.{patch})"
    (requirement,) = requirements_in_metadata(metadata_of("boto3", "1.26.24", needs))
    assert Version(f"1.{minor}.{patch}") in requirement.specifier
    assert Version(f"1.{minor + 1}.0") not in requirement.specifier
