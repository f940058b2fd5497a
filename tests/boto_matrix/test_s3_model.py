"""What of a botocore's S3 model the guard of aistore_patch does not know, read without importing either."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from boto_matrix.results.model import FoundModel
from boto_matrix.running.installed import model_of_cell
from boto_matrix.surface.declaration import SurfaceError
from boto_matrix.surface.s3_model import guard, unclassified
from boto_matrix.surface.sources import site_packages_of
from tests.boto_matrix.surface_packages import model_of

_PARAMETERS = {
    "Bucket": {"location": "uri", "locationName": "Bucket"},
    "Body": {},
    "Metadata": {"location": "headers", "locationName": "x-amz-meta-"},
    "IfSizeMatches": {"location": "header", "locationName": "If-Size-Matches"},
    "Fold": {"location": "header", "locationName": "x-amz-fold"},
    "FoldToo": {},
}


def with_model(folder: Path, content: bytes, name: str = "service-2.json") -> Path:
    path = folder / "botocore" / "data" / "s3" / "2006-03-01" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return folder


@pytest.mark.parametrize("is_packed", [True, False])
def test_operations_and_parameters_that_nobody_has_classified_are_named(tmp_path: Path, *, is_packed: bool) -> None:
    content = json.dumps(model_of({"PutObject": _PARAMETERS, "FoldObject": _PARAMETERS, "PutObjectAcl": {}})).encode()
    name, content = ("service-2.json.gz", gzip.compress(content)) if is_packed else ("service-2.json", content)
    assert unclassified(with_model(tmp_path, content, name)) == ("PutObject.Fold", "PutObject.FoldToo", "FoldObject")


def test_an_operation_without_parameters_is_one(tmp_path: Path) -> None:
    model = model_of({"FoldObject": {}})
    del model["operations"]["FoldObject"]["input"]
    assert unclassified(with_model(tmp_path, json.dumps(model).encode())) == ("FoldObject",)


def test_what_a_read_is_given_need_not_be_classified(tmp_path: Path) -> None:
    content = json.dumps(model_of({"GetObject": _PARAMETERS}, "GET")).encode()
    assert unclassified(with_model(tmp_path, content)) == ()


def spoilt(model: Any) -> bytes:
    return json.dumps(model).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("service-2.json", b"{"),
        ("service-2.json", b"\xff"),
        ("service-2.json", spoilt([])),
        ("service-2.json", spoilt({"operations": {}})),
        ("service-2.json", spoilt({"operations": {"PutObject": {}}})),
        ("service-2.json", spoilt({**model_of({"PutObject": {}}), "shapes": {}})),
        ("service-2.json.gz", b"{}"),
        ("service-2.json.gz", gzip.compress(b"{}", mtime=0)[:-3]),
        ("service-2.json.gz", gzip.compress(b"{}" * 9, mtime=0)[:10] + b"\xff" * 20),
        ("service-3.json", b"{}"),
    ],
)
def test_a_model_that_cannot_be_read_is_a_problem_with_its_file(name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(SurfaceError, match=r"2006-03-01"):
        unclassified(with_model(tmp_path / "lib" / "python3.11" / "site-packages", content, name))
    found = model_of_cell(tmp_path / "bin" / "python")
    assert found is not None
    assert found.problem is not None


def test_the_guard_is_loaded_without_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "aistore_patch"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "botocore", None)
    guard.cache_clear()
    assert guard().unclassified("FoldObject", "PUT", {}) == ["FoldObject"]
    assert not [name for name in sys.modules if name.partition(".")[0] == "aistore_patch"]


def test_a_guard_that_cannot_be_loaded_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boto_matrix.surface.s3_model._GUARD", tmp_path / "guard.py")
    guard.cache_clear()
    with pytest.raises(SurfaceError, match=r"guard\.py: cannot be loaded: .*No such file"):
        unclassified(with_model(tmp_path, json.dumps(model_of({"OnlyHere": {}})).encode()))


def test_the_guard_knows_all_of_the_botocore_that_is_installed_here() -> None:
    assert model_of_cell(Path(sys.executable)) == FoundModel()
    assert list(site_packages_of(Path(sys.executable)).glob("botocore/data/s3/2006-03-01/service-2.json*"))
