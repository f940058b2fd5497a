"""s3fs, and with it all that opens files by fsspec (pandas, dask, zarr, xarray …), on a cluster that redirects."""

from __future__ import annotations

from typing import Any, Iterator

import pytest

import aistore_patch
from tests.cluster import Cluster

from .conftest import BUCKET, KEY_ID, SECRET

s3fs = pytest.importorskip("s3fs")

KEYS = ["report", "a b", "é+€", "dir/sub/k", "100%", "a;b=c&d"]


@pytest.fixture
def fs(cluster: Cluster) -> Iterator[Any]:
    with aistore_patch.patched():
        yield s3fs.S3FileSystem(
            key=KEY_ID,
            secret=SECRET,
            endpoint_url=cluster.endpoint_url,
            client_kwargs={"region_name": "us-east-1"},
            config_kwargs={"s3": {"addressing_style": "path"}},
            skip_instance_cache=True,
            use_listings_cache=False,
        )


def test_files_are_written_read_listed_and_removed(cluster: Cluster, fs: Any) -> None:
    for key in KEYS:
        fs.pipe_file(f"{BUCKET}/{key}", key.encode())
        assert fs.cat_file(f"{BUCKET}/{key}") == key.encode()
        assert fs.info(f"{BUCKET}/{key}")["size"] == len(key.encode())
        assert fs.exists(f"{BUCKET}/{key}")
    assert cluster.store.keys(BUCKET) == sorted(KEYS)
    assert sorted(fs.find(BUCKET)) == sorted(f"{BUCKET}/{key}" for key in KEYS)
    for key in KEYS:
        fs.rm_file(f"{BUCKET}/{key}")
        assert not fs.exists(f"{BUCKET}/{key}")
    assert cluster.store.keys(BUCKET) == []


def test_a_big_file_is_written_in_parts_and_read_in_pieces(cluster: Cluster, fs: Any) -> None:
    body = bytes(range(256)) * 4096 * 12  # 12 MiB
    with fs.open(f"{BUCKET}/big", "wb", block_size=5 << 20) as file:
        for start in range(0, len(body), 1 << 20):
            file.write(body[start : start + (1 << 20)])
    assert cluster.store[BUCKET, "big"].data == body
    assert any(b"partNumber" in entry.query for entry in cluster.ledger.requests(method="PUT"))
    with fs.open(f"{BUCKET}/big", "rb", block_size=1 << 20) as file:
        file.seek(5_000_000)
        assert file.read(100_000) == body[5_000_000:5_100_000]
    assert fs.cat_file(f"{BUCKET}/big", start=7, end=1007) == body[7:1007]


def test_files_are_copied_up_and_down_and_across(cluster: Cluster, fs: Any, tmp_path: Any) -> None:
    body = bytes(range(256)) * 1000
    (tmp_path / "up").write_bytes(body)
    fs.put_file(str(tmp_path / "up"), f"{BUCKET}/up")
    fs.get_file(f"{BUCKET}/up", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == body
    fs.cp_file(f"{BUCKET}/up", f"{BUCKET}/copy")
    assert cluster.store[BUCKET, "copy"].data == body


def test_a_name_with_a_question_mark_never_becomes_another(cluster: Cluster, fs: Any) -> None:
    """Unpatched, `report?v=1` is written to `report`, and removing it removes `report`."""
    cluster.redirects.strict_path = False  # as AIStore's targets, which look at the path that came
    fs.pipe_file(f"{BUCKET}/report", b"the report")
    with pytest.raises(Exception, match="AIStore cannot take the key"):
        fs.pipe_file(f"{BUCKET}/report?v=1", b"another")
    with pytest.raises(FileNotFoundError):
        fs.rm_file(f"{BUCKET}/report?v=1")
    assert cluster.store.keys(BUCKET) == ["report"]
    assert cluster.store[BUCKET, "report"].data == b"the report"


def test_many_files_at_once(cluster: Cluster, fs: Any) -> None:
    files = {f"{BUCKET}/many/{number}": bytes([number]) * 1000 for number in range(60)}
    fs.pipe(files)
    assert fs.cat(list(files)) == files
    fs.rm(f"{BUCKET}/many", recursive=True)
    assert cluster.store.keys(BUCKET) == []
