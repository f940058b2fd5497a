"""Calls that real clusters were asked besides those of the redirects' capture, and what they answered.

`python -m tests.unit.cluster.recorded 127.0.0.1 8080` asks a gateway all of them again and writes the file anew: to be
done with a new release of AIStore. It makes and deletes a bucket `capb` there, again and again.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator, Mapping, NamedTuple
from urllib.parse import quote

from .raw_client import RawClient
from .test_cluster_honours import BEFORE, BUCKET, NEW, OTHER, ROWS, TAGS

FILE = Path(__file__).with_name("captures") / "aistore-answers.jsonl"
"""Of AIStore's source of 21 August 2026 (583e7729e): one gateway, three targets."""

KEYS = ["a//b", "a/./b", "a/../b", "/lead", "e/", "e//./", "//x", "../z", ".", "a/..", "~/x", "a/../../b"]
KEYS += ["x?y", "a#b?c", "100%?x", "a\nb?x", "x#?y z", "k?acl", "k?uploads", "k?policy", "/", "//", "?x", "/?x"]
KEYS += ["a b", "é", "a\nb", "q'\"<>|\\^`{}[]", "dir//double/../up/./"]
KEY_OF_BUCKET = ("/", "//", "?x", "/?x")
BATCH = b"<Delete><Object><Key>k</Key>%s</Object>%s</Delete>"


class Asked(NamedTuple):
    """One call about the bucket."""

    name: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def calls() -> Iterator[Asked]:
    for row in ROWS:
        yield Asked(row.name, row.method, f"/k{row.query}", row.headers, row.body)
    for key in KEYS:
        for method in ("PUT", "GET", "HEAD", "DELETE"):
            body = NEW if method == "PUT" and key not in KEY_OF_BUCKET else b""
            yield Asked(f"{method} {key!r}", method, f"/{quote(key, safe='/~.')}", {}, body)
    for method, query in (
        ("GET", "encryption"),
        ("GET", "versioning"),
        ("HEAD", "x"),
        ("POST", "x"),
        ("GET", "uploads"),
    ):
        yield Asked(f"{method} bucket ?{query}", method, f"?{query}", {}, b"")
    for query in ("tagging", "policy"):
        yield Asked(f"PUT bucket ?{query}", "PUT", f"?{query}", {}, TAGS)
        yield Asked(f"DELETE bucket ?{query}", "DELETE", f"?{query}", {}, b"")
    for query in ("prefix=o", "delimiter=/", "max-keys=1", "start-after=k", "encoding-type=url"):
        yield Asked(f"list ?{query}", "GET", f"?list-type=2&{query}", {}, b"")
    for name, item, more in (
        ("a version", b"<VersionId>1</VersionId>", b""),
        ("what is absent", b"", b"<Object><Key>absent</Key></Object><Quiet>true</Quiet>"),
        ("a directory", b"", b"<Object><Key>e/</Key></Object>"),
    ):
        yield Asked(f"delete in a batch {name}", "POST", "?delete", {}, BATCH % (item, more))
    for wanted in ("bytes=2-4", "bytes=-3", "bytes=2000-", "bytes=0-1,3-4", "lines=1", "bytes=5-4"):
        yield Asked(f"GET {wanted}", "GET", "/k", {"Range": wanted}, b"")
    yield Asked("HEAD of a range", "HEAD", "/k", {"Range": "bytes=0-1"}, b"")
    yield Asked("DELETE of what is absent", "DELETE", "/absent", {}, b"")
    yield Asked("uploadId alone", "PUT", "/k?uploadId=1", {}, NEW)
    yield Asked("UploadPartCopy", "PUT", "/k?partNumber=1&uploadId=1", {"x-amz-copy-source": f"/{BUCKET}/other"}, b"")
    for source in ("other", "/other/", "absent", "other?versionId=1", "a/../other"):
        yield Asked(f"copy of {source}", "PUT", "/k", {"x-amz-copy-source": f"/{BUCKET}/{source}"}, b"")
    yield Asked("copy of no bucket", "PUT", "/k", {"x-amz-copy-source": "/absent-bucket/other"}, b"")
    yield Asked("copy of no key", "PUT", "/k", {"x-amz-copy-source": BUCKET}, b"")


def ask(gateway: Any, asked: Asked) -> dict[str, Any]:
    """The last answer (the target's, if the gateway sends there), and what the two objects are then."""
    for method, target, body in (
        ("DELETE", "", b""),
        ("PUT", "", b""),
        ("PUT", "/k", BEFORE),
        ("PUT", "/other", OTHER),
    ):
        answered(gateway, method, target, {}, body)
    redirected, head, content = answered(gateway, *asked[1:])
    if asked.target == "?delete" and gateway.port < 10_000:  # a real cluster deletes later
        time.sleep(1)
    then = {key: answered(gateway, "GET", f"/{key}") for key in ("k", "other")}
    return {
        "call": asked.name,
        "redirected": redirected,
        "head": head,
        "body": content,
        "then": {key: body if head[0].endswith(" 200 OK") else None for key, (_, head, body) in then.items()},
    }


def answered(
    gateway: Any, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> tuple[bool, list[str], str]:
    """Whether the gateway sends on, and the last answer's head and body; the path is sent on as it was asked."""
    path = f"/s3/{BUCKET}{target}".encode()
    head, content = exchange(gateway, method, path, headers, body)
    location = next((line for line in head if line.startswith("Location: ")), None)
    if location is None:
        return False, head, content
    node = SimpleNamespace(host=gateway.host, port=int(location.split("/")[2].rpartition(":")[2]))
    path = path.partition(b"?")[0] + b"?" + location.partition("?")[2].encode()
    return (True, *exchange(node, method, path, headers, body))


def exchange(
    node: Any, method: str, target: bytes, headers: Mapping[str, str] | None, body: bytes
) -> tuple[list[str], str]:
    with RawClient(node) as client:
        client.send_request(method, target, {"Connection": "close", **(headers or {})}, body)
        head, _, content = client.read_to_end().decode().partition("\r\n\r\n")
    return [line for line in head.split("\r\n") if not line.startswith("Date: ")], content


def main(host: str, port: str) -> None:
    gateway = SimpleNamespace(host=host, port=int(port))
    with FILE.open("w", encoding="utf-8") as file:
        for asked in calls():
            file.write(json.dumps(ask(gateway, asked), ensure_ascii=False) + "\n")
    answered(gateway, "DELETE", "")


if __name__ == "__main__":
    main(*sys.argv[1:])
