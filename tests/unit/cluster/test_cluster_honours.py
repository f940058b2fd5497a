"""What a cluster does with all that S3 means beyond the plain calls: nothing, as AIStore, or what S3 says."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Iterator, Mapping
from urllib.parse import quote

import pytest

from tests.cluster import Cluster

from .raw_client import Reply, ask

BUCKET = "capb"
BEFORE = b"k" * 100
OTHER = b"other"
NEW = b"new"
ETAG = f'"{hashlib.md5(BEFORE).hexdigest()}"'
WRONG = '"0123456789abcdef0123456789abcdef"'
PAST, FUTURE = "Thu, 01 Jan 2015 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"
TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
HOLD = b"<LegalHold><Status>ON</Status></LegalHold>"
SSE_C = {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": base64.b64encode(b"k" * 32).decode(),
    "x-amz-server-side-encryption-customer-key-MD5": base64.b64encode(hashlib.md5(b"k" * 32).digest()).decode(),
}
COPY = {"x-amz-copy-source": f"/{BUCKET}/other"}
MODES = ["aistore", "s3"]


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with Cluster(targets=3) as cluster:
        yield cluster


@pytest.fixture
def cluster(running: Cluster) -> Cluster:
    """With the objects `k` and `other` in its only bucket."""
    running.honours = "aistore"
    for bucket in running.store.buckets:
        running.store.delete_bucket(bucket, even_if_full=True)
    running.store.create_bucket(BUCKET)
    running.store.put(BUCKET, "k", BEFORE)
    running.store.put(BUCKET, "other", OTHER)
    return running


def follow(
    cluster: Cluster, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Reply:
    """The answer to a call about the bucket, from the target if the gateway sends there; the path is kept as asked."""
    sent = f"/s3/{BUCKET}{target}".encode()
    reply = ask(cluster.proxy, method, sent, headers, body)
    if reply.status != 307:
        return reply
    port = int(reply.location.split(b"/")[2].rpartition(b":")[2])
    node = next(node for node in cluster.targets if node.port == port)
    query = reply.location.partition(b"?")[2]
    return ask(node, method, sent.partition(b"?")[0] + b"?" + query, headers, body)


def content(cluster: Cluster, key: str) -> bytes | None:
    stored = cluster.store.get(BUCKET, key)
    return None if stored is None else stored.data


@dataclass
class Outcome:
    """What is answered, and what the object `k` is then."""

    status: int
    after: bytes | None = BEFORE
    body: bytes | None = None


@dataclass
class Row:
    """One call about `k`, and what comes of it."""

    name: str
    method: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    aistore: Outcome = field(default_factory=lambda: Outcome(200))
    s3: Outcome = field(default_factory=lambda: Outcome(501))


def put(name: str, headers: dict[str, str], s3: int) -> Row:
    """A PutObject that AIStore takes for a plain one."""
    return Row(name, "PUT", "", headers, NEW, Outcome(200, NEW), Outcome(s3, NEW if s3 == 200 else BEFORE))


def subresource(name: str, query: str, body: bytes, headers: dict[str, str] | None = None) -> Row:
    """A call whose body AIStore takes for the object."""
    return Row(name, "PUT", query, headers or {}, body, Outcome(200, body))


def read(name: str, query: str) -> Row:
    """A call that AIStore answers with the object's bytes."""
    return Row(name, "GET", query, aistore=Outcome(200, body=BEFORE))


def delete(name: str, query: str, headers: dict[str, str], s3: int) -> Row:
    return Row(name, "DELETE", query, headers, aistore=Outcome(200, None), s3=Outcome(s3))


def condition(method: str, header: str, value: str, s3: int) -> Row:
    name = f"{method} with {header}: {value}"
    body = BEFORE if method == "GET" else b""
    return Row(name, method, "", {header: value}, aistore=Outcome(200, body=body), s3=Outcome(s3))


def copy(condition: str, value: str, s3: int) -> Row:
    headers = {**COPY, f"x-amz-copy-source-if-{condition}": value}
    copied = Outcome(200, OTHER)
    return Row(
        f"copy if-{condition}: {value}", "PUT", "", headers, aistore=copied, s3=copied if s3 == 200 else Outcome(s3)
    )


ROWS = [
    subresource("PutObjectAcl, canned", "?acl", b"", {"x-amz-acl": "private"}),
    subresource("PutObjectTagging", "?tagging", TAGS),
    subresource("PutObjectLegalHold", "?legal-hold", HOLD),
    subresource("PutObjectRetention", "?retention", b"<Retention><Mode>GOVERNANCE</Mode></Retention>"),
    subresource("RenameObject", "?renameObject", b"", {"x-amz-rename-source": f"/{BUCKET}/other"}),
    delete("DeleteObjectTagging", "?tagging", {}, 501),
    delete("DeleteObject of a version", "?versionId=1", {}, 501),
    delete("DeleteObject with If-Match", "", {"If-Match": WRONG}, 412),
    put("If-None-Match: *", {"If-None-Match": "*"}, 412),
    put("If-Match, wrong", {"If-Match": WRONG}, 412),
    put("If-Match, right", {"If-Match": ETAG}, 200),
    put("an offset", {"x-amz-write-offset-bytes": "100"}, 501),
    put("SSE-C", SSE_C, 501),
    put("a lock", {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": FUTURE}, 501),
    put("tags", {"x-amz-tagging": "a=b"}, 501),
    put("a wrong Content-MD5", {"Content-MD5": base64.b64encode(b"0" * 16).decode()}, 400),
    put("a wrong checksum", {"x-amz-checksum-sha256": base64.b64encode(b"0" * 32).decode()}, 400),
    copy("match", WRONG, 412),
    copy("none-match", "*", 412),
    copy("modified-since", FUTURE, 412),
    copy("unmodified-since", PAST, 412),
    copy("modified-since", PAST, 200),
    read("GetObject of a version", "?versionId=1"),
    read("GetObjectTorrent", "?torrent"),
    # AIStore answers these with the object; the 500 that boto3 speaks of is botocore's, for what is no XML.
    read("GetObjectTagging", "?tagging"),
    read("GetObjectAttributes", "?attributes"),
    read("GetObjectLegalHold", "?legal-hold"),
    read("GetObjectRetention", "?retention"),
    condition("GET", "If-Match", WRONG, 412),
    condition("GET", "If-None-Match", ETAG, 304),
    condition("GET", "If-Modified-Since", FUTURE, 304),
    condition("GET", "If-Unmodified-Since", PAST, 412),
    condition("HEAD", "If-Match", WRONG, 412),
    condition("HEAD", "If-None-Match", ETAG, 304),
    Row("GetObjectAcl", "GET", "?acl", aistore=Outcome(501, body=b"")),
    Row("RestoreObject", "POST", "?restore", body=b"<RestoreRequest/>", aistore=Outcome(400)),
    Row("SelectObjectContent", "POST", "?select&select-type=2", body=b"<x/>", aistore=Outcome(400)),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_call_does_what_it_does_at_aistore_or_what_s3_means(cluster: Cluster, row: Row, mode: str) -> None:
    cluster.honours = mode
    expected = row.aistore if mode == "aistore" else row.s3
    reply = follow(cluster, row.method, f"/k{row.query}", row.headers, row.body)
    assert (reply.status, content(cluster, "k")) == (expected.status, expected.after)
    assert content(cluster, "other") == OTHER
    if expected.body is not None:
        assert reply.body == expected.body


def upload(cluster: Cluster, headers: dict[str, str] | None = None) -> tuple[str, str]:
    """An upload of `k` that wants to be completed, and the document that does."""
    created = follow(cluster, "POST", "/k?uploads", headers).body
    upload_id = created.partition(b"<UploadId>")[2].partition(b"</UploadId>")[0].decode()
    part = follow(cluster, "PUT", f"/k?partNumber=1&uploadId={upload_id}", {}, NEW)
    etag = part.headers["ETag"]
    parts = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    return upload_id, f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"


@pytest.mark.parametrize(("mode", "status", "after"), [("aistore", 200, NEW), ("s3", 412, BEFORE)])
def test_completing_an_upload_under_a_condition(cluster: Cluster, mode: str, status: int, after: bytes) -> None:
    cluster.honours = mode
    upload_id, document = upload(cluster)
    reply = follow(cluster, "POST", f"/k?uploadId={upload_id}", {"If-None-Match": "*"}, document.encode())
    assert (reply.status, content(cluster, "k")) == (status, after)


@pytest.mark.parametrize(("mode", "status"), [("aistore", 200), ("s3", 400)])
def test_completing_an_upload_with_wrong_etags(cluster: Cluster, mode: str, status: int) -> None:
    cluster.honours = mode
    upload_id, document = upload(cluster)
    wrong = document.replace(hashlib.md5(NEW).hexdigest(), "0" * 32)
    assert follow(cluster, "POST", f"/k?uploadId={upload_id}", {}, wrong.encode()).status == status


@pytest.mark.parametrize(("mode", "status"), [("aistore", 400), ("s3", 200)])
def test_completing_an_upload_with_some_of_its_parts(cluster: Cluster, mode: str, status: int) -> None:
    cluster.honours = mode
    upload_id, document = upload(cluster)
    follow(cluster, "PUT", f"/k?partNumber=3&uploadId={upload_id}", {}, NEW)
    assert follow(cluster, "POST", f"/k?uploadId={upload_id}", {}, document.encode()).status == status


@pytest.mark.parametrize(("mode", "status"), [("aistore", 400), ("s3", 200)])
def test_an_empty_part(cluster: Cluster, mode: str, status: int) -> None:
    cluster.honours = mode
    upload_id, _ = upload(cluster)
    assert follow(cluster, "PUT", f"/k?partNumber=2&uploadId={upload_id}").status == status


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("key", "stored"), [("a%41", "aA"), ("c%2F0", "c/0"), ("x?y", "x"), ("50%", None), ("a b é#", "a b é#")]
)
def test_a_copy_between_targets_is_stored_under_the_name_that_its_key_is_as_a_url(
    cluster: Cluster, key: str, stored: str | None, mode: str
) -> None:
    cluster.honours = mode
    assert follow(cluster, "PUT", f"/{quote(key)}", COPY).status == 200
    made = set(cluster.store.keys(BUCKET)) - {"k", "other"}
    assert made == ({key} if mode == "s3" else {stored} - {None})


@pytest.mark.parametrize(("mode", "targets", "status"), [("aistore", 3, 400), ("aistore", 1, 200), ("s3", 3, 200)])
def test_a_copy_of_a_key_that_has_to_be_escaped_is_not_found_on_another_target(
    mode: str, targets: int, status: int
) -> None:
    with Cluster(targets, honours=mode) as cluster:
        cluster.store.create_bucket(BUCKET)
        cluster.store.put(BUCKET, "a b", OTHER)
        assert follow(cluster, "PUT", "/new", {"x-amz-copy-source": f"/{BUCKET}/a%20b"}).status == status
        assert content(cluster, "new") == (OTHER if status == 200 else None)


@pytest.mark.parametrize(("mode", "status"), [("aistore", 501), ("s3", 200)])
def test_copying_a_part(cluster: Cluster, mode: str, status: int) -> None:
    cluster.honours = mode
    upload_id, _ = upload(cluster)
    assert follow(cluster, "PUT", f"/k?partNumber=2&uploadId={upload_id}", COPY).status == status


@pytest.mark.parametrize(("mode", "status"), [("aistore", 404), ("s3", 204)])
def test_deleting_what_is_not_there(cluster: Cluster, mode: str, status: int) -> None:
    cluster.honours = mode
    assert follow(cluster, "DELETE", "/absent").status == status


@pytest.mark.parametrize("way", ["put", "upload", "copy"])
@pytest.mark.parametrize("mode", MODES)
def test_what_is_said_of_an_object_is_dropped_or_given_back(cluster: Cluster, mode: str, way: str) -> None:
    cluster.honours = mode
    said = {"x-amz-meta-a": "b", "Content-Type": "text/x", "Cache-Control": "no-store"}
    if way == "upload":
        upload_id, document = upload(cluster, said)
        follow(cluster, "POST", f"/k?uploadId={upload_id}", {}, document.encode())
    elif way == "copy":
        follow(cluster, "PUT", "/k", {**COPY, **said, "x-amz-metadata-directive": "REPLACE"})
    else:
        follow(cluster, "PUT", "/k", {**said, "x-amz-acl": "private", "x-amz-server-side-encryption": "AES256"}, NEW)
    given = follow(cluster, "GET", "/k").headers
    kept = {name: given[name] for name in said if given[name] == said[name]}
    assert kept == ({} if mode == "aistore" else said)


KEYS = [
    ("a//b", "a/b"),
    ("a/./b", "a/b"),
    ("a/../b", "b"),
    ("/lead", "lead"),
    ("e/", "e"),
    ("e//./", "e"),
    ("//x", "x"),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("key", "clean"), KEYS)
def test_a_key_is_cleaned_by_the_target_or_kept(cluster: Cluster, key: str, clean: str, mode: str) -> None:
    cluster.honours = mode
    cluster.store.put(BUCKET, clean, BEFORE)
    assert follow(cluster, "PUT", f"/{key}").status == 200
    assert follow(cluster, "GET", f"/{key}").body == b""
    assert content(cluster, clean) == (b"" if mode == "aistore" else BEFORE)
    follow(cluster, "DELETE", f"/{key}")
    assert (content(cluster, clean), content(cluster, key)) == (None if mode == "aistore" else BEFORE, None)


@pytest.mark.parametrize("key", ["../z", ".", "a/..", "~/x", "a/../../b"])
def test_a_key_that_is_no_path_below_the_bucket_is_refused_or_kept(cluster: Cluster, key: str) -> None:
    assert follow(cluster, "PUT", f"/{key}", {}, NEW).code == "errInvalidPath"
    cluster.honours = "s3"
    assert follow(cluster, "PUT", f"/{key}", {}, NEW).status == 200
    assert content(cluster, key) == NEW


@pytest.mark.parametrize("mode", MODES)
def test_a_key_with_a_question_mark_is_in_no_list(cluster: Cluster, mode: str) -> None:
    cluster.honours = mode
    assert follow(cluster, "PUT", "/x%3Fy", {}, NEW).status == 200
    assert follow(cluster, "GET", "/x%3Fy").body == NEW
    listed = follow(cluster, "GET", "?list-type=2").body
    assert b"<Key>k</Key>" in listed
    assert (b"<Key>x?y</Key>" in listed) is (mode == "s3")


@pytest.mark.parametrize(("key", "status"), [("k?acl", 501), ("k?uploads", 200), ("k?policy", 501)])
def test_what_follows_a_question_mark_is_a_parameter_at_the_gateway(cluster: Cluster, key: str, status: int) -> None:
    reply = ask(cluster.proxy, "GET", f"/s3/{BUCKET}/{quote(key)}".encode())
    assert reply.status == status
    cluster.honours = "s3"
    assert ask(cluster.proxy, "GET", f"/s3/{BUCKET}/{quote(key)}".encode()).status == 307


@pytest.mark.parametrize("key", ["/", "//", "%3Fx", "/%3Fx"])
def test_a_key_of_slashes_or_with_a_question_mark_first_is_the_bucket(cluster: Cluster, key: str) -> None:
    assert follow(cluster, "HEAD", f"/{key}").headers["X-Amz-Bucket-Region"] == "ais"
    assert b"<ListBucketResult" in follow(cluster, "GET", f"/{key}").body
    assert follow(cluster, "PUT", f"/{key}").status == 409
    assert follow(cluster, "DELETE", f"/{key}").status == 200
    assert BUCKET not in cluster.store


@pytest.mark.parametrize("query", ["", "?tagging", "?policy", "?lifecycle"])
@pytest.mark.parametrize("mode", MODES)
def test_deleting_something_of_a_bucket(cluster: Cluster, mode: str, query: str) -> None:
    cluster.honours = mode
    status = follow(cluster, "DELETE", query).status
    assert status == (200 if mode == "aistore" else 501 if query else 409)
    assert (BUCKET in cluster.store) is (mode == "s3")


@pytest.mark.parametrize("mode", MODES)
def test_deleting_versions_in_a_batch(cluster: Cluster, mode: str) -> None:
    cluster.honours = mode
    body = b"<Delete><Object><Key>k</Key><VersionId>1</VersionId></Object></Delete>"
    assert follow(cluster, "POST", "?delete", {}, body).status == (200 if mode == "aistore" else 501)
    assert content(cluster, "k") == (None if mode == "aistore" else BEFORE)


def test_a_batch_with_a_key_that_is_no_path_deletes_nothing(cluster: Cluster) -> None:
    body = b"<Delete><Object><Key>k</Key></Object><Object><Key>e/</Key></Object></Delete>"
    assert follow(cluster, "POST", "?delete", {}, body).status == 400
    assert content(cluster, "k") == BEFORE


def test_putting_something_of_a_bucket_makes_the_bucket_or_says_that_it_is_there(cluster: Cluster) -> None:
    assert follow(cluster, "PUT", "?tagging", {}, TAGS).status == 409
    cluster.store.delete_bucket(BUCKET, even_if_full=True)
    assert follow(cluster, "PUT", "?tagging", {}, TAGS).status == 200
    assert cluster.store.buckets == [BUCKET]


def test_a_list_has_all_keys_whatever_the_page(cluster: Cluster) -> None:
    for key in ("a/1", "a/2", "b"):
        cluster.store.put(BUCKET, key, NEW)
    listed = follow(cluster, "GET", "?list-type=2&max-keys=1&delimiter=-&start-after=a/1").body
    keys = [part.partition(b"</Key>")[0] for part in listed.split(b"<Key>")[1:]]
    assert keys == [b"b", b"k", b"other"]
    assert b"<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><KeyCount>4</KeyCount>" in listed


def test_an_unknown_meaning_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match=r"one of \['aistore', 's3'\]"):
        cluster.honours = "gcs"
    assert cluster.honours == "aistore"
