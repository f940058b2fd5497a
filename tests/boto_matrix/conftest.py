"""A package index on the loopback interface."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from boto_matrix.releases.index import PackageIndex
from tests.boto_matrix.small_project import SmallProject

_WAY = "application/vnd.pypi.simple.v1+json"


@dataclass
class File:
    """A file of a release, and what the index says about it."""

    content: bytes
    requires_python: str = ""
    is_yanked: bool = False
    metadata: bytes | None = None
    promises_metadata: bool = False
    uploaded: str = "2026-01-02T03:04:05Z"


@dataclass
class LocalIndex:
    """What the index serves, and what it was asked for."""

    url: str = ""
    files: dict[str, dict[str, File]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answers_with: int | None = None

    def add(
        self,
        package: str,
        version: str,
        *,
        needs: str = "",
        python: str = ">=3.8",
        is_yanked: bool = False,
        has_metadata: bool = False,
        promises_metadata: bool = False,
    ) -> None:
        metadata = metadata_of(package, version, needs)
        self.files.setdefault(package, {})[f"{package}-{version}-py3-none-any.whl"] = File(
            content=wheel_of(package, version, metadata),
            requires_python=python,
            is_yanked=is_yanked,
            metadata=metadata if has_metadata else None,
            promises_metadata=has_metadata or promises_metadata,
        )

    def add_pairs(self, minor: int, botocore_minor: int, patches: range, *, python: str = ">=3.8") -> None:
        """Add releases of both packages as boto makes them: each needs at least the botocore of its own day."""
        for patch in patches:
            needs = f"botocore (<1.{botocore_minor + 1}.0,>=1.{botocore_minor}.{patch})"
            self.add("boto3", f"1.{minor}.{patch}", needs=needs, python=python)
            self.add("botocore", f"1.{botocore_minor}.{patch}", python=python)

    def answer(self, path: str) -> tuple[str, bytes] | None:
        parts = path.strip("/").split("/")
        if len(parts) == 2 and parts[1] in self.files:
            return _WAY, self._page(parts[1])
        if len(parts) == 3 and parts[0] == "files" and parts[1] in self.files:
            return self._file(parts[1], parts[2])
        return None

    def _file(self, package: str, name: str) -> tuple[str, bytes] | None:
        file = self.files[package].get(name.removesuffix(".metadata"))
        if file is None:
            return None
        content = file.metadata if name.endswith(".metadata") else file.content
        return None if content is None else ("application/octet-stream", content)

    def _page(self, package: str) -> bytes:
        files = [
            {
                "filename": name,
                "url": f"/files/{package}/{name}",
                "hashes": {"sha256": hashlib.sha256(file.content).hexdigest()},
                "requires-python": file.requires_python,
                "yanked": file.is_yanked,
                "core-metadata": file.promises_metadata,
                "upload-time": file.uploaded,
            }
            for name, file in self.files[package].items()
        ]
        return json.dumps({"meta": {"api-version": "1.1"}, "name": package, "files": files}).encode()


def metadata_of(package: str, version: str, needs: str = "") -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {package}", f"Version: {version}"]
    lines += [f"Requires-Dist: {needs}"] if needs else []
    lines += ['Requires-Dist: botocore[crt] (<2.0a0,>=1.21.0) ; extra == "crt"'] if package == "boto3" else []
    return ("\n".join(lines) + "\n").encode()


def wheel_of(package: str, version: str, metadata: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{package}-{version}.dist-info/METADATA", metadata)
    return buffer.getvalue()


@pytest.fixture
def local_index() -> Iterator[LocalIndex]:
    index = LocalIndex()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            found = None if index.answers_with else index.answer(self.path)
            self.send_response(index.answers_with or (200 if found else 404))
            content_type, content = found or ("text/plain", b"no\n")
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index.url = f"http://127.0.0.1:{server.server_port}/simple/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield index
        server.shutdown()
        thread.join()


@pytest.fixture
def index(local_index: LocalIndex) -> PackageIndex:
    return PackageIndex(local_index.url)


@pytest.fixture
def boto_index(local_index: LocalIndex) -> PackageIndex:
    """An index with a few minors of boto3 and botocore, numbered and limited as the real ones are."""
    local_index.add_pairs(17, 20, range(3))
    local_index.add_pairs(26, 29, range(20, 31))
    local_index.add_pairs(37, 37, range(3))
    local_index.add_pairs(41, 41, range(3), python=">=3.9")
    local_index.add("boto3", "1.42.0", needs="botocore>=1.41.2,<1.42.0", python=">=3.9")
    local_index.add_pairs(42, 42, range(1, 4), python=">=3.9")
    local_index.add_pairs(44, 44, range(3), python=">=3.10")
    local_index.add("boto3", "1.44.3", needs="botocore>=1.44.2,<1.45.0", python=">=3.10", is_yanked=True)
    local_index.add("boto3", "1.45.0rc1", needs="botocore>=1.44.2,<1.46.0", python=">=3.10")
    return PackageIndex(local_index.url)


@pytest.fixture
def closed_port() -> str:
    """The address of an index that nothing listens at."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}/simple/"


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """uv's own cache, so that made-up releases never get into the user's."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture
def project(tmp_path: Path, uv_cache: Path) -> SmallProject:
    project = SmallProject(tmp_path / "project", uv_cache)
    project.create()
    return project
